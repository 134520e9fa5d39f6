//! From arguments to a command's end.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use pillowtop_core::Registry;

use crate::arguments::{Arguments, Command};
use crate::commands;
use crate::config::Config;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::{Talk, Verbosity};

/// A command of a workspace's own; it gets the arguments after its name.
pub type Task = fn(&[String]) -> ExitCode;

/// Sample documents for `quickstart`.
#[derive(Debug, Clone)]
pub struct Samples {
    /// Lines of `_changes?include_docs=true`.
    pub changes: fn() -> Vec<String>,
    /// Searches that find something: a pillow's name, a path of its index, and words.
    pub searches: &'static [(&'static str, &'static str, &'static str)],
}

/// The commands on a list of pillows.
#[derive(Debug)]
pub struct App {
    registry: Registry,
    samples: Option<Samples>,
    tasks: Vec<(&'static str, &'static str, Task)>,
}

impl App {
    /// The commands that every workspace has.
    pub fn new(registry: Registry) -> Self {
        Self { registry, samples: None, tasks: Vec::new() }
    }

    /// With `quickstart` on these samples.
    #[must_use]
    pub fn quickstart(mut self, samples: Samples) -> Self {
        self.samples = Some(samples);
        self
    }

    /// With a command of the workspace's own.
    #[must_use]
    pub fn task(mut self, name: &'static str, about: &'static str, task: Task) -> Self {
        self.tasks.push((name, about, task));
        self
    }

    /// Runs the command that the process's arguments name.
    pub fn main(self) -> ExitCode {
        let arguments: Vec<OsString> = std::env::args_os().collect();
        if let Some(task) = self.named_task(&arguments) {
            let rest: Vec<String> = std::env::args().skip(2).collect();
            return task(&rest);
        }
        let parsed = match self.parse(&arguments) {
            Ok(parsed) => parsed,
            Err(error) => {
                // Nobody reading the help is no error of the command.
                let _ = error.print();
                return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
            }
        };
        let verbosity = match (parsed.shared.quiet, parsed.shared.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let talk = Talk::to_streams(parsed.shared.json, verbosity);
        log_to_stderr(verbosity);
        ExitCode::from(self.run(parsed, &talk))
    }

    /// Runs a parsed command and returns its exit code.
    pub(crate) fn run(self, arguments: Arguments, talk: &Talk) -> u8 {
        match self.dispatch(arguments, talk.clone()) {
            Ok(outcome) => outcome.code(),
            Err(failure) => {
                talk.error(&failure.message, failure.hint.as_deref());
                failure.code
            }
        }
    }

    pub(crate) fn parse(&self, arguments: &[OsString]) -> Result<Arguments, clap::Error> {
        let program = program();
        let mut command = Arguments::command().name("pillowtop").bin_name(program);
        if self.samples.is_none() {
            command = command.mut_subcommand("quickstart", |quickstart| quickstart.hide(true));
        }
        for (name, about, _) in &self.tasks {
            command = command.subcommand(clap::Command::new(*name).about(*about));
        }
        let mut matches = command.try_get_matches_from_mut(arguments)?;
        Arguments::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
    }

    fn dispatch(self, arguments: Arguments, talk: Talk) -> Result<Outcome, Failure> {
        if let Err(errors) = self.registry.check() {
            let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
            return Err(Failure::new(all.join("; ")).hint("each pillow needs a name and an alias of its own"));
        }
        let config = Config::read(&arguments.shared, |name| std::env::var(name).ok())?;
        let context = Context { registry: self.registry, config, talk, program: program() };
        match arguments.command {
            Command::Pillows => Ok(commands::pillows::run(&context)),
            Command::MakeMapping(arguments) => commands::make_mapping::run(&context, &arguments),
            Command::FastReindex(arguments) => wait(commands::fast_reindex::run(&context, &arguments)),
            Command::Run(arguments) => wait(commands::run::run(&context, &arguments)),
            Command::EsManage(arguments) => wait(commands::es_manage::run(&context, &arguments.action)),
            Command::DeadLetters(arguments) => wait(commands::dead_letters::run(&context, &arguments.action)),
            Command::Quickstart(arguments) => match self.samples {
                Some(samples) => wait(commands::quickstart::run(&context, &arguments, &samples)),
                None => Err(Failure::usage("this program has no sample documents")),
            },
        }
    }

    fn named_task(&self, arguments: &[OsString]) -> Option<Task> {
        let name = arguments.get(1)?.to_str()?;
        self.tasks.iter().find(|(known, _, _)| *known == name).map(|(_, _, task)| *task)
    }
}

fn wait(command: impl Future<Output = Result<Outcome, Failure>>) -> Result<Outcome, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}

/// How people run this program: cargo sets `CARGO` for what it runs.
fn program() -> String {
    if std::env::var_os("CARGO").is_some() {
        return "cargo xtask".to_owned();
    }
    std::env::args_os()
        .next()
        .and_then(|path| {
            std::path::Path::new(&path).file_stem().map(|name| name.to_string_lossy().into_owned())
        })
        .unwrap_or_else(|| "pillowtop".to_owned())
}

fn log_to_stderr(verbosity: Verbosity) {
    let level = match verbosity {
        Verbosity::Quiet => "error",
        Verbosity::Normal => "warn",
        Verbosity::Verbose => "info,pillowtop_runtime=debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("PILLOWTOP_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none();
    // Somebody else may have set one up: then that one is used.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(ansi)
        .with_writer(std::io::stderr)
        .try_init();
}
