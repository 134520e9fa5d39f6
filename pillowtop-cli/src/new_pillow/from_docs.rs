//! From sample documents to structs: an object becomes a struct, and what cannot be typed any JSON
//! that no server refuses.

use std::collections::HashMap;

use pillowtop_core::source::is_couch_member;
use serde_json::{Map, Value, json};

use super::from_mapping::describe;
use super::model::{Draft, EsItem, FieldDraft, RustType, Shape, StructDraft};
use super::observe::{Seen, Values};
use super::{names, texts};

/// An object of at least so many names, most of them rare, has data as names.
const DATA_NAMES: usize = 12;
/// Objects deeper than this are kept and not indexed: servers take 20 levels by default.
const DEEPEST: usize = 15;
/// What servers and the reserved object take at the root.
const RESERVED: &str = "pillowtop";

/// Sample documents of one pillow.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    root: Values,
}

/// What to know about a path of the documents.
#[derive(Debug, Clone)]
pub(crate) struct Remark {
    /// The path, by dots.
    pub(crate) path: String,
    /// What was seen and what became of it.
    pub(crate) found: String,
    /// Kinds of JSON with their counts and example ids, where they disagree.
    pub(crate) kinds: Vec<(String, usize, Vec<String>)>,
}

impl Samples {
    /// Takes a document in.
    pub(crate) fn add(&mut self, id: &str, document: &Map<String, Value>) {
        self.root.add_object(id, document);
    }

    /// How many documents were taken in.
    pub(crate) fn count(&self) -> usize {
        self.root.objects.count
    }

    /// The structs that read them. `nested` are paths of lists whose objects are searched on their
    /// own; `all` means all.
    pub(crate) fn draft(&self, nested: &[String]) -> (Draft, Vec<Remark>) {
        let mut builder = Builder { structs: Vec::new(), known: HashMap::new(), remarks: Vec::new(), nested };
        builder.structs.push(StructDraft {
            places: Vec::new(),
            is_element: false,
            docs: vec!["A document of the database.".to_owned()],
            es: Vec::new(),
            fields: Vec::new(),
        });
        let mut root = self.root.clone();
        root.members.retain(|name, _| !is_couch_member(name));
        let unusable = |name: &String| !is_name(name) || name.starts_with('_') || name == RESERVED;
        for name in root.members.keys().filter(|name| unusable(name)) {
            builder.remark(
                std::slice::from_ref(name),
                "left out: no field of an index can have this name at the root",
            );
        }
        root.members.retain(|name, _| !unusable(name));
        let fields = builder.members(&root, &[]);
        builder.structs[0].fields = fields;
        for path in nested.iter().filter(|path| *path != "all") {
            let is_there = builder.structs.iter().any(|draft| {
                draft.is_element && draft.places.iter().any(|segments| segments.join(".") == **path)
            });
            if !is_there {
                builder.remarks.push(Remark {
                    path: path.clone(),
                    found: "named by `--nested`, and no list of objects that can be typed".to_owned(),
                    kinds: Vec::new(),
                });
            }
        }
        let mut draft = Draft { structs: builder.structs, ..Draft::default() };
        describe(&mut draft.structs);
        (draft, builder.remarks)
    }
}

struct Builder<'a> {
    structs: Vec<StructDraft>,
    /// Structs by their last name and contents.
    known: HashMap<String, usize>,
    remarks: Vec<Remark>,
    nested: &'a [String],
}

/// A type with its attributes.
struct Typed {
    rust_type: RustType,
    es: Vec<EsItem>,
    docs: Vec<String>,
}

impl Typed {
    fn new(rust_type: RustType, es: Vec<EsItem>) -> Self {
        Self { rust_type, es, docs: Vec::new() }
    }

    /// Kept, and not indexed: no server refuses it.
    fn opaque(rust_type: RustType, doc: String) -> Self {
        let es = vec![EsItem::flag("object"), EsItem::json("enabled", json!(false))];
        Self { rust_type, es, docs: vec![doc] }
    }
}

