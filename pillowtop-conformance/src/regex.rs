//! The regular expressions of dynamic templates, which are Java's: as far as they mean the same to
//! a library of Rust's.

/// An expression that is compared with a whole name.
#[derive(Debug, Clone)]
pub(super) struct Regex(regex_lite::Regex);

/// What Java reads otherwise, or alone: possessive and repeated repetitions, intersections and
/// classes in classes, quotations, properties, looks around, anchors.
const JAVA_ONLY: [&str; 20] = [
    "++", "*+", "?+", "}+", "**", "+*", "?*", "}*", "&&", "[[", "(?<", "(?=", "(?!", "(?>", "\\Q", "\\p",
    "\\P", "\\G", "\\Z", "\\X",
];

impl Regex {
    /// Reads an expression; `None` where it may mean something else to Java.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        if JAVA_ONLY.iter().any(|other| pattern.contains(other)) {
            return None;
        }
        // By itself first: `a)(b` is an expression only between parentheses.
        regex_lite::Regex::new(pattern).ok()?;
        regex_lite::Regex::new(&format!("^(?:{pattern})$")).ok().map(Self)
    }

    /// Whether the whole text is meant.
    pub(super) fn fits(&self, text: &str) -> bool {
        self.0.is_match(text)
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
            ("(?i)ID", vec!["id", "Id"], vec!["ids"]),
        ] {
            let regex = Regex::new(pattern).unwrap_or_else(|| panic!("`{pattern}` is not read"));
            fitting.iter().for_each(|text| assert!(regex.fits(text), "`{pattern}` `{text}`"));
            others.iter().for_each(|text| assert!(!regex.fits(text), "`{pattern}` `{text}`"));
        }
    }

    #[test]
    fn what_java_reads_otherwise_is_not_read() {
        for pattern in [
            "a++",
            "(?=a)",
            "\\p{Alpha}",
            "[a-z&&[b]]",
            "\\1",
            "a**",
            "*a",
            "(a",
            "a)",
            "a)(b",
            "[a",
            "\\Qa\\E",
            "a{x}",
        ] {
            assert!(Regex::new(pattern).is_none(), "{pattern}");
        }
    }
}
