//! The scripts of `docs/deploy.md`, run as they are printed.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::ledger::Ledger;
use crate::releases::{Release, world};
use crate::support::{Running, World};

/// The first script below a heading of the page.
fn script(heading: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/deploy.md");
    let page = fs_err::read_to_string(page).expect("the page");
    let (_, below) = page.split_once(&format!("\n## {heading}\n")).expect("the heading");
    let (_, below) = below.split_once("```sh\n").expect("a script");
    below.split_once("```").expect("its end").0.to_owned()
}

/// The programs `release` and `old-release`, in a directory of their own.
fn install(world: &World, old: u8, new: u8) {
    for (name, number) in [("old-release", old), ("release", new)] {
        let program = format!(
            "#!/bin/sh\nRELEASE={number} exec '{}' --config '{}' \"$@\"\n",
            env!("CARGO_BIN_EXE_releases"),
            world.configuration().display()
        );
        let path = world.directory().join("bin").join(name);
        fs_err::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs_err::write(&path, program).expect("a program");
        fs_err::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("permissions");
    }
}

/// The processes that a script started in the background. They end with it.
struct Group(u32);

impl Drop for Group {
    fn drop(&mut self) {
        // They may be gone already.
        let _ = Command::new("kill").args(["-TERM", "--", &format!("-{}", self.0)]).status();
    }
}

/// Runs a script, which must succeed. Returns what it started in the background, and what it
/// printed.
fn run(world: &World, script: &str) -> (Group, String) {
    let (file, log) = (world.directory().join("script"), world.directory().join("script.log"));
    fs_err::write(&file, script).expect("the script");
    let out = fs_err::File::create(&log).expect("a log").into_file();
    let path =
        format!("{}:{}", world.directory().join("bin").display(), std::env::var("PATH").expect("PATH"));
    let mut command = Command::new("sh");
    command.arg(&file).current_dir(world.directory()).env("PATH", path).process_group(0);
    command.stdin(Stdio::null()).stderr(out.try_clone().expect("a log")).stdout(out);
    let mut child = command.spawn().expect("a shell");
    let group = Group(child.id());
    let status = child.wait().expect("its end");
    let printed = fs_err::read_to_string(&log).expect("the log");
    assert!(status.success(), "{status}: {printed}");
    (group, printed)
}

/// A release that is in production: searched, and followed by a service.
fn in_production(world: &World, number: u8) -> (Release<'_>, Running) {
    Ledger::filled(world, 1000);
    let old = Release { world, number };
    old.well(&["preindex"]);
    let service = old.start();
    old.wait_until_followed();
    old.well(&["es-manage", "flip", "--all"]);
    old.well(&["verify", "--all"]);
    (old, service)
}

#[test]
fn a_deploy_and_its_rollback_are_done_as_they_are_printed() {
    let world = world("script");
    let (old, service) = in_production(&world, 1);
    let before = old.status()["index"].clone();
    let new = Release { number: 3, ..old };
    install(&world, 1, 3);
    let (_new, printed) = run(&world, &script("As a script"));
    assert_eq!(new.status()["state"], "current", "{printed}");
    assert_eq!(new.indices().len(), 2, "what was used just now is not pruned: {printed}");

    // The old release was stopped.
    assert_eq!(service.terminate(), Some(0));
    let (_old, printed) = run(&world, &script("Rollback"));
    assert_eq!(new.status()["searched"][0], before, "{printed}");
    assert_eq!(old.status()["state"], "current", "{printed}");
}

#[test]
fn an_additive_change_is_applied_as_it_is_printed() {
    let world = world("additive-script");
    let (old, service) = in_production(&world, 1);
    let new = Release { number: 2, ..old };
    install(&world, 1, 2);
    let (_new, printed) = run(&world, &script("Additive changes"));
    assert_eq!(new.indices().len(), 1, "{printed}");
    new.wait_until_followed();
    assert_eq!(new.status()["state"], "current", "{printed}");
    assert_eq!(service.terminate(), Some(0));
}
