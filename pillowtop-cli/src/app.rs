//! From arguments to a command's end.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, FromArgMatches as _};
use pillowtop_core::Registry;

use crate::arguments::{Arguments, Command};
use crate::checkout::require_own_checkout;
use crate::commands;
use crate::config::Config;
use crate::context::Context;
use crate::exit::{Failure, Outcome, PROGRAM};
use crate::output::{Streams, Ui, Verbosity};
use crate::samples::Samples;

/// A command of a workspace's own; it gets the arguments after its name.
pub type Task = fn(&[String]) -> ExitCode;

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
    #[cfg(feature = "quickstart")]
    #[must_use]
    pub fn quickstart(mut self, samples: Samples) -> Self {
        self.samples = Some(samples);
        self
    }

    /// With a command of the workspace's own. It must stand first on the command line: what follows
    /// its name is its own.
    #[must_use]
    pub fn task(mut self, name: &'static str, about: &'static str, task: Task) -> Self {
        self.tasks.push((name, about, task));
        self
    }

    /// Runs the command that the process's arguments name.
    pub fn main(self) -> ExitCode {
        let arguments: Vec<OsString> = std::env::args_os().collect();
        if let Some(task) = arguments.get(1).and_then(|name| self.task_named(name)) {
            if let Err(failure) = require_own_checkout(&self.registry) {
                return ExitCode::from(report(
                    failure,
                    &Ui::new(Streams::of_process(), false, Verbosity::Normal),
                ));
            }
            let rest: Vec<String> =
                arguments.iter().skip(2).map(|argument| argument.to_string_lossy().into_owned()).collect();
            return task(&rest);
        }
        let streams = Streams::of_process();
        let parsed = match self.parse(&arguments) {
            Ok(parsed) => parsed,
            Err(error) => {
                // It is not an error of the command that nobody reads the help.
                let _ = error.print();
                return ExitCode::from(exit_code(&error));
            }
        };
        let ui = ui_of(&parsed, streams.clone());
        log_to(&ui, parsed_verbosity(&parsed), streams.has_colours());
        ExitCode::from(self.execute(parsed, &ui))
    }

    /// Runs the command that these arguments name, the program's name first, and returns its exit
    /// code. Data goes to `out`, talk to `err`. For tests and for programs that have commands of
    /// their own around these; tasks are not among them.
    pub fn run(
        self,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
        out: impl Write + Send + 'static,
        mut err: impl Write + Send + 'static,
    ) -> u8 {
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        match self.parse(&arguments) {
            Ok(parsed) => {
                let ui = ui_of(&parsed, Streams::of(out, err));
                self.execute(parsed, &ui)
            }
            Err(error) => {
                let mut out = out;
                let text = error.render().to_string();
                // As above.
                let _ = if error.use_stderr() { write!(err, "{text}") } else { write!(out, "{text}") };
                exit_code(&error)
            }
        }
    }

    /// The whole command line, tasks too.
    fn command(&self) -> clap::Command {
        let program = program();
        let mut command = Arguments::command().name("pillowtop").bin_name(&program);
        command = command.mut_subcommands(|subcommand| {
            let examples =
                subcommand.get_after_help().map(|help| help.to_string().replace(PROGRAM, &program));
            match examples {
                Some(examples) => subcommand.after_help(examples),
                None => subcommand,
            }
        });
        if self.samples.is_none() {
            command = command.mut_subcommand("quickstart", |quickstart| quickstart.hide(true));
        }
        for (name, about, _) in &self.tasks {
            command = command.subcommand(clap::Command::new(*name).about(*about));
        }
        command
    }

    pub(crate) fn parse(&self, arguments: &[OsString]) -> Result<Arguments, clap::Error> {
        let program = program();
        let mut command = self.command();
        let mut matches = command
            .try_get_matches_from_mut(arguments)
            .map_err(|error| with_tip(error, &command, &program))?;
        if let Some(name) =
            matches.subcommand_name().filter(|name| self.task_named(OsStr::new(name)).is_some())
        {
            let message = format!("`{name}` takes what follows it: write `{program} {name} …`");
            return Err(command.error(clap::error::ErrorKind::ArgumentConflict, message));
        }
        Arguments::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
    }

    fn execute(self, arguments: Arguments, ui: &Ui) -> u8 {
        match self.dispatch(arguments, ui.clone(), program()) {
            Ok(outcome) => outcome.code(),
            Err(failure) => report(failure, ui),
        }
    }

    fn dispatch(self, arguments: Arguments, ui: Ui, program: String) -> Result<Outcome, Failure> {
        if let Command::Completions(arguments) = &arguments.command {
            commands::completions::run(self.command(), &self.registry, &ui, arguments);
            return Ok(Outcome::Done);
        }
        if let Err(errors) = self.registry.check() {
            let messages: Vec<String> = errors.iter().map(ToString::to_string).collect();
            return Err(
                Failure::new(messages.join("; ")).hint("each pillow needs a name and an alias of its own")
            );
        }
        require_own_checkout(&self.registry)?;
        let config = Config::read(&arguments.shared, |name| std::env::var(name).ok())?;
        let context = Context { registry: self.registry, config, ui, program };
        for name in context.config.pillows.iter().flatten() {
            context.pillow(name).map_err(Failure::in_enabled)?;
        }
        for name in context.config.named_pillows() {
            context.pillow(name).map_err(|failure| failure.in_table(name))?;
        }
        match arguments.command {
            Command::Completions(_) => Ok(Outcome::Done),
            Command::Pillows => Ok(commands::pillows::run(&context)),
            Command::MakeMapping(arguments) => commands::make_mapping::run(&context, &arguments),
            #[cfg(feature = "sql")]
            Command::Fluff(arguments) => wait(commands::fluff::run(&context, &arguments)),
            Command::Audit(arguments) => wait(commands::audit::run(&context, &arguments)),
            Command::NewPillow(arguments) => wait(commands::new_pillow::run(&context, &arguments)),
            Command::New(arguments) => wait(commands::new::run(&context, &arguments)),
            Command::FastReindex(arguments) => wait(commands::fast_reindex::run(&context, &arguments)),
            Command::CouchView(arguments) => wait(commands::couch_view::run(&context, &arguments)),
            Command::Run(arguments) => wait(commands::run::run(&context, &arguments)),
            Command::Preindex(arguments) => wait(commands::preindex::run(&context, &arguments)),
            Command::EsManage(arguments) => wait(commands::es_manage::run(&context, &arguments.action)),
            Command::Verify(arguments) => wait(commands::verify::run(&context, &arguments)),
            Command::Process(arguments) => wait(commands::process::run(&context, &arguments)),
            Command::Checkpoint(arguments) => wait(commands::checkpoint::run(&context, &arguments.action)),
            Command::DeadLetters(arguments) => wait(commands::dead_letters::run(&context, &arguments.action)),
            Command::Quickstart(arguments) => match self.samples {
                #[cfg(feature = "quickstart")]
                Some(samples) => {
                    let outcome = wait(commands::quickstart::run(&context, &arguments, &samples))?;
                    #[cfg(feature = "sqlite")]
                    if context.config.couch.url.is_none() {
                        wait(commands::fluff::report(&context, &arguments.directory))?;
                    }
                    Ok(outcome)
                }
                _ => {
                    drop(arguments);
                    Err(Failure::usage("this program has no sample documents").hint(QUICKSTART))
                }
            },
        }
    }

    fn task_named(&self, name: &OsStr) -> Option<Task> {
        self.tasks.iter().find(|(known, _, _)| OsStr::new(known) == name).map(|(_, _, task)| *task)
    }
}

