//! Which letters of a JSON name stay in a Rust name: those of which no lint of rustc warns.

use std::ops::RangeInclusive;

use unicode_security::confusable_detection::skeleton;

/// Latin letters beyond ASCII.
const LATIN: RangeInclusive<char> = 'À'..='ž';

/// Letters of living scripts, in the form that rustc compares identifiers in.
const SCRIPTS: &[(char, char)] = &[
    (*LATIN.start(), *LATIN.end()),
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

/// Letters that look like those of another script: a name that has no others of its script could be
/// read as something else.
const MISTAKABLE: &str =
    "αβγδεθικνοπρστυφΑΒΕΖΗΙΚΜΝΟΡΤΥΧабгекопрстуфхєѕіјћАВЕЗКМНОРСТУХЅІЈוטיןסإاةهくへイエカタトニノハヘロ一";

/// Whether a name keeps its letters beyond ASCII.
pub(super) fn keeps_script(name: &str) -> bool {
    let mut characters = name.chars().filter(|letter| is_of_script(*letter)).peekable();
    characters.peek().is_some() && characters.any(|letter| !MISTAKABLE.contains(letter))
}

/// Whether a letter can be part of a name; the name [`keeps_script`] or not.
pub(super) fn is_part(letter: char, keeps_script: bool) -> bool {
    letter.is_ascii_alphanumeric() || keeps_script && is_of_script(letter)
}

/// A word without Latin letters that rustc takes for others, such as `ı` for `i`. Those of other
/// scripts are compared as whole names.
pub(super) fn without_lookalikes(word: &str) -> String {
    let plain = |letter: char| {
        let alike = confusable_key(&letter.to_string());
        let is_lookalike = LATIN.contains(&letter) && !alike.is_empty() && alike.is_ascii();
        if is_lookalike { alike } else { letter.to_string() }
    };
    word.chars().map(plain).collect()
}

/// What two different names have in common if rustc warns that one could be read as the other. It
/// compares no two names in ASCII.
pub(super) fn confusable_key(name: &str) -> String {
    if name.is_ascii() { name.to_owned() } else { skeleton(name).collect() }
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
    fn a_letter_that_could_be_read_as_another_word_is_replaced() {
        for (word, plain) in [("sınıf", "sinif"), ("æon", "aeon"), ("größe", "größe"), ("адрес", "адрес")]
        {
            assert_eq!(without_lookalikes(word), plain);
        }
        assert_eq!(confusable_key("ニ"), confusable_key("二"));
        assert_ne!(confusable_key("l1"), confusable_key("ll"));
    }

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
