//! What ran against what, and how it went: the tests that failed, by name, and how many did. The last
//! line is for programs: `N passed, N failed`.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// Tests counted from what the test programs print.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    /// The names of those that failed, for a reader who sees only the end of the output.
    pub(super) failures: Vec<String>,
}

impl Counts {
    /// Counts a line such as `test result: ok. 5 passed; 0 failed; 1 ignored; …`, and takes the name
    /// from one such as `test tables::a_row ... FAILED`; ignores any other.
    pub(super) fn add_line(&mut self, line: &str) {
        let Some(line) = line.trim_start().strip_prefix("test ") else { return };
        if let Some(name) = line.trim_end().strip_suffix(" ... FAILED") {
            self.failures.push(name.to_owned());
        }
        let Some((_, counts)) = line.strip_prefix("result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for part in counts.split("; ") {
            match part.split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse::<u64>().unwrap_or(0),
                Some((number, "failed")) => self.failed += number.parse::<u64>().unwrap_or(0),
                _ => (),
            }
        }
    }
}

/// How one step went.
#[derive(Debug)]
pub(super) struct Outcome {
    label: String,
    counts: Counts,
    /// Set when the step failed without a failed test: it counts as one failure.
    broken: Option<&'static str>,
    took: Duration,
}

impl Outcome {
    pub(super) fn of(label: String, counts: Counts, succeeded: bool, took: Duration) -> Self {
        let broken = match (succeeded, &counts) {
            (false, Counts { failed: 0, .. }) => Some("did not finish"),
            (true, Counts { passed: 0, failed: 0, .. }) => Some("ran no tests"),
            _ => None,
        };
        Self { label, counts, broken, took }
    }

    pub(super) fn not_run(label: String) -> Self {
        Self { label, counts: Counts::default(), broken: Some("did not run"), took: Duration::ZERO }
    }

    pub(super) fn passed(&self) -> u64 {
        self.counts.passed
    }

    pub(super) fn failed(&self) -> u64 {
        self.counts.failed + u64::from(self.broken.is_some())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, counts, took, .. } = self;
        write!(formatter, "{label}\n    {} passed, {} failed", counts.passed, counts.failed)?;
        if let Some(broken) = self.broken {
            write!(formatter, ", {}", broken.to_uppercase())?;
        }
        write!(formatter, " ({:.1} s)", took.as_secs_f64())?;
        counts.failures.iter().try_for_each(|name| write!(formatter, "\n    failed: {name}"))
    }
}

/// How all steps went.
#[derive(Debug)]
pub(super) struct Summary {
    started: Instant,
    took: Duration,
    outcomes: Vec<Outcome>,
    without_servers: bool,
}

impl Summary {
    pub(super) fn new(started: Instant) -> Self {
        Self { started, took: Duration::ZERO, outcomes: Vec::new(), without_servers: false }
    }

    pub(super) fn add(&mut self, outcome: Outcome) {
        self.outcomes.push(outcome);
    }

    /// Notes that the user did not want the end-to-end tests.
    pub(super) fn without_servers(&mut self) {
        self.without_servers = true;
    }

    /// Takes the time.
    pub(super) fn finish(&mut self) {
        self.took = self.started.elapsed();
    }

    pub(super) fn failed(&self) -> u64 {
        self.outcomes.iter().map(Outcome::failed).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for outcome in &self.outcomes {
            writeln!(formatter, "{outcome}")?;
        }
        if self.without_servers {
            writeln!(formatter, "THE END-TO-END TESTS DID NOT RUN, as `--without-servers` asked")?;
        }
        writeln!(formatter, "total time {:.1} s", self.took.as_secs_f64())?;
        let passed: u64 = self.outcomes.iter().map(Outcome::passed).sum();
        write!(formatter, "{passed} passed, {} failed", self.failed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(output: &str, passed: u64, failed: u64, failures: &[&str]) {
        let mut counts = Counts::default();
        output.lines().for_each(|line| counts.add_line(line));
        assert_eq!((counts.passed, counts.failed), (passed, failed));
        assert_eq!(counts.failures, failures);
    }

    #[test]
    fn results_are_counted_over_several_programs() {
        check("", 0, 0, &[]);
        check("running 5 tests\ntest a ... ok\n5 passed; 1 failed\n", 0, 0, &[]);
        check(
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
             \n   Doc-tests x\n\
             test rows::a_date ... FAILED\n\
             test src/lib.rs - Claim (line 12) ... FAILED\n\
             test result: FAILED. 11 passed; 2 failed; 0 ignored; 0 measured; 3 filtered out; finished in 1s\n",
            16,
            2,
            &["rows::a_date", "src/lib.rs - Claim (line 12)"],
        );
    }

    #[test]
    fn the_last_line_sums_up() {
        let mut summary = Summary::new(Instant::now());
        let seconds = Duration::from_secs(2);
        let counts = |passed, failures: &[&str]| Counts {
            passed,
            failed: failures.len() as u64,
            failures: failures.iter().copied().map(str::to_owned).collect(),
        };
        summary.add(Outcome::of("units".to_owned(), counts(7, &[]), true, seconds));
        summary.add(Outcome::of("a server".to_owned(), counts(1, &["loads::one", "two"]), false, seconds));
        assert_eq!(summary.failed(), 2);
        summary.add(Outcome::not_run("another".to_owned()));
        let text = summary.to_string();
        assert!(text.contains("units\n    7 passed, 0 failed (2.0 s)\n"), "{text}");
        assert!(text.contains("2 failed (2.0 s)\n    failed: loads::one\n    failed: two\n"), "{text}");
        assert!(text.contains("another\n    0 passed, 0 failed, DID NOT RUN"), "{text}");
        assert_eq!(text.lines().last(), Some("8 passed, 3 failed"));
        summary.without_servers();
        assert!(summary.to_string().contains("DID NOT RUN, as `--without-servers` asked"));
    }

    #[test]
    fn a_step_without_any_test_is_a_failure() {
        let outcome = Outcome::of("units".to_owned(), Counts::default(), true, Duration::ZERO);
        assert_eq!(outcome.failed(), 1);
        assert!(outcome.to_string().contains("RAN NO TESTS"));
    }
}
