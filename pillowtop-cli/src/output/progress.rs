//! Progress of pillows: a line for each on a terminal; elsewhere a line now and then, or nothing
//! where the log tells what changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pillowtop_core::PillowName;
use pillowtop_runtime::member::{Counters, Counts};
use serde_json::{Value, json};
use terminal_size::{Height, Width, terminal_size_of};
use textwrap::core::display_width;
use tokio::task::JoinHandle;

use super::{Align, Table, Ui, visible};

/// How often a line is written where nothing can be drawn.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
const DRAW_INTERVAL: Duration = Duration::from_millis(200);
/// Lines of a terminal that are left to others.
const LEFT_FREE: usize = 3;

/// What is written where nothing can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WithoutTerminal {
    /// A line every few seconds.
    Lines,
    /// Nothing: a service logs when a pillow is paused and when it resumes.
    Quiet,
}

/// The pillows whose progress is shown.
pub(crate) struct Progress {
    ui: Ui,
    pillows: Vec<(PillowName, Arc<Counters>)>,
    started: Instant,
    task: JoinHandle<()>,
    bar: ProgressBar,
    total: Total,
}

/// How many documents there are to load; 0 where that is not known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Total(Arc<(AtomicU64, AtomicU64)>);

impl Total {
    /// Sets the number.
    pub(crate) fn set(&self, documents: u64) {
        self.0.0.store(documents, Ordering::Relaxed);
    }

    /// Sets how many of them a server loaded by itself.
    pub(crate) fn set_copied(&self, documents: u64) {
        self.0.1.store(documents, Ordering::Relaxed);
    }

    /// Percent and remaining time, once something is done.
    fn describe(&self, counted: &[(PillowName, Counts)], elapsed: Duration) -> String {
        let (total, copied) = (self.0.0.load(Ordering::Relaxed), self.0.1.load(Ordering::Relaxed));
        let done = copied + counted.iter().map(|(_, counts)| counts.seen).sum::<u64>();
        if total == 0 || done == 0 || done > total {
            return String::new();
        }
        let left = per_second(total - done, Duration::from_secs(1)) / per_second(done, elapsed).max(0.001);
        format!(" · {}% of {total}, {left:.0} s left", done * 100 / total)
    }
}

