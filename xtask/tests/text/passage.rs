//! What people read in a file: the paragraphs of a page; the comments, string literals and
//! sentences as names of a source file. Inline code is not read, because names are quoted there.

use crate::tree::has_extension;

/// Joined lines, so that a phrase that is wrapped is found, too.
#[derive(Debug, Default)]
pub(crate) struct Passage {
    text: String,
    /// Where each line begins in the text, and its number in the file.
    lines: Vec<(usize, usize)>,
}

impl Passage {
    fn push(&mut self, line: &str, number: usize) {
        self.lines.push((self.text.len(), number));
        self.text.push_str(line);
        self.text.push(' ');
    }

    /// The text, in which inline code and the placeholders of formats are blanked out.
    pub(crate) fn prose(&self) -> String {
        let mut prose = String::with_capacity(self.text.len());
        let mut closing = None;
        for letter in self.text.chars() {
            match (closing, letter) {
                (None, '`') => closing = Some('`'),
                (None, '{') => closing = Some('}'),
                (Some(close), letter) if letter == close => closing = None,
                (None, letter) => {
                    prose.push(letter);
                    continue;
                }
                (Some(_), _) => {}
            }
            // As long as before, so that lines are found.
            prose.extend(std::iter::repeat_n('`', letter.len_utf8()));
        }
        prose
    }

    /// The number of the line with this position of the text.
    pub(crate) fn line_at(&self, position: usize) -> usize {
        self.lines.iter().rev().find(|(start, _)| *start <= position).map_or(0, |(_, number)| *number)
    }
}

/// The passages of a file.
pub(crate) fn passages(path: &str, text: &str) -> Vec<Passage> {
    if has_extension(path, "rs") || has_extension(path, "js") { source(text) } else { paragraphs(text) }
}

fn paragraphs(text: &str) -> Vec<Passage> {
    let mut found = vec![Passage::default()];
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            found.push(Passage::default());
        } else if let Some(last) = found.last_mut() {
            last.push(line.trim().trim_start_matches("# "), index + 1);
        }
    }
    found
}

/// The passages of a source file.
fn source(text: &str) -> Vec<Passage> {
    let mut found = Vec::new();
    let (mut position, mut line) = (0, 1);
    while position < text.len() {
        let rest = &text[position..];
        let (length, is_read) = token(rest, text[..position].chars().next_back());
        let part = &rest[..length];
        if is_read {
            let mut passage = Passage::default();
            let is_name = part.starts_with("fn ");
            for (index, words) in part.lines().enumerate() {
                let words = words.trim().trim_start_matches(['/', '!', '*']).trim_end_matches('\\').trim();
                let words = if is_name { words.replace('_', " ") } else { words.to_owned() };
                passage.push(&words, line + index);
            }
            found.push(passage);
        }
        line += part.matches('\n').count();
        position += length;
    }
    found
}

/// The length of what a source begins with, and whether people read it.
fn token(rest: &str, before: Option<char>) -> (usize, bool) {
    let is_word_before = before.is_some_and(|before| before.is_alphanumeric() || before == '_');
    let first = rest.chars().next().map_or(1, char::len_utf8);
    if rest.starts_with("//") {
        return (comment_lines(rest), true);
    }
    if rest.starts_with("/*") {
        return (rest.find("*/").map_or(rest.len(), |end| end + 2), true);
    }
    if rest.starts_with('r') && !is_word_before {
        let hashes = rest[1..].len() - rest[1..].trim_start_matches('#').len();
        if rest[1 + hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let begin = 2 + hashes;
            return (rest[begin..].find(&close).map_or(rest.len(), |end| begin + end + close.len()), true);
        }
    }
    if rest.starts_with('"') {
        return (quoted(rest), true);
    }
    if rest.starts_with('\'') {
        let mut letters = rest.chars().skip(1);
        return match (letters.next(), letters.next()) {
            (Some('\\'), _) => (rest[3..].find('\'').map_or(1, |end| end + 4), false),
            (Some(letter), Some('\'')) => (letter.len_utf8() + 2, false),
            _ => (1, false),
        };
    }
    if rest.starts_with("fn ") && !is_word_before {
        let name = rest[3..].split(|letter: char| !letter.is_alphanumeric() && letter != '_').next();
        let name = name.unwrap_or_default();
        // A sentence, as the names of tests are.
        return (3 + name.len(), name.matches('_').count() > 1);
    }
    (first, false)
}

/// The length of a comment, the following lines of it included.
fn comment_lines(rest: &str) -> usize {
    let mut length = 0;
    for line in rest.split_inclusive('\n') {
        if !line.trim_start().starts_with("//") {
            break;
        }
        length += line.len();
    }
    length
}

/// The length of a string literal.
fn quoted(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[test]
fn comments_strings_and_names_are_read() {
    let text = "//! One\n//! two `code`.\nfn three_is_read() {\n    let a = ('\"', '\\'', r#\"raw \"#);\n    \
                f(\"four {five}\");\n}\n";
    let read = source(text);
    let prose: Vec<String> = read.iter().map(|passage| passage.prose().trim().to_owned()).collect();
    assert_eq!(prose, ["One two ``````.", "fn three is read", "r#\"raw \"#", "\"four ``````\""]);
    let lines: Vec<usize> = read.iter().map(|passage| passage.line_at(0)).collect();
    assert_eq!(lines, [1, 3, 4, 5]);
    assert_eq!(read[0].line_at(4), 2);
}
