//! Child processes that are measured: the program's release build, and how long, how busy and how
//! large a process was.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use pillowtop_tests::{Guarded, cargo, tail};
use serde_json::Value;

use crate::output::progress;
use crate::resources::{cpu_of_ended_children, peak_memory};

/// How often a process is checked. Its end is noticed this much too late at most.
const LOOK: Duration = Duration::from_millis(5);
/// How many looks there are for each at the peak memory, which costs more.
const LOOKS_PER_PEAK: u32 = 4;
/// Lines of a failed process's output that are shown.
const SHOWN_LINES: usize = 20;

/// Builds the measured program as users deploy theirs; returns its path.
pub(super) fn build() -> anyhow::Result<PathBuf> {
    progress("building the program that is measured, in release mode …");
    let output = cargo()
        .args(["build", "--quiet", "--release", "--package", "pillowtop-benches", "--bin", "bench-pillow"])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .context("running cargo")?;
    ensure!(output.status.success(), "`cargo build --release --bin bench-pillow` failed");
    executable_in(&String::from_utf8_lossy(&output.stdout)).context("cargo named no executable")
}

/// The executable of the program in cargo's messages, which are JSON lines.
fn executable_in(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut built = messages.filter(|message| message["target"]["name"] == "bench-pillow");
    built.find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// What a process needed from its start to its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    /// Wall time.
    pub(super) seconds: f64,
    /// Processor time, user and system.
    pub(super) cpu: Option<f64>,
    /// The most memory that was resident, in bytes.
    pub(super) peak: Option<u64>,
}

/// A running child process whose output goes to a file. Stopped when dropped.
pub(super) struct Child {
    process: Guarded,
    name: String,
    log: PathBuf,
}

impl Child {
    /// Starts a command; `name` is used in messages, and for the file with its output in
    /// `directory`.
    pub(super) fn start(mut command: Command, name: &str, directory: &Path) -> anyhow::Result<Self> {
        let log = directory.join(format!("{name}.log"));
        let output = fs_err::File::create(&log)?.into_file();
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let process = Guarded::spawn(&mut command).with_context(|| format!("starting {name}"))?;
        Ok(Self { process, name: name.to_owned(), log })
    }

    /// The id of the process.
    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Fails if the process has ended.
    pub(super) fn require_running(&mut self) -> anyhow::Result<()> {
        match self.process.ended()? {
            Some(status) => bail!(self.failure(status)),
            None => Ok(()),
        }
    }

    /// Ends the process.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        self.process.stop().with_context(|| format!("stopping {}", self.name))
    }

    fn failure(&self, status: ExitStatus) -> String {
        format!("{} ended with {status}; the end of its output:\n{}", self.name, tail(&self.log, SHOWN_LINES))
    }
}

/// Runs a command to its end, which must be a success.
///
/// The processor time is that of all children that ended meanwhile, so only one may run at a time.
pub(super) async fn run(command: Command, name: &str, directory: &Path) -> anyhow::Result<Usage> {
    let before = cpu_of_ended_children();
    let started = Instant::now();
    let mut child = Child::start(command, name, directory)?;
    let process = child.pid().to_string();
    let (mut looks, mut peak) = (0, None);
    let status = loop {
        if let Some(status) = child.process.ended()? {
            break status;
        }
        if looks % LOOKS_PER_PEAK == 0 {
            // A process that has just ended has no memory any more.
            peak = peak_memory(&process).or(peak);
        }
        looks += 1;
        tokio::time::sleep(LOOK).await;
    };
    let seconds = started.elapsed().as_secs_f64();
    let cpu = cpu_of_ended_children().zip(before).map(|(after, before)| after - before);
    ensure!(status.success(), child.failure(status));
    Ok(Usage { seconds, cpu, peak })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_read_from_the_messages_of_cargo() {
        let messages = "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"serde\"},\"executable\":null}\n\
             {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"bench-pillow\"},\"executable\":\"/t/bench-pillow\"}\n\
             {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable_in(messages), Some("/t/bench-pillow".into()));
        assert_eq!(executable_in("not JSON\n"), None);
    }

    #[tokio::test]
    async fn a_process_is_measured() {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 0.2"]);
        let usage = run(command, "sleep", directory.path()).await.unwrap();
        assert!(usage.seconds >= 0.2);
        assert!(usage.cpu.is_none_or(|seconds| seconds < 5.0));
    }

    #[tokio::test]
    async fn a_failed_process_is_shown_with_its_output() {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo out of luck >&2; exit 3"]);
        let error = run(command, "failing", directory.path()).await.unwrap_err().to_string();
        assert!(error.starts_with("failing ended with exit status: 3"), "{error}");
        assert!(error.ends_with("out of luck"), "{error}");
    }
}
