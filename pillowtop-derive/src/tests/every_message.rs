//! Every text that a user may read in a compile error is shown by a ui test, word for word.
//!
//! The strings are found, not listed: each string literal with a space in this crate's sources is
//! one, and so are those of the core's assertions and refusals (they run in const evaluation) and
//! of its `#[diagnostic::…]` attributes.

use std::path::{Component, Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::LitStr;

/// Macros whose tokens are code that is written down, not read by a user of this crate.
const CODE: [&str; 3] = ["quote", "quote_spanned", "parse_quote"];

/// Strings that no ui test can show, each with the test that has it instead.
const ELSEWHERE: [(&str, &str); 11] = [
    ("the manifest of this crate has no dependency `pillowtop`", "pillowtop-derive/src/facade.rs"),
    (
        "add it: `cargo add pillowtop`; or write the path by which another crate re-exports it",
        "pillowtop-derive/src/facade.rs",
    ),
    ("the crate's directory is not known (`CARGO_MANIFEST_DIR`)", "pillowtop-derive/src/tests/beyond_ui.rs"),
    ("build with cargo", "pillowtop-derive/src/tests/beyond_ui.rs"),
    ("pillowtop's derive panicked, which is a bug: ", "pillowtop-derive/src/tests/beyond_ui.rs"),
    ("help: please report it with this struct", "pillowtop-derive/src/tests/beyond_ui.rs"),
    (
        "` has no `#[couch(…)]` or no `#[pillow(…)]`, but an attribute of nearly that name",
        "pillowtop-derive/src/tests/beyond_ui.rs",
    ),
    ("write `#[couch(…)]` and `#[pillow(…)]` letter by letter", "pillowtop-derive/src/tests/beyond_ui.rs"),
    ("without a message", "pillowtop-derive/src/tests/beyond_ui.rs"),
    ("the errors of a struct were not finished", "pillowtop-derive/src/tests/beyond_ui.rs"),
    ("… and more", "pillowtop-core/src/unmet.rs"),
];

#[test]
fn every_message_is_in_a_ui_test() {
    let shown: Vec<String> = files(&root().join("pillowtop/tests/ui"), "stderr")
        .iter()
        .flat_map(|path| read(path).lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let mut elsewhere = ELSEWHERE.to_vec();
    let mut missing = Vec::new();
    for (path, text) in texts() {
        for line in text.lines().filter(|line| !fixed_parts(line).is_empty()) {
            if shown.iter().any(|shown| has_parts(shown, &fixed_parts(line))) {
                continue;
            }
            match elsewhere.iter().position(|(text, _)| line.contains(text)) {
                Some(position) => {
                    let (text, test) = elsewhere[position];
                    let tested = read(&root().join(test));
                    assert!(tested.contains(text.trim()), "`{test}` does not have the text `{text}`");
                    elsewhere.remove(position);
                }
                None => missing.push(format!("{}: {line}", path.display())),
            }
        }
    }
    assert!(missing.is_empty(), "no ui test shows\n{}", missing.join("\n"));
    assert!(elsewhere.is_empty(), "no message, or shown by a ui test: {elsewhere:?}");
}

/// All strings for users, each with the file that it is in.
fn texts() -> Vec<(PathBuf, String)> {
    let core = root().join("pillowtop-core/src");
    let is_test = |part: Component<'_>| ["tests", "tests.rs"].iter().any(|name| part.as_os_str() == *name);
    let is_source = |path: &PathBuf| !path.components().any(is_test);
    let derive: Vec<PathBuf> =
        files(&root().join("pillowtop-derive/src"), "rs").into_iter().filter(is_source).collect();
    let mut all = Vec::new();
    for path in derive.iter().chain(&[core.join("unmet.rs"), core.join("message.rs")]) {
        let mut found = Texts { everywhere: true, found: Vec::new() };
        found.walk(tokens(path));
        all.extend(found.found.into_iter().map(|text| (path.clone(), text)));
    }
    let fluff =
        ["column.rs", "fluff.rs", "table.rs"].map(|name| root().join("pillowtop-fluff/src").join(name));
    for path in files(&core, "rs").into_iter().filter(is_source).chain(fluff) {
        let mut found = Texts { everywhere: false, found: Vec::new() };
        found.walk(tokens(&path));
        all.extend(found.found.into_iter().map(|text| (path.clone(), text)));
    }
    all.iter_mut().for_each(|(path, _)| *path = path.strip_prefix(root()).unwrap().to_owned());
    all
}

/// The strings in a file's tokens.
struct Texts {
    /// Whether all strings count; else only those of assertions, refusals and diagnostic
    /// attributes.
    everywhere: bool,
    found: Vec<String>,
}

impl Texts {
    fn walk(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        let mut is_test = false;
        let mut before: [String; 2] = Default::default();
        while let Some(token) = tokens.next() {
            let text = token.to_string();
            match token {
                TokenTree::Punct(_) if text == "#" => {
                    // Of a file's own attributes, the `!`.
                    tokens.next_if(|next| next.to_string() == "!");
                    let attribute = tokens.next().map(|attribute| attribute.to_string()).unwrap_or_default();
                    is_test |= attribute.starts_with("[cfg (test)") || attribute.starts_with("[cfg(test)");
                    if attribute.contains("diagnostic ::") || attribute.contains("diagnostic::") {
                        self.all_in(attribute.parse().unwrap());
                    }
                }
                // A test's item ends with its body or a semicolon.
                TokenTree::Group(group) if is_test => is_test = group.delimiter() != Delimiter::Brace,
                TokenTree::Punct(_) if text == ";" => is_test = false,
                TokenTree::Group(group) => match &before {
                    [name, mark] if mark == "!" && CODE.contains(&name.as_str()) => {}
                    [name, mark] if mark == "!" && ["assert", "panic"].contains(&name.as_str()) => {
                        self.all_in(group.stream());
                    }
                    [_, name] if name == "panic_with" => self.all_in(group.stream()),
                    _ => self.walk(group.stream()),
                },
                TokenTree::Literal(_) if self.everywhere && !is_test => self.literal(&text),
                _ => {}
            }
            let [_, last] = before;
            before = [last, text];
        }
    }

    fn all_in(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.all_in(group.stream()),
                TokenTree::Literal(literal) => self.literal(&literal.to_string()),
                _ => {}
            }
        }
    }

    fn literal(&mut self, literal: &str) {
        if let Ok(text) = syn::parse_str::<LitStr>(literal)
            && text.value().contains(' ')
        {
            self.found.push(text.value());
        }
    }
}

/// What stands between the places of a template, such as ` needs a value` of `{name} needs a
/// value`.
fn fixed_parts(template: &str) -> Vec<String> {
    let template = template.replace("{{", "\u{1}").replace("}}", "\u{2}");
    template
        .split('{')
        .enumerate()
        .map(
            |(position, part)| {
                if position == 0 { part } else { part.split_once('}').map_or("", |(_, rest)| rest) }
            },
        )
        .map(|part| part.replace('\u{1}', "{").replace('\u{2}', "}").trim().to_owned())
        .filter(|part| part.contains(char::is_alphabetic))
        .collect()
}

fn has_parts(line: &str, parts: &[String]) -> bool {
    let mut rest = line;
    parts.iter().all(|part| match rest.split_once(part.as_str()) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn read(path: &Path) -> String {
    fs_err::read_to_string(path).unwrap()
}

fn tokens(path: &Path) -> TokenStream {
    read(path).parse().unwrap()
}

/// The files below a directory with an extension.
fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}
