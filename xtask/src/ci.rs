//! `cargo xtask ci`: what CI runs, and what anybody can run before a commit. All steps share one
//! profile, so that dependencies are built once.

use std::fmt::Write as _;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const HELP: &str = "\
Runs the steps of CI, and stops at the first one that fails.

Usage: cargo xtask ci [OPTIONS]

Options:
      --quick       Leave out what has jobs of its own: packages, minimal
                    versions and the minimum Rust
      --only STEP   Run this step alone, several times for several; an error if
                    its tool is missing
      --list        List the steps
  -h, --help        Print help

A step whose tool is not installed is skipped, and listed at the end.

Exit code: 0 done, 1 failed, 2 wrong usage.";

/// What a step needs beyond this workspace's toolchain.
enum Needs {
    Nothing,
    /// A command that succeeds where the tool is installed.
    Tool(&'static [&'static str]),
}

struct Step {
    name: &'static str,
    about: &'static str,
    needs: Needs,
    /// Has a job of its own in CI.
    has_own_job: bool,
    command: fn() -> Command,
}

impl Step {
    const fn new(name: &'static str, about: &'static str, command: fn() -> Command) -> Self {
        Self { name, about, needs: Needs::Nothing, has_own_job: false, command }
    }

    const fn needs(mut self, probe: &'static [&'static str]) -> Self {
        self.needs = Needs::Tool(probe);
        self
    }

    const fn in_own_job(mut self) -> Self {
        self.has_own_job = true;
        self
    }

    fn has_its_tool(&self) -> bool {
        match self.needs {
            Needs::Nothing => true,
            Needs::Tool(probe) => {
                let mut command = program(probe[0]);
                let probed = command.args(&probe[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status();
                probed.is_ok_and(|status| status.success())
            }
        }
    }
}

const STEPS: &[Step] = &[
    Step::new("format", "rustfmt", || cargo(&["fmt", "--all", "--check"])),
    Step::new("clippy", "no warnings", || {
        cargo(&[
            "clippy",
            "--quiet",
            "--profile",
            "xtask",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ])
    }),
    Step::new("documentation", "rustdoc without warnings", || {
        let mut command = cargo(&["doc", "--quiet", "--profile", "xtask", "--workspace", "--no-deps"]);
        command.env("RUSTDOCFLAGS", "-D warnings");
        command
    }),
    Step::new("committed mappings", "no mapping is stale", || {
        this_program(&["make-mapping", "--all", "--check"])
    }),
    Step::new("licences", "cargo deny, by deny.toml", || cargo(&["deny", "check"]))
        .needs(&["cargo-deny", "--version"]),
    Step::new("spelling", "typos, by typos.toml", || program("typos")).needs(&["typos", "--version"]),
    Step::new("book", "mdbook builds docs/", || {
        let mut command = program("mdbook");
        command.args(["build", "docs"]);
        command
    })
    .needs(&["mdbook", "--version"]),
    Step::new("packages", "every published crate can be packaged", || {
        let mut command = cargo(&["package", "--workspace", "--no-verify", "--allow-dirty", "--offline"]);
        command.args(UNPUBLISHED.iter().flat_map(|name| ["--exclude", name]));
        command
    })
    .in_own_job(),
    Step::new("minimal versions", "the lowest dependencies that Cargo.toml permits", || {
        cargo(&["minimal-versions", "check", "--direct", "--workspace", "--ignore-private"])
    })
    .needs(&["cargo-minimal-versions", "minimal-versions", "--version"])
    .in_own_job(),
    Step::new("minimum Rust", "the `rust-version` of Cargo.toml", || {
        cargo(&["hack", "check", "--rust-version", "--workspace", "--ignore-private"])
    })
    .needs(&["cargo-hack", "hack", "--version"])
    .in_own_job(),
    Step::new("tests", "all of them, on real servers too", || this_program(&["test"])),
];

/// Members of the workspace that are not published.
const UNPUBLISHED: [&str; 7] = [
    "xtask",
    "commcare",
    "commcare-service",
    "webhook-target",
    "pillowtop-tests",
    "pillowtop-benches",
    "pillowtop-comparison",
];

fn cargo(arguments: &[&str]) -> Command {
    let mut command = pillowtop_tests::cargo();
    command.args(arguments);
    command
}

/// A tool, run in the root of the workspace.
fn program(name: &str) -> Command {
    let root = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| "xtask".into());
    let mut command = Command::new(name);
    command.current_dir(std::path::Path::new(&root).join(".."));
    command
}

/// Another command of this program, which is built already.
fn this_program(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap_or_else(|_| "xtask".into()));
    command.args(arguments);
    command
}

/// Which steps are asked for.
#[derive(Debug, Default)]
struct Selection {
    quick: bool,
    only: Vec<String>,
}

