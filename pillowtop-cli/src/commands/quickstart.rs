//! `quickstart`: sample documents through real pillows into an index, and a search that finds them.

mod embedded;
mod real;

use std::path::PathBuf;

use serde_json::Value;

use crate::arguments::Quickstart;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::samples::Samples;

pub(crate) async fn run(
    context: &Context,
    arguments: &Quickstart,
    samples: &Samples,
) -> Result<Outcome, Failure> {
    let pillows = context.indices(&[])?;
    require_fresh(&pillows)?;
    match (&context.config.couch.url, &context.config.elastic.url) {
        (None, None) => embedded::run(context, &pillows, samples, &absolute(&arguments.directory)?).await,
        (Some(_), Some(_)) => real::run(context, &pillows, samples).await,
        _ => Err(Failure::usage("on real servers, quickstart needs both a CouchDB and a cluster")
            .hint("give --couch-url and --elastic-url, or neither")),
    }
}

fn absolute(directory: &std::path::Path) -> Result<PathBuf, Failure> {
    Ok(std::path::absolute(directory)?)
}

/// A hit in one line: its id, and what a person would call it.
fn hit_line(id: &str, score: f64, source: &Value) -> String {
    let names = ["/name", "/username", "/form/@name", "/xmlns"];
    let name = names.iter().find_map(|path| source.pointer(path).and_then(Value::as_str)).unwrap_or_default();
    let kind =
        source.get("type").or_else(|| source.get("doc_type")).and_then(Value::as_str).unwrap_or_default();
    format!("  {score:6.2}  {id}  {kind}  {name}")
}
