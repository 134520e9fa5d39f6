//! `bench verify`: ids and revisions of a database and its index, compared by `verify`, beside what
//! the servers need to list them.

use std::time::Instant;

use anyhow::ensure;
use reqwest::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::child::{self, Usage};
use super::environment::Environment;
use super::http::Http;
use crate::arguments::Verify;
use crate::output::{print_line, progress};
use crate::statistics::{median, median_of_known, rounded, whole};

/// Documents of one page of the index.
const PAGE: u32 = 10_000;

/// What one round has measured.
struct Round {
    ceiling: Ceiling,
    ours: Usage,
}

/// Seconds of listing both sides at the same time, unconnected.
#[derive(Debug, Clone, Copy)]
struct Ceiling {
    database: f64,
    index: f64,
}

impl Ceiling {
    /// No program that lists both can be faster than the slower of the two.
    fn seconds(self) -> f64 {
        self.database.max(self.index)
    }
}

/// A page without hits has none of their members.
#[derive(Deserialize)]
struct Page {
    #[serde(rename = "_scroll_id")]
    scroll_id: String,
    #[serde(default)]
    hits: Hits,
}

#[derive(Deserialize, Default)]
struct Hits {
    #[serde(default)]
    hits: Vec<IgnoredAny>,
}

/// Measures and reports.
pub(super) async fn measure(environment: &Environment, arguments: &Verify) -> anyhow::Result<()> {
    progress(&format!("writing {} documents to CouchDB …", arguments.docs));
    environment.create_database(environment.database()).await?;
    environment.save(environment.database(), 0..arguments.docs).await?;
    progress("building the index …");
    let load = environment.command(&["--json", "fast-reindex", "case"]);
    child::run(load, "fast-reindex", environment.directory()).await?;
    environment.require_count(&environment.alias()?, arguments.docs).await?;
    // The servers compile their code while they work.
    measure_round(environment, arguments.docs).await?;
    let mut rounds = Vec::new();
    for number in 0..arguments.rounds {
        let round = measure_round(environment, arguments.docs).await?;
        progress(&format!(
            "round {} of {}: ceiling {:.2} s, verify {:.2} s",
            number + 1,
            arguments.rounds,
            round.ceiling.seconds(),
            round.ours.seconds
        ));
        rounds.push(round);
    }
    let summary = Summary::new(arguments.docs, &rounds);
    if arguments.json {
        print_line(&summary.to_json(environment, &rounds).to_string());
    } else {
        summary.print(environment, arguments.rounds);
    }
    environment.remove_indices().await
}

async fn measure_round(environment: &Environment, documents: u32) -> anyhow::Result<Round> {
    let alias = environment.alias()?;
    let database = list_database(environment.couch(), environment.database());
    let index = list_index(environment.elastic(), &alias, documents);
    let (database, index) = tokio::try_join!(database, index)?;
    // It must find nothing: another exit code than 0 is an error.
    let command = environment.command(&["--json", "verify", "case", "--sample", "0"]);
    let ours = child::run(command, "verify", environment.directory()).await?;
    Ok(Round { ceiling: Ceiling { database, index }, ours })
}

/// Reads the ids and revisions of the database in one response, and does nothing with them.
async fn list_database(couch: &Http, database: &str) -> anyhow::Result<f64> {
    let started = Instant::now();
    let mut response = couch.stream(&format!("/{database}/_all_docs")).await?;
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        bytes += chunk.len();
    }
    ensure!(bytes > 0, "the listing of the database is empty");
    Ok(started.elapsed().as_secs_f64())
}

/// Reads the ids and revisions of the index by a scroll, and does nothing with them but count them.
async fn list_index(elastic: &Http, alias: &str, documents: u32) -> anyhow::Result<f64> {
    let filter = "filter_path=_scroll_id,hits.hits.fields";
    let body = json!({"size": PAGE, "sort": ["_doc"], "stored_fields": "_none_",
        "docvalue_fields": ["pillowtop.id", "pillowtop.rev"]});
    let started = Instant::now();
    let mut page = scroll(elastic, &format!("/{alias}/_search?scroll=1m&{filter}"), &body).await?;
    let mut listed = 0;
    loop {
        let found = page.hits.hits.len();
        listed += found;
        if found < PAGE as usize {
            break;
        }
        let body = json!({"scroll": "1m", "scroll_id": page.scroll_id});
        page = scroll(elastic, &format!("/_search/scroll?{filter}"), &body).await?;
    }
    let seconds = started.elapsed().as_secs_f64();
    ensure!(listed == documents as usize, "the index lists {listed} documents, expected {documents}");
    Ok(seconds)
}

