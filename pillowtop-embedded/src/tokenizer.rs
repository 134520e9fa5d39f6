//! One tokenizer for all analyzers: a string is cut into ranges, and each range is a token.

use std::ops::Range;

use regex::Regex;
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// The longest token in characters; a longer one continues as another, as in Lucene. The search
/// library has a limit of its own, in bytes, above which it drops tokens.
const LONGEST: usize = 255;

/// Where a string is cut.
#[derive(Debug, Clone)]
pub(super) enum Split {
    /// At word boundaries, nearly as Unicode has them: see [`standard`].
    Standard,
    /// At whatever is not a letter.
    Letters,
    /// At white space.
    Whitespace,
    /// Nowhere.
    Whole,
    /// At what the pattern matches.
    Pattern(Regex),
    /// At these characters.
    At(Vec<char>),
}

/// The tokenizer.
#[derive(Debug, Clone)]
pub(super) struct Splitter {
    split: Split,
    token: Token,
}

impl Splitter {
    /// One that cuts there.
    pub(super) fn new(split: Split) -> Self {
        Self { split, token: Token::default() }
    }

    fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        match &self.split {
            Split::Standard => shortened(standard(text), text),
            Split::Letters => shortened(runs(text, char::is_alphabetic), text),
            Split::Whitespace => shortened(runs(text, |letter| !letter.is_whitespace()), text),
            Split::Whole => std::iter::once(0..text.len()).collect(),
            Split::Pattern(pattern) => {
                let mut start = 0;
                let mut ranges = Vec::new();
                for found in pattern.find_iter(text) {
                    ranges.push(start..found.start());
                    start = found.end();
                }
                ranges.push(start..text.len());
                ranges.retain(|range| !range.is_empty());
                ranges
            }
            Split::At(characters) => shortened(runs(text, |letter| !characters.contains(&letter)), text),
        }
    }
}

impl Tokenizer for Splitter {
    type TokenStream<'a> = Tokens<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Tokens<'a> {
        self.token.reset();
        let ranges = self.ranges(text).into_iter();
        Tokens { text, ranges, token: &mut self.token }
    }
}

/// The tokens of a string.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    text: &'a str,
    ranges: std::vec::IntoIter<Range<usize>>,
    token: &'a mut Token,
}

impl TokenStream for Tokens<'_> {
    fn advance(&mut self) -> bool {
        let Some(range) = self.ranges.next() else { return false };
        self.token.text.clear();
        self.token.position = self.token.position.wrapping_add(1);
        self.token.offset_from = range.start;
        self.token.offset_to = range.end;
        self.token.text.push_str(&self.text[range]);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// The longest runs of characters that belong to tokens.
fn runs(text: &str, belongs: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (position, letter) in text.char_indices().filter(|(_, letter)| belongs(*letter)) {
        let end = position + letter.len_utf8();
        match ranges.last_mut() {
            Some(last) if last.end == position => last.end = end,
            _ => ranges.push(position..end),
        }
    }
    ranges
}

/// Words: letters, digits and `_`, with the marks that belong to them; `.`, `:` and apostrophes
/// between letters, `.`, `,`, `;` and apostrophes between digits. Each Chinese character and each
/// hiragana is a word.
fn standard(text: &str) -> Vec<Range<usize>> {
    let letters: Vec<(usize, char)> = text.char_indices().collect();
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (index, &(position, letter)) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| letters.get(index)).map(|(_, letter)| *letter);
        let after = letters.get(index + 1).map(|(_, letter)| *letter);
        let end = position + letter.len_utf8();
        let joined = ranges.last().is_some_and(|last| last.end == position);
        let alone = is_ideograph(letter);
        if alone || letter.is_alphanumeric() || letter == '_' {
            match ranges.last_mut() {
                Some(last) if joined && !alone && !before.is_some_and(is_ideograph) => last.end = end,
                _ => ranges.push(position..end),
            }
        } else if joined
            && (is_mark(letter) || is_between(before, letter, after))
            && let Some(last) = ranges.last_mut()
        {
            last.end = end;
        }
    }
    ranges
}

fn is_between(before: Option<char>, letter: char, after: Option<char>) -> bool {
    let all = |test: fn(char) -> bool| before.is_some_and(test) && after.is_some_and(test);
    match letter {
        '.' | '\'' | '\u{2019}' => all(is_word_letter) || all(char::is_numeric),
        ':' | '\u{b7}' => all(is_word_letter),
        ',' | ';' => all(char::is_numeric),
        _ => false,
    }
}

fn is_word_letter(letter: char) -> bool {
    (letter.is_alphabetic() || is_mark(letter)) && !is_ideograph(letter)
}

fn is_ideograph(letter: char) -> bool {
    matches!(letter, '\u{3041}'..='\u{309f}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3fffd}')
}

/// Marks that are not letters to Rust, yet part of a word: accents, the signs of Indian and
/// neighbouring scripts, joiners.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{1037}'
        | '\u{1039}'..='\u{103a}' | '\u{200c}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}')
        || (matches!(letter, '\u{900}'..='\u{dff}') && !matches!(letter, '\u{964}' | '\u{965}' | '\u{970}'))
}

fn shortened(ranges: Vec<Range<usize>>, text: &str) -> Vec<Range<usize>> {
    if ranges.iter().all(|range| range.len() <= LONGEST) {
        return ranges;
    }
    let mut pieces = Vec::new();
    for range in ranges {
        let mut start = range.start;
        for (count, (offset, _)) in text[range.clone()].char_indices().enumerate() {
            if count > 0 && count % LONGEST == 0 {
                pieces.push(start..range.start + offset);
                start = range.start + offset;
            }
        }
        pieces.push(start..range.end);
    }
    pieces
}

/// The tokenizer whose only token is the whole string.
pub(super) fn whole() -> tantivy::tokenizer::TextAnalyzer {
    Splitter::new(Split::Whole).into()
}
