//! Two crates of documents that share one directory of mappings.

use crate::workspace::Workspace;

#[test]
fn a_crate_leaves_files_alone_that_another_crate_may_have() {
    let workspace = Workspace::create();
    for krate in ["drift-visits", "drift-people"] {
        let test = workspace.test(krate);
        assert_eq!(test.code, Some(0), "{test:?}");
        assert!(test.text.contains("mappings_are_committed ... ok"), "{test:?}");
    }

    // What no crate has is reported by each, and by the list of all.
    workspace.write("mappings/gone.json", &workspace.read("mappings/person.json"));
    let sentence = "no registered pillow has the committed mapping `mappings/gone.json`";
    let help = "help: register its pillow, or remove the file: `git rm mappings/gone.json`";
    for krate in ["drift-visits", "drift-people"] {
        let test = workspace.test(krate);
        assert_eq!(test.code, Some(101), "{test:?}");
        assert!(test.text.contains(&format!("{sentence}\n{help}\n")), "{test:?}");
        assert!(!test.text.contains("visit.json") && !test.text.contains("person.json"), "{test:?}");
    }
    let check = workspace.tool(&["make-mapping", "--check"]);
    assert_eq!((check.code, check.text), (Some(4), format!("{sentence}\n{help}\n")));
    let (_, json) = workspace.checked_json();
    assert_eq!(json["differs"][0]["state"], "orphaned", "{json}");
    assert_eq!(json["differs"][0]["message"], sentence, "{json}");

    // A pillow that is no longer registered, while its struct is still there: the list of all tells.
    workspace.remove("mappings/gone.json");
    let tool = workspace.read("tool/src/main.rs");
    workspace.write("tool/src/main.rs", &tool.replace(".and(&drift_people::registry())", ""));
    let check = workspace.tool(&["make-mapping", "--check"]);
    assert_eq!(check.code, Some(4), "{check:?}");
    assert!(check.text.contains("no registered pillow has the committed mapping `mappings/person.json`"));
    assert_eq!(workspace.test("drift-visits").code, Some(0), "its own crate has it");
}