async fn scroll(elastic: &Http, path: &str, body: &Value) -> anyhow::Result<Page> {
    let response = elastic.bytes(Method::POST, path, Some(body.to_string().into())).await?;
    Ok(serde_json::from_slice(&response)?)
}

/// The medians of all rounds.
struct Summary {
    documents: u32,
    /// Seconds of the ceiling, of the database alone, and of the index alone.
    ceiling: [f64; 3],
    seconds: f64,
    cpu_s_per_100k: Option<f64>,
    peak_rss_mb: Option<f64>,
}

impl Summary {
    fn new(documents: u32, rounds: &[Round]) -> Self {
        let of = |part: fn(Ceiling) -> f64| median(rounds.iter().map(|round| part(round.ceiling)).collect());
        let cpu = median_of_known(rounds.iter().map(|round| round.ours.cpu));
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
        let peaks = rounds.iter().map(|round| round.ours.peak.map(|bytes| bytes as f64 / 1e6));
        Self {
            documents,
            ceiling: [of(Ceiling::seconds), of(|ceiling| ceiling.database), of(|ceiling| ceiling.index)],
            seconds: median(rounds.iter().map(|round| round.ours.seconds).collect()),
            cpu_s_per_100k: cpu.map(|seconds| seconds / f64::from(documents) * 1e5),
            peak_rss_mb: median_of_known(peaks),
        }
    }

    fn per_second(&self, seconds: f64) -> f64 {
        f64::from(self.documents) / seconds
    }

    fn ratio(&self) -> f64 {
        self.ceiling[0] / self.seconds
    }

    fn to_json(&self, environment: &Environment, rounds: &[Round]) -> Value {
        let [ceiling, database, index] = self.ceiling.map(|seconds| whole(self.per_second(seconds)));
        let round = |round: &Round| {
            json!({
                "ceiling_s": rounded(round.ceiling.seconds(), 3), "database_s": rounded(round.ceiling.database, 3),
                "index_s": rounded(round.ceiling.index, 3), "ours_s": rounded(round.ours.seconds, 3),
            })
        };
        json!({
            "bench": "verify",
            "docs": self.documents,
            "servers": environment.versions.to_json(),
            "docs_per_s": whole(self.per_second(self.seconds)),
            "ratio": rounded(self.ratio(), 3),
            "ceiling_docs_per_s": ceiling,
            "database_docs_per_s": database,
            "index_docs_per_s": index,
            "cpu_s_per_100k": self.cpu_s_per_100k.map(|seconds| rounded(seconds, 2)),
            "peak_rss_mb": self.peak_rss_mb.map(|megabytes| rounded(megabytes, 1)),
            "rounds": rounds.iter().map(round).collect::<Vec<Value>>(),
        })
    }

    fn print(&self, environment: &Environment, rounds: u32) {
        let rounds = if rounds == 1 { "one round".to_owned() } else { format!("medians of {rounds} rounds") };
        print_line(&format!(
            "{} documents, {}, {}; {rounds}\n",
            self.documents, environment.versions.couch, environment.versions.elastic,
        ));
        print_line("                  docs/s   seconds   ratio   CPU s/100k   peak MB");
        for (name, seconds) in ["ceiling", "  _all_docs", "  scroll"].into_iter().zip(self.ceiling) {
            let ratio = self.ceiling[0] / seconds;
            print_line(&format!("{name:<15} {:>8.0} {seconds:>9.2} {ratio:>7.2}", self.per_second(seconds)));
        }
        let known = |number: Option<f64>, digits: usize| {
            number.map_or_else(|| "unknown".to_owned(), |number| format!("{number:.digits$}"))
        };
        print_line(&format!(
            "{:<15} {:>8.0} {:>9.2} {:>7.2} {:>12} {:>9}",
            "verify",
            self.per_second(self.seconds),
            self.seconds,
            self.ratio(),
            known(self.cpu_s_per_100k, 2),
            known(self.peak_rss_mb, 0),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_of_medians() {
        let round = |database, index, seconds| Round {
            ceiling: Ceiling { database, index },
            ours: Usage { seconds, cpu: Some(1.0), peak: Some(50_000_000) },
        };
        let summary =
            Summary::new(100_000, &[round(1.0, 2.0, 4.0), round(3.0, 1.0, 5.0), round(1.0, 9.0, 9.0)]);
        assert_eq!(summary.ceiling.map(|seconds| seconds.to_string()), ["3", "1", "2"]);
        assert_eq!(summary.per_second(summary.seconds).to_string(), "20000");
        assert_eq!(summary.ratio().to_string(), "0.6");
        assert_eq!((summary.cpu_s_per_100k, summary.peak_rss_mb), (Some(1.0), Some(50.0)));
    }
}
