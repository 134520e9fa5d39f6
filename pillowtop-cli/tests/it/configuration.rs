//! `pillowtop.toml` as the commands see it.

use std::path::Path;

use crate::support::{Ran, STALE, before, run_words};

#[track_caller]
fn pillows(configuration: &str) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pillowtop.toml");
    fs_err::write(&path, configuration).unwrap();
    run_words(before::<STALE>(), &["pillowtop", "--json", "--config", path.to_str().unwrap(), "pillows"])
}

#[test]
fn the_list_of_enabled_pillows_and_the_databases_are_in_it() {
    let listed = pillows("pillows = []\n[databases]\nnotes = \"notes-copy\"\n").json();
    assert_eq!(listed["pillows"][0]["enabled"], false);
    assert_eq!(listed["pillows"][0]["database"], "notes-copy");
    let listed = pillows("pillows = [\"note\", \"note\"]\n").json();
    assert_eq!(listed["pillows"][0]["enabled"], true);
    let listed = pillows("").json();
    assert_eq!(listed["pillows"][0]["enabled"], true);
    assert_eq!(listed["pillows"][0]["database"], "notes");
    assert_eq!(listed["pillows"][0]["hash"].as_str().map(str::len), Some(64));
}

#[test]
fn what_is_wrong_with_it_is_named() {
    for (configuration, expected) in [
        ("[elastc]\nurl = \"x\"\n", "did you mean `elastic`?"),
        ("[elastic]\nprefx = \"x\"\n", "line 2: unknown field `prefx`"),
        ("[elastic\n", "line 1"),
        ("pillows = [\"nte\"]\n", "`pillows` in pillowtop.toml: there is no pillow `nte`"),
        ("pillows = \"note\"\n", "invalid type: string \"note\", expected a list"),
        ("[databases]\nnotes = \"Notes\"\n", "no database can be named `Notes`"),
        ("[pillow.note.settings]\ncodec = \"best_compression\"\n", "`[pillow.note.settings]` sets `codec`"),
        ("[pillow.nte.settings]\nnumber_of_replicas = 2\n", "there is no pillow `nte`"),
        ("[couch]\npassword_file = \"nowhere\"\n", "nowhere"),
    ] {
        let ran = pillows(configuration);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains(expected), "{configuration}: {ran:?}");
    }
}

#[test]
fn the_documented_example_is_one() {
    let directory = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/pillowtop.toml");
    let path = directory.path().join("pillowtop.toml");
    // A pillow that is not registered is an error, and this registry has another one.
    let text = fs_err::read_to_string(example).unwrap();
    let text = text.replace("[pillow.case.", "[pillow.note.").replace(r#"["case", "xform", "user"]"#, "[]");
    fs_err::write(&path, text).unwrap();
    fs_err::write(directory.path().join("couch-password.txt"), "said by nobody\n").unwrap();
    let arguments = ["pillowtop", "--json", "--config", path.to_str().unwrap(), "pillows"];
    let ran = run_words(before::<STALE>(), &arguments);
    assert_eq!(ran.code, 0, "{ran:?}");
    let listed = &ran.json()["pillows"][0];
    assert_eq!(listed["enabled"], false, "its list does not name it");
    assert_eq!(listed["settings"]["number_of_replicas"], 1, "for all pillows");
    assert_eq!(listed["settings"]["number_of_shards"], 4, "for this one");
}