/// Runs the task.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let mut selection = Selection::default();
    let mut left = arguments.iter().map(String::as_str);
    while let Some(argument) = left.next() {
        match argument {
            "-h" | "--help" => return print(HELP),
            "--list" => return print(&listed()),
            "--quick" => selection.quick = true,
            "--only" => match left.next().filter(|name| STEPS.iter().any(|step| step.name == *name)) {
                Some(name) => selection.only.push(name.to_owned()),
                None => return print_error(&format!("`--only` expects the name of a step:\n{}", listed())),
            },
            other => return print_error(&format!("unknown argument `{other}`\n\n{HELP}")),
        }
    }
    let report = steps(&selection);
    print(&format!("\n{}", report.text()));
    report.write_summary();
    if report.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn listed() -> String {
    let mut text = String::new();
    for step in STEPS {
        let _ = writeln!(text, "  {:<20} {}", step.name, step.about);
    }
    text.trim_end().to_owned()
}

/// What ran, how long it took, and what did not run.
#[derive(Debug, Default)]
struct Report {
    times: Vec<(&'static str, Duration)>,
    skipped: Vec<&'static str>,
    failed: bool,
}

fn steps(selection: &Selection) -> Report {
    let started = Instant::now();
    let mut report = Report::default();
    for step in STEPS {
        let is_named = selection.only.iter().any(|name| name == step.name);
        if !(is_named || selection.only.is_empty()) || (selection.quick && step.has_own_job) {
            continue;
        }
        if !is_named && !step.has_its_tool() {
            report.skipped.push(step.name);
            continue;
        }
        print(&format!("\n== {} (after {} s)", step.name, started.elapsed().as_secs()));
        let began = Instant::now();
        let status = (step.command)().status();
        report.times.push((step.name, began.elapsed()));
        if !status.as_ref().is_ok_and(std::process::ExitStatus::success) {
            let reason = status.map_or_else(|error| error.to_string(), |status| status.to_string());
            print_error(&format!("step `{}` failed: {reason}", step.name));
            report.failed = true;
            break;
        }
    }
    report
}

impl Report {
    fn text(&self) -> String {
        let mut text = String::new();
        for (name, time) in &self.times {
            let _ = writeln!(text, "{:>6} s  {name}", time.as_secs());
        }
        for name in &self.skipped {
            let _ = writeln!(text, "skipped: {name}: its tool is not installed");
        }
        text.trim_end().to_owned()
    }

    /// The same for the summary of a page of GitHub Actions, if that is where this runs.
    fn write_summary(&self) {
        let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY") else { return };
        let mut text = "| step | seconds |\n|---|---:|\n".to_owned();
        for (name, time) in &self.times {
            let _ = writeln!(text, "| {name} | {} |", time.as_secs());
        }
        for name in &self.skipped {
            let _ = writeln!(text, "| {name} | skipped |");
        }
        if let Err(error) = append(&path, &text) {
            print_error(&format!("writing the summary: {error}"));
        }
    }
}

fn append(path: &std::ffi::OsStr, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;

    fs_err::OpenOptions::new().append(true).create(true).open(path)?.write_all(text.as_bytes())
}

#[expect(clippy::print_stdout, reason = "a command's output")]
fn print(text: &str) -> ExitCode {
    println!("{text}");
    ExitCode::SUCCESS
}

#[expect(clippy::print_stderr, reason = "a command's output")]
fn print_error(text: &str) -> ExitCode {
    eprintln!("error: {text}");
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_run_in_ci_needs_no_tool() {
        for name in ["format", "clippy", "documentation", "committed mappings", "tests"] {
            let step = STEPS.iter().find(|step| step.name == name).unwrap();
            assert!(matches!(step.needs, Needs::Nothing) && !step.has_own_job, "{name}");
        }
        assert_eq!(STEPS.last().unwrap().name, "tests");
    }

    #[test]
    fn the_workflow_names_steps() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../.github/workflows/ci.yml");
        let workflow = fs_err::read_to_string(path).unwrap();
        let named: Vec<&str> = workflow
            .split("{ step: ")
            .skip(1)
            .map(|rest| rest.split(',').next().unwrap_or_default())
            .collect();
        assert_eq!(named.len(), 6);
        for name in named {
            assert!(STEPS.iter().any(|step| step.name == name), "`{name}` is not a step");
        }
    }

    #[test]
    fn a_report_has_times_and_what_was_skipped() {
        let report = Report {
            times: vec![("format", Duration::from_secs(2)), ("tests", Duration::from_secs(65))],
            skipped: vec!["book"],
            failed: false,
        };
        assert_eq!(
            report.text(),
            "     2 s  format\n    65 s  tests\nskipped: book: its tool is not installed"
        );
    }

    #[test]
    fn a_tool_is_found_by_its_probe() {
        let step = |probe| STEPS[0].copy_with(Needs::Tool(probe));
        assert!(step(&["cargo", "--version"]).has_its_tool());
        assert!(!step(&["no-such-tool-is-installed", "--version"]).has_its_tool());
    }

    impl Step {
        fn copy_with(&self, needs: Needs) -> Self {
            Self { needs, ..Self::new(self.name, self.about, self.command) }
        }
    }
}