/// How a program gets `quickstart`.
const QUICKSTART: &str = if cfg!(feature = "quickstart") {
    "give some with `App::quickstart`"
} else {
    "build it with the feature `quickstart` of `pillowtop-cli`, and give some with `App::quickstart`"
};

/// An action of `es-manage` that is written without `es-manage` gets a tip.
fn with_tip(mut error: clap::Error, command: &clap::Command, program: &str) -> clap::Error {
    let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand) else { return error };
    let actions = command.find_subcommand("es-manage");
    if actions.is_some_and(|actions| actions.find_subcommand(name).is_some()) {
        let tip = format!("write `{program} es-manage {name}`");
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// Tells a failure and returns its exit code.
fn report(failure: Failure, ui: &Ui) -> u8 {
    let hint = failure.hint.map(|hint| hint.replace(PROGRAM, &program()));
    ui.error(&failure.message, hint.as_deref());
    failure.code
}

fn wait<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}

fn exit_code(error: &clap::Error) -> u8 {
    u8::try_from(error.exit_code()).unwrap_or(2)
}

fn ui_of(arguments: &Arguments, streams: Streams) -> Ui {
    Ui::new(streams, arguments.shared.json, parsed_verbosity(arguments))
}

fn parsed_verbosity(arguments: &Arguments) -> Verbosity {
    match (arguments.shared.quiet, arguments.shared.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    }
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

fn log_to(ui: &Ui, verbosity: Verbosity, has_colours: bool) {
    let level = match verbosity {
        Verbosity::Quiet => "error",
        // A pillow that is paused is a warning, and that it resumed is not.
        Verbosity::Normal => "warn,pillowtop_runtime::member::counters=info,pillowtop_runtime::service=info",
        Verbosity::Verbose => "info,pillowtop_runtime=debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("PILLOWTOP_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    let ui = ui.clone();
    // Somebody else may have set one up: then that one is used.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(has_colours)
        .with_writer(move || ui.log())
        .try_init();
}
