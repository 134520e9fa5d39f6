//! `bench reindex`: the ceiling, `fast-reindex` and the Python script, in rounds.

use serde_json::{Value, json};

use super::ceiling::{Ceiling, Replay};
use super::child::{self, Usage};
use super::environment::Environment;
use super::python::Script;
use crate::arguments::Reindex;
use crate::output::{print_line, progress};
use crate::statistics::{median, median_of_known, rounded, whole};

/// Rounds of the ceiling before those that count, at least and at most: the servers compile their
/// code while they work.
const WARM_UP: std::ops::RangeInclusive<usize> = 3..=8;
/// The ceiling's slowest round may exceed its fastest by this part of the median, or the result is
/// doubtful.
const SPREAD: f64 = 0.2;

/// What one round has measured.
struct Round {
    ceiling: Ceiling,
    ours: Usage,
    python: Option<Usage>,
}

/// What is measured in a round, in an order that rotates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Ceiling,
    Ours,
    Python,
}

/// The order of a round: each part is first, second and third equally often.
fn order(round: u32) -> [Part; 3] {
    let mut parts = [Part::Ceiling, Part::Ours, Part::Python];
    parts.rotate_left((round % 3) as usize);
    parts
}

/// Measures and reports.
pub(super) async fn measure(environment: &Environment, arguments: &Reindex) -> anyhow::Result<()> {
    let script = Script::find();
    progress(&format!("writing {} documents to CouchDB …", arguments.docs));
    environment.create_database(environment.database()).await?;
    environment.save(environment.database(), 0..arguments.docs).await?;
    if arguments.from.as_deref() == Some("view") {
        progress("installing the view, and waiting until it is built …");
        let command = environment.command(&["--json", "couch-view", "case"]);
        child::run(command, "couch-view", environment.directory()).await?;
    }
    let replay = Replay::new(arguments.docs, arguments.connections)?;
    warm_up(environment, &replay).await?;
    let mut rounds = Vec::new();
    for number in 0..arguments.rounds {
        let round = measure_round(environment, &replay, script.as_ref(), arguments, number).await?;
        progress(&format!("round {} of {}: {}", number + 1, arguments.rounds, summary(&round)));
        rounds.push(round);
    }
    let result = Summary::new(arguments.docs, &rounds);
    if result.spread > SPREAD {
        progress(&format!(
            "warning: the rounds of the ceiling differ by {:.0} %; measure again with more --rounds, or when the machine is idle",
            result.spread * 100.0
        ));
    }
    if arguments.json {
        print_line(&result.to_json(environment, &replay, &rounds).to_string());
    } else {
        result.print(environment, &replay, arguments.rounds);
    }
    Ok(())
}

/// Repeats the ceiling until it no longer becomes faster.
async fn warm_up(environment: &Environment, replay: &Replay) -> anyhow::Result<()> {
    let mut seconds = Vec::new();
    while !is_warm(&seconds) {
        seconds.push(replay.round(environment).await?.seconds());
        let last = seconds.last().copied().unwrap_or_default();
        progress(&format!("warming up: ceiling {last:.1} s, which does not count"));
    }
    Ok(())
}

/// Whether the last round was not much faster than each before it, or there were enough.
fn is_warm(seconds: &[f64]) -> bool {
    let Some((last, before)) = seconds.split_last() else { return false };
    let best = before.iter().copied().fold(f64::INFINITY, f64::min);
    seconds.len() >= *WARM_UP.end() || (seconds.len() >= *WARM_UP.start() && *last > 0.9 * best)
}

async fn measure_round(
    environment: &Environment,
    replay: &Replay,
    script: Option<&Script>,
    arguments: &Reindex,
    number: u32,
) -> anyhow::Result<Round> {
    let documents = arguments.docs;
    let (mut ceiling, mut ours, mut python) = (None, None, None);
    for part in order(number) {
        match (part, script) {
            (Part::Ceiling, _) => ceiling = Some(replay.round(environment).await?),
            (Part::Ours, _) => ours = Some(fast_reindex(environment, arguments).await?),
            (Part::Python, Some(script)) => python = Some(script.round(environment, documents).await?),
            (Part::Python, None) => {}
        }
    }
    match (ceiling, ours) {
        (Some(ceiling), Some(ours)) => Ok(Round { ceiling, ours, python }),
        _ => anyhow::bail!("a round without all of its parts"),
    }
}

