//! The releases of a service on one database, and a searcher of their alias.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::ledger::{Ledger, Random};
use crate::support::{Running, World};

/// Documents that one search finds.
const BLOCK: usize = 500;
/// The pause between two searches.
const PAUSE: Duration = Duration::from_millis(100);

/// A database of the releases.
pub(crate) fn world(test: &str) -> World {
    World::new(test).with_program(env!("CARGO_BIN_EXE_releases"))
}

/// One release of the service.
#[derive(Clone, Copy)]
pub(crate) struct Release<'a> {
    pub(crate) world: &'a World,
    pub(crate) number: u8,
}

impl Release<'_> {
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.command(arguments);
        command.env("RELEASE", self.number.to_string());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary")
    }

    /// Runs a command that must end with a code; what it printed, and what it said.
    #[track_caller]
    pub(crate) fn ends_with(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        assert_eq!(output.status.code(), Some(code), "release {}: {arguments:?}: {text}", self.number);
        text
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub(crate) fn well(&self, arguments: &[&str]) -> String {
        self.ends_with(0, arguments)
    }

    /// What a command prints as JSON, whatever its exit code.
    #[track_caller]
    pub(crate) fn told(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {printed}"))
    }

    /// A service, in the background.
    pub(crate) fn start(&self) -> Running {
        self.world.start_command(&mut self.command(&["run", "--standby", "--wait"]))
    }

    /// The status of the pillow.
    pub(crate) fn status(&self) -> Value {
        self.told(&["es-manage", "status"])["pillows"][0].clone()
    }

    /// The names of all indices.
    pub(crate) fn indices(&self) -> Vec<String> {
        let told = self.told(&["es-manage", "status"]);
        let indices = told["indices"].as_array().expect("indices").iter();
        indices.map(|index| index["index"].as_str().expect("a name").to_owned()).collect()
    }

    /// Waits until this release follows the index of its mapping.
    #[track_caller]
    pub(crate) fn wait_until_followed(&self) {
        crate::support::wait_for("an owner", Duration::from_mins(2), || {
            self.status()["owners"].as_array().is_some_and(|owners| !owners.is_empty())
        });
    }
}

/// What a search of some documents finds in the field `written`, by number.
pub(crate) fn search(world: &World, first: usize, count: usize) -> Vec<Option<i64>> {
    let range = json!({"range": {"number": {"gte": first, "lt": first + count}}});
    let body = json!({"size": 10_000, "_source": ["number", "written"], "query": range});
    let path = format!("/{}-visits/_search?allow_partial_search_results=false", world.prefix());
    let response = world.elastic("POST", &path, &body);
    assert_eq!(response.status, 200, "{response:?}");
    let response: Value = serde_json::from_str(&response.body).expect("a response");
    assert_eq!(response["_shards"]["failed"], 0, "{response}");
    let mut found = vec![None; count];
    for hit in response["hits"]["hits"].as_array().expect("hits") {
        let number = hit["_source"]["number"].as_u64().expect("a number");
        let index = usize::try_from(number).expect("a small number") - first;
        assert_eq!(found[index], None, "document {number} is found twice");
        found[index] = hit["_source"]["written"].as_i64();
    }
    found
}

/// Searches until it is asked to stop; the greatest age of a state that was found although it was
/// replaced. An error is the first search that found an older one.
pub(crate) fn keep_searching(
    world: &World,
    ledger: &Ledger,
    lag: Duration,
    is_done: impl Fn() -> bool,
) -> Result<Duration, String> {
    let (mut random, mut oldest) = (Random(11), Duration::ZERO);
    while !is_done() {
        let first = random.below(ledger.len() - BLOCK + 1);
        let began = Instant::now();
        let found = search(world, first, BLOCK);
        oldest = oldest.max(ledger.check(&found, first, (began, Instant::now()), lag)?);
        std::thread::sleep(PAUSE);
    }
    Ok(oldest)
}
