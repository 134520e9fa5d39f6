//! Everything that the command prints: progress on standard error, results on standard output.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the one place that talks to people")]

use std::io::{IsTerminal as _, stderr};
use std::time::{Duration, Instant};

use pillowtop_comparison::{Disagreement, Options, Outcome, Server};
use serde_json::{Value, json};

use crate::servers::Wanted;

/// What is being done, or what went wrong.
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// How far a server is, with the time that is left.
#[derive(Debug)]
pub(crate) struct Progress {
    label: String,
    total: u64,
    started: Instant,
    shown: Option<Instant>,
}

impl Progress {
    pub(crate) fn new(label: String, total: u64) -> Self {
        Self { label, total, started: Instant::now(), shown: None }
    }

    /// Shows the number of cases that are done, now and then: more often on a terminal.
    pub(crate) fn show(&mut self, done: u64) {
        let is_terminal = stderr().is_terminal();
        let wait = Duration::from_millis(if is_terminal { 200 } else { 10_000 });
        let is_last = done == self.total;
        if !is_last && self.shown.unwrap_or(self.started).elapsed() < wait {
            return;
        }
        self.shown = Some(Instant::now());
        let line = self.line(done, self.started.elapsed());
        if is_terminal {
            eprint!("\r\x1b[2K{line}{}", if is_last { "\n" } else { "" });
        } else {
            eprintln!("{line}");
        }
    }

    fn line(&self, done: u64, took: Duration) -> String {
        let Self { label, total, .. } = self;
        let percent = done * 100 / (*total).max(1);
        let left = took.as_secs() * (total - done.min(*total)) / done.max(1);
        format!("{label}: {done} of {total} indices, {percent} %, {left} s left")
    }
}

/// What came out for one server, for people.
pub(crate) fn text(server: &Server, wanted: Wanted, options: Options, outcome: &Outcome) {
    let counts = &outcome.counts;
    println!(
        "{}: {} verdicts compared, {} differ (seed {})",
        server.target(),
        counts.compared(),
        counts.different,
        options.seed
    );
    println!("  indices: {} created, {} refused", counts.created, counts.refused);
    println!(
        "  documents: {} indexed, {} rejected, {} not checked",
        counts.indexed, counts.rejected, counts.unchecked
    );
    for (number, disagreement) in outcome.disagreements.iter().enumerate() {
        let Disagreement { difference, body, documents, case, count } = disagreement;
        println!("\n{}. {} ({count} times)", number + 1, difference.direction);
        if !difference.server.is_empty() {
            println!("  server: {}", difference.server);
        }
        for reason in &difference.pillowtop {
            println!("  pillowtop: {reason}");
        }
        println!("  mappings: {}", body.mappings);
        println!("  settings: {}", body.settings);
        for document in documents {
            println!("  document: {document}");
        }
        println!("  again: cargo xtask conformance --servers {wanted} --seed {} --case {case}", options.seed);
    }
}

/// What came out for all servers, for scripts.
pub(crate) fn json(options: Options, all: &[(Server, Outcome)]) {
    let servers: Vec<Value> = all.iter().map(|(server, outcome)| of_server(server, outcome)).collect();
    println!(
        "{}",
        json!({"seed": options.seed, "first": options.first, "cases": options.cases, "servers": servers})
    );
}

fn of_server(server: &Server, outcome: &Outcome) -> Value {
    let counts = &outcome.counts;
    let disagreements: Vec<Value> = outcome
        .disagreements
        .iter()
        .map(|Disagreement { difference, body, documents, case, count }| {
            json!({
                "direction": difference.direction.to_string(), "server": difference.server,
                "pillowtop": difference.pillowtop, "mappings": body.mappings, "settings": body.settings,
                "documents": documents, "case": case, "count": count,
            })
        })
        .collect();
    json!({
        "server": server.target().to_string(), "compared": counts.compared(), "different": counts.different,
        "created": counts.created, "refused": counts.refused, "indexed": counts.indexed,
        "rejected": counts.rejected, "unchecked": counts.unchecked, "disagreements": disagreements,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_has_a_total_and_the_time_that_is_left() {
        let progress = Progress::new("OpenSearch 3.6".to_owned(), 200);
        let line = progress.line(50, Duration::from_secs(10));
        assert_eq!(line, "OpenSearch 3.6: 50 of 200 indices, 25 %, 30 s left");
    }
}
