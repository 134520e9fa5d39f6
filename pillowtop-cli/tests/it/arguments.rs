//! Wrong usage has exit code 2, and help has examples.

use std::process::ExitCode;

use pillowtop_cli::App;
use pillowtop_core::Registry;

use crate::support::{Note, STALE, before, check, run, with_samples};

fn app() -> App {
    before::<STALE>()
}

#[test]
fn every_command_teaches_by_examples() {
    let commands = [
        "pillows",
        "make-mapping",
        "fast-reindex",
        "couch-view",
        "run",
        "preindex",
        "es-manage",
        "process",
        "dead-letters",
        "checkpoint",
        "quickstart",
    ];
    for command in commands {
        let ran = check(with_samples(app()), &format!("{command} --help"), 0, "Examples:");
        assert!(!ran.out.contains("PROGRAM") && ran.out.contains(&format!("{command} ")), "{}", ran.out);
        assert!(ran.err.is_empty());
    }
    let ran = check(with_samples(app()), "--help", 0, "Exit codes: 0 done, 4 stale or differs");
    assert!(commands.iter().all(|command| ran.out.contains(command)), "{}", ran.out);
}

#[test]
fn wrong_usage_is_code_2() {
    for (arguments, expected) in [
        ("", "Usage:"),
        ("fast-reindexx note", "fast-reindex"),
        ("new-pillow visit", "--from-mapping <FILE|INDEX-URL>|--from-docs <FILE|DIRECTORY|COUCH-URL>"),
        ("completions tcsh", "[possible values: bash, elvish, fish, powershell, zsh]"),
        ("fast-reindex", "NAME"),
        ("fast-reindex note --from tape", "[possible values: feed, ids, all-docs, view, old-index]"),
        ("fast-reindex note --ranges 65", "--ranges"),
        ("fast-reindex note --in-place --restart", "cannot be used"),
        ("fast-reindex note --since 1 --from ids", "cannot be used"),
        ("fast-reindex note --ids nowhere.txt --until 1", "cannot be used"),
        ("fast-reindex note --selector [1]", "expected a JSON object"),
        ("fast-reindex note --database a", "hint: give `--in-place` too"),
        ("couch-view noet", "hint: did you mean `note`?"),
        ("make-mapping", "make-mapping --all"),
        ("make-mapping --all note", "cannot be used"),
        ("make-mapping --check --explain", "cannot be used"),
        ("es-manage flip", "NAME"),
        ("es-manage rollback", "NAME"),
        ("es-manage prune --older-than yesterday", "neither a time"),
        ("es-manage prune --yes --dry-run", "cannot be used"),
        ("es-manage prune", "hint: give `--yes`, or `--dry-run`"),
        ("es-manage apply", "hint: give `--yes`, or `--dry-run`"),
        ("preindex --jobs 0", "--jobs"),
        ("preindex --check --dry-run", "cannot be used"),
        ("preindex noet", "hint: did you mean `note`?"),
        ("pillows -q -v", "cannot be used"),
        ("make-mapping noet", "hint: did you mean `note`?"),
        ("run something-else", "hint: known pillows: note"),
        ("pillows --config nowhere.toml", "nowhere.toml"),
        ("dead-letters list", "--elastic-url"),
        ("dead-letters list --since yesterday", "neither a time"),
        ("dead-letters list --stage decide", "a stage is one of read"),
        ("dead-letters replay --all", "unexpected argument '--all'"),
        ("dead-letters purge", "hint: give `--yes`, or `--dry-run`"),
        ("dead-letters purge --yes --dry-run", "cannot be used"),
        ("dead-letters bury", "<ID>"),
        ("dead-letters show", "<ID>"),
        ("process note", "--ids <FILE|->"),
        ("process noet --ids nowhere.txt", "hint: did you mean `note`?"),
        ("checkpoint", "Usage:"),
        ("checkpoint set note", "<SEQ>"),
        ("checkpoint set note 5 --elastic-url ftp://x", "starts with neither"),
        ("checkpoint rewind note", "--before <TIME>"),
        ("checkpoint reset noet", "hint: did you mean `note`?"),
        ("checkpoint show noet", "hint: did you mean `note`?"),
        ("checkpoint import nowhere.json", "nowhere.json"),
        ("pillows --prefix Caps", "capital letter"),
        ("quickstart", "no sample documents"),
        ("quickstart", "App::quickstart"),
        ("flip note", "tip: write `cargo xtask es-manage flip`"),
        ("status", "es-manage status`"),
        ("nonsense", "unrecognized subcommand 'nonsense'"),
    ] {
        check(app(), arguments, 2, expected);
    }
}

