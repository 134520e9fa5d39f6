//! The regular expressions of dynamic templates: the part of Java's that people write for names. What is not read is said so.

/// An expression that is compared with a whole name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Regex(Choice);

/// Alternatives, each a sequence.
type Choice = Vec<Vec<Piece>>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// One character of these ranges, or of none of them.
    One {
        ranges: Vec<(char, char)>,
        negated: bool,
    },
    Group(Choice),
    Repeated {
        piece: Box<Piece>,
        least: usize,
        most: usize,
    },
    Start,
    End,
}

/// More repetitions than a name has characters.
const MANY: usize = 100_000;

impl Regex {
    /// Reads an expression; `None` where it has something that is not known here.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        let mut reader = Reader { rest: pattern };
        let choice = reader.choice()?;
        reader.rest.is_empty().then_some(Self(choice))
    }

    /// Whether the whole text is meant.
    pub(super) fn fits(&self, text: &str) -> bool {
        let letters: Vec<char> = text.chars().collect();
        fit_choice(&self.0, &letters, 0, &mut |end| end == letters.len())
    }
}

fn fit_choice(choice: &Choice, text: &[char], at: usize, then: &mut dyn FnMut(usize) -> bool) -> bool {
    choice.iter().any(|pieces| fit(pieces, text, at, then))
}

fn fit(pieces: &[Piece], text: &[char], at: usize, then: &mut dyn FnMut(usize) -> bool) -> bool {
    let Some((piece, rest)) = pieces.split_first() else { return then(at) };
    fit_one(piece, text, at, &mut |next| fit(rest, text, next, then))
}

fn fit_one(piece: &Piece, text: &[char], at: usize, then: &mut dyn FnMut(usize) -> bool) -> bool {
    match piece {
        Piece::One { ranges, negated } => text.get(at).is_some_and(|letter| {
            ranges.iter().any(|(first, last)| (first..=last).contains(&letter)) != *negated && then(at + 1)
        }),
        Piece::Group(choice) => fit_choice(choice, text, at, then),
        Piece::Repeated { piece, least, most } => fit_repeated(piece, (*least, *most), text, at, then),
        Piece::Start => at == 0 && then(at),
        Piece::End => at == text.len() && then(at),
    }
}

