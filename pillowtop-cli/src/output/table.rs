//! Tables that fit a screen: a row is one line where that is wide enough, or wrapped within its
//! columns, or an item of a list.

use textwrap::core::display_width;
use textwrap::{Options, WordSplitter, wrap};

use super::visible;

/// The width of a screen on which nothing is folded.
pub(crate) const UNLIMITED: usize = usize::MAX;
/// Between two columns.
const GAP: &str = "  ";
/// A column is wrapped to this width and no further: a narrower one is hard to read, and the table
/// becomes a list.
const NARROWEST: usize = 24;
/// How far what belongs to an item of a list is indented.
const INDENT: &str = "  ";

/// How a column is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table: a header and rows of strings.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// One more row, with a string for each column.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| visible(&cell.replace(['\n', '\t'], " "))).collect());
    }

    /// The lines of the table, none of them wider than the screen.
    pub(crate) fn lines(&self, screen: usize) -> Vec<String> {
        match self.widths(screen) {
            Some(widths) => {
                let header: Vec<String> = self.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
                [&header].into_iter().chain(&self.rows).flat_map(|row| self.wrapped(row, &widths)).collect()
            }
            None => self.rows.iter().flat_map(|row| self.item(row, screen)).collect(),
        }
    }

    /// The width of each column, if the screen is wide enough for a table.
    fn widths(&self, screen: usize) -> Option<Vec<usize>> {
        let cells = |column: usize| {
            let header = self.columns[column].0;
            [header]
                .into_iter()
                .chain(self.rows.iter().filter_map(move |row| row.get(column).map(String::as_str)))
        };
        let widest = |column| cells(column).map(display_width).max().unwrap_or_default();
        let widest_word = |column| {
            cells(column).flat_map(str::split_whitespace).map(display_width).max().unwrap_or_default()
        };
        let mut widths: Vec<usize> = (0..self.columns.len()).map(widest).collect();
        let least: Vec<usize> = (0..self.columns.len())
            .map(|column| match self.columns[column].1 {
                Align::Left => widths[column].min(widest_word(column).max(NARROWEST)),
                Align::Right => widths[column],
            })
            .collect();
        let gaps = GAP.len() * self.columns.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > screen {
            // The widest column shrinks first.
            let can_shrink = (0..widths.len()).filter(|column| widths[*column] > least[*column]);
            let column = can_shrink.max_by_key(|column| widths[*column])?;
            widths[column] -= 1;
        }
        Some(widths)
    }

    /// A row within its columns.
    fn wrapped(&self, row: &[String], widths: &[usize]) -> Vec<String> {
        let cells: Vec<Vec<String>> =
            row.iter().zip(widths).map(|(cell, width)| parts(cell, *width)).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or_default();
        let line = |index: usize| {
            let padded = cells.iter().zip(widths).zip(&self.columns).map(|((parts, width), (_, align))| {
                let part = parts.get(index).map(String::as_str).unwrap_or_default();
                let blank = " ".repeat(width.saturating_sub(display_width(part)));
                match align {
                    Align::Left => format!("{part}{blank}"),
                    Align::Right => format!("{blank}{part}"),
                }
            });
            padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
        };
        (0..height).map(line).collect()
    }

    /// A row as an item of a list: its first cell, and below it the others that have something.
    fn item(&self, row: &[String], screen: usize) -> Vec<String> {
        let mut filled = self.columns.iter().zip(row).filter(|(_, cell)| !cell.is_empty() && *cell != "-");
        let title = filled.next().map(|((name, _), cell)| {
            let is_first = Some(cell) == row.first();
            if is_first { cell.clone() } else { format!("{name} {cell}") }
        });
        let mut lines = wrap_at(&title.unwrap_or_default(), "", screen);
        let rest: Vec<String> = filled.map(|((name, _), cell)| format!("{name} {cell}")).collect();
        if !rest.is_empty() {
            lines.extend(wrap_at(&rest.join(" · "), INDENT, screen));
        }
        lines
    }
}

/// Lines of the screen's width, each with an indent; lines after the first are indented
/// further.
pub(crate) fn wrap_at(text: &str, indent: &str, screen: usize) -> Vec<String> {
    let hanging = format!("{indent}{INDENT}");
    let options = whole_words(screen).initial_indent(indent).subsequent_indent(&hanging);
    wrap(text, options).into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// No line ends within a word, at a hyphen of an id for instance, unless the word is longer than the
/// line.
fn whole_words(width: usize) -> Options<'static> {
    Options::new(width).word_splitter(WordSplitter::NoHyphenation)
}

fn parts(cell: &str, width: usize) -> Vec<String> {
    if display_width(cell) <= width {
        return vec![cell.to_owned()];
    }
    wrap(cell, whole_words(width)).into_iter().map(|part| part.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&[("pillow", Align::Left), ("docs", Align::Right)]);
        table.row(["é".to_owned(), "12345".to_owned()]);
        table.row(["語語".to_owned(), "1".to_owned()]);
        table.row(["case-search".to_owned(), "1".to_owned()]);
        assert_eq!(
            table.lines(80),
            ["pillow        docs", "é            12345", "語語             1", "case-search      1"]
        );
    }

    #[test]
    fn a_wide_table_is_wrapped_and_a_wider_one_becomes_a_list() {
        let mut table = Table::new(&[("id", Align::Left), ("count", Align::Right), ("reason", Align::Left)]);
        table.row([
            "visit-1".to_owned(),
            "7".to_owned(),
            "failed to parse the field, since it is a string".to_owned(),
        ]);
        assert_eq!(table.lines(80).len(), 2);
        assert_eq!(
            table.lines(40),
            [
                "id       count  reason",
                "visit-1      7  failed to parse the",
                "                field, since it is a",
                "                string"
            ]
        );
        assert_eq!(
            table.lines(30),
            ["visit-1", "  count 7 · reason failed to", "    parse the field, since it", "    is a string"]
        );
    }

    #[test]
    fn an_id_with_hyphens_is_one_word() {
        let text = "differs in 1 document: id 867d8da8-b1b5-4a7e-29f8-0123456789ab";
        assert_eq!(
            wrap_at(text, "", 44),
            ["differs in 1 document: id", "  867d8da8-b1b5-4a7e-29f8-0123456789ab"]
        );
        assert_eq!(wrap_at(text, "  ", UNLIMITED), [format!("  {text}")]);
        let mut table = Table::new(&[("id", Align::Left), ("reason", Align::Left)]);
        table.row(["a-b".to_owned(), text.repeat(9)]);
        assert_eq!(table.lines(UNLIMITED).len(), 2);
    }

    #[test]
    fn no_line_is_wider_than_the_screen() {
        let columns = ["index", "pillow", "documents", "phase", "aliases"].map(|name| (name, Align::Left));
        for length in [1, 20, 60, 300] {
            let mut table = Table::new(&columns);
            let word = "x".repeat(length);
            table.row([
                word.clone(),
                "case".to_owned(),
                format!("{word} {word}"),
                "語".repeat(length),
                "a\u{202e}".to_owned(),
            ]);
            for screen in [40, 80, 120] {
                for line in table.lines(screen) {
                    assert!(display_width(&line) <= screen, "{line}");
                }
                let all: String = table.lines(screen).concat().split_whitespace().collect();
                assert_eq!(all.matches('語').count(), length, "nothing is cut");
            }
        }
    }
}
