//! Progress of a known number of steps: drawn on a terminal, a line now and then elsewhere.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Ui;

/// How often a line is written where nothing can be drawn.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
const DRAW_INTERVAL: Duration = Duration::from_millis(200);

/// How many of so many steps are done.
pub(crate) struct Steps {
    ui: Ui,
    bar: ProgressBar,
    doing: String,
    total: AtomicU64,
    started: Instant,
    last_line: Mutex<Instant>,
}

impl Steps {
    /// Begins to show progress: `doing` is what is done to them.
    pub(crate) fn start(ui: &Ui, doing: &str, total: u64) -> Self {
        let bar = ProgressBar::new_spinner();
        if ui.draws() {
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(DRAW_INTERVAL);
            ui.write_above(Some(bar.clone()));
        } else {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let (ui, doing, started) = (ui.clone(), doing.to_owned(), Instant::now());
        let (total, last_line) = (AtomicU64::new(total), Mutex::new(started));
        let steps = Self { ui, bar, doing, total, started, last_line };
        steps.set(0);
        steps
    }

    /// There are so many, as is known now.
    pub(crate) fn set_total(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// So many are done.
    pub(crate) fn set(&self, done: u64) {
        let total = self.total.load(Ordering::Relaxed);
        let line = describe(&self.doing, done, total, self.started.elapsed());
        self.bar.set_message(line.clone());
        // Nothing panics while it is held.
        let mut last = self.last_line.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !self.ui.draws() && last.elapsed() >= LINE_INTERVAL {
            *last = Instant::now();
            self.ui.note(&line);
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.ui.write_above(None);
        self.bar.finish_and_clear();
    }
}

fn describe(doing: &str, done: u64, total: u64, elapsed: Duration) -> String {
    let share = done.saturating_mul(100).checked_div(total).unwrap_or(100);
    let line = format!("{doing}: {done} of {total}, {share}%");
    if done == 0 || done >= total {
        return line;
    }
    #[expect(clippy::cast_precision_loss, reason = "a time for people")]
    let left = elapsed.as_secs_f64() * (total - done) as f64 / done as f64;
    format!("{line}, {left:.0} s left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remaining_time_follows_from_the_past() {
        let after = Duration::from_secs(10);
        assert_eq!(describe("processing", 250, 1000, after), "processing: 250 of 1000, 25%, 30 s left");
        assert_eq!(describe("processing", 0, 1000, after), "processing: 0 of 1000, 0%");
        assert_eq!(describe("processing", 1000, 1000, after), "processing: 1000 of 1000, 100%");
        assert_eq!(describe("processing", 0, 0, after), "processing: 0 of 0, 100%");
    }
}
