//! Nothing touches an index while a committed mapping is not what its struct derives.

use std::path::Path;
use std::sync::Arc;

use pillowtop_core::drift::{path, rust_name, state};
use pillowtop_core::{AnyPillow, Definition};

use crate::exit::{Failure, PROGRAM};

/// Whether the committed mappings are those of the structs; nothing touches an index otherwise.
pub(crate) fn require_fresh(pillows: &[Arc<dyn AnyPillow>]) -> Result<(), Failure> {
    let states = pillows.iter().map(|pillow| (pillow.definition(), state(pillow.definition()).0));
    let other: Vec<_> = states.filter(|(_, state)| !state.is_fine()).collect();
    if other.is_empty() {
        return Ok(());
    }
    let messages: Vec<String> = other
        .iter()
        .map(|(definition, state)| state.sentence(rust_name(definition), &shown_file(definition)))
        .collect();
    let mut helps: Vec<String> = other
        .iter()
        .map(|(definition, state)| state.help(PROGRAM, definition.pillow.as_str(), &shown_file(definition)))
        .collect();
    helps.dedup();
    Err(Failure::stale(messages.join("; ")).hint(helps.join("; ")))
}

/// The committed file of a definition as people write it; a build without `bless` knows no more
/// than its name.
pub(crate) fn shown_file(definition: &Definition) -> String {
    path(definition).map_or_else(|| format!("{}.json", definition.pillow), |path| shown(&path))
}

/// The path as people write it: from the current directory, if it lies below.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
