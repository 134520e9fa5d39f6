//! Progress of pillows: drawn on a terminal, a line now and then elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pillowtop_core::PillowName;
use pillowtop_runtime::member::{Counters, Counts};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{Align, Table, Talk};

/// How often a line is written where nothing can be drawn.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
const DRAW_INTERVAL: Duration = Duration::from_millis(200);

/// The pillows whose progress is shown.
pub(crate) struct Progress {
    talk: Talk,
    pillows: Vec<(PillowName, Arc<Counters>)>,
    started: Instant,
    task: JoinHandle<()>,
    bar: ProgressBar,
    total: Total,
}

/// How many documents there are to load; 0 where that is not known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Total(Arc<AtomicU64>);

impl Total {
    /// Sets the number.
    pub(crate) fn set(&self, documents: u64) {
        self.0.store(documents, Ordering::Relaxed);
    }

    /// Percent and remaining time, once something is done.
    fn describe(&self, counted: &[(PillowName, Counts)], elapsed: Duration) -> String {
        let total = self.0.load(Ordering::Relaxed);
        let done: u64 = counted.iter().map(|(_, counts)| counts.seen).sum();
        if total == 0 || done == 0 || done > total {
            return String::new();
        }
        let left = per_second(total - done, Duration::from_secs(1)) / per_second(done, elapsed).max(0.001);
        format!(" · {}% of {total}, {left:.0} s left", done * 100 / total)
    }
}

impl Progress {
    /// Begins to show what pillows do.
    pub(crate) fn start(talk: &Talk, doing: &str, pillows: Vec<(PillowName, Arc<Counters>)>) -> Self {
        let bar = ProgressBar::new_spinner();
        if talk.draws() {
            // It is cut to the terminal's width.
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(DRAW_INTERVAL);
            talk.write_above(Some(bar.clone()));
        } else {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let (shown, watched, said, doing) = (bar.clone(), pillows.clone(), talk.clone(), doing.to_owned());
        let total = Total::default();
        let known = total.clone();
        let started = Instant::now();
        let task = tokio::spawn(async move {
            let mut last = (Instant::now(), String::new());
            loop {
                tokio::time::sleep(DRAW_INTERVAL).await;
                let counted: Vec<_> =
                    watched.iter().map(|(name, counters)| (name.clone(), counters.snapshot())).collect();
                let share = known.describe(&counted, started.elapsed());
                let line = format!("{doing}: {}{share}", line(counted, started.elapsed()));
                shown.set_message(line.clone());
                if !said.draws() && last.0.elapsed() >= LINE_INTERVAL && line != last.1 {
                    said.note(&line);
                    last = (Instant::now(), line);
                }
            }
        });
        Self { talk: talk.clone(), pillows, started, task, bar, total }
    }

    /// How many documents there are, to be set once it is known.
    pub(crate) fn total(&self) -> Total {
        self.total.clone()
    }

    /// Ends the progress and says what was done.
    pub(crate) fn finish(self) -> Summary {
        let elapsed = self.started.elapsed();
        let done = |(name, counters): &(PillowName, Arc<Counters>)| Done {
            pillow: name.clone(),
            counts: counters.snapshot(),
            elapsed,
        };
        Summary { talk: self.talk.clone(), elapsed, all: self.pillows.iter().map(done).collect() }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.task.abort();
        self.talk.write_above(None);
        self.bar.finish_and_clear();
    }
}

/// The pillows that wait come first: the end of the line may lie beyond the terminal's.
fn line(mut counted: Vec<(PillowName, Counts)>, elapsed: Duration) -> String {
    counted.sort_by_key(|(_, counts)| counts.paused.is_none());
    let parts: Vec<String> = counted
        .into_iter()
        .map(|(name, counts)| {
            let paused = counts.paused.map(|reason| format!(" (paused: {reason})")).unwrap_or_default();
            format!("{name} {} indexed, {} deleted{paused}", counts.indexed, counts.deleted)
        })
        .collect();
    format!("{} · {:.0} s", parts.join(" · "), elapsed.as_secs_f64())
}

/// What pillows have done.
pub(crate) struct Summary {
    talk: Talk,
    elapsed: Duration,
    all: Vec<Done>,
}

/// What one has done, and how long it took.
struct Done {
    pillow: PillowName,
    counts: Counts,
    elapsed: Duration,
}

impl Summary {
    /// Whether there was nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.iter().all(|done| done.counts.seen == 0)
    }

    /// With what others have done after these.
    pub(crate) fn then(mut self, next: Self) -> Self {
        self.elapsed += next.elapsed;
        self.all.extend(next.all);
        self
    }

    /// How long it took.
    pub(crate) fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// A table for people.
    pub(crate) fn print(&self) {
        let columns = ["seen", "indexed", "deleted", "filtered", "dead letters", "docs/s"];
        let mut all = vec![("pillow", Align::Left)];
        all.extend(columns.map(|name| (name, Align::Right)));
        let mut table = Table::new(&all);
        for Done { pillow, counts, elapsed } in &self.all {
            let numbers = [counts.seen, counts.indexed, counts.deleted, counts.filtered, counts.dead_letters];
            let rate = format!("{:.0}", per_second(counts.seen, *elapsed));
            table.row([pillow.to_string()].into_iter().chain(numbers.map(|n| n.to_string())).chain([rate]));
        }
        self.talk.table(&table);
    }

    /// The same for scripts.
    pub(crate) fn to_json(&self) -> Value {
        let pillows: Vec<Value> = self
            .all
            .iter()
            .map(|Done { pillow, counts, .. }| {
                let mut value = json!(counts);
                value["pillow"] = json!(pillow);
                value
            })
            .collect();
        json!({"pillows": pillows, "seconds": self.elapsed.as_secs_f64()})
    }
}

fn per_second(count: u64, elapsed: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let count = count as f64;
    count / elapsed.as_secs_f64().max(0.001)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pillow_that_waits_is_shown_first() {
        let mut pillows = ["case", "user"].map(|name| (PillowName::from(name), Counts::default()));
        assert_eq!(
            line(pillows.to_vec(), Duration::from_secs(1)),
            "case 0 indexed, 0 deleted · user 0 indexed, 0 deleted · 1 s"
        );
        pillows[1].1.paused = Some("its index is closed".to_owned());
        assert_eq!(
            line(pillows.to_vec(), Duration::from_secs(1)),
            "user 0 indexed, 0 deleted (paused: its index is closed) · case 0 indexed, 0 deleted · 1 s"
        );
    }
}