/// The command from its start to its end. Its index must have all documents, and is deleted
/// afterwards.
async fn fast_reindex(environment: &Environment, arguments: &Reindex) -> anyhow::Result<Usage> {
    let mut line = vec!["--json", "fast-reindex", "case"];
    line.extend(arguments.from.iter().flat_map(|form| ["--from", form.as_str()]));
    let command = environment.command(&line);
    let usage = child::run(command, "fast-reindex", environment.directory()).await?;
    environment.require_count(&environment.alias()?, arguments.docs).await?;
    environment.remove_indices().await?;
    Ok(usage)
}

fn summary(round: &Round) -> String {
    let python = round.python.map_or_else(String::new, |usage| format!(", Python {:.1} s", usage.seconds));
    format!("ceiling {:.1} s, fast-reindex {:.1} s{python}", round.ceiling.seconds(), round.ours.seconds)
}

/// The medians of one program.
struct Program {
    docs_per_s: f64,
    seconds: f64,
    cpu_s_per_100k: Option<f64>,
    peak_rss_mb: Option<f64>,
}

impl Program {
    fn new(documents: f64, usages: &[Usage]) -> Self {
        let seconds = median(usages.iter().map(|usage| usage.seconds).collect());
        let cpu = median_of_known(usages.iter().map(|usage| usage.cpu));
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
        let peaks = usages.iter().map(|usage| usage.peak.map(|bytes| bytes as f64 / 1e6));
        Self {
            docs_per_s: documents / seconds,
            seconds,
            cpu_s_per_100k: cpu.map(|seconds| seconds / documents * 1e5),
            peak_rss_mb: median_of_known(peaks),
        }
    }
}

/// The medians of all rounds.
struct Summary {
    documents: u32,
    /// Seconds of the ceiling, of its feed alone, and of its bulk requests alone.
    ceiling: [f64; 3],
    ours: Program,
    python: Option<Program>,
    /// How far the rounds of the ceiling are apart, as a part of their median.
    spread: f64,
}

impl Summary {
    fn new(documents: u32, rounds: &[Round]) -> Self {
        let of = |part: fn(Ceiling) -> f64| median(rounds.iter().map(|round| part(round.ceiling)).collect());
        let ceiling = of(Ceiling::seconds);
        let all = || rounds.iter().map(|round| round.ceiling.seconds());
        let (fastest, slowest) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
        let ours: Vec<Usage> = rounds.iter().map(|round| round.ours).collect();
        let python: Vec<Usage> = rounds.iter().filter_map(|round| round.python).collect();
        Self {
            documents,
            ceiling: [ceiling, of(|ceiling| ceiling.feed), of(|ceiling| ceiling.bulk)],
            ours: Program::new(f64::from(documents), &ours),
            python: (!python.is_empty()).then(|| Program::new(f64::from(documents), &python)),
            spread: (slowest - fastest) / ceiling,
        }
    }

    fn per_second(&self, seconds: f64) -> f64 {
        f64::from(self.documents) / seconds
    }

    /// The speed of a program relative to the ceiling.
    fn ratio(&self, program: &Program) -> f64 {
        program.docs_per_s / self.per_second(self.ceiling[0])
    }

    fn to_json(&self, environment: &Environment, replay: &Replay, rounds: &[Round]) -> Value {
        let [ceiling, feed, bulk] = self.ceiling.map(|seconds| whole(self.per_second(seconds)));
        let python = self.python.as_ref();
        json!({
            "bench": "reindex",
            "docs": self.documents,
            "doc_bytes": whole(replay.document_bytes()),
            "servers": environment.versions.to_json(),
            "ratio": rounded(self.ratio(&self.ours), 3),
            "docs_per_s": whole(self.ours.docs_per_s),
            "ceiling_docs_per_s": ceiling,
            "ceiling_spread": rounded(self.spread, 2),
            "feed_docs_per_s": feed,
            "bulk_docs_per_s": bulk,
            "python_ratio": python.map(|python| rounded(self.ratio(python), 3)),
            "python_docs_per_s": python.map(|python| whole(python.docs_per_s)),
            "cpu_s_per_100k": self.ours.cpu_s_per_100k.map(|seconds| rounded(seconds, 2)),
            "python_cpu_s_per_100k": python.and_then(|python| Some(rounded(python.cpu_s_per_100k?, 2))),
            "peak_rss_mb": self.ours.peak_rss_mb.map(|megabytes| rounded(megabytes, 1)),
            "python_peak_rss_mb": python.and_then(|python| Some(rounded(python.peak_rss_mb?, 1))),
            "rounds": rounds.iter().map(round_json).collect::<Vec<Value>>(),
        })
    }