fn fit_repeated(
    piece: &Piece,
    (least, most): (usize, usize),
    text: &[char],
    at: usize,
    then: &mut dyn FnMut(usize) -> bool,
) -> bool {
    if most > 0 {
        let again = &mut |next: usize| {
            // A repetition of nothing would go on for ever.
            (next > at || least > 0)
                && fit_repeated(piece, (least.saturating_sub(1), most - 1), text, next, then)
        };
        if fit_one(piece, text, at, again) {
            return true;
        }
    }
    least == 0 && then(at)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, piece: &str) -> bool {
        match self.rest.strip_prefix(piece) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn letter(&mut self) -> Option<char> {
        let letter = self.rest.chars().next()?;
        self.rest = &self.rest[letter.len_utf8()..];
        Some(letter)
    }

    fn choice(&mut self) -> Option<Choice> {
        let mut choice = vec![Vec::new()];
        loop {
            match self.rest.chars().next() {
                None | Some(')') => return Some(choice),
                Some('|') => {
                    self.letter();
                    choice.push(Vec::new());
                }
                Some(_) => {
                    let piece = self.piece()?;
                    let piece = self.repeated(piece)?;
                    choice.last_mut()?.push(piece);
                }
            }
        }
    }

    fn piece(&mut self) -> Option<Piece> {
        Some(match self.letter()? {
            '(' => {
                if self.rest.starts_with('?') && !self.take("?:") {
                    return None;
                }
                let choice = self.choice()?;
                self.take(")").then_some(Piece::Group(choice))?
            }
            '[' => self.set()?,
            '.' => Piece::One { ranges: vec![('\n', '\n'), ('\r', '\r')], negated: true },
            '^' => Piece::Start,
            '$' => Piece::End,
            '\\' => {
                let (ranges, negated) = self.escaped()?;
                Piece::One { ranges, negated }
            }
            '*' | '+' | '?' | '{' => return None,
            letter => Piece::One { ranges: vec![(letter, letter)], negated: false },
        })
    }

    /// The piece with its quantifier. That one takes much or little is no matter where all must fit; possessive ones are not read.
    fn repeated(&mut self, piece: Piece) -> Option<Piece> {
        let (least, most) = match self.rest.chars().next() {
            Some('*') => (0, MANY),
            Some('+') => (1, MANY),
            Some('?') => (0, 1),
            Some('{') => {
                let (said, rest) = self.rest[1..].split_once('}')?;
                self.rest = rest;
                let (least, most) = said.split_once(',').unwrap_or((said, said));
                let most = if most.is_empty() { MANY } else { most.parse().ok()? };
                return self.with_greed(Piece::Repeated {
                    piece: Box::new(piece),
                    least: least.parse().ok()?,
                    most,
                });
            }
            _ => return Some(piece),
        };
        self.letter();
        self.with_greed(Piece::Repeated { piece: Box::new(piece), least, most })
    }

    fn with_greed(&mut self, piece: Piece) -> Option<Piece> {
        self.take("?");
        (!self.rest.starts_with(['+', '*', '?', '{'])).then_some(piece)
    }

    fn escaped(&mut self) -> Option<(Vec<(char, char)>, bool)> {
        let letter = self.letter()?;
        let ranges = match letter.to_ascii_lowercase() {
            'd' => vec![('0', '9')],
            'w' => vec![('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
            's' => vec![(' ', ' '), ('\t', '\r')],
            other if other.is_ascii_punctuation() => vec![(other, other)],
            _ => return None,
        };
        Some((ranges, letter.is_ascii_uppercase()))
    }

    /// A set such as `[^a-z_]`. Sets within sets are not read.
    fn set(&mut self) -> Option<Piece> {
        let negated = self.take("^");
        let mut ranges = Vec::new();
        loop {
            let first = match self.letter()? {
                ']' if !ranges.is_empty() => return Some(Piece::One { ranges, negated }),
                '\\' => {
                    let (of_class, is_negated) = self.escaped()?;
                    if is_negated {
                        return None;
                    }
                    match of_class.as_slice() {
                        [(first, last)] if first == last => *first,
                        _ => {
                            ranges.extend(of_class);
                            continue;
                        }
                    }
                }
                '[' | ']' | '&' | '^' => return None,
                letter => letter,
            };
            let is_range = self.rest.starts_with('-') && !self.rest.starts_with("-]");
            if !is_range {
                ranges.push((first, first));
                continue;
            }
            self.letter();
            match self.letter()? {
                '[' | '\\' | '&' => return None,
                last if last < first => return None,
                last => ranges.push((first, last)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_name_fits_or_not() {
        for (pattern, fitting, others) in [
            ("n\\d+", vec!["n1", "n123"], vec!["n", "an1", "n1a"]),
            ("^n\\d+$", vec!["n1"], vec!["n1a"]),
            ("a|bc", vec!["a", "bc"], vec!["ac", "abc", "bcd"]),
            (".*_(id|key)", vec!["_id", "x_key", "a_id_id"], vec!["x_ids"]),
            ("[^a-c_]{2,3}", vec!["xy", "xyz"], vec!["x", "xyzz", "xa"]),
            ("(ab?)*?c", vec!["c", "abac"], vec!["abb"]),
            ("\\w+\\.\\D", vec!["a_1.x"], vec!["a.1", "a-b.x"]),
            ("(?:a*)*b", vec!["b", "aab"], vec!["aa"]),
            ("a{2}", vec!["aa"], vec!["a", "aaa"]),
            ("a{2,}", vec!["aa", "aaa"], vec!["a"]),
            ("[\\d.-]+", vec!["1.2-3"], vec!["a"]),
        ] {
            let regex = Regex::new(pattern).unwrap_or_else(|| panic!("`{pattern}` is not read"));
            fitting.iter().for_each(|text| assert!(regex.fits(text), "`{pattern}` `{text}`"));
            others.iter().for_each(|text| assert!(!regex.fits(text), "`{pattern}` `{text}`"));
        }
    }

    #[test]
    fn what_is_not_known_is_not_read() {
        for pattern in [
            "(?i)a",
            "a++",
            "(?=a)",
            "\\p{Alpha}",
            "[a-z&&[b]]",
            "\\1",
            "a**",
            "*a",
            "(a",
            "a)",
            "[a",
            "\\Qa\\E",
            "a{x}",
        ] {
            assert_eq!(Regex::new(pattern), None, "{pattern}");
        }
    }
}
