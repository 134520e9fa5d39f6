//! A server that runs: its address, and stop, restart, kill, pause.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    directories::{self, RunDirectory},
    error::ServerError,
    http::request_within,
    process::{Guarded, free_port, signal},
};

/// How long a server may take to come up. Processor contention triples the usual 10 seconds.
const START_WAIT: Duration = Duration::from_mins(2);
/// How many ports are tried.
const ATTEMPTS: u32 = 5;

/// How to start a server on a port with its data in a directory.
#[derive(Debug, Default)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(&'static str, OsString)>,
    pub(crate) without_environment: Vec<&'static str>,
    pub(crate) working_directory: PathBuf,
}

/// What a server is called and how one sees that it is up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    /// Its directory's name.
    pub(crate) key: &'static str,
    /// Product and version.
    pub(crate) label: &'static str,
    /// A path that answers 200 when, and only when, it can be used.
    pub(crate) ready_path: &'static str,
}

/// A running test server. Stopped, and its data removed, when dropped.
#[derive(Debug)]
pub struct Server {
    identity: Identity,
    port: u16,
    launch: Launch,
    // Declared before the directory: the process ends before its data is removed.
    process: Option<Guarded>,
    directory: RunDirectory,
}

impl Server {
    /// Starts a server on a free port. `prepare` writes what the server needs into its directory.
    pub(crate) fn start(
        identity: Identity,
        prepare: impl Fn(&Path, u16) -> Result<Launch, ServerError>,
    ) -> Result<Self, ServerError> {
        let doing = || ServerError::io(format!("starting {}", identity.label));
        let directory = RunDirectory::create(identity.key).map_err(doing())?;
        let port = free_port().map_err(doing())?;
        let launch = prepare(directory.path(), port)?;
        let mut server = Self { identity, port, launch, process: None, directory };
        for attempt in 1.. {
            match server.launch() {
                // Somebody was faster to bind the port that was free a moment ago.
                Err(ServerError::Start { tail, .. }) if attempt < ATTEMPTS && says_in_use(&tail) => {
                    server.port = free_port().map_err(doing())?;
                    server.launch = prepare(server.directory.path(), server.port)?;
                }
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        Ok(server)
    }

    /// `http://127.0.0.1:{port}`, without a slash at its end. Stays the same over a restart.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port. Stays the same over a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Product and version, for people.
    pub fn version(&self) -> &'static str {
        self.identity.label
    }

    /// The id of the server's process; `None` while it is stopped.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Guarded::pid)
    }

    /// What the server has written to its standard output and error.
    pub fn log(&self) -> PathBuf {
        self.directory.path().join("server.log")
    }

    /// Copies the log to where it outlives the server, and returns that path.
    pub fn keep_log(&self) -> Result<PathBuf, ServerError> {
        let doing = || ServerError::io(format!("keeping the log of {}", self.identity.label));
        let directory = directories::root().map_err(doing())?.join("logs");
        fs_err::create_dir_all(&directory).map_err(doing())?;
        let kept = directory.join(format!("{}.log", self.identity.key));
        fs_err::copy(self.log(), &kept).map_err(doing())?;
        Ok(kept)
    }

    /// Stops the server in good order (SIGTERM, after 20 seconds SIGKILL). The data stays till the
    /// drop. No error if it is stopped.
    pub fn stop(&mut self) -> Result<(), ServerError> {
        match self.process.take() {
            Some(mut process) => {
                process.stop().map_err(ServerError::io(format!("stopping {}", self.identity.label)))
            }
            None => Ok(()),
        }
    }

