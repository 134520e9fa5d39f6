//! The reference page of all commands, from what clap knows of them.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};

use crate::arguments::Arguments;
use crate::exit::PROGRAM;

const WIDTH: usize = 100;

const HEAD: &str = "\
# Commands

This page is written by `cargo xtask reference`. `xtask` stands for how you run the commands:
`cargo xtask` in a workspace, or the binary of your service. `xtask COMMAND --help` prints the same.

Exit codes: 0 done, 4 stale or differs, 2 wrong usage, 1 failed.
";

/// The page `docs/commands.md`: every command with its arguments and examples.
pub fn command_reference() -> String {
    let mut root = Arguments::command().name("xtask").bin_name("xtask");
    root.build();
    let mut page = HEAD.to_owned();
    page.push_str("\n## Options of every command\n");
    list(&mut page, root.get_arguments().filter(|argument| argument.is_global_set()));
    for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
        section(&mut page, command, 2);
    }
    page
}

/// A command, and those below it.
fn section(page: &mut String, command: &Command, level: usize) {
    let path = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let title = path.strip_prefix("xtask ").unwrap_or(path);
    let _ = write!(page, "\n{} `{title}`\n", "#".repeat(level));
    if let Some(about) = command.get_about() {
        paragraph(page, &format!("{about}."), "");
    }
    let inner: Vec<&Command> = command.get_subcommands().collect();
    if inner.is_empty() {
        let usage = command.clone().render_usage().to_string();
        let _ = write!(page, "\n```text\n{}\n```\n", usage.trim_start_matches("Usage: "));
        list(page, command.get_arguments().filter(|argument| !argument.is_global_set()));
    }
    if let Some(examples) = command.get_after_help() {
        let examples = examples.to_string().replace(PROGRAM, "xtask");
        let _ = write!(page, "\n```text\n{examples}\n```\n");
    }
    for command in inner {
        section(page, command, level + 1);
    }
}

fn list<'a>(page: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    let shown = |argument: &&Arg| !argument.is_hide_set() && argument.get_id() != "help";
    for (index, argument) in arguments.filter(shown).enumerate() {
        if index == 0 {
            page.push('\n');
        }
        let mut text = format!("- `{argument}`");
        if let Some(short) = argument.get_short() {
            let _ = write!(text, ", `-{short}`");
        }
        if let Some(help) = argument.get_help() {
            let _ = write!(text, ": {help}");
        }
        for default in argument.get_default_values().iter().filter(|_| argument.get_action().takes_values()) {
            let _ = write!(text, " [default: `{}`]", default.to_string_lossy());
        }
        if let Some(variable) = argument.get_env() {
            let _ = write!(text, " [variable: `{}`]", variable.to_string_lossy());
        }
        item(page, &text);
    }
}

fn paragraph(page: &mut String, text: &str, indent: &str) {
    let options = textwrap::Options::new(WIDTH)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .subsequent_indent(indent);
    let _ = write!(page, "\n{}\n", textwrap::fill(text, options));
}

/// An item of a list, without an empty line before it.
fn item(page: &mut String, text: &str) {
    let mut lines = String::new();
    paragraph(&mut lines, text, "  ");
    page.push_str(lines.trim_start_matches('\n'));
}

#[test]
fn the_reference_page_is_fresh() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/commands.md");
    let page = fs_err::read_to_string(path).unwrap_or_default();
    assert!(page == command_reference(), "docs/commands.md is stale: run `cargo xtask reference`");
}
