//! `cargo xtask bench compile`: what the derives cost a build, beside serde's own.
//!
//! Each variant is a crate of the same structs. What is timed is `cargo check` of that crate alone,
//! its dependencies built and nothing of its own kept, less the time of a `cargo check` that has
//! nothing to do. Variants take turns; the machine may be shared, so the ratio of neighbours is
//! what counts.

mod structs;

mod project;

use std::process::ExitCode;

use project::Project;
use structs::{Derives, Structs};

use crate::output::{print_line, progress};
use crate::statistics::median;

/// Rounds of all variants; medians are reported.
const ROUNDS: usize = 5;

struct Variant {
    structs: Structs,
    derives: Derives,
}

const HUNDRED: [Derives; 5] =
    [Derives::Serde, Derives::Document, Derives::Unchecked, Derives::Committed, Derives::Rules];
const LARGE: [Derives; 3] = [Derives::Serde, Derives::Unchecked, Derives::Committed];

impl Variant {
    fn name(&self) -> String {
        format!("{}-{}", self.structs.name(), self.derives.name())
    }
}

/// Measures and reports; `as_json` for scripts.
pub(crate) fn run(as_json: bool) -> ExitCode {
    match measure(as_json) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn measure(as_json: bool) -> Result<(), String> {
    let all = |structs, derives: &[Derives]| {
        derives.iter().map(|derives| Variant { structs, derives: *derives }).collect::<Vec<_>>()
    };
    let variants: Vec<Variant> =
        [all(Structs::Hundred, &HUNDRED), all(Structs::Large, &LARGE)].into_iter().flatten().collect();
    progress("building the dependencies, and the mappings to commit …");
    let project = Project::create(&variants)?;
    let mut seconds: Vec<Vec<f64>> = variants.iter().map(|_| Vec::new()).collect();
    for round in 1..=ROUNDS {
        progress(&format!("round {round} of {ROUNDS} …"));
        for (variant, seconds) in variants.iter().zip(&mut seconds) {
            seconds.push(project.check(&variant.name())?);
        }
    }
    let medians: Vec<f64> = seconds.iter().map(|seconds| median(seconds.clone())).collect();
    report(&variants, &medians, as_json);
    Ok(())
}

fn report(variants: &[Variant], medians: &[f64], as_json: bool) {
    let base = |structs: Structs| {
        let position = variants
            .iter()
            .position(|variant| variant.structs == structs && variant.derives == Derives::Serde);
        position.map_or(f64::NAN, |position| medians[position])
    };
    if as_json {
        let measured: Vec<serde_json::Value> = variants
            .iter()
            .zip(medians)
            .map(|(variant, median)| {
                serde_json::json!({"structs": variant.structs.about(), "derives": variant.derives.about(), "seconds": median,
                    "ratio_to_serde": median / base(variant.structs)})
            })
            .collect();
        print_line(&serde_json::json!({"rounds": ROUNDS, "variants": measured}).to_string());
        return;
    }
    print_line(&format!(
        "Cold `cargo check` of the crate alone, in the dev profile, median of {ROUNDS}; ratio to serde's derives."
    ));
    for structs in [Structs::Hundred, Structs::Large] {
        print_line(&format!("\n{}", structs.about()));
        print_line("  seconds   ratio   derives");
        let of_these = variants.iter().zip(medians).filter(|(variant, _)| variant.structs == structs);
        for (variant, median) in of_these {
            let ratio = median / base(structs);
            print_line(&format!("  {median:>7.2} {ratio:>7.2}   {}", variant.derives.about()));
        }
    }
}
