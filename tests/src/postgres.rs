//! `PostgreSQL`, for the end-to-end tests of tables.

use std::{
    ffi::OsString,
    net::TcpStream,
    path::PathBuf,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    directories::{RunDirectory, tail},
    error::ServerError,
    install::{Installable, install},
    process::{Guarded, free_port, is_root},
};

/// How long it may take to come up.
const START_WAIT: Duration = Duration::from_mins(1);
/// The user that it runs as instead of root, whom it refuses: `nobody`.
const NOBODY: &str = "65534";
const LABEL: &str = "PostgreSQL 17.5";

/// A running server with the user `postgres`, whom it trusts. Stopped, and its data removed, when
/// dropped.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    installed: PathBuf,
    // Declared before the directory: the process ends before its data is removed.
    process: Option<Guarded>,
    directory: RunDirectory,
}

impl Postgres {
    /// Installs it unless it is installed, and starts it on a free port.
    pub fn start(report: &(dyn Fn(&str) + Sync)) -> Result<Self, ServerError> {
        let doing = || ServerError::io(format!("starting {LABEL}"));
        let installed = install(Installable::Postgres, report)?;
        let directory = RunDirectory::create("postgres").map_err(doing())?;
        let port = free_port().map_err(doing())?;
        let mut server = Self { port, installed, process: None, directory };
        let data = server.data();
        fs_err::create_dir_all(&data).map_err(doing())?;
        if is_root() {
            let status = Command::new("chown").arg(NOBODY).arg(&data).status().map_err(doing())?;
            if !status.success() {
                return Err(server.failed("`chown` failed"));
            }
        }
        let arguments = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "-D"];
        let initialised = server.command("initdb", &arguments)?.arg(&data).status().map_err(doing())?;
        if !initialised.success() {
            return Err(server.failed("`initdb` failed"));
        }
        server.launch()?;
        Ok(server)
    }

    /// The address of a database.
    pub fn address(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Ends it at once, with SIGKILL, and starts it again on the same port.
    pub fn kill_and_restart(&mut self) -> Result<(), ServerError> {
        if let Some(mut process) = self.process.take() {
            process.kill().map_err(ServerError::io(format!("killing {LABEL}")))?;
        }
        // Its own processes end once they notice; until then the lock file names one that is gone.
        sleep(Duration::from_secs(1));
        self.launch()
    }

    fn launch(&mut self) -> Result<(), ServerError> {
        let port = self.port.to_string();
        let data = self.data();
        let mut command =
            self.command("postgres", &["-p", &port, "-c", "listen_addresses=127.0.0.1", "-D"])?;
        command.arg(&data).arg("-k").arg(&data);
        let spawned = Guarded::spawn(&mut command).map_err(ServerError::io(format!("starting {LABEL}")))?;
        self.process = Some(spawned);
        let deadline = Instant::now() + START_WAIT;
        while !self.accepts() {
            if Instant::now() > deadline {
                return Err(self.failed("it does not accept connections"));
            }
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Whether it is past its recovery: it then writes the port into its lock file with `ready`.
    fn accepts(&self) -> bool {
        let lock = fs_err::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let is_ready = lock.lines().last().is_some_and(|line| line.trim() == "ready");
        is_ready && TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("server.log")
    }

    fn failed(&self, reason: &str) -> ServerError {
        ServerError::Start {
            server: LABEL.to_owned(),
            reason: reason.to_owned(),
            tail: tail(&self.log(), 20),
        }
    }

    /// A program of the server, as another user where we are root.
    fn command(&self, program: &str, arguments: &[&str]) -> Result<Command, ServerError> {
        let log = fs_err::OpenOptions::new().create(true).append(true).open(self.log());
        let log = log.map_err(ServerError::io(format!("starting {LABEL}")))?.into_parts().0;
        let own = log.try_clone().map_err(ServerError::io(format!("starting {LABEL}")))?;
        let path = self.installed.join("server/bin").join(program);
        let mut words: Vec<OsString> = vec![path.into()];
        if is_root() {
            let user = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"];
            words = user.iter().map(OsString::from).chain(words).collect();
        }
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(arguments);
        command.env("LD_LIBRARY_PATH", self.installed.join("server/lib")).current_dir(self.data());
        command.stdin(Stdio::null()).stdout(log).stderr(own);
        Ok(command)
    }
}
