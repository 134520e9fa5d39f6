//! The command line of `cargo xtask bench`.

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, value_parser};
use pillowtop_tests::Product;

const ABOUT: &str = "\
Measure pillowtop. Without a subcommand: convert the bytes of a changes feed to the bytes of bulk bodies, typed and on \
untyped JSON, on one core.";

const REINDEX: &str = "\
Examples:
  cargo xtask bench reindex                           200,000 documents, three rounds
  cargo xtask bench reindex --docs 50000 --rounds 5
  cargo xtask bench reindex --from ids                ids and `_bulk_get` instead of the feed
  cargo xtask bench reindex --json | jq .ratio
  cargo xtask bench reindex --couch-url http://localhost:5984 --elastic-url http://localhost:9200

Each round measures three things on the same documents: the ceiling (reading the changes feed and replaying bulk \
requests at the same time, unconnected), the command `fast-reindex case`, and a Python script. `ratio` is documents per \
second of the command over those of the ceiling. docs/benchmarks.md explains the result.";

const FOLLOW: &str = "\
Examples:
  cargo xtask bench follow
  cargo xtask bench follow --writes 1000 --changes 50000
  cargo xtask bench follow --json | jq .added_p50_ms
  cargo xtask bench follow --couch-url http://localhost:5984 --elastic-url http://localhost:9200

Measures how long a change takes from CouchDB to the index at 20 writes a second, how much of it is the servers' \
own time, and how fast `run case` keeps up with a burst. docs/benchmarks.md explains the result.";

const VERIFY: &str = "\
Examples:
  cargo xtask bench verify                            200,000 documents, three rounds
  cargo xtask bench verify --docs 1000000
  cargo xtask bench verify --json | jq .docs_per_s
  cargo xtask bench verify --couch-url http://localhost:5984 --elastic-url http://localhost:9200

Measures how fast `verify case --sample 0` compares ids and revisions, beside the time in which the servers list them. \
docs/benchmarks.md explains the result.";

const SERVERS: &str = "Servers";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask bench",
    bin_name = "cargo xtask bench",
    about = ABOUT,
    after_help = "Exit codes: 0 done, 2 wrong usage, 130 interrupted, 1 failed.",
    disable_help_subcommand = true
)]
pub(crate) struct Arguments {
    /// What to measure.
    #[command(subcommand)]
    pub(crate) bench: Option<Bench>,
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Measure what the derives cost a build
    Compile {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Measure `fast-reindex` on real servers against what the servers allow
    #[command(after_help = REINDEX)]
    Reindex(Reindex),
    /// Measure `run` on real servers: latency at low load, and a burst
    #[command(after_help = FOLLOW)]
    Follow(Follow),
    /// Measure `verify` on real servers: ids and revisions
    #[command(after_help = VERIFY)]
    Verify(Verify),
    /// Convert one shape in this process
    #[command(hide = true)]
    Variant {
        /// The shape of the documents
        shape: String,
        /// How they are converted
        kind: String,
    },
}

/// Options of `bench reindex`.
#[derive(Debug, Args)]
pub(crate) struct Reindex {
    /// Documents to load
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = value_parser!(u32).range(1..))]
    pub(crate) docs: u32,
    /// Rounds, of which the medians are reported
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Connections that replay bulk requests for the ceiling
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..=16))]
    pub(crate) connections: u32,
    /// What `fast-reindex` reads: `feed`, `ids`, `all-docs` or `view` [default: what it chooses]
    #[arg(long, value_name = "FORM", value_parser = ["feed", "ids", "all-docs", "view"])]
    pub(crate) from: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// The servers.
    #[command(flatten)]
    pub(crate) servers: ServerArguments,
}

/// Options of `bench follow`.
#[derive(Debug, Args)]
pub(crate) struct Follow {
    /// Single writes whose latency is measured
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = value_parser!(u32).range(1..))]
    pub(crate) writes: u32,
    /// Changes of the burst
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = value_parser!(u32).range(1..))]
    pub(crate) changes: u32,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// The servers.
    #[command(flatten)]
    pub(crate) servers: ServerArguments,
}

