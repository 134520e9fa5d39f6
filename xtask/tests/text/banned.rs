//! Phrases that `docs/style.md` bans, and what to write instead.

use crate::passage::{Passage, passages};
use crate::tree::texts;

/// Files that quote what is banned.
const QUOTING: [&str; 2] = ["docs/style.md", "xtask/tests/text/banned.rs"];

struct Banned {
    /// Whole words, in lower case.
    phrases: &'static [&'static str],
    /// Longer phrases that are fine.
    except: &'static [&'static str],
    write: &'static str,
}

const fn ban(
    phrases: &'static [&'static str],
    except: &'static [&'static str],
    write: &'static str,
) -> Banned {
    Banned { phrases, except, write }
}

const BANNED: &[Banned] = &[
    ban(
        &["is no", "are no", "was no", "were no"],
        &[
            "there is no",
            "there are no",
            "there was no",
            "there were no",
            "is no longer",
            "are no longer",
            "is no more",
            "are no more",
            "is no other",
            "is no earlier",
            "is no later",
        ],
        "\"is not a …\"",
    ),
    ban(&["said twice"], &[], "\"duplicate `x`\""),
    ban(&["is said", "are said", "was said", "be said"], &[], "declared, explicit, or reported"),
    ban(&["says nothing", "say nothing"], &[], "\"has no effect\", or \"does not respond\""),
    ban(&["goes on", "go on", "gone on", "going on"], &[], "continue, or resume"),
    ban(&["texts"], &[], "strings"),
    ban(
        &["takes a text", "takes a string", "takes a list", "takes a number", "takes a value"],
        &["takes a list of names"],
        "\"expects a …\"",
    ),
    ban(&["folder", "folders"], &["dinstall.folder"], "directory"),
    ban(&["spoken", "speaks", "speak"], &[], "supported, reported, or named"),
    ban(&["judge", "judges", "judged", "judgement"], &[], "decide, classify, or check"),
    ban(&["asked of", "never asked"], &[], "\"checked against\", or \"unreachable rule\""),
    ban(&["give back", "gives back", "given back"], &[], "release"),
    ban(&["unless said", "says otherwise", "say otherwise"], &[], "\"by default\""),
    ban(&["mend", "mends", "mended", "mending"], &[], "fix"),
    ban(&["looked at"], &[], "checked, or read"),
    ban(
        &["does not answer", "do not answer", "did not answer", "never answers"],
        &[],
        "\"does not respond\"",
    ),
    ban(
        &["is told from", "are told from", "is told with", "is told on", "is told where", "are told too"],
        &[],
        "distinguished, or reported",
    ),
    ban(&["taken for"], &[], "treated as, or mistaken for"),
    ban(&["is not there", "are not there", "is there already"], &[], "missing, or exists"),
    ban(&["comes twice", "is there twice"], &[], "duplicate"),
    ban(
        &["stands alone", "stand alone", "stands beside", "stand beside"],
        &[],
        "\"cannot be combined with\"",
    ),
    ban(&["through gate", "no gate, no filter"], &[], "document-type filter"),
    ban(
        &[
            "open letter",
            "open letters",
            "no letter",
            "older letter",
            "newer letter",
            "letters have a",
            "as letters",
        ],
        &["no letter or digit"],
        "dead letter",
    ),
    ban(&["converging"], &[], "\"eventually consistent\""),
    ban(&["held to what", "held to a", "held to the"], &[], "\"checked against\""),
];

/// The positions of whole words in a text, in lower case.
fn occurrences<'t>(text: &'t str, phrase: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_part =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    text.match_indices(phrase).map(|(at, _)| at).filter(move |at| {
        !is_part(text[..*at].chars().next_back()) && !is_part(text[at + phrase.len()..].chars().next())
    })
}

/// The lines of a passage with a banned phrase, and what to write there.
fn banned_in(passage: &Passage) -> Vec<(usize, &'static str, &'static str)> {
    let prose = passage.prose().to_lowercase();
    let mut found = Vec::new();
    for ban in BANNED {
        for phrase in ban.phrases {
            for at in occurrences(&prose, phrase) {
                let end = at + phrase.len();
                let is_fine = ban.except.iter().any(|fine| {
                    occurrences(&prose, fine).any(|start| start <= at && end <= start + fine.len())
                });
                if !is_fine {
                    found.push((passage.line_at(at), *phrase, ban.write));
                }
            }
        }
    }
    found
}

#[test]
fn no_text_has_a_banned_phrase() {
    let mut found = Vec::new();
    for (path, text) in texts().iter().filter(|(path, _)| !QUOTING.contains(&path.as_str())) {
        for (line, phrase, write) in passages(path, text).iter().flat_map(banned_in) {
            found.push(format!("{path}:{line}: \"{phrase}\": write {write}"));
        }
    }
    assert!(found.is_empty(), "{} banned phrases:\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_banned_phrase_is_found_in_whole_words_and_over_lines() {
    let lines = |text: &str| {
        let found: Vec<_> = passages("a.md", text).iter().flat_map(banned_in).collect();
        found.into_iter().map(|(line, phrase, _)| (line, phrase)).collect::<Vec<_>>()
    };
    assert_eq!(lines("One.\n\nThis is\nno number, in a Folder."), [(3, "is no"), (4, "folder")]);
    assert_eq!(lines("There is no number. It is no longer one. `is no`, subfolder, analysis no."), []);
}
