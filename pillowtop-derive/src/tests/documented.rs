//! The tables of `docs/attributes.md` name what the attributes take, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use crate::parse::{COUCH_ITEMS, ES_WORDS, PILLOW_ITEMS};

const PAGE: &str = "../docs/attributes.md";

/// The names in the first column of the table under a heading.
fn documented(heading: &str) -> BTreeSet<String> {
    let page = page();
    let (_, section) = page.split_once(&format!("\n## `{heading}")).unwrap();
    let rows = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    rows.take_while(|line| line.starts_with('|'))
        .flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2))
        .map(|code| code.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).next().unwrap())
        .map(str::to_owned)
        .collect()
}

fn page() -> String {
    fs_err::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap()
}

#[test]
fn every_word_of_es_is_documented() {
    let page = page();
    for word in ES_WORDS {
        assert!(page.contains(&format!("#[es({word}")), "`{word}` is not in `{PAGE}`");
    }
}

#[test]
fn every_item_of_an_attribute_is_documented() {
    for (heading, items) in [("#[couch(", COUCH_ITEMS.as_slice()), ("#[pillow(", PILLOW_ITEMS.as_slice())] {
        let items: BTreeSet<String> = items.iter().map(|item| (*item).to_owned()).collect();
        assert_eq!(documented(heading), items, "in the table of `{heading}…)]`");
    }
}
