//! The reference page of field types, written from the table: `docs/field-types.md`.

use std::fmt::Write as _;

use super::availability::{Availability, Product};
use super::field_type::{Counterpart, FieldType, Holds};
use super::legacy::{IGNORED_PARAMETERS, LEGACY_PARAMETERS, LEGACY_ROOT_PARAMETERS, LEGACY_TYPES, Legacy};
use super::lookup::field_types;
use super::parameter::Parameter;
use super::parameter::alternatives;
use super::root::ROOT_PARAMETERS;

const HEAD: &str = "\
<!-- Written by `cargo xtask reference` from `pillowtop-core/src/field_types`; do not edit. -->

# Field types

What `#[es(…)]` can declare: every field type of Elasticsearch 7 to 9 and OpenSearch 1 to 3, and its
parameters. The tests compare this table with real servers. A type or parameter that is newer than
the table is written as `#[es(json = r#\"{\"type\": \"…\"}\"#)]`.

The column *since* is empty where every version that has the type has the parameter. A required
parameter is marked with \\*; `a.b` is the member `b` of the object `a`.
";

const EVERY_VERSION: &str = "every version";

/// The page `docs/field-types.md`.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(HEAD);
    page.push_str("\n| type | holds | versions |\n|---|---|---|\n");
    for field_type in field_types() {
        let FieldType { name, doc, availability, .. } = field_type;
        line(&mut page, &[&format!("[`{name}`](#{name})"), doc, &versions(*availability)]);
    }
    for field_type in field_types() {
        write_type(&mut page, field_type);
    }
    page.push_str(
        "\n## The root of a mapping\n\nOn a struct that is the root of an index. Beside `properties`:\n",
    );
    write_parameters(&mut page, ROOT_PARAMETERS.iter(), Availability::EVERYWHERE);
    write_legacy(&mut page);
    folded(&page)
}

/// The page with lines of at most 100 columns, except in tables.
fn folded(page: &str) -> String {
    let mut folded = String::with_capacity(page.len());
    for line in page.lines() {
        let mut column = 0;
        for word in line.split(' ') {
            let length = word.chars().count();
            if column > 0 {
                let fits = line.starts_with('|') || column + 1 + length <= 100;
                folded.push(if fits { ' ' } else { '\n' });
                column = if fits { column + 1 } else { 0 };
            }
            folded.push_str(word);
            column += length;
        }
        folded.push('\n');
    }
    folded
}

fn write_type(page: &mut String, field_type: &FieldType) {
    let FieldType { name, doc, availability, .. } = field_type;
    // Writing to a string cannot fail.
    let _ = write!(page, "\n## `{name}`\n\n{doc}. {}.", since(*availability));
    if let Some(plugin) = field_type.plugin {
        let _ = write!(page, " Needs the plugin `{plugin}`.");
    }
    match field_type.counterpart {
        Some(Counterpart::Renamed(other)) => {
            let _ = write!(page, " In the other product it is named [`{other}`](#{other}).");
        }
        Some(Counterpart::Similar(other)) => {
            let _ = write!(page, " The other product has [`{other}`](#{other}) for the same purpose.");
        }
        None => {}
    }
    if !field_type.multi_field_allowed && field_type.holds == Holds::Leaf {
        page.push_str(" Not in the `fields` of another field.");
    }
    page.push('\n');
    if field_type.parameters().next().is_none() {
        page.push_str("\nIt has no parameters.\n");
    } else {
        write_parameters(page, field_type.parameters(), *availability);
    }
}

fn write_parameters(
    page: &mut String,
    parameters: impl Iterator<Item = &'static Parameter>,
    of_type: Availability,
) {
    page.push_str("\n| parameter | value | since | |\n|---|---|---|---|\n");
    for parameter in parameters {
        write_parameter(page, "", parameter, of_type);
    }
}

fn write_parameter(page: &mut String, prefix: &str, parameter: &'static Parameter, owner: Availability) {
    let path = format!("{prefix}{}", parameter.name);
    let mark = if parameter.required { "\\*" } else { "" };
    let since = if covers(parameter.availability, owner) {
        String::new()
    } else {
        within(parameter.availability, owner).to_string()
    };
    let value = parameter.value.to_string();
    let limits: Vec<String> = parameter
        .limited_values
        .iter()
        .map(|(word, availability)| format!("`{word}`: {}", within(*availability, owner)))
        .collect();
    let value = if limits.is_empty() { value } else { format!("{value} ({})", limits.join("; ")) };
    line(page, &[&format!("`{path}`{mark}"), &value, &since, parameter.doc]);
    for member in parameter.value.members().unwrap_or_default() {
        write_parameter(page, &format!("{path}."), member, parameter.availability);
    }
}

fn write_legacy(page: &mut String) {
    page.push_str(
        "\n## Names of old\n\nWhat mappings from before Elasticsearch 7 say, and what is written now.\n",
    );
    for (title, names) in [
        ("type", LEGACY_TYPES),
        ("parameter", LEGACY_PARAMETERS),
        ("parameter of the root", LEGACY_ROOT_PARAMETERS),
    ] {
        let _ = write!(page, "\n| {title} | now |\n|---|---|\n");
        for Legacy { name, replacement } in names {
            line(page, &[&format!("`{name}`"), replacement]);
        }
    }
    let _ = writeln!(
        page,
        "\nElasticsearch 7 and OpenSearch accept and ignore {} for every type of values, where they mean nothing;\n\
         Elasticsearch 8 rejects them there.",
        alternatives(IGNORED_PARAMETERS)
    );
}

fn line(page: &mut String, cells: &[&str]) {
    for cell in cells {
        page.push_str("| ");
        page.push_str(&cell.replace('|', "\\|"));
        page.push(' ');
    }
    page.push_str("|\n");
}

fn versions(availability: Availability) -> String {
    if availability == Availability::EVERYWHERE { EVERY_VERSION.to_owned() } else { availability.to_string() }
}

fn since(availability: Availability) -> String {
    let word = if availability == Availability::EVERYWHERE { "In" } else { "Since" };
    format!("{word} {}", versions(availability))
}

/// Whether a part is in every version that the whole is in.
fn covers(part: Availability, whole: Availability) -> bool {
    [Product::Elasticsearch, Product::OpenSearch].into_iter().all(|product| {
        match (part.of(product), whole.of(product)) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(part), Some(whole)) => part.first <= whole.first && part.removed.is_none(),
        }
    })
}

/// The versions of a part, without the products that lack the whole.
fn within(part: Availability, whole: Availability) -> Availability {
    Availability {
        elasticsearch: part.elasticsearch.filter(|_| whole.elasticsearch.is_some()),
        opensearch: part.opensearch.filter(|_| whole.opensearch.is_some()),
    }
}