/// Options of `bench verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Documents to compare
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = value_parser!(u32).range(1..))]
    pub(crate) docs: u32,
    /// Rounds, of which the medians are reported
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// The servers.
    #[command(flatten)]
    pub(crate) servers: ServerArguments,
}

/// Which servers are used.
#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    /// URL of a running CouchDB [default: start a double of CouchDB]
    #[arg(long, value_name = "URL", requires = "elastic_url", help_heading = SERVERS)]
    pub(crate) couch_url: Option<String>,
    /// URL of a running OpenSearch or Elasticsearch [default: start one]
    #[arg(long, value_name = "URL", requires = "couch_url", help_heading = SERVERS)]
    pub(crate) elastic_url: Option<String>,
    /// The search server to start
    #[arg(
        long,
        value_name = "PRODUCT",
        default_value = Product::OpenSearch3.key(),
        value_parser = PossibleValuesParser::new(Product::TESTED.map(Product::key)),
        conflicts_with = "elastic_url",
        help_heading = SERVERS
    )]
    pub(crate) product: String,
}

impl ServerArguments {
    /// The URLs of running servers, CouchDB's first; `None` if servers are to be started.
    pub(crate) fn urls(&self) -> Option<(&str, &str)> {
        self.couch_url.as_deref().zip(self.elastic_url.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;

    use super::*;

    fn parse(line: &str) -> Result<Option<Bench>, clap::Error> {
        let words = std::iter::once("bench").chain(line.split_whitespace());
        Arguments::try_parse_from(words).map(|arguments| arguments.bench)
    }

    #[track_caller]
    fn reindex(line: &str) -> Reindex {
        match parse(line) {
            Ok(Some(Bench::Reindex(arguments))) => arguments,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[track_caller]
    fn follow(line: &str) -> Follow {
        match parse(line) {
            Ok(Some(Bench::Follow(arguments))) => arguments,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_conversion_is_measured_without_a_subcommand() {
        assert!(matches!(parse(""), Ok(None)));
        assert!(matches!(parse("compile --json"), Ok(Some(Bench::Compile { json: true }))));
    }

    #[test]
    fn reindex_has_defaults() {
        let arguments = reindex("reindex");
        assert_eq!((arguments.docs, arguments.rounds, arguments.connections), (200_000, 3, 3));
        assert!(!arguments.json && arguments.servers.urls().is_none());
        assert_eq!(arguments.servers.product, "opensearch3");
    }

    #[test]
    fn options_are_read() {
        let arguments = reindex("reindex --docs 2000 --rounds=1 --json --connections 4");
        assert_eq!((arguments.docs, arguments.rounds, arguments.connections), (2000, 1, 4));
        assert!(arguments.json && arguments.from.is_none());
        assert_eq!(reindex("reindex --from all-docs").from.as_deref(), Some("all-docs"));
        let arguments = follow("follow --writes 10 --changes 2000 --json --product elasticsearch7");
        assert_eq!((arguments.writes, arguments.changes), (10, 2000));
        assert_eq!(arguments.servers.product, "elasticsearch7");
        let parsed = parse("verify --docs 1000 --rounds 2");
        assert!(matches!(parsed, Ok(Some(Bench::Verify(Verify { docs: 1000, rounds: 2, .. })))));
    }

    #[test]
    fn both_servers_are_given_or_neither() {
        let arguments = follow("follow --couch-url http://c --elastic-url http://e");
        assert_eq!(arguments.servers.urls(), Some(("http://c", "http://e")));
        for line in [
            "reindex --couch-url http://c",
            "follow --elastic-url http://e",
            "reindex --couch-url http://c --elastic-url http://e --product opensearch3",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn wrong_usage_is_refused_and_help_is_not() {
        for line in [
            "reindex --docs 0",
            "reindex --from x",
            "reindex --rounds x",
            "follow --docs 5",
            "fast",
            "--product solr",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
        for line in ["--help", "reindex --help", "follow -h"] {
            let error = parse(line).unwrap_err();
            assert_eq!((error.kind(), error.exit_code()), (ErrorKind::DisplayHelp, 0), "{line}");
        }
    }
}
