//! `bench follow`: the latency of single changes at low load, and a burst of changes.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use super::child::{self, Child};
use super::environment::Environment;
use super::latency::{self, Latencies, WARM_UP, write_and_wait};
use crate::arguments::Follow;
use crate::output::{print_line, progress};
use crate::resources::{cpu_of, peak_memory};
use crate::statistics::{percentile, rounded, whole};

/// Documents that are in the index before it is followed.
const BEFORE: u32 = 1000;
/// The pause between two looks at the number of indexed documents.
const LOOK: Duration = Duration::from_millis(20);
/// How long the index may stand still while documents are missing.
const LONGEST_STANDSTILL: Duration = Duration::from_mins(1);

/// What a burst of changes took.
struct Burst {
    /// Seconds until `CouchDB` had all changes.
    write: f64,
    /// Seconds from then until the index had them.
    lag: f64,
    /// Processor time of the measured program meanwhile.
    cpu: Option<f64>,
}

/// Measures and reports.
pub(super) async fn measure(environment: &Environment, arguments: &Follow) -> anyhow::Result<()> {
    let alias = environment.alias()?;
    let mut follower = start(environment, &alias).await?;
    let measured = measure_follower(environment, arguments, &alias, &follower).await;
    let (latencies, burst, peak) = match measured {
        Ok(measured) => measured,
        Err(error) => {
            // If the program has ended, its output says why.
            follower.require_running().with_context(|| format!("{error:#}"))?;
            return Err(error);
        }
    };
    follower.stop()?;
    if arguments.json {
        let result = to_json(environment, arguments, &latencies, &burst, peak);
        print_line(&result.to_string());
    } else {
        print(environment, arguments, &latencies, &burst, peak);
    }
    Ok(())
}

/// Builds an index, follows it, and waits until changes arrive.
async fn start(environment: &Environment, alias: &str) -> anyhow::Result<Child> {
    let database = environment.database();
    environment.create_database(database).await?;
    environment.save(database, 0..BEFORE).await?;
    let command = environment.command(&["--json", "fast-reindex", "case"]);
    child::run(command, "fast-reindex", environment.directory()).await?;
    environment.require_count(alias, BEFORE).await?;
    progress("starting `run case` …");
    let mut follower = Child::start(environment.command(&["run", "case"]), "run", environment.directory())?;
    if let Err(error) = write_and_wait(environment, alias, BEFORE).await {
        follower.require_running().with_context(|| format!("{error:#}"))?;
        return Err(error);
    }
    Ok(follower)
}

async fn measure_follower(
    environment: &Environment,
    arguments: &Follow,
    alias: &str,
    follower: &Child,
) -> anyhow::Result<(Latencies, Burst, Option<u64>)> {
    let first = BEFORE + 1;
    progress(&format!("measuring the latency of {} single writes, 20 a second …", arguments.writes));
    let latencies = latency::measure(environment, alias, first, arguments.writes).await?;
    progress(&format!("measuring a burst of {} changes …", arguments.changes));
    let burst =
        burst(environment, alias, follower, first + WARM_UP + arguments.writes, arguments.changes).await?;
    Ok((latencies, burst, peak_memory(&follower.pid().to_string())))
}

/// Writes changes as fast as `CouchDB` takes them while the program follows, and waits until the
/// index has all.
async fn burst(
    environment: &Environment,
    alias: &str,
    follower: &Child,
    first: u32,
    changes: u32,
) -> anyhow::Result<Burst> {
    let before = written(environment, alias).await?;
    let cpu_before = cpu_of(follower.pid());
    let started = Instant::now();
    environment.save(environment.database(), first..first + changes).await?;
    let write = started.elapsed();
    let mut progressed = (Instant::now(), before);
    loop {
        let now = written(environment, alias).await?;
        // A document that was sent twice counts twice, so this alone proves nothing.
        if now >= before + u64::from(changes) {
            let whole = started.elapsed();
            if environment.count(alias).await? == u64::from(first + changes) {
                let cpu = cpu_of(follower.pid()).zip(cpu_before).map(|(after, before)| after - before);
                let lag = whole.saturating_sub(write);
                return Ok(Burst { write: write.as_secs_f64(), lag: lag.as_secs_f64(), cpu });
            }
        }
        if now > progressed.1 {
            progressed = (Instant::now(), now);
        }
        ensure!(progressed.0.elapsed() < LONGEST_STANDSTILL, "the index lacks documents and takes no more");
        tokio::time::sleep(LOOK).await;
    }
}

