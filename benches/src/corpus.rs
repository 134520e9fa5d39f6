//! What is measured on: real documents, as lines of a changes feed, repeated to a hundred
//! megabytes.

use std::path::Path;

use bytestring::ByteString;
use commcare::{Case, Form};
use pillowtop::{ChangeMeta, CouchDocument, DocumentInfo, Object, Pillow, Registry};
use pillowtop_core::pillow::{Committed, PillowInfo};
use serde::Deserialize;
use serde_json::Value;

/// How much of a feed there is, in bytes.
const FEED: usize = 100_000_000;

/// One shape of documents, and what becomes of members that its struct does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Cases, unknown members dropped.
    CaseDrop,
    /// Cases, unknown members carried.
    CaseCarry,
    /// Forms, unknown members dropped.
    FormDrop,
    /// Forms, unknown members carried.
    FormCarry,
}

impl Shape {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::CaseDrop, Self::CaseCarry, Self::FormDrop, Self::FormCarry];

    /// What the report calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CaseDrop => "case-drop",
            Self::CaseCarry => "case-carry",
            Self::FormDrop => "form-drop",
            Self::FormCarry => "form-carry",
        }
    }

    /// Its document type.
    pub(crate) fn doc_type(self) -> &'static str {
        if self.is_case() { "CommCareCase" } else { "XFormInstance" }
    }

    /// Whether it is of cases.
    pub(crate) fn is_case(self) -> bool {
        matches!(self, Self::CaseDrop | Self::CaseCarry)
    }

    /// Whether unknown members are carried.
    pub(crate) fn carries(self) -> bool {
        matches!(self, Self::CaseCarry | Self::FormCarry)
    }

    /// The example's pillow with the shape's way of treating unknown members.
    pub(crate) fn registry(self) -> Registry {
        match self {
            Self::CaseDrop => Registry::new().with::<With<Case, false>>(),
            Self::CaseCarry => Registry::new().with::<With<Case, true>>(),
            Self::FormDrop => Registry::new().with::<With<Form, false>>(),
            Self::FormCarry => Registry::new().with::<With<Form, true>>(),
        }
    }
}

/// A pillow that is another one but for what becomes of unknown members.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct With<P, const CARRY: bool>(P);

impl<P: Pillow, const CARRY: bool> CouchDocument for With<P, CARRY> {
    const MAPPING: &'static Object = P::MAPPING;
    const DOCUMENT: DocumentInfo = DocumentInfo { carry_unknown: CARRY, ..P::DOCUMENT };
}

impl<P: Pillow, const CARRY: bool> Pillow for With<P, CARRY> {
    type Document<'text> = With<P::Document<'text>, CARRY>;
    type Index = P::Index;
    type Lookup = pillowtop::lookup::NoLookup;
    const PILLOW: PillowInfo = P::PILLOW;
    const COMMITTED: Committed = Committed::Unchecked;
    fn accepts(&self) -> bool {
        self.0.accepts()
    }
    fn transform(self, change: &ChangeMeta) -> Option<P::Index> {
        self.0.transform(change)
    }
}

/// A feed of one shape.
pub(crate) struct Corpus {
    /// The shape.
    pub(crate) shape: Shape,
    /// The lines of the feed, without their line breaks.
    pub(crate) lines: Vec<ByteString>,
    repeats: usize,
}

impl Corpus {
    /// The feed of a shape, as far as its lines are what is measured: the documents that lie beside
    /// the repository, or the repository's own.
    pub(crate) fn of(shape: Shape, is_measured: impl Fn(&ByteString) -> bool) -> Self {
        let mut lines = lines(shape);
        lines.retain(is_measured);
        let once: usize = lines.iter().map(|line| line.len() + 1).sum();
        Self { shape, lines, repeats: FEED.div_ceil(once.max(1)) }
    }

    /// Each line of the feed, as often as it is repeated.
    pub(crate) fn feed(&self) -> impl Iterator<Item = &ByteString> {
        (0..self.repeats).flat_map(|_| self.lines.iter())
    }

    /// The document of each line of the feed.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = &str> {
        let bodies: Vec<&str> = self.lines.iter().filter_map(|line| body(line)).collect();
        (0..self.repeats).flat_map(move |_| bodies.clone())
    }

    /// The bytes of the feed.
    pub(crate) fn bytes(&self) -> usize {
        self.lines.iter().map(|line| line.len() + 1).sum::<usize>() * self.repeats
    }

    /// The documents of the feed.
    pub(crate) fn documents(&self) -> usize {
        self.lines.len() * self.repeats
    }
}

/// The document of a line as [`lines`] writes it.
fn body(line: &str) -> Option<&str> {
    line.split_once("\"doc\":")?.1.strip_suffix("},")
}

fn lines(shape: Shape) -> Vec<ByteString> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/docs");
    let mut documents: Vec<Value> = fs_err::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| fs_err::read_to_string(entry.ok()?.path()).ok())
        .filter_map(|text| serde_json::from_str(&text).ok())
        .collect();
    if documents.is_empty() {
        documents = commcare::samples::documents();
    }
    documents.retain(|document| document["doc_type"] == shape.doc_type());
    documents.sort_by_key(|document| document["_id"].to_string());
    let numbered = documents.into_iter().enumerate();
    numbered
        .map(|(number, mut document)| {
            let revision = format!("3-{number:032x}");
            document["_rev"] = Value::from(revision.clone());
            format!(
                r#"{{"seq":"{number}-g1AAAACTeJzLYWBgYMpgTmHgz8tPSTV0MDQy1zMAQsMckEQiQ1L9____","id":{},"changes":[{{"rev":"{revision}"}}],"doc":{document}}},"#,
                document["_id"]
            )
            .into()
        })
        .collect()
}
