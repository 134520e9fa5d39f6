//! `completions`: a script that completes commands, options and the names of pillows in a shell.

use std::path::Path;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command};
use pillowtop_core::Registry;

use crate::arguments::Completions;
use crate::output::Ui;

/// Commands whose arguments of this value name are registered pillows.
const TAKE_PILLOWS: [&str; 7] =
    ["audit", "dead-letters", "es-manage", "fast-reindex", "flip", "make-mapping", "run"];
const PILLOW: &str = "NAME";

/// Prints the script. `command` is the program's whole command line.
pub(crate) fn run(command: Command, registry: &Registry, ui: &Ui, arguments: &Completions) {
    let name = arguments.name.clone().unwrap_or_else(own_name);
    let pillows: Vec<String> =
        registry.pillows().iter().map(|pillow| pillow.definition().pillow.to_string()).collect();
    let mut command = with_pillows(command, &pillows).name(name.clone()).bin_name(&name);
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    ui.raw(&script);
}

/// The name of the program's file.
fn own_name() -> String {
    let path = std::env::args_os().next().unwrap_or_default();
    Path::new(&path)
        .file_stem()
        .map_or_else(|| "pillowtop".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn with_pillows(command: Command, pillows: &[String]) -> Command {
    let is_pillow = |argument: &Arg| {
        argument.is_positional()
            && argument.get_value_names().is_some_and(|names| names.iter().any(|name| name == PILLOW))
    };
    let takes_pillows = TAKE_PILLOWS.contains(&command.get_name());
    command
        .mut_args(|argument| {
            if takes_pillows && is_pillow(&argument) {
                argument.value_parser(PossibleValuesParser::new(pillows.to_vec()))
            } else {
                argument
            }
        })
        .mut_subcommands(|inner| with_pillows(inner, pillows))
}