impl Progress {
    /// Begins to show what pillows do.
    pub(crate) fn start(
        ui: &Ui,
        doing: &str,
        pillows: Vec<(PillowName, Arc<Counters>)>,
        without_terminal: WithoutTerminal,
    ) -> Self {
        let bar = ProgressBar::new_spinner();
        if ui.draws() {
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(DRAW_INTERVAL);
            ui.write_above(Some(bar.clone()));
        } else {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let (shown, watched, console, doing) = (bar.clone(), pillows.clone(), ui.clone(), doing.to_owned());
        let total = Total::default();
        let known = total.clone();
        let started = Instant::now();
        let task = tokio::spawn(async move {
            let mut last = (Instant::now(), String::new());
            loop {
                tokio::time::sleep(DRAW_INTERVAL).await;
                let counted: Vec<_> =
                    watched.iter().map(|(name, counters)| (name.clone(), counters.snapshot())).collect();
                let elapsed = started.elapsed();
                let share = known.describe(&counted, elapsed);
                if console.draws() {
                    let head = format!("{doing}, {:.0} s{share}", elapsed.as_secs_f64());
                    shown.set_message(drawn(&head, counted, screen()));
                } else if without_terminal == WithoutTerminal::Lines && last.0.elapsed() >= LINE_INTERVAL {
                    let line = format!("{doing}: {}{share}", line(counted, elapsed));
                    if line != last.1 {
                        console.note(&line);
                        last = (Instant::now(), line);
                    }
                }
            }
        });
        Self { ui: ui.clone(), pillows, started, task, bar, total }
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
        Summary { ui: self.ui.clone(), elapsed, all: self.pillows.iter().map(done).collect() }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.task.abort();
        self.ui.write_above(None);
        self.bar.finish_and_clear();
    }
}

/// The columns and lines of the terminal.
fn screen() -> (usize, usize) {
    let size = terminal_size_of(std::io::stderr());
    size.map_or((80, 24), |(Width(columns), Height(lines))| (usize::from(columns), usize::from(lines)))
}

/// A line for everything and one for each pillow, those with a problem first, none wider than the
/// screen.
fn drawn(head: &str, mut counted: Vec<(PillowName, Counts)>, (columns, lines): (usize, usize)) -> String {
    counted.sort_by_key(|(_, counts)| counts.paused.is_none());
    let names = counted.iter().map(|(name, _)| display_width(name.as_str())).max().unwrap_or_default();
    let room = lines.saturating_sub(LEFT_FREE).max(2);
    let hidden = (counted.len() + 1).saturating_sub(room);
    let shown = if hidden == 0 { counted.len() } else { room.saturating_sub(2) };
    let mut all = vec![head.to_owned()];
    all.extend(counted.iter().take(shown).map(|(name, counts)| pillow_line(name, names, counts)));
    if shown < counted.len() {
        all.push(format!("  and {} more", counted.len() - shown));
    }
    // Two columns are the spinner's, on the first line.
    let cut: Vec<String> = all.iter().map(|line| cut(line, columns.saturating_sub(2))).collect();
    cut.join("\n")
}

fn pillow_line(name: &PillowName, width: usize, counts: &Counts) -> String {
    let state = match (&counts.paused, counts.pending) {
        (Some(reason), _) => format!("paused: {reason}"),
        (None, Some(0)) => "up to date".to_owned(),
        (None, _) => "reading".to_owned(),
    };
    let pending = counts.pending.map(|pending| format!(", {pending} pending")).unwrap_or_default();
    let blank = " ".repeat(width.saturating_sub(display_width(name.as_str())));
    let (indexed, deleted) = (counts.indexed, counts.deleted);
    format!("  {name}{blank}  {state} · {indexed} indexed, {deleted} deleted{pending}")
}

/// One line of this width; `…` says that there is more.
fn cut(line: &str, columns: usize) -> String {
    let line = visible(&line.replace(['\n', '\t'], " "));
    if display_width(&line) <= columns {
        return line;
    }
    let mut short = String::new();
    for letter in line.chars() {
        let mut longer = short.clone();
        longer.push(letter);
        if display_width(&longer) >= columns {
            break;
        }
        short = longer;
    }
    short + "…"
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
    ui: Ui,
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
        self.ui.table(&table);
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

    #[test]
    fn each_pillow_has_a_line_that_fits_and_problems_come_first() {
        let mut pillows = ["case", "user", "form"].map(|name| (PillowName::from(name), Counts::default()));
        pillows[0].1 = Counts { indexed: 120, deleted: 3, pending: Some(0), ..Counts::default() };
        pillows[2].1.paused = Some("index `forms_1_1` is closed\nso nothing can be written".to_owned());
        let drawn = |columns, lines| -> Vec<String> {
            let text = drawn("following, 12 s", pillows.to_vec(), (columns, lines));
            text.lines().map(str::to_owned).collect()
        };
        assert_eq!(
            drawn(100, 24),
            [
                "following, 12 s",
                "  form  paused: index `forms_1_1` is closed so nothing can be written · 0 indexed, 0 deleted",
                "  case  up to date · 120 indexed, 3 deleted, 0 pending",
                "  user  reading · 0 indexed, 0 deleted"
            ]
        );
        assert!(drawn(40, 24).iter().all(|line| display_width(line) <= 38));
        assert_eq!(drawn(40, 24)[1], "  form  paused: index `forms_1_1` is …");
        assert_eq!(drawn(100, 6).len(), 3);
        assert_eq!(drawn(100, 6)[2], "  and 2 more");
        assert_eq!(drawn(100, 7).len(), 4);
    }

    #[test]
    fn a_line_is_cut_by_the_width_that_is_displayed() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("語語語", 5), "語語…");
        assert_eq!(cut("語語語", 4), "語…");
    }
}
