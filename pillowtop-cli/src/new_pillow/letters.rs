//! Which letters of a JSON name stay in a Rust name: those of which no lint of rustc warns.

/// Letters of living scripts, in the form that rustc compares identifiers in.
const SCRIPTS: &[(char, char)] = &[
    ('À', 'ž'),
    ('Ά', 'ώ'),
    ('Ѐ', 'џ'),
    ('א', 'ת'),
    ('ؠ', 'ي'),
    ('ऄ', 'ह'),
    ('ぁ', 'ゖ'),
    ('ァ', 'ヺ'),
    ('一', '鿋'),
    ('가', '힣'),
];

/// Signs among those letters, and letters that are two others in one.
const NONE: &[char] = &['×', '÷', 'ĳ', 'Ĳ', 'ŀ', 'Ŀ', 'ŉ', 'İ', 'ـ'];

/// Letters that look like those of another script: a name that has no others of its script could be read as something else.
const MISTAKABLE: &str =
    "αβγδεθικνοπρστυφΑΒΕΖΗΙΚΜΝΟΡΤΥΧабгекопрстуфхєѕіјћАВЕЗКМНОРСТУХЅІЈוטיןסإاةهくへイエカタトニノハヘロ一";

/// Whether a name keeps its letters beyond ASCII.
pub(super) fn keeps_script(name: &str) -> bool {
    let mut letters = name.chars().filter(|letter| is_of_script(*letter)).peekable();
    letters.peek().is_some() && letters.any(|letter| !MISTAKABLE.contains(letter))
}

/// Whether a letter can be part of a name; the name [`keeps_script`] or not.
pub(super) fn is_part(letter: char, keeps_script: bool) -> bool {
    letter.is_ascii_alphanumeric() || keeps_script && is_of_script(letter)
}

fn is_of_script(letter: char) -> bool {
    SCRIPTS.iter().any(|(first, last)| (*first..=*last).contains(&letter))
        && letter.is_alphabetic()
        && !NONE.contains(&letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_rustc_warns_of_are_left_out() {
        for (name, kept) in [
            ("größe", "größe"),
            ("日本", "日本"),
            ("адрес", "адрес"),
            // All of them look like Latin letters.
            ("сор", ""),
            ("ﬁ", ""),
            ("１a", "a"),
            ("a×b", "ab"),
            ("🎉", ""),
        ] {
            let keeps = keeps_script(name);
            let found: String = name.chars().filter(|letter| is_part(*letter, keeps)).collect();
            assert_eq!(found, kept, "{name}");
        }
    }
}
