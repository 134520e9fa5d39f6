//! What the user asked for.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;

use crate::servers::Wanted;

/// Compare what pillowtop says of mappings, settings and documents with what servers do with them
///
/// Generates indices over the table of field types, analysis settings, limits, sorts and templates,
/// creates each on every server, and indexes generated documents into those that are created. Each
/// verdict is compared with what pillowtop says. Of each kind of disagreement the smallest example
/// that was found is printed.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask conformance",
    bin_name = "cargo xtask conformance",
    after_help = "Exit codes: 0 nothing disagrees, 4 something does, 1 a server fails, 2 wrong usage."
)]
pub(crate) struct Arguments {
    /// Servers to install and start, by name (opensearch2, opensearch3, elasticsearch7,
    /// elasticsearch7.17, elasticsearch8, elasticsearch9), or addresses of servers on this machine,
    /// such as `http://127.0.0.1:9200`
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "SERVER,…",
        default_value = "opensearch3,elasticsearch7"
    )]
    pub(crate) servers: Vec<Wanted>,

    /// Number of indices to generate for each server [default: 500, or 1 with `--case`]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    cases: Option<u64>,

    /// Seed of the cases, as an earlier run printed it [default: another one each time]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,

    /// Number of the first case
    #[arg(long, value_name = "N", requires = "seed")]
    pub(crate) case: Option<u64>,

    /// Print the outcome as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Arguments {
    pub(crate) fn cases(&self) -> u64 {
        self.cases.unwrap_or(if self.case.is_some() { 1 } else { 500 })
    }

    pub(crate) fn seed(&self) -> u64 {
        let of_now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        self.seed.unwrap_or_else(of_now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn arguments_are_understood() {
        let arguments =
            parse("x --servers elasticsearch7.17,http://localhost:9200/ --cases 7 --seed 3").unwrap();
        assert_eq!(arguments.servers.len(), 2);
        assert_eq!((arguments.cases(), arguments.seed(), arguments.json), (7, 3, false));
        let arguments = parse("x --seed 3 --case 9 --json").unwrap();
        assert_eq!((arguments.cases(), arguments.case, arguments.servers.len()), (1, Some(9), 2));
        assert_eq!(parse("x").unwrap().cases(), 500);
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for wrong in
            ["x --servers solr", "x --cases 0", "x --case 1", "x --servers http://other:9200", "x --bogus"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let error = parse("x --servers solr").unwrap_err().to_string();
        assert!(error.contains("opensearch2") && error.contains("elasticsearch7.17"), "{error}");
    }
}
