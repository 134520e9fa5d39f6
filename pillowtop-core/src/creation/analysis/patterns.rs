//! Regular expressions of Java, as far as their form shows that they are none.

/// What is wrong with a regular expression of Java, as far as that shows without compiling it.
pub(in crate::creation) fn pattern_problem(pattern: &str) -> Option<String> {
    let mut letters = pattern.chars().peekable();
    let (mut groups, mut in_class, mut may_repeat) = (0_u32, false, false);
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                None => return Some("`\\` stands at the end".to_owned()),
                // Quoted up to `\E`.
                Some('Q') => return None,
                Some(_) => may_repeat = true,
            },
            ']' if in_class => (in_class, may_repeat) = (false, true),
            _ if in_class => {}
            '[' => {
                in_class = true;
                letters.next_if_eq(&'^');
                letters.next_if_eq(&']');
            }
            '(' => {
                groups += 1;
                may_repeat = false;
                letters.next_if_eq(&'?').is_some().then(|| letters.next());
            }
            ')' => {
                groups = match groups.checked_sub(1) {
                    Some(groups) => groups,
                    None => return Some("`)` stands without `(`".to_owned()),
                };
                may_repeat = true;
            }
            '|' => may_repeat = false,
            '*' | '+' | '?' if !may_repeat => return Some(format!("`{letter}` repeats nothing")),
            _ => may_repeat = true,
        }
    }
    if in_class {
        return Some("`[` is not closed".to_owned());
    }
    (groups > 0).then(|| "`(` is not closed".to_owned())
}

/// How many groups of a regular expression capture, by its form.
pub(super) fn groups(pattern: &str) -> usize {
    let opened = pattern.matches('(').count();
    opened.saturating_sub(pattern.matches("(?").count() + pattern.matches("\\(").count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_refused_where_its_form_shows_that_it_is_none() {
        for wrong in ["(", "a)", "[a", "*name", "a|+", "(?:*a)", "a\\"] {
            assert!(pattern_problem(wrong).is_some(), "{wrong}");
        }
        for right in [
            "", "^f.*$", "a*+", "a??", "(?i)a", "(?:a|b)*", "[^]*]+", "[*]", "\\*", "\\Q*\\E", "a{2,}",
            "\\p{L}+",
        ] {
            assert_eq!(pattern_problem(right), None, "{right}");
        }
    }
}
