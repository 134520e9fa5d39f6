//! The table of field types against a real server: it takes what the table says it takes, and
//! refuses what it says it refuses. Nothing here names a type or parameter; the exceptions, each
//! with its reason, are in `pillowtop_comparison`. So a new entry of the table is proven without an
//! edit.

#![expect(clippy::unwrap_used, reason = "what the tests share may fail as a test does")]

mod probes;
mod server;

use probes::{Probe, Verdict};
use server::Server;

/// Compares what the server does with what the table says, and lists every difference.
fn prove(name: &str, probes: Vec<Probe>) {
    let server = Server::new(name);
    let count = probes.len();
    let differences = server.differences(probes);
    assert!(count > 50, "{count} probes of {name} are not all");
    let target = server.target();
    let number = differences.len();
    assert!(
        number == 0,
        "{target}: {number} of {count} probes of {name} differ:\n{}",
        differences.join("\n")
    );
}

#[test]
fn what_the_server_has_is_taken() {
    let server = Server::connect();
    let probes = probes::of_types(&server).into_iter().filter(|probe| probe.expected == Verdict::Taken);
    prove("taken", probes.collect());
}

#[test]
fn what_the_server_lacks_and_what_is_unfit_is_refused() {
    let server = Server::connect();
    let probes = probes::of_types(&server).into_iter().filter(|probe| probe.expected == Verdict::Refused);
    prove("refused", probes.collect());
}

#[test]
fn the_roots_parameters_are_taken_and_refused() {
    prove("root", probes::of_the_root(&Server::connect()));
}