    fn print(&self, environment: &Environment, replay: &Replay, rounds: u32) {
        let rounds = if rounds == 1 { "one round".to_owned() } else { format!("medians of {rounds} rounds") };
        print_line(&format!(
            "{} documents of {:.0} bytes, {}, {}; {rounds}\n",
            self.documents,
            replay.document_bytes(),
            environment.versions.couch,
            environment.versions.elastic,
        ));
        print_line("                  docs/s   seconds   ratio   CPU s/100k   peak MB");
        for (name, seconds) in ["ceiling", "  changes feed", "  _bulk"].into_iter().zip(self.ceiling) {
            let ratio = self.ceiling[0] / seconds;
            print_line(&format!("{name:<15} {:>8.0} {seconds:>9.2} {ratio:>7.2}", self.per_second(seconds)));
        }
        let programs = [("fast-reindex", Some(&self.ours)), ("Python script", self.python.as_ref())];
        for (name, program) in programs {
            let Some(program) = program else {
                print_line(&format!("{name:<15}  skipped"));
                continue;
            };
            let known = |number: Option<f64>, digits: usize| {
                number.map_or_else(|| "unknown".to_owned(), |number| format!("{number:.digits$}"))
            };
            print_line(&format!(
                "{name:<15} {:>8.0} {:>9.2} {:>7.2} {:>12} {:>9}",
                program.docs_per_s,
                program.seconds,
                self.ratio(program),
                known(program.cpu_s_per_100k, 2),
                known(program.peak_rss_mb, 0),
            ));
        }
    }
}

fn round_json(round: &Round) -> Value {
    json!({
        "ratio": rounded(round.ceiling.seconds() / round.ours.seconds, 3),
        "ceiling_s": rounded(round.ceiling.seconds(), 3),
        "feed_s": rounded(round.ceiling.feed, 3),
        "bulk_s": rounded(round.ceiling.bulk, 3),
        "ours_s": rounded(round.ours.seconds, 3),
        "python_s": round.python.map(|usage| rounded(usage.seconds, 3)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(seconds: f64, cpu: Option<f64>) -> Usage {
        Usage { seconds, cpu, peak: Some(50_000_000) }
    }

    #[test]
    fn each_part_is_at_each_position_equally_often() {
        assert_eq!(order(0), [Part::Ceiling, Part::Ours, Part::Python]);
        for position in 0..3 {
            for part in order(0) {
                assert_eq!((0..6).filter(|round| order(*round)[position] == part).count(), 2);
            }
        }
    }

    #[test]
    fn the_summary_is_of_medians() {
        let round = |bulk, ours| Round {
            ceiling: Ceiling { feed: 1.0, bulk },
            ours: usage(ours, Some(0.5)),
            python: None,
        };
        let summary = Summary::new(10_000, &[round(2.0, 4.0), round(0.5, 9.0), round(3.0, 5.0)]);
        assert_eq!(summary.ceiling.map(|seconds| seconds.to_string()), ["2", "1", "2"]);
        assert_eq!(summary.ours.docs_per_s.to_string(), "2000");
        assert_eq!(summary.ratio(&summary.ours).to_string(), "0.4");
        assert_eq!(summary.ours.cpu_s_per_100k, Some(5.0));
        assert_eq!(summary.ours.peak_rss_mb, Some(50.0));
        assert!(summary.python.is_none());
        assert_eq!(summary.spread.to_string(), "1", "from 1 to 3 seconds around 2");
    }

    #[test]
    fn the_servers_are_warm_once_the_ceiling_is_steady() {
        assert!(!is_warm(&[]) && !is_warm(&[5.0, 5.0]));
        assert!(!is_warm(&[7.0, 4.5, 2.8]), "still much faster");
        assert!(is_warm(&[7.0, 4.5, 4.4]) && is_warm(&[3.0, 3.0, 9.0]));
        assert!(is_warm(&[128.0, 64.0, 32.0, 16.0, 8.0, 4.0, 2.0, 1.0]), "enough");
    }

    #[test]
    fn what_cannot_be_measured_is_unknown() {
        let program = Program::new(1000.0, &[usage(1.0, None)]);
        assert_eq!(program.cpu_s_per_100k, None);
    }
}
