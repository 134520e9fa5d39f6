//! Saying things, at the verbosity that was asked for.

use std::io::{IsTerminal as _, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::ProgressBar;
use serde_json::Value;

use super::table::{Table, UNLIMITED, wrap_at};
use super::visible;

/// The columns of a terminal whose width is not known.
const SCREEN: usize = 80;

/// How much is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors alone.
    Quiet,
    /// Progress and summaries.
    Normal,
    /// What the runtime does, too.
    Verbose,
}

type Writer = Arc<Mutex<dyn Write + Send>>;

/// Where a program's output goes.
#[derive(Clone)]
pub(crate) struct Streams {
    out: Writer,
    err: Writer,
    /// Whether standard error is a terminal.
    is_terminal: bool,
    /// How many columns a line of data may have.
    screen: usize,
}

impl Streams {
    /// The process's own.
    pub(crate) fn of_process() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { is_terminal, screen: screen(), ..Self::of(std::io::stdout(), std::io::stderr()) }
    }

    /// Somebody else's, which are not terminals.
    pub(crate) fn of(out: impl Write + Send + 'static, err: impl Write + Send + 'static) -> Self {
        Self {
            out: Arc::new(Mutex::new(out)),
            err: Arc::new(Mutex::new(err)),
            is_terminal: false,
            screen: SCREEN,
        }
    }

    /// Whether standard error takes colours.
    pub(crate) fn has_colours(&self) -> bool {
        self.is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    }
}

/// The width of the screen that shows standard output.
fn screen() -> usize {
    let terminal = std::io::stdout()
        .is_terminal()
        .then(|| terminal_size::terminal_size().map_or(SCREEN, |(width, _)| usize::from(width.0)));
    width(std::env::var("COLUMNS").ok().as_deref(), terminal)
}

/// The width that `COLUMNS` says, or else that of the terminal. Programs that read the output expect
/// no fold.
fn width(columns: Option<&str>, terminal: Option<usize>) -> usize {
    let columns = columns.and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    match (columns, terminal) {
        (Some(columns), _) | (None, Some(columns)) if columns > 0 => columns.max(SCREEN / 2),
        (_, Some(_)) => SCREEN,
        _ => UNLIMITED,
    }
}

/// The streams, and how much is printed there. Clones share them.
#[derive(Clone)]
pub(crate) struct Ui {
    streams: Streams,
    json: bool,
    verbosity: Verbosity,
    /// What is drawn at the moment; lines are written above it.
    drawn: Arc<Mutex<Option<ProgressBar>>>,
}

impl Ui {
    pub(crate) fn new(streams: Streams, json: bool, verbosity: Verbosity) -> Self {
        Self { streams, json, verbosity, drawn: Arc::default() }
    }

    /// Whether progress may be drawn.
    pub(crate) fn draws(&self) -> bool {
        self.streams.is_terminal && self.verbosity == Verbosity::Normal && !self.json
    }

    /// From now on lines are written above this bar, or plainly again.
    pub(crate) fn write_above(&self, bar: Option<ProgressBar>) {
        *lock(&self.drawn) = bar;
    }

    /// Data for scripts, when they asked for it.
    pub(crate) fn json(&self, value: &Value) {
        if self.json {
            self.line(&self.streams.out, &value.to_string());
        }
    }

    /// A line of data for people, when nobody asked for JSON.
    pub(crate) fn text(&self, line: &str) {
        if !self.json {
            self.line(&self.streams.out, &visible(line));
        }
    }

    /// Data as it is, whatever was asked for.
    pub(crate) fn raw(&self, bytes: &[u8]) {
        self.bytes(&self.streams.out, bytes);
    }

    /// A table for people, when nobody asked for JSON.
    pub(crate) fn table(&self, table: &Table) {
        if !self.json {
            table.lines(self.streams.screen).iter().for_each(|line| self.line(&self.streams.out, line));
        }
    }

    /// A sentence or more for people, in lines that fit the screen, when nobody asked for JSON.
    pub(crate) fn paragraph(&self, text: &str, indent: &str) {
        wrap_at(text, indent, self.streams.screen).iter().for_each(|line| self.text(line));
    }

    /// What happens.
    pub(crate) fn note(&self, line: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.line(&self.streams.err, &visible(line));
        }
    }

    /// A question to whoever is at the terminal, who answers on the same line.
    pub(crate) fn ask(&self, question: &str) {
        self.bytes(&self.streams.err, format!("{} ", visible(question)).as_bytes());
    }

    /// What went wrong, and what to do about it.
    pub(crate) fn error(&self, message: &str, hint: Option<&str>) {
        let hint = hint.map(|hint| format!("\n\nhint: {hint}")).unwrap_or_default();
        self.line(&self.streams.err, &visible(&format!("error: {message}{hint}")));
    }

    /// For the runtime's log: standard error.
    pub(crate) fn log(&self) -> Log {
        Log(self.clone())
    }

    fn line(&self, writer: &Writer, line: &str) {
        self.bytes(writer, format!("{line}\n").as_bytes());
    }

    /// A closed pipe is nobody listening, which is not an error of the command.
    fn bytes(&self, writer: &Writer, bytes: &[u8]) {
        let write = || {
            let mut writer = lock(writer);
            let _ = writer.write_all(bytes);
            let _ = writer.flush();
        };
        let drawn = lock(&self.drawn).clone();
        match drawn {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

/// A writer of whole lines to standard error.
pub(crate) struct Log(Ui);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.bytes(&self.0.streams.err, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Nothing panics while it is held.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_folded_on_a_terminal_or_by_columns() {
        for (columns, terminal, expected) in [
            (None, None, UNLIMITED),
            (Some("no number"), None, UNLIMITED),
            (Some("0"), None, UNLIMITED),
            (Some("120"), None, 120),
            (Some("120"), Some(100), 120),
            (Some("5"), Some(100), 40),
            (None, Some(100), 100),
            (None, Some(0), 80),
        ] {
            assert_eq!(width(columns, terminal), expected, "{columns:?}, {terminal:?}");
        }
    }
}
