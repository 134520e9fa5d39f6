//! `cargo xtask bench`: measurements of the conversion of documents, of builds, and of whole
//! commands on real servers.

mod arguments;
mod output;
mod resources;
mod statistics;

mod corpus;

mod codec;
mod typed;
mod untyped;

mod compile;
mod conversion;
mod end_to_end;

use std::process::ExitCode;

use arguments::{Arguments, Bench};
use clap::Parser as _;

fn main() -> ExitCode {
    match Arguments::parse().bench {
        None => conversion::run(),
        Some(Bench::Variant { shape, kind }) => conversion::run_variant(&shape, &kind),
        Some(Bench::Compile { json }) => compile::run(json),
        Some(Bench::Reindex(arguments)) => end_to_end::exit_code(end_to_end::reindex(&arguments)),
        Some(Bench::Verify(arguments)) => end_to_end::exit_code(end_to_end::verify(&arguments)),
        Some(Bench::Follow(arguments)) => end_to_end::exit_code(end_to_end::follow(&arguments)),
    }
}
