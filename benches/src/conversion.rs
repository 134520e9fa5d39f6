//! `cargo xtask bench`: converts the bytes of a changes feed to the bytes of bulk bodies, typed and
//! on `serde_json::Value`.
//!
//! Each variant runs in its own process, so that its peak memory can be measured. Variants
//! alternate, and the ratio within a round is what counts, because the machine may be shared.
//! Nothing runs in parallel: the numbers are for one core.

use std::process::{Command, ExitCode};
use std::time::Instant;

use serde_json::Value;

use crate::corpus::{Corpus, Shape};
use crate::output::print_line;
use crate::resources::peak_memory;
use crate::statistics::median;
use crate::{codec, typed, untyped};

/// Rounds of each pair; the median ratio is reported.
const ROUNDS: usize = 5;
const MEGABYTE: f64 = 1_000_000.0;

/// The feed of a shape. Documents that cannot be decoded are not measured.
fn corpus(shape: Shape) -> Corpus {
    Corpus::of(shape, |line| typed::one(shape, line).is_some())
}

/// Runs one variant and prints seconds, bytes in, documents, bytes out and peak memory in KiB.
pub(crate) fn run_variant(shape: &str, kind: &str) -> ExitCode {
    let Some(shape) = Shape::ALL.into_iter().find(|known| known.name() == shape) else {
        return ExitCode::from(2);
    };
    let corpus = corpus(shape);
    let before = Instant::now();
    let written = match kind {
        "typed" => typed::run(&corpus),
        "value" => untyped::run(&corpus),
        "codec" => codec::run(&corpus),
        _ => return ExitCode::from(2),
    };
    let seconds = before.elapsed().as_secs_f64();
    print_line(&format!(
        "{seconds} {} {} {written} {}",
        corpus.bytes(),
        corpus.documents(),
        peak_memory("self").unwrap_or(0) / 1024
    ));
    ExitCode::SUCCESS
}

struct Measured {
    seconds: f64,
    bytes: f64,
    documents: f64,
    peak: f64,
}

fn measure(shape: Shape, kind: &str) -> Result<Measured, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program).args(["variant", shape.name(), kind]).output();
    let output = output.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    match numbers.as_slice() {
        [seconds, bytes, documents, _, peak] if output.status.success() => {
            Ok(Measured { seconds: *seconds, bytes: *bytes, documents: *documents, peak: *peak })
        }
        _ => Err(format!("{kind} of {}: {text}{}", shape.name(), String::from_utf8_lossy(&output.stderr))),
    }
}

/// One round of a shape: the runtime's way, the same work on untyped JSON, and the typed way's
/// ceiling.
struct Round {
    typed: Measured,
    value: Measured,
    codec: Measured,
}

pub(crate) fn run() -> ExitCode {
    print_line(
        "From _changes bytes to _bulk bytes, one core, medians of rounds. ratio: time on serde_json::Value / time typed; \
         ceiling: the same for\nreading and writing the struct through serde_json and nothing else.",
    );
    print_line(
        "shape         typed MB/s   docs/s  peak MiB   value MB/s   docs/s  peak MiB   ratio  ceiling",
    );
    for shape in Shape::ALL {
        if let Err(difference) = compare(shape) {
            print_line(&format!("{}: the two do not do the same work: {difference}", shape.name()));
            return ExitCode::FAILURE;
        }
        let round = |_| {
            let (typed, value) = (measure(shape, "typed")?, measure(shape, "value")?);
            Ok(Round { typed, value, codec: measure(shape, "codec")? })
        };
        let rounds: Result<Vec<Round>, String> = (0..ROUNDS).map(round).collect();
        let rounds = match rounds {
            Ok(rounds) => rounds,
            Err(error) => {
                print_line(&error);
                return ExitCode::FAILURE;
            }
        };
        let of = |part: &dyn Fn(&Round) -> f64| median(rounds.iter().map(part).collect());
        print_line(&format!(
            "{:<12} {:>11.0} {:>8.0} {:>9.0} {:>12.0} {:>8.0} {:>9.0} {:>7.2} {:>8.2}",
            shape.name(),
            of(&|round| round.typed.bytes / MEGABYTE / round.typed.seconds),
            of(&|round| round.typed.documents / round.typed.seconds),
            of(&|round| round.typed.peak / 1024.0),
            of(&|round| round.value.bytes / MEGABYTE / round.value.seconds),
            of(&|round| round.value.documents / round.value.seconds),
            of(&|round| round.value.peak / 1024.0),
            of(&|round| round.value.seconds / round.typed.seconds),
            of(&|round| round.value.seconds / round.codec.seconds),
        ));
    }
    ExitCode::SUCCESS
}

/// Whether both ways make the same documents; a member that is null and one that is missing are the
/// same to an index.
fn compare(shape: Shape) -> Result<(), String> {
    let corpus = corpus(shape);
    if corpus.lines.is_empty() {
        return Err("there are no documents".to_owned());
    }
    for line in &corpus.lines {
        let (typed, untyped) = (typed::one(shape, line), untyped::one(shape, line));
        let source = |body: Option<Vec<u8>>| {
            let body = String::from_utf8(body?).ok()?;
            let mut value: Value = serde_json::from_str(body.lines().nth(1)?).ok()?;
            without_nulls(&mut value);
            Some(value)
        };
        let (left, right) = (source(typed), source(untyped));
        if left != right {
            let shown = |value: &Option<Value>| value.as_ref().map(Value::to_string).unwrap_or_default();
            return Err(format!("\ntyped   {}\nuntyped {}", shown(&left), shown(&right)));
        }
    }
    Ok(())
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}
