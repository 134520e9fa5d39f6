//! The quickstart on this machine alone: what it indexes, and that it does nothing twice.

use std::io::Write as _;

use crate::support::{QUICKSTART, Ran, before, change, check, mapping_of, run_words, with_samples};

#[test]
fn it_resumes_from_its_checkpoint() {
    mapping_of(QUICKSTART);
    check(before::<QUICKSTART>(), "make-mapping note", 0, "new");
    let directory = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| -> Ran {
        let mut words = vec!["pillowtop", "quickstart", "--directory", directory.path().to_str().unwrap()];
        words.extend(more);
        run_words(with_samples(before::<QUICKSTART>()), &words)
    };

    let first = run(&[]);
    assert_eq!(first.code, 0, "{first:?}");
    assert!(first.out.contains("note       3        2        0         1             0"), "{}", first.out);
    assert!(first.out.contains("search `note` for body = hello: 2 documents"), "{}", first.out);

    let shown = first.out.replace(&directory.path().display().to_string(), "target/quickstart");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");

    let second = run(&[]);
    assert_eq!(second.code, 0, "{second:?}");
    assert!(second.out.contains("nothing new: the indices are at the end of the file"), "{}", second.out);
    assert!(second.out.contains("body = hello: 2 documents"), "{}", second.out);

    // One document more, and one that is not a note.
    let changes = directory.path().join("changes.jsonl");
    let mut file = fs_err::OpenOptions::new().append(true).open(&changes).unwrap();
    writeln!(file, "{}", change(4, "n4", "\"hello\"")).unwrap();
    writeln!(file, "{}", change(5, "n5", "7")).unwrap();
    let third = run(&["--json"]).json();
    assert_eq!(third["pillows"][0]["pillow"], "note");
    assert_eq!(third["pillows"][0]["seen"], 2);
    assert_eq!(third["pillows"][0]["dead_letters"], 1);
    assert_eq!(third["searches"][0]["total"], 3);

    writeln!(file, "no JSON").unwrap();
    let broken = run(&[]);
    assert_eq!(broken.code, 1, "{broken:?}");
    assert!(broken.err.contains("line 6 of") && broken.err.contains("hint:"), "{broken:?}");
}