    /// Ends the server at once with SIGKILL, as a crash would. The data stays till the drop.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        let mut process = self.process.take().ok_or_else(|| self.not_running())?;
        process.kill().map_err(ServerError::io(format!("killing {}", self.identity.label)))
    }

    /// Stops the server if it runs, and starts it again with the same data on the same port.
    pub fn restart(&mut self) -> Result<(), ServerError> {
        self.stop()?;
        self.launch()
    }

    /// Makes the server stand still (SIGSTOP): connections stay open, nothing is answered.
    pub fn pause(&self) -> Result<(), ServerError> {
        self.signal("STOP")
    }

    /// Lets a paused server continue.
    pub fn resume(&self) -> Result<(), ServerError> {
        self.signal("CONT")
    }

    fn signal(&self, name: &'static str) -> Result<(), ServerError> {
        let pid = self.pid().ok_or_else(|| self.not_running())?;
        let server = self.identity.label.to_owned();
        signal(pid, name).map_err(|_| ServerError::Signal { server, signal: name, pid })
    }

    fn not_running(&self) -> ServerError {
        ServerError::NotRunning { server: self.identity.label.to_owned() }
    }

    /// Starts the process and waits till it can be used.
    fn launch(&mut self) -> Result<(), ServerError> {
        let doing = || ServerError::io(format!("starting {}", self.identity.label));
        let log = fs_err::OpenOptions::new().create(true).append(true).open(self.log()).map_err(doing())?;
        let log = log.into_file();
        let mut command = Command::new(&self.launch.program);
        command.args(&self.launch.arguments).current_dir(&self.launch.working_directory).stdin(Stdio::null());
        command.stdout(log.try_clone().map_err(doing())?).stderr(log);
        for name in &self.launch.without_environment {
            command.env_remove(name);
        }
        command.envs(self.launch.environment.iter().map(|(name, value)| (name, value)));
        let mut process = Guarded::spawn(&mut command).map_err(doing())?;
        self.wait_till_ready(&mut process)?;
        self.process = Some(process);
        Ok(())
    }

    fn wait_till_ready(&self, process: &mut Guarded) -> Result<(), ServerError> {
        let failed = |reason: String| ServerError::Start {
            server: self.identity.label.to_owned(),
            reason,
            tail: directories::tail(&self.log(), 40),
        };
        let deadline = Instant::now() + START_WAIT;
        let mut last = "nothing listens on its port".to_owned();
        while Instant::now() < deadline {
            let ended = process.ended().map_err(ServerError::io("looking after a test server"))?;
            if let Some(status) = ended {
                return Err(failed(format!("it ended with {status}")));
            }
            match request_within(self.port, "GET", self.identity.ready_path, "", Duration::from_secs(5)) {
                Ok(response) if response.status == 200 => return Ok(()),
                Ok(response) => {
                    last = format!("its last response was {} {}", response.status, response.body.trim());
                }
                Err(error) => last = error.to_string(),
            }
            sleep(Duration::from_millis(100));
        }
        Err(failed(format!("not ready after {} s ({last})", START_WAIT.as_secs())))
    }
}

/// Whether a server's output says that its port is taken.
fn says_in_use(output: &str) -> bool {
    ["already in use", "EADDRINUSE", "Failed to bind"].iter().any(|text| output.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_distinguished_from_other_failures() {
        assert!(says_in_use("listen EADDRINUSE: address already in use 127.0.0.1:5984"));
        assert!(says_in_use("BindHttpException[Failed to bind to 127.0.0.1:9200]"));
        assert!(!says_in_use("java.lang.OutOfMemoryError"));
    }

    #[test]
    fn a_server_that_ends_is_reported_with_its_output() {
        let identity = Identity { key: "none", label: "No Server 1", ready_path: "/" };
        let error = Server::start(identity, |directory, _| {
            Ok(Launch {
                program: "sh".into(),
                arguments: vec!["-c".into(), "echo what went wrong; exit 3".into()],
                working_directory: directory.to_path_buf(),
                ..Launch::default()
            })
        })
        .unwrap_err()
        .to_string();
        assert!(error.starts_with("No Server 1 did not come up: it ended with exit status: 3"), "{error}");
        assert!(error.ends_with("what went wrong"), "{error}");
    }
}
