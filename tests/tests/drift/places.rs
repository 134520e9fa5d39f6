//! Every state of a committed mapping, in all three places: the sentence and the help are the same.

use pillowtop_core::CommittedFile;

use crate::workspace::Workspace;

const FILE: &str = "mappings/visit.json";
const MAKE: &str = "run `cargo xtask make-mapping visit`";

/// What becomes of the committed mapping.
enum Made {
    Text(String),
    Missing,
    /// Something that is there and cannot be read.
    Directory,
}

/// What becomes of the committed mapping; the state's name; the sentence, without the file's name
/// and the struct's; the help.
struct Row(Made, &'static str, &'static str, &'static str);

fn rows(fresh: &str) -> Vec<Row> {
    let changed = |change: fn(&mut CommittedFile)| {
        let mut file = CommittedFile::parse(fresh.as_bytes()).expect("a committed mapping");
        change(&mut file);
        Made::Text(String::from_utf8(file.to_bytes()).expect("a string"))
    };
    let edited = |from: &str, to: &str| {
        assert!(fresh.contains(from), "{fresh}");
        Made::Text(fresh.replacen(from, to, 1))
    };
    vec![
        Row(Made::Missing, "new", "`Visit` has no committed mapping FILE", MAKE),
        Row(
            changed(|file| file.fingerprint.0 += 1),
            "stale",
            "the committed mapping FILE is stale: `Visit` has changed since it was made",
            MAKE,
        ),
        Row(
            edited("8191", "100"),
            "edited by hand",
            "the committed mapping FILE of `Visit` was edited by hand: its digest is not that of its contents",
            MAKE,
        ),
        Row(
            changed(|file| file.hash = file.hash.replace(char::is_numeric, "0")),
            "edited by hand",
            "the committed mapping FILE of `Visit` was edited by hand: its hash is not that of its mappings and settings",
            MAKE,
        ),
        Row(
            changed(|file| "form".clone_into(&mut file.pillow)),
            "of another pillow",
            "the committed mapping FILE of `Visit` is of another pillow, `form`",
            MAKE,
        ),
        Row(
            edited("\"format\": 1", "\"format\": 2"),
            "of a newer pillowtop",
            "the committed mapping FILE of `Visit` was written by a newer pillowtop: it has format 2, this release knows format 1",
            "use the release of pillowtop that wrote it, or a later one",
        ),
        Row(
            edited("\"v1:", "\"v9:"),
            "of another release",
            "the committed mapping FILE of `Visit` has a fingerprint of another release of pillowtop",
            MAKE,
        ),
        Row(
            Made::Text("{}".to_owned()),
            "malformed",
            "the committed mapping FILE of `Visit` is malformed: `format` is missing",
            MAKE,
        ),
        Row(
            Made::Text("<<<<<<< HEAD".to_owned()),
            "malformed",
            "the committed mapping FILE of `Visit` is malformed: expected value at line 1 column 1",
            MAKE,
        ),
        Row(
            Made::Directory,
            "unreadable",
            "the committed mapping FILE of `Visit` cannot be read: is a directory",
            MAKE,
        ),
    ]
}

#[test]
fn the_compiler_the_test_and_the_command_say_the_same_of_every_state() {
    let workspace = Workspace::create();
    let fresh = workspace.read(FILE);
    for Row(made, state, sentence, help) in rows(&fresh) {
        workspace.remove(FILE);
        match made {
            Made::Text(text) => workspace.write(FILE, &text),
            Made::Missing => {}
            Made::Directory => fs_err::create_dir_all(workspace.path(FILE)).expect("a directory"),
        }
        let sentence = sentence.replace("FILE", &format!("`{FILE}`"));

        let compiler = workspace.compile("drift-visits");
        assert_eq!(compiler.code, Some(101), "{compiler:?}");
        assert_said(&compiler.text, &sentence, help);
        let errors = compiler.text.lines().filter(|line| line.starts_with("error")).count();
        assert_eq!(errors, 2, "one error and cargo's own: {}", compiler.text);

        let test = workspace.test("drift-visits");
        assert_eq!(test.code, Some(101), "{test:?}");
        assert_said(&test.text, &sentence, help);

        let check = workspace.tool(&["make-mapping", "--check"]);
        assert_eq!(check.code, Some(4), "{check:?}");
        assert_eq!(check.text, format!("{sentence}\nhelp: {help}\n"));
        let (code, json) = workspace.checked_json();
        assert_eq!(code, Some(4), "{json}");
        assert_eq!(json["states"][0]["state"], state, "{json}");
        assert_eq!(json["states"][0]["message"], sentence, "{json}");
        assert_eq!(json["states"][0]["help"], help, "{json}");
        assert_eq!(json["differs"], serde_json::json!([json["states"][0]]), "the other crate's is fresh");
    }
    workspace.remove(FILE);
    workspace.write(FILE, &fresh);
    assert_eq!(workspace.compile("drift-visits").code, Some(0));
    assert_eq!(workspace.test("drift-visits").code, Some(0));
    assert_eq!(workspace.tool(&["make-mapping", "--check"]).code, Some(0));
}

/// Compilers and tests indent what they are given, and say more around it.
#[track_caller]
fn assert_said(text: &str, sentence: &str, help: &str) {
    let mut lines = text.lines().map(str::trim).skip_while(|line| !line.ends_with(sentence));
    assert!(lines.next().is_some(), "`{sentence}` is not in {text}");
    let help = format!("help: {help}");
    assert!(lines.any(|line| line == help), "`{help}` does not follow in {text}");
}
