//! The structs that are compiled: what a document library looks like, in two sizes.

use std::fmt::Write as _;

/// Which structs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Structs {
    /// 100 structs of 10 fields, four to a document.
    Hundred,
    /// One document of 2,000 fields in 4 levels.
    Large,
}

/// What they derive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Derives {
    /// serde's two alone: what a document struct needs in any case.
    Serde,
    /// And `CouchDocument`.
    Document,
    /// And `Pillow`, its mapping unchecked.
    Unchecked,
    /// And `Pillow`, its mapping committed and compared.
    Committed,
    /// And `Pillow`, its fields mapped by rules.
    Rules,
}

impl Structs {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hundred => "hundred",
            Self::Large => "large",
        }
    }

    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Hundred => "100 structs of 10 fields, each a document",
            Self::Large => "one document of 2,000 fields in 4 levels",
        }
    }

    /// The pillows' Rust names.
    pub(crate) fn pillows(self) -> Vec<String> {
        match self {
            Self::Hundred => (0..100).map(|number| format!("Document{number}")).collect(),
            Self::Large => vec!["Root".to_owned()],
        }
    }

    /// A crate's `lib.rs`.
    pub(crate) fn source(self, derives: Derives) -> String {
        let mut source = String::from("#![allow(missing_docs)]\n");
        if derives != Derives::Serde {
            source.push_str("use pillowtop::{CouchDocument, Pillow as _};\n");
        }
        if derives.pillow() {
            source = source.replace("Pillow as _", "Pillow");
        } else {
            source = source.replace("{CouchDocument, Pillow as _}", "CouchDocument");
        }
        source.push_str("use serde::{Deserialize, Serialize};\n");
        if derives == Derives::Rules {
            source.push_str(RULES);
        }
        match self {
            Self::Hundred => hundred(&mut source, derives),
            Self::Large => large(&mut source, derives),
        }
        if derives.pillow() {
            let pillows = self.pillows().join(", ");
            let _ = writeln!(
                source,
                "pub fn registry() -> pillowtop::Registry {{ pillowtop::registry![{pillows}] }}"
            );
        }
        source
    }
}

impl Derives {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Serde => "serde",
            Self::Document => "document",
            Self::Unchecked => "unchecked",
            Self::Committed => "committed",
            Self::Rules => "rules",
        }
    }

    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Serde => "Serialize, Deserialize",
            Self::Document => "Serialize, Deserialize, CouchDocument",
            Self::Unchecked => "Serialize, Deserialize, CouchDocument, Pillow, mapping unchecked",
            Self::Committed => "Serialize, Deserialize, CouchDocument, Pillow, mapping compared",
            Self::Rules => "Serialize, Deserialize, CouchDocument, Pillow, by rules, mapping unchecked",
        }
    }

    fn pillow(self) -> bool {
        !matches!(self, Self::Serde | Self::Document)
    }

    /// The attributes above a struct; `pillow` is the name of the pillow that it is, if it can be
    /// one.
    fn head(self, document: Option<&str>) -> String {
        let mut head = String::new();
        let derives = match self {
            Self::Serde => "Serialize, Deserialize",
            _ if document.is_none() || self == Self::Document => "Serialize, Deserialize, CouchDocument",
            _ => "Serialize, Deserialize, CouchDocument, Pillow",
        };
        let _ = writeln!(head, "#[derive({derives})]");
        if self == Self::Serde {
            return head;
        }
        if self == Self::Rules {
            head.push_str("#[es(rules = crate::rules)]\n");
        }
        if let Some(name) = document {
            let _ = writeln!(head, "#[couch(doc_type = \"{name}\")]");
            if self.pillow() {
                let checked = if self == Self::Committed { "" } else { ", mapping = unchecked" };
                let _ = writeln!(
                    head,
                    "#[pillow(name = \"{name}\", alias = \"{name}s\", settings = \"settings.json\", filter = self.domain != \"demo\"{checked})]"
                );
            }
        }
        head
    }

    fn attribute(self, attribute: &'static str) -> &'static str {
        if self == Self::Serde { "" } else { attribute }
    }
}

const RULES: &str = r#"
pillowtop::rules! {
    pub(crate) rules {
        strings named "*_id" => keyword, ignore_above = 8191;
        strings => text, fields(exact(keyword, ignore_above = 256));
        objects => dynamic = false;
    }
}
"#;

fn hundred(source: &mut String, derives: Derives) {
    for number in 0..100 {
        let head = derives.head(Some(&format!("document{number}")));
        // Documents hold others, four deep at most.
        let last = if number % 4 == 3 {
            "pub comment: Option<String>".to_owned()
        } else {
            format!("pub next: Option<Document{}>", number + 1)
        };
        let text = derives.attribute("#[es(text, fields(exact(keyword)))] ");
        let date = derives.attribute("#[es(date, format = \"strict_date\")] ");
        let nested =
            derives.attribute("#[es(keyword, ignore_above = 100, copy_to = \"domain\", doc_values = true)] ");
        let _ = writeln!(
            source,
            "{head}pub struct Document{number} {{
    pub domain: String,
    {text}pub name: Option<String>,
    pub owner_id: Option<String>,
    {date}pub opened_on: Option<String>,
    pub closed: bool,
    pub count: i64,
    pub share: f64,
    #[serde(rename = \"type\", default)] pub kind: Option<String>,
    {nested}pub labels: Vec<String>,
    {last},
}}"
        );
    }
}

/// 5 × 5 × 3 structs of 25 plain fields, in 25 of 3 objects, in 5 of 5, in one: 1,875 + 75 + 25 + 5
/// objects and fields, and 20 at the root.
fn large(source: &mut String, derives: Derives) {
    let mut root = String::new();
    for outer in 0..5 {
        let mut middle_fields = String::new();
        for middle in 0..5 {
            let mut inner_fields = String::new();
            for inner in 0..3 {
                let name = format!("Inner{outer}x{middle}x{inner}");
                let _ = writeln!(source, "{}pub struct {name} {{", derives.head(None));
                for field in 0..25 {
                    let plain = ["String", "Option<String>", "Option<i64>", "bool", "Option<f64>"][field % 5];
                    let _ = writeln!(source, "    pub field_{field}: {plain},");
                }
                source.push_str("}\n");
                let _ = writeln!(inner_fields, "    pub inner_{inner}: Option<{name}>,");
            }
            let name = format!("Middle{outer}x{middle}");
            let _ = writeln!(source, "{}pub struct {name} {{\n{inner_fields}}}", derives.head(None));
            let _ = writeln!(middle_fields, "    pub middle_{middle}: Vec<{name}>,");
        }
        let name = format!("Outer{outer}");
        let _ = writeln!(source, "{}pub struct {name} {{\n{middle_fields}}}", derives.head(None));
        let _ = writeln!(root, "    pub outer_{outer}: Option<{name}>,");
    }
    for field in 0..19 {
        let _ = writeln!(root, "    pub root_{field}: Option<String>,");
    }
    let _ = writeln!(
        source,
        "{}pub struct Root {{\n    pub domain: String,\n{root}}}",
        derives.head(Some("root"))
    );
}
