//! Processes that do not outlive the process that started them, whatever ends it.

use std::{
    io::{self, Write},
    net::{Ipv4Addr, TcpListener},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// How long a process may take to end after a SIGTERM.
const STOP_WAIT: Duration = Duration::from_secs(20);

/// What the guard runs: it waits for a line. A line means that all is well; the end of the pipe
/// without one means that our process is gone, and the guarded one has to go.
const GUARD: &str = r#"
trap "" INT TERM HUP
read -r line && exit 0
kill -CONT "$1"
kill -TERM "$1"
seconds=0
while kill -0 "$1" && [ "$seconds" -lt 20 ]; do sleep 1; seconds=$((seconds + 1)); done
kill -KILL "$1"
"#;

/// A child process with a guard. Ended when dropped.
#[derive(Debug)]
pub struct Guarded {
    child: Child,
    guard: Child,
    line: Option<ChildStdin>,
}

impl Guarded {
    /// Starts a command, and its guard.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        let mut child = command.spawn()?;
        let mut watch = Command::new("sh");
        watch.args(["-c", GUARD, "guard", &child.id().to_string()]);
        watch.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // In a process group of its own: ctrl-c must not end the guard before its work.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut watch, 0);
        match watch.spawn() {
            Ok(mut guard) => {
                let line = guard.stdin.take();
                Ok(Self { child, guard, line })
            }
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error)
            }
        }
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// The id of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The status, if the process has ended.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits for the process to end by itself.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait()?;
        self.release();
        Ok(status)
    }

    /// Ends the process at once, with SIGKILL.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.wait()?;
        Ok(())
    }

    /// Ends the process with SIGTERM, after 20 seconds with SIGKILL. No error if it has ended
    /// already.
    pub fn stop(&mut self) -> io::Result<()> {
        if self.ended()?.is_none() {
            // A paused process gets no other signal before it continues.
            signal(self.pid(), "CONT")?;
            signal(self.pid(), "TERM")?;
        }
        let deadline = Instant::now() + STOP_WAIT;
        while self.ended()?.is_none() {
            if Instant::now() > deadline {
                return self.kill();
            }
            sleep(Duration::from_millis(20));
        }
        self.release();
        Ok(())
    }

    /// Lets the guard go.
    fn release(&mut self) {
        if let Some(mut line) = self.line.take() {
            // If the guard is gone there is nothing to tell it.
            let _ = line.write_all(b"done\n");
        }
        let _ = self.guard.wait();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // Nothing can be returned from here; if the process still runs, the guard ends it once its pipe
        // closes.
        if self.line.is_some() {
            let _ = self.stop();
        }
    }
}

/// Sends a signal by name (without `SIG`). The shell's `kill` is there on every Unix.
pub(crate) fn signal(pid: u32, name: &str) -> io::Result<()> {
    let status = Command::new("sh")
        .args(["-c", "kill -s \"$1\" \"$2\"", "kill", name, &pid.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("kill -s {name} {pid} failed"))) }
}

/// A port of 127.0.0.1 that is free at this moment.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether we are root. `false` if that cannot be told.
pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Command {
        let mut command = Command::new("sleep");
        command.arg("300");
        command
    }

    fn runs(pid: u32) -> bool {
        signal(pid, "0").is_ok()
    }

    #[test]
    fn a_free_port_can_be_bound() {
        let port = free_port().unwrap();
        assert_ne!(port, 0);
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    }

    #[test]
    fn stop_ends_the_process_and_its_guard() {
        let mut process = Guarded::spawn(&mut sleeper()).unwrap();
        let (pid, guard) = (process.pid(), process.guard.id());
        assert!(runs(pid) && runs(guard));
        signal(pid, "STOP").unwrap();
        process.stop().unwrap();
        assert!(!runs(pid) && !runs(guard));
    }

    #[test]
    fn drop_stops_too() {
        let process = Guarded::spawn(&mut sleeper()).unwrap();
        let pid = process.pid();
        drop(process);
        assert!(!runs(pid));
    }

    #[test]
    fn the_guard_ends_the_process_when_the_pipe_closes() {
        let mut process = Guarded::spawn(&mut sleeper()).unwrap();
        // What happens when our process dies: the pipe closes without a line.
        drop(process.line.take());
        let deadline = Instant::now() + Duration::from_secs(10);
        while process.ended().unwrap().is_none() {
            assert!(Instant::now() < deadline, "the guard did not end the process");
            sleep(Duration::from_millis(10));
        }
        process.guard.wait().unwrap();
    }
}
