//! `make-mapping` over a directory of mappings, while the struct changes.

use crate::support::{CHECKS, EDITED, ORPHANS, STALE, WRITES, after, before, check, mapping_of, run};

#[test]
fn it_writes_what_is_new_or_changed() {
    let path = mapping_of(WRITES);
    check(before::<WRITES>(), "make-mapping note", 0, "new  ");
    let first = fs_err::read(&path).unwrap();
    check(before::<WRITES>(), "make-mapping --all", 0, "unchanged  ");
    let twice = check(before::<WRITES>(), "make-mapping note note", 0, "unchanged  ");
    assert_eq!(twice.out.lines().count(), 1, "{}", twice.out);
    assert_eq!(fs_err::read(&path).unwrap(), first);
    let ran = check(after::<WRITES>(), "make-mapping note", 0, "updated  ");
    assert!(ran.out.contains("~ body: \"keyword\" -> \"text\"  (breaking:"), "{}", ran.out);
    assert_ne!(fs_err::read(&path).unwrap(), first);
    let written = run(before::<WRITES>(), "--json make-mapping note").json();
    assert_eq!(written["mappings"][0]["state"], "updated");
    assert_eq!(fs_err::read(&path).unwrap(), first, "the same struct gives the same bytes");
}

#[test]
fn it_checks_and_shows_differences_and_writes_neither() {
    let path = mapping_of(CHECKS);
    check(before::<CHECKS>(), "make-mapping --check", 4, "`Note` has no committed mapping `");
    check(before::<CHECKS>(), "make-mapping --diff", 4, "`Note` has no committed mapping `");
    assert!(!path.is_file());
    check(before::<CHECKS>(), "make-mapping note", 0, "new");
    check(before::<CHECKS>(), "make-mapping --check", 0, "1 committed mapping");
    check(before::<CHECKS>(), "make-mapping note --diff", 0, "1 committed mapping");
    let ran = check(
        after::<CHECKS>(),
        "make-mapping --all --check",
        4,
        "is stale: `Note` has changed since it was made",
    );
    assert!(ran.out.contains("make-mapping note`"), "{ran:?}");
    check(after::<CHECKS>(), "make-mapping --diff", 4, "~ body: \"keyword\" -> \"text\"");
    let changes = run(after::<CHECKS>(), "--json make-mapping note --diff").json();
    assert_eq!(changes["changes"][0]["path"], "body");
    assert_eq!(changes["changes"][0]["class"], "breaking");
    let ran = check(after::<CHECKS>(), "make-mapping --check --diff", 4, "~ body:");
    assert!(ran.out.contains("1 breaking; the content hash is another one"), "{ran:?}");
    let differs = run(after::<CHECKS>(), "--json make-mapping --check").json();
    assert_eq!(differs["states"][0]["state"], "stale");
    assert_eq!(differs["differs"][0]["state"], "stale");
}

#[test]
fn an_edit_by_hand_and_a_broken_file_are_distinguished_from_a_stale_one() {
    let path = mapping_of(EDITED);
    check(before::<EDITED>(), "make-mapping note", 0, "new");
    let text = fs_err::read_to_string(&path).unwrap();
    fs_err::write(&path, text.replace("keyword", "wildcard")).unwrap();
    check(before::<EDITED>(), "make-mapping --check", 4, "of `Note` was edited by hand: ");
    fs_err::write(&path, &text[..text.len() / 2]).unwrap();
    check(before::<EDITED>(), "make-mapping --check", 4, "of `Note` is malformed: ");
    fs_err::write(&path, "{\"format\": 99}").unwrap();
    check(
        before::<EDITED>(),
        "make-mapping --check",
        4,
        "was written by a newer pillowtop: it has format 99",
    );
    check(before::<EDITED>(), "make-mapping note", 0, "updated");
    assert_eq!(fs_err::read_to_string(&path).unwrap(), text);
}

#[test]
fn files_that_no_pillow_has_are_named() {
    let path = mapping_of(ORPHANS);
    check(before::<ORPHANS>(), "make-mapping note", 0, "new");
    fs_err::write(path.with_file_name("gone.json"), "{}").unwrap();
    fs_err::write(path.with_file_name("README.md"), "notes").unwrap();
    let ran = check(
        before::<ORPHANS>(),
        "make-mapping --check",
        4,
        "no registered pillow has the committed mapping",
    );
    assert!(!ran.out.contains("README"), "{ran:?}");
    assert!(ran.out.contains("remove the file: `git rm "), "{ran:?}");
    check(before::<ORPHANS>(), "make-mapping note --check", 0, "1 committed mapping");
}

#[test]
fn what_touches_an_index_runs_with_a_fresh_mapping_alone() {
    check(before::<STALE>(), "make-mapping note", 0, "note.json");
    let servers = "--couch-url http://127.0.0.1:1 --elastic-url http://127.0.0.1:1";
    for command in ["fast-reindex note", "run", "es-manage flip note"] {
        let ran = check(after::<STALE>(), &format!("{servers} {command}"), 4, "is stale: `Note`");
        assert!(ran.err.contains("make-mapping note`"), "{ran:?}");
        check(before::<STALE>(), &format!("{servers} {command}"), 1, "does not respond");
    }
    check(after::<STALE>(), "pillows", 0, "stale");
}
