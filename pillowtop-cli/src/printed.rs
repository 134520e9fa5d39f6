//! Every command that the documentation, the help and the hints print can be given.

use std::path::{Path, PathBuf};

use pillowtop_core::Registry;

use crate::app::App;

/// Commands of this workspace's own, which are not among the library's.
const TASKS: [&str; 6] = ["test", "conformance", "bench", "ci", "reference", "template"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Files below a directory, by what their names end with.
fn files(directory: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" {
            files(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

/// The words of a command line, as a shell reads them up to a comment or an operator.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '#' | '|' | '>' | ';' | '&') if word.is_none() => break,
            (None, letter) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// Commands in the code of a page of Markdown, without what stands before their arguments.
fn commands(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let joined = page.replace("\\\n", " ");
    let (mut prose, mut is_block) = (String::new(), false);
    for line in joined.lines() {
        if line.trim_start().starts_with("```") {
            is_block = !is_block;
        } else if is_block {
            // What a command prints names others in backticks.
            let commands = line.split("cargo xtask ").skip(1);
            found.extend(commands.map(|command| command.split('`').next().unwrap_or_default().to_owned()));
        } else {
            prose.extend([line, "\n"]);
        }
    }
    for paragraph in prose.split("\n\n") {
        let spans = paragraph.split('`').skip(1).step_by(2);
        let commands = spans.filter_map(|span| span.strip_prefix("cargo xtask "));
        // One word is the name of a command.
        let commands = commands.filter(|command| command.split_whitespace().nth(1).is_some());
        found.extend(commands.map(|command| command.replace('\n', " ")));
    }
    found
}

#[track_caller]
fn check(command: &str, location: &str) {
    let mut arguments = words(command);
    // `COMMAND` stands for any.
    if arguments
        .first()
        .is_none_or(|first| first == "COMMAND" || first == "…" || TASKS.contains(&first.as_str()))
    {
        return;
    }
    arguments.insert(0, "xtask".to_owned());
    let arguments: Vec<_> = arguments.into_iter().map(Into::into).collect();
    if let Err(error) = App::new(Registry::new()).parse(&arguments) {
        let is_help = matches!(error.kind(), clap::error::ErrorKind::DisplayHelp);
        assert!(is_help, "{location}: `{command}` cannot be given: {error}");
    }
}

#[test]
fn commands_of_the_documentation_can_be_given() {
    let mut pages = Vec::new();
    for directory in ["docs", "examples"] {
        files(&root().join(directory), ".md", &mut pages);
    }
    pages.extend(["README.md", "ARCHITECTURE.md"].map(|name| root().join(name)));
    // It is written from the help, which the next test checks.
    pages.retain(|page| !page.ends_with("commands.md"));
    let mut count = 0;
    for page in pages {
        let text = fs_err::read_to_string(&page).unwrap();
        for command in commands(&text) {
            check(&command, &page.display().to_string());
            count += 1;
        }
    }
    assert!(count > 30, "only {count} commands were found");
}

#[test]
fn commands_of_help_and_hints_can_be_given() {
    let mut sources = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), ".rs", &mut sources);
    let mut count = 0;
    for source in sources.iter().filter(|source| !source.ends_with("printed.rs")) {
        let text = fs_err::read_to_string(source).unwrap();
        let text = text.replace("\\\\\n", " ").replace("\\\n", " ").replace("\\\"", "\"");
        for after in text.split("`PROGRAM ").skip(1) {
            check(after.split('`').next().unwrap(), &source.display().to_string());
            count += 1;
        }
        for line in text.lines().filter_map(|line| line.strip_prefix("  PROGRAM ")) {
            // What a command does stands behind it, after two blanks.
            let mut parts = line.split("  ").map(str::trim).filter(|part| !part.is_empty());
            let first = parts.next().unwrap();
            let options = parts.filter(|part| part.starts_with("--"));
            check(
                &[first].into_iter().chain(options).collect::<Vec<_>>().join(" "),
                &source.display().to_string(),
            );
            count += 1;
        }
    }
    assert!(count > 40, "only {count} commands were found");
}

#[test]
fn the_printed_addresses_have_the_credentials_of_the_compose_file() {
    let compose = fs_err::read_to_string(root().join("compose.yaml")).unwrap();
    let value = |name: &str| {
        let line = compose.lines().find_map(|line| line.trim().strip_prefix(name));
        line.unwrap_or_else(|| panic!("compose.yaml has no {name}")).trim().to_owned()
    };
    let address = format!("http://{}:{}@localhost:5984", value("COUCHDB_USER:"), value("COUCHDB_PASSWORD:"));
    let readme = fs_err::read_to_string(root().join("README.md")).unwrap();
    let printed = readme.matches("localhost:5984").count();
    assert!(
        printed >= 3 && readme.matches(&address).count() == printed,
        "README.md prints other credentials than {address}"
    );
    assert!(crate::help::QUICKSTART.contains(&address));
    for port in ["127.0.0.1:5984:5984", "127.0.0.1:9200:9200"] {
        assert!(compose.contains(port), "{port}");
    }
}

#[test]
fn the_readme_says_first_what_a_pillow_is_and_why_commcare() {
    let readme = fs_err::read_to_string(root().join("README.md")).unwrap();
    let first = readme.split("\n## ").next().unwrap();
    assert!(first.contains("A *pillow* is") && first.contains("CommCare"), "{first}");
}

#[test]
fn a_build_of_the_tool_shows_its_progress() {
    for alias in [".cargo/config.toml", "examples/template/.cargo/config.toml"] {
        let text = fs_err::read_to_string(root().join(alias)).unwrap();
        assert!(text.contains("xtask = ") && !text.contains("--quiet"), "{alias}");
    }
}
