//! What pillowtop says of generated mappings, settings and documents, against what a real server
//! does with them: `cargo xtask conformance` with a fixed seed and few cases.

use pillowtop_comparison::{Disagreement, Options, Server, run};
use pillowtop_tests::ELASTIC_URL_VARIABLE;

/// Cases for each server: some 20 seconds.
const CASES: u64 = 150;

#[test]
fn generated_indices_and_documents_are_decided_as_the_server_does() {
    let url = std::env::var(ELASTIC_URL_VARIABLE)
        .unwrap_or_else(|_| panic!("{ELASTIC_URL_VARIABLE} is not set: run `cargo xtask test`"));
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    let server = Server::connect(port).unwrap();
    let outcome = run(&server, Options { seed: 10, first: 0, cases: CASES }, &|_| ()).unwrap();
    let found: Vec<String> = outcome.disagreements.iter().map(shown).collect();
    let target = server.target();
    assert!(found.is_empty(), "{target}: {} disagreements:\n{}", found.len(), found.join("\n"));
    let counts = outcome.counts;
    let is_even = counts.created > 20 && counts.refused > 20 && counts.indexed > 50 && counts.rejected > 50;
    assert!(is_even && counts.unchecked * 4 < counts.compared(), "{target}: {counts:?}");
}

fn shown(disagreement: &Disagreement) -> String {
    let Disagreement { difference, body, documents, case, .. } = disagreement;
    format!(
        "case {case}: {}\n  server: {}\n  pillowtop: {:?}\n  mappings: {}\n  settings: {}\n  documents: {documents:?}",
        difference.direction, difference.server, difference.pillowtop, body.mappings, body.settings
    )
}
