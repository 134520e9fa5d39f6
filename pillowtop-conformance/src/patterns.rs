//! The patterns of names and paths in a dynamic template.

use super::regex::Regex;

/// One of several patterns of a name; `None` where there is none.
#[derive(Debug, Clone)]
pub(super) enum Patterns {
    Absent,
    Simple(Vec<String>),
    Regex(Vec<Regex>),
    /// A pattern that Java may read and that is not read here.
    Unreadable,
}

impl Patterns {
    pub(super) fn new(string: Option<Vec<String>>, is_regex: bool) -> Self {
        let Some(string) = string else { return Self::Absent };
        if !is_regex {
            return Self::Simple(string);
        }
        let read: Option<Vec<_>> = string.iter().map(|pattern| Regex::new(pattern)).collect();
        read.map_or(Self::Unreadable, Self::Regex)
    }

    pub(super) fn fit(&self, text: &str, when_absent: bool) -> Option<bool> {
        match self {
            Self::Absent => Some(when_absent),
            Self::Simple(patterns) => Some(patterns.iter().any(|pattern| is_like(pattern, text))),
            Self::Regex(patterns) => Some(patterns.iter().any(|pattern| pattern.fits(text))),
            Self::Unreadable => None,
        }
    }
}

/// Whether a string is like a pattern in which `*` stands for anything.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| text.strip_prefix(start)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(position) => rest = &rest[position + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*bc", "abbc", true),
            ("*b*", "abc", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(is_like(pattern, text), expected, "`{pattern}` `{text}`");
        }
    }
}
