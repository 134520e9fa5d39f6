//! A draft as Rust text. Its lines are broken as rustfmt would by default; the command lets rustfmt
//! have the last word.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::literals::{self, Piece, string};
use super::model::{Draft, FieldDraft, PillowDraft, RustType, Shape, StructDraft};
use super::names::{self, FieldName};
use super::routing;
use crate::output::visible;

/// The text of a module.
pub(crate) fn module(draft: &Draft) -> String {
    let struct_names = names::struct_names(&draft.structs, &draft.pillow.name);
    let mut text = String::new();
    for line in &draft.docs {
        push_doc(&mut text, "", "//!", line);
    }
    text.push('\n');
    text.push_str(&imports(draft));
    let mut order: Vec<usize> = (0..draft.structs.len()).collect();
    // As one reads the document from above.
    order.sort_by_key(|index| draft.structs[*index].places.first().cloned());
    for index in order {
        let pillow = (index == 0).then_some(&draft.pillow);
        text.push('\n');
        text.push_str(&structure(&draft.structs[index], &struct_names[index], pillow, &struct_names));
        if index == 0 {
            text.push_str(&routing::function(draft, &struct_names[0]));
        }
    }
    text
}

/// The name of the document's struct.
pub(crate) fn document_name(draft: &Draft) -> String {
    names::struct_names(&draft.structs, &draft.pillow.name).into_iter().next().unwrap_or_default()
}

/// The crates that the module uses, pillowtop aside.
pub(crate) fn crates(draft: &Draft) -> Vec<&'static str> {
    let used = |name: &str| types(draft).any(|rust_type| rust_type.imports().0 == name);
    let mut crates = vec!["serde"];
    crates.extend(["serde_json", "chrono"].into_iter().filter(|name| used(name)));
    crates
}

fn types(draft: &Draft) -> impl Iterator<Item = RustType> {
    draft.structs.iter().flat_map(|structure| &structure.fields).map(|field| field.rust_type)
}

fn imports(draft: &Draft) -> String {
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    all.insert("pillowtop", BTreeSet::from(["CouchDocument", "Pillow"]));
    all.insert("serde", BTreeSet::from(["Deserialize", "Serialize"]));
    for (path, names) in types(draft).map(RustType::imports).filter(|(path, _)| !path.is_empty()) {
        all.entry(path).or_default().extend(names);
    }
    let line = |path: &str, names: &BTreeSet<&str>| {
        let names: Vec<&str> = names.iter().copied().collect();
        match names.as_slice() {
            [one] => format!("use {path}::{one};\n"),
            several => format!("use {path}::{{{}}};\n", several.join(", ")),
        }
    };
    let of = |is_std: bool| -> String {
        all.iter()
            .filter(|(path, _)| path.starts_with("std::") == is_std)
            .map(|(path, names)| line(path, names))
            .collect()
    };
    let (own, others) = (of(true), of(false));
    if own.is_empty() { others } else { format!("{own}\n{others}") }
}

fn structure(
    draft: &StructDraft,
    name: &str,
    pillow: Option<&PillowDraft>,
    struct_names: &[String],
) -> String {
    let mut text = String::new();
    for line in &draft.docs {
        push_doc(&mut text, "", "///", line);
    }
    let derives = ["Debug", "Clone", "Serialize", "Deserialize", "CouchDocument"].into_iter();
    let derives = derives.chain(pillow.map(|_| "Pillow")).map(|name| Piece::Text(name.to_owned()));
    text.push_str(&literals::attribute("derive", derives.collect(), 0));
    let json_names: Vec<&str> = draft.fields.iter().map(|field| field.json_name.as_str()).collect();
    let (rule, names) = names::field_names(&json_names);
    if let Some(rule) = rule {
        text.push_str(&literals::attribute(
            "serde",
            vec![Piece::Text(format!("rename_all = \"{rule}\""))],
            0,
        ));
    }
    if let Some(pillow) = pillow {
        text.push_str(&couch(pillow));
    }
    if !draft.es.is_empty() {
        text.push_str(&literals::attribute("es", literals::items(&draft.es), 0));
    }
    if let Some(pillow) = pillow {
        text.push_str(&pillow_attribute(pillow, name));
    }
    if draft.fields.is_empty() {
        let _ = writeln!(text, "pub struct {name} {{}}");
        return text;
    }
    let _ = writeln!(text, "pub struct {name} {{");
    for (field, name) in draft.fields.iter().zip(&names) {
        text.push_str(&self::field(field, name, struct_names));
    }
    text.push_str("}\n");
    text
}