impl Builder<'_> {
    fn members(&mut self, object: &Values, above: &[String]) -> Vec<FieldDraft> {
        let of = object.objects.count;
        object
            .members
            .iter()
            .map(|(name, values)| {
                let segments: Vec<String> = above.iter().cloned().chain([name.clone()]).collect();
                self.field(name, values, &segments, of)
            })
            .collect()
    }

    fn field(&mut self, name: &str, values: &Values, segments: &[String], of: usize) -> FieldDraft {
        let elements = values.elements.as_deref().filter(|_| values.kinds().len() == 1);
        let is_always = values.count() == of && values.nulls.count == 0;
        let (typed, shape) = match elements {
            Some(elements) => {
                let typed = self.typed(elements, segments, true);
                let shape = match (values.nulls.count > 0, elements.nulls.count > 0) {
                    (false, false) => Shape::List,
                    (false, true) => Shape::ListOfOptions,
                    (true, false) => Shape::OptionalList,
                    (true, true) => Shape::OptionalListOfOptions,
                };
                (typed, shape)
            }
            None => {
                let typed = self.typed(values, segments, false);
                (typed, if is_always { Shape::Always } else { Shape::Optional })
            }
        };
        let presence = format!(
            "In {} of {of}{}.",
            values.count(),
            if values.nulls.count > 0 {
                format!(", {} of them null", values.nulls.count)
            } else {
                String::new()
            }
        );
        let docs = [presence].into_iter().chain(typed.docs).collect();
        FieldDraft { json_name: name.to_owned(), docs, rust_type: typed.rust_type, shape, es: typed.es }
    }

    fn typed(&mut self, values: &Values, segments: &[String], is_element: bool) -> Typed {
        match values.kinds().as_slice() {
            [] => {
                self.remark(segments, "no sample has a value: any JSON, kept and not indexed");
                Typed::opaque(RustType::Json, "No sample has a value: kept and not indexed.".to_owned())
            }
            [("object", _)] => self.object(values, segments, is_element),
            [("boolean" | "number" | "string", _)] => {
                let typed = scalar(values);
                self.remark_almost_dates(values, &typed, segments);
                typed
            }
            several => {
                let found: Vec<String> = several.iter().map(|(kind, seen)| shown(kind, seen)).collect();
                let (mut typed, became) = match values.scalars() {
                    Some(scalars) if !scalars.kinds().is_empty() => {
                        let es =
                            if scalars.kinds().len() == 1 { mapped(scalar(&scalars)) } else { text_of_any() };
                        (Typed::new(RustType::Json, es), "any JSON, its values indexed one by one")
                    }
                    _ => (Typed::new(RustType::Json, Vec::new()), "any JSON, kept and not indexed"),
                };
                if typed.es.is_empty() {
                    typed = Typed::opaque(RustType::Json, "Kept and not indexed.".to_owned());
                }
                typed.docs.insert(0, format!("Of several kinds: {}.", found.join("; ")));
                self.remarks.push(Remark {
                    path: segments.join("."),
                    found: format!("{}: {became}", found.join("; ")),
                    kinds: several
                        .iter()
                        .map(|(kind, seen)| ((*kind).to_owned(), seen.count, seen.ids.clone()))
                        .collect(),
                });
                typed
            }
        }
    }

    fn object(&mut self, values: &Values, segments: &[String], is_element: bool) -> Typed {
        let reason = if values.members.is_empty() {
            Some("no sample has a member in it")
        } else if values.members.keys().any(|name| !is_name(name)) {
            Some("it has names that no field can have: empty, or with dots")
        } else if segments.len() >= DEEPEST {
            Some("it is too deep for a server's default limit")
        } else if has_data_names(values) {
            Some("its names are data")
        } else {
            None
        };
        if let Some(reason) = reason {
            self.remark(segments, &format!("{reason}: an object of any members, kept and not indexed"));
            return Typed::opaque(RustType::JsonObject, format!("Kept and not indexed: {reason}."));
        }
        if is_point(values) {
            return Typed::new(RustType::Json, vec![EsItem::flag("geo_point")]);
        }
        let fields = self.members(values, segments);
        let index = self.structure(segments, is_element, fields);
        let path = segments.join(".");
        let is_nested = is_element && self.nested.iter().any(|named| *named == path || named == "all");
        if is_element && !is_nested {
            self.remark(
                segments,
                "a list of objects: `--nested` with this path makes each searched on its own",
            );
        }
        let es = if is_nested { vec![EsItem::flag("nested")] } else { Vec::new() };
        Typed::new(RustType::Struct(index), es)
    }

    /// Names a document without a date where most strings are dates, and none is mapped as one.
    fn remark_almost_dates(&mut self, values: &Values, typed: &Typed, segments: &[String]) {
        let (dates, others) = (values.dates, &values.not_dates);
        let is_text = matches!(typed.rust_type, RustType::Text);
        let is_mapped = !is_text || typed.es.iter().any(|item| item.name == "date");
        if let Some(id) = others.ids.first().filter(|_| dates > others.count && !is_mapped) {
            let (of, id) = (dates + others.count, id.replace('`', "'"));
            self.remark(
                segments,
                &format!("{dates} of {of} values are dates, but not that of `{id}`: a string, not a date"),
            );
        }
    }

    /// The struct of these fields, which may be there already.
    fn structure(&mut self, segments: &[String], is_element: bool, fields: Vec<FieldDraft>) -> usize {
        let name = segments.last().map(String::as_str).unwrap_or_default();
        let key = format!("{} {is_element} {fields:?}", names::type_name(name));
        if let Some(index) = self.known.get(&key) {
            self.structs[*index].places.push(segments.to_vec());
            return *index;
        }
        let index = self.structs.len();
        let (docs, es) = (Vec::new(), Vec::new());
        self.structs.push(StructDraft { places: vec![segments.to_vec()], is_element, docs, es, fields });
        self.known.insert(key, index);
        index
    }

    fn remark(&mut self, segments: &[String], found: &str) {
        self.remarks.push(Remark { path: segments.join("."), found: found.to_owned(), kinds: Vec::new() });
    }
}

