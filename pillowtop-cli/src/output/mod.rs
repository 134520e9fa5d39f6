//! What people and scripts read: data on standard output, talk on standard error.

use std::fmt;

mod table;

mod ui;

mod progress;
mod steps;

pub(crate) use progress::{Progress, Summary, WithoutTerminal};
pub(crate) use steps::Steps;
pub(crate) use table::{Align, Table};
pub(crate) use ui::{Streams, Ui, Verbosity};

/// `1 document`, `2 documents`.
pub(crate) fn counted<N: fmt::Display + PartialEq + From<u8> + Copy>(number: N, name: &str) -> String {
    let ending = if number == N::from(1) { "" } else { "s" };
    format!("{number} {name}{ending}")
}

/// The longest position in a table, in characters: enough to tell two apart that were stored one
/// after the other.
const POSITION: usize = 24;

/// The start of a position in a feed; `…` says that there is more, which `--json` shows.
pub(crate) fn shortened(position: &str) -> String {
    if position.chars().count() <= POSITION {
        return position.to_owned();
    }
    position.chars().take(POSITION - 1).chain(['…']).collect()
}

/// A string whose control characters, directions of writing and other invisible characters are
/// escaped, as `\u{202e}`; line breaks and tabs stay. A name or an id may have any.
pub(crate) fn visible(text: &str) -> String {
    let shown = |letter: char| match letter {
        '\n' | '\t' | '"' | '\'' | '\\' => letter.to_string(),
        // A letter before it: an accent without one would be escaped.
        _ => format!("a{letter}").escape_debug().skip(1).collect(),
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_shortened() {
        assert_eq!(shortened("1042-g1AAAACR"), "1042-g1AAAACR");
        assert_eq!(shortened(&"x".repeat(25)), "x".repeat(23) + "…");
    }

    #[test]
    fn invisible_characters_are_shown() {
        let text = "a\u{202e}b \u{1b}[31m \u{2028}\u{200b}\u{ad} e\u{301} größe 日本 \"it's\" C:\\x\n\t.";
        let shown =
            "a\\u{202e}b \\u{1b}[31m \\u{2028}\\u{200b}\\u{ad} e\u{301} größe 日本 \"it's\" C:\\x\n\t.";
        assert_eq!(visible(text), shown);
    }
}