fn couch(pillow: &PillowDraft) -> String {
    let list = |types: &[String]| {
        let types: Vec<String> = types.iter().map(|text| string(text)).collect();
        match types.as_slice() {
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        }
    };
    let mut items = vec![Piece::Text(format!("doc_type = {}", list(&pillow.doc_types)))];
    if !pillow.deleted.is_empty() {
        items.push(Piece::Text(format!("deleted = {}", list(&pillow.deleted))));
    }
    if let Some(member) = &pillow.type_field {
        items.push(Piece::Text(format!("type_field = {}", string(member))));
    }
    if let Some(database) = &pillow.database {
        items.push(Piece::Text(format!("database = {}", string(database))));
    }
    if pillow.carries_unknown {
        items.push(Piece::Text("unknown = carry".to_owned()));
    }
    let comment = if pillow.doc_type_comment.is_empty() {
        String::new()
    } else {
        format!("// {}\n", pillow.doc_type_comment)
    };
    comment + &literals::attribute("couch", items, 0)
}

fn pillow_attribute(pillow: &PillowDraft, document: &str) -> String {
    let mut items = vec![
        Piece::Text(format!("name = {}", string(&pillow.name))),
        Piece::Text(format!("alias = {}", string(&pillow.alias))),
    ];
    if let Some(settings) = &pillow.settings {
        items.push(Piece::Text(format!("settings = {}", string(settings))));
    }
    if pillow.routed_by.is_some() {
        items.push(Piece::Text(format!("routing = {document}::routing")));
    }
    literals::attribute("pillow", items, 0)
}

fn field(draft: &FieldDraft, name: &FieldName, struct_names: &[String]) -> String {
    let mut text = String::new();
    for line in &draft.docs {
        push_doc(&mut text, "    ", "///", line);
    }
    let mut serde: Vec<Piece> = Vec::new();
    if let Some(rename) = &name.rename {
        serde.push(Piece::Text(format!("rename = {}", string(rename))));
    }
    if matches!(draft.shape, Shape::List | Shape::ListOfOptions) {
        serde.push(Piece::Text("default".to_owned()));
    }
    if !serde.is_empty() {
        text.push_str(&literals::attribute("serde", serde, 4));
    }
    if !draft.es.is_empty() {
        text.push_str(&literals::attribute("es", literals::items(&draft.es), 4));
    }
    let inner = draft.rust_type.text(struct_names);
    let rust_type = match draft.shape {
        Shape::Optional => format!("Option<{inner}>"),
        Shape::Always => inner,
        Shape::List => format!("Vec<{inner}>"),
        Shape::ListOfOptions => format!("Vec<Option<{inner}>>"),
        Shape::OptionalList => format!("Option<Vec<{inner}>>"),
        Shape::OptionalListOfOptions => format!("Option<Vec<Option<{inner}>>>"),
    };
    let _ = writeln!(text, "    pub {}: {rust_type},", name.rust);
    text
}

fn push_doc(text: &mut String, indent: &str, marker: &str, line: &str) {
    let line = visible(&line.replace(['\n', '\r', '\t'], " "));
    let _ = writeln!(text, "{}", format!("{indent}{marker} {line}").trim_end());
}