/// How many writes an index has had, searchable yet or not.
async fn written(environment: &Environment, index: &str) -> anyhow::Result<u64> {
    let path = format!("/{index}/_stats/indexing?filter_path=_all.primaries.indexing.index_total");
    let statistics = environment.elastic().json(Method::GET, &path, &Value::Null).await?;
    statistics
        .pointer("/_all/primaries/indexing/index_total")
        .and_then(Value::as_u64)
        .context("no statistics")
}

impl Burst {
    fn docs_per_s(&self, changes: u32) -> f64 {
        f64::from(changes) / (self.write + self.lag)
    }

    fn cpu_s_per_100k(&self, changes: u32) -> Option<f64> {
        Some(rounded(self.cpu? / f64::from(changes) * 1e5, 2))
    }
}

fn to_json(
    environment: &Environment,
    arguments: &Follow,
    latencies: &Latencies,
    burst: &Burst,
    peak: Option<u64>,
) -> Value {
    let (p50, servers_p50) = (latencies.p50(), latencies.servers_p50());
    json!({
        "bench": "follow",
        "servers": environment.versions.to_json(),
        "writes": arguments.writes,
        "p50_ms": rounded(p50, 2),
        "p99_ms": rounded(percentile(latencies.ours.clone(), 99), 2),
        "servers_p50_ms": rounded(servers_p50, 2),
        "servers_p99_ms": rounded(percentile(latencies.servers.clone(), 99), 2),
        "added_p50_ms": rounded(p50 - servers_p50, 2),
        "changes": arguments.changes,
        "docs_per_s": whole(burst.docs_per_s(arguments.changes)),
        "write_s": rounded(burst.write, 3),
        "catch_up_s": rounded(burst.lag, 3),
        "cpu_s_per_100k": burst.cpu_s_per_100k(arguments.changes),
        "peak_rss_mb": peak.map(megabytes),
    })
}

fn megabytes(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
    let bytes = bytes as f64;
    rounded(bytes / 1e6, 1)
}

fn print(
    environment: &Environment,
    arguments: &Follow,
    latencies: &Latencies,
    burst: &Burst,
    peak: Option<u64>,
) {
    let Follow { writes, changes, .. } = *arguments;
    let known =
        |number: Option<f64>| number.map_or_else(|| "unknown".to_owned(), |number| number.to_string());
    print_line(&format!(
        "{}, {}\n\n{writes} single writes, 20 a second, in milliseconds\n",
        environment.versions.couch, environment.versions.elastic
    ));
    print_line("                   p50      p99");
    for (name, of) in [("run case", &latencies.ours), ("servers alone", &latencies.servers)] {
        let (p50, p99) = (percentile(of.clone(), 50), percentile(of.clone(), 99));
        print_line(&format!("{name:<14} {p50:>7.2} {p99:>8.2}"));
    }
    print_line(&format!("{:<14} {:>7.2}\n", "added", latencies.p50() - latencies.servers_p50()));
    print_line(&format!("A burst of {changes} changes\n"));
    for (name, value) in [
        ("indexed, docs/s", format!("{:.0}", burst.docs_per_s(changes))),
        ("written to CouchDB, s", format!("{:.2}", burst.write)),
        ("indexed after that, s", format!("{:.2}", burst.lag)),
        ("CPU s/100k", known(burst.cpu_s_per_100k(changes))),
        ("peak MB", known(peak.map(megabytes))),
    ] {
        print_line(&format!("{name:<22} {value:>9}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_as_fast_as_its_last_document() {
        let burst = Burst { write: 3.0, lag: 1.0, cpu: Some(0.2) };
        assert_eq!(burst.docs_per_s(20_000).to_string(), "5000");
        assert_eq!(burst.cpu_s_per_100k(20_000), Some(1.0));
        assert_eq!(Burst { cpu: None, ..burst }.cpu_s_per_100k(20_000), None);
    }
}