fn shown(kind: &str, seen: &Seen) -> String {
    let ids: Vec<String> = seen.ids.iter().map(|id| format!("`{}`", id.replace('`', "'"))).collect();
    format!("{kind} in {} ({})", seen.count, ids.join(", "))
}

/// The type of a place that holds scalars of one kind.
fn scalar(values: &Values) -> Typed {
    if values.booleans.count > 0 {
        return Typed::new(RustType::Boolean, Vec::new());
    }
    if values.strings.count > 0 {
        let (rust_type, es) = texts::field(&values.texts);
        return Typed::new(rust_type, es);
    }
    let number = &values.number;
    let is_inexact = number.has_floats && number.has_inexact || number.has_large && number.has_negatives;
    match (number.has_floats, number.has_large) {
        // Any JSON keeps the digits that a float of 64 bits would lose.
        _ if is_inexact => Typed::new(RustType::Json, vec![EsItem::flag("double")]),
        (true, _) => Typed::new(RustType::F64, Vec::new()),
        (false, true) => Typed::new(RustType::U64, Vec::new()),
        (false, false) => Typed::new(RustType::I64, Vec::new()),
    }
}

/// The mapping that a Rust type has by itself, said in full for a value of any JSON.
fn mapped(typed: Typed) -> Vec<EsItem> {
    if !typed.es.is_empty() {
        return typed.es;
    }
    super::rust_types::default_of(typed.rust_type).map_or_else(text_of_any, |(name, parameters)| {
        let parameters = parameters.into_iter().map(|(name, value)| EsItem::json(name, value));
        [EsItem::flag(name)].into_iter().chain(parameters).collect()
    })
}

/// Exact text, which servers also make of numbers and booleans.
fn text_of_any() -> Vec<EsItem> {
    vec![EsItem::flag("keyword"), EsItem::json("ignore_above", json!(8191))]
}

fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && !name.contains('.')
}

/// Many names, each rare.
fn has_data_names(values: &Values) -> bool {
    let names = values.members.len();
    let total: usize = values.members.values().map(Values::count).sum();
    let objects = values.objects.count;
    names >= DATA_NAMES && objects > 1 && total * 4 <= names * objects
}

/// `{"lat": …, "lon": …}` with nothing else, anywhere.
fn is_point(values: &Values) -> bool {
    let is_coordinate = |name: &str| {
        values.members.get(name).is_some_and(|found| {
            found.numbers.count == values.objects.count
                && found.number.has_floats
                && !found.number.has_inexact
                && found.largest <= if name == "lat" { 90.0 } else { 180.0 }
        })
    };
    values.members.len() == 2 && is_coordinate("lat") && is_coordinate("lon")
}