#[test]
fn one_server_is_not_enough_for_a_quickstart() {
    check(with_samples(app()), "make-mapping note", 0, "note.json");
    check(with_samples(app()), "quickstart --couch-url http://127.0.0.1:1", 2, "--elastic-url");
}

#[test]
fn an_error_is_a_sentence_a_blank_line_and_a_hint() {
    let ran = run(app(), "make-mapping noet");
    assert_eq!(ran.err, "error: there is no pillow `noet`\n\nhint: did you mean `note`?\n");
    assert!(ran.out.is_empty());
}

#[test]
fn a_server_that_does_not_respond_is_code_1() {
    check(app(), "dead-letters list --elastic-url http://127.0.0.1:1", 1, "does not respond");
}

#[test]
fn an_address_that_is_none_is_shown_with_how_to_write_it() {
    let expected = "error: the server's address `localhost:9200` starts with neither `http://` nor `https://`\n\n\
        hint: write the address as `http://localhost:9200`, in --elastic-url, PILLOWTOP_ELASTIC_URL, or pillowtop.toml\n";
    assert_eq!(run(app(), "es-manage status --elastic-url localhost:9200").err, expected);
    for (address, expected) in [
        ("ftp://127.0.0.1", "`ftp://127.0.0.1` starts with neither"),
        ("http://localhost:99999", "not a URL: invalid port number"),
        ("http://localhost:9200/?pretty", "has a query"),
    ] {
        let ran = check(app(), &format!("dead-letters list --elastic-url {address}"), 2, expected);
        assert!(ran.err.contains("hint: write the address as"), "{ran:?}");
    }
}

#[test]
fn two_pillows_with_one_name_are_an_error_at_start() {
    let registry = Registry::new().with::<Note<STALE, false>>().with::<Note<STALE, true>>();
    let ran = check(App::new(registry), "pillows", 1, "two pillows are named `note`");
    assert!(ran.err.contains("two pillows have the alias `notes`"), "{ran:?}");
}

#[test]
fn a_task_is_listed_and_must_stand_first() {
    fn task(_: &[String]) -> ExitCode {
        ExitCode::SUCCESS
    }
    let app = || app().task("test", "Run all tests", task);
    check(app(), "--help", 0, "Run all tests");
    check(app(), "-q test", 2, "`test` takes what follows it");
}

#[test]
fn each_shell_gets_completions_of_commands_options_and_pillows() {
    fn task(_: &[String]) -> ExitCode {
        ExitCode::SUCCESS
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let app = app().task("test", "Run all tests", task);
        let ran = check(app, &format!("completions {shell} --name xtask"), 0, "xtask");
        for word in ["make-mapping", "fast-reindex", "until-caught-up", "note", "Run all tests"] {
            // bash shows no descriptions; the others' scripts complete no values of arguments
            // without an option.
            let is_missing = word == "Run all tests" && shell == "bash"
                || word == "note" && !["bash", "zsh"].contains(&shell);
            assert!(ran.out.contains(word) || is_missing, "{shell} has no `{word}`: {}", ran.out);
        }
        assert!(ran.err.is_empty(), "{ran:?}");
    }
}

#[test]
fn global_options_stand_under_a_heading_of_their_own() {
    for command in ["pillows", "make-mapping", "run", "es-manage flip", "new-pillow", ""] {
        let ran = check(app(), &format!("{command} --help"), 0, "Global options:");
        let (own, global) = ran.out.split_once("Global options:").unwrap();
        assert!(global.contains("--couch-url") && global.contains("--quiet"), "{}", ran.out);
        assert!(!own.contains("--couch-url") && !own.contains("--json"), "{}", ran.out);
    }
}

#[test]
fn ids_and_checkpoints_that_are_none_are_wrong_usage() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs_err::write(&path, text).unwrap();
        path.display().to_string()
    };
    for (text, expected) in
        [("\n\n", "there are no ids"), ("[\"a\", \"\"]", "id 2 is empty"), ("[1]", "JSON array")]
    {
        let ids = file("ids", text);
        let ran = check(app(), &format!("process note --ids {ids}"), 2, expected);
        assert!(ran.err.contains("hint: ids are given one on each line"), "{ran:?}");
    }
    for (text, expected) in
        [("{}", "checkpoints"), ("{\"checkpoints\": []}", "has no checkpoints"), ("x", "no exported")]
    {
        let exported = file("exported", text);
        check(app(), &format!("checkpoint import {exported}"), 2, expected);
    }
}
