//! What a fluff struct declares, as constants: its columns, its calculators, and what the compiler
//! checks of them.

use pillowtop_core::document::DocumentInfo;
use pillowtop_core::fingerprint::{Fingerprint, hash_text, mix};
use pillowtop_core::message::panic_with;

use crate::column::{ColumnKind, SqlValue};
use crate::emitter::{Emitter, Filter};

/// The longest name of a column: that of `PostgreSQL`.
const NAME_BYTES: usize = 63;
/// The longest name of a table: a physical one has 17 bytes more, and that of its documents 5 more.
const TABLE_NAME_BYTES: usize = 40;
/// Columns that every table has.
const RESERVED: [&str; 2] = ["doc_id", "date"];

/// A column that rows are grouped by, or a flat field.
pub struct Source<D> {
    /// The column's name.
    pub name: &'static str,
    /// The column.
    pub kind: ColumnKind,
    /// Where it comes from, as it is declared: a field or a function.
    pub from: &'static str,
    /// Reads it.
    pub value: fn(&D) -> SqlValue,
}

impl<D> std::fmt::Debug for Source<D> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Dated and undated values of documents, by emitters. A calculator has no state; several tables
/// may use one.
pub trait Calculator {
    /// The documents.
    type Document: 'static;
    /// Raised by its author whenever the code of an emitter, or of a filter, changes what it gives.
    const VERSION: u32 = 1;
    /// How many days a result covers that names no dates. Needed where an emitter is dated.
    const WINDOW: Option<u32> = None;
    /// The documents that it gives values for. `None`: all of the table's.
    const FILTER: Option<&'static Filter<Self::Document>> = None;
    /// Its emitters, in lists, so that it may have those of other calculators.
    const EMITTERS: &'static [&'static [Emitter<Self::Document>]];
}

/// A calculator under the name that a table has for it.
#[derive(Debug)]
pub struct Calculated<D: 'static> {
    /// The name.
    pub name: &'static str,
    /// See [`Calculator::VERSION`].
    pub version: u32,
    /// See [`Calculator::WINDOW`].
    pub window: Option<u32>,
    /// See [`Calculator::FILTER`].
    pub filter: Option<&'static Filter<D>>,
    /// See [`Calculator::EMITTERS`].
    pub emitters: &'static [&'static [Emitter<D>]],
}

impl<D> Calculated<D> {
    /// A calculator under a name.
    pub const fn of<C: Calculator<Document = D>>(name: &'static str) -> Self {
        Self { name, version: C::VERSION, window: C::WINDOW, filter: C::FILTER, emitters: C::EMITTERS }
    }

    /// Its emitters.
    pub fn emitters(&self) -> impl Iterator<Item = &'static Emitter<D>> {
        self.emitters.iter().flat_map(|emitters| emitters.iter())
    }
}

/// All that `#[fluff(...)]` says.
#[derive(Debug)]
pub struct Table<D: 'static> {
    /// The pillow's name, which is the view's, too.
    pub name: &'static str,
    /// How its documents are distinguished from others.
    pub document: DocumentInfo,
    /// Raised by its author whenever the code of the filter, of a group or of a flat field changes
    /// what it gives.
    pub version: u32,
    /// The documents that have rows. `None`: all.
    pub filter: Option<&'static Filter<D>>,
    /// Whether a document without values has a row with its flat fields.
    pub keeps_flat: bool,
    /// What rows are grouped by.
    pub groups: &'static [Source<D>],
    /// Fields that go along.
    pub flat: &'static [Source<D>],
    /// The calculators.
    pub calculators: &'static [Calculated<D>],
}

/// The fingerprint of all that the committed file says of a table.
pub(crate) const fn fingerprint<D>(table: &Table<D>) -> Fingerprint {
    let mut parts = mix(hash_text("table version"), table.version as u128);
    parts = parts.wrapping_add(mix(hash_text("keep_flat"), table.keeps_flat as u128));
    parts = parts.wrapping_add(mix(hash_text("groups"), sources(table.groups)));
    parts = parts.wrapping_add(mix(hash_text("flat"), sources(table.flat)));
    if let Some(filter) = table.filter {
        parts = parts.wrapping_add(mix(hash_text("filter"), filter_hash(filter)));
    }
    let mut position = 0;
    while position < table.calculators.len() {
        let name = mix(hash_text("calculator"), position as u128);
        parts = parts.wrapping_add(mix(name, calculator(&table.calculators[position])));
        position += 1;
    }
    parts = parts.wrapping_add(mix(hash_text("document"), document(&table.document)));
    Fingerprint(mix(hash_text(table.name), parts))
}

const fn document(document: &DocumentInfo) -> u128 {
    let mut parts = mix(hash_text("type_field"), hash_text(document.type_field));
    parts = parts.wrapping_add(mix(hash_text("types"), sum(document.types)));
    parts = parts.wrapping_add(mix(hash_text("deleted_types"), sum(document.deleted_types)));
    if let Some(database) = document.database {
        parts = parts.wrapping_add(mix(hash_text("database"), hash_text(database)));
    }
    if document.carry_unknown { parts.wrapping_add(hash_text("carry")) } else { parts }
}

const fn sum(texts: &[&str]) -> u128 {
    let (mut total, mut position) = (0_u128, 0);
    while position < texts.len() {
        total = total.wrapping_add(hash_text(texts[position]));
        position += 1;
    }
    total
}

const fn sources<D>(sources: &[Source<D>]) -> u128 {
    let (mut total, mut position) = (0_u128, 0);
    while position < sources.len() {
        let source = &sources[position];
        let kind = mix(hash_text(source.kind.column_type.name()), source.kind.nullable as u128);
        let whole = mix(hash_text(source.name), mix(kind, hash_text(source.from)));
        total = total.wrapping_add(mix(position as u128, whole));
        position += 1;
    }
    total
}

const fn calculator<D>(calculated: &Calculated<D>) -> u128 {
    let mut parts = mix(hash_text("version"), calculated.version as u128);
    if let Some(window) = calculated.window {
        parts = parts.wrapping_add(mix(hash_text("window"), window as u128));
    }
    if let Some(filter) = calculated.filter {
        parts = parts.wrapping_add(mix(hash_text("filter"), filter_hash(filter)));
    }
    let (mut list, mut number) = (0, 0_u128);
    while list < calculated.emitters.len() {
        let mut position = 0;
        while position < calculated.emitters[list].len() {
            let emitter = &calculated.emitters[list][position];
            let kind = mix(hash_text(emitter.value_type().name()), emitter.is_dated() as u128);
            let whole = mix(hash_text(emitter.name), mix(kind, hash_text(emitter.reduce.name())));
            parts = parts.wrapping_add(mix(number.wrapping_add(7), whole));
            position += 1;
            number += 1;
        }
        list += 1;
    }
    mix(hash_text(calculated.name), parts)
}

const fn filter_hash<D>(filter: &Filter<D>) -> u128 {
    match filter {
        Filter::Is(name, _) => hash_text(name),
        Filter::Not(inner) => mix(hash_text("not"), filter_hash(inner)),
        Filter::All(filters) => mix(hash_text("all"), filter_hashes(filters)),
        Filter::Any(filters) => mix(hash_text("any"), filter_hashes(filters)),
    }
}

const fn filter_hashes<D>(filters: &[Filter<D>]) -> u128 {
    let (mut total, mut position) = (0_u128, 0);
    while position < filters.len() {
        total = total.wrapping_add(mix(position as u128, filter_hash(&filters[position])));
        position += 1;
    }
    total
}

/// Refuses a table that no database can have.
///
/// # Panics
///
/// In const evaluation, hence as a compile error at the struct.
#[track_caller]
pub const fn assert_table<D>(table: &Table<D>) {
    assert_name("the table", table.name, TABLE_NAME_BYTES);
    let mut position = 0;
    while let Some(column) = column_at(table, position) {
        assert_name("the column", column.0, NAME_BYTES);
        if !column.1.is_empty() {
            assert_name("the column", column.1, NAME_BYTES - column.0.len() - 3);
        }
        let mut earlier = 0;
        while earlier < position {
            if let Some(other) = column_at(table, earlier)
                && is_same(column, other)
            {
                panic_with(&[
                    "two columns of `",
                    table.name,
                    "` are named `",
                    column.0,
                    if column.1.is_empty() { "" } else { "_" },
                    column.1,
                    "`\nhelp: rename the field or the emitter; a calculator's columns are named `<calculator>_<emitter>`",
                ]);
            }
            earlier += 1;
        }
        position += 1;
    }
    let mut position = 0;
    while position < table.calculators.len() {
        assert_calculator(&table.calculators[position]);
        position += 1;
    }
}

#[track_caller]
const fn assert_calculator<D>(calculated: &Calculated<D>) {
    let (mut list, mut count) = (0, 0);
    while list < calculated.emitters.len() {
        let mut position = 0;
        while position < calculated.emitters[list].len() {
            let emitter = &calculated.emitters[list][position];
            if emitter.is_dated() && calculated.window.is_none() {
                panic_with(&[
                    "calculator `",
                    calculated.name,
                    "` has the dated emitter `",
                    emitter.name,
                    "` and no window\nhelp: write `const WINDOW: Option<u32> = Some(30);` in its impl: how many days a result covers that names no dates",
                ]);
            }
            count += 1;
            position += 1;
        }
        list += 1;
    }
    if count == 0 {
        panic_with(&[
            "calculator `",
            calculated.name,
            "` has no emitters\nhelp: list them in `const EMITTERS`, such as `&[&[dated(\"total\", Reduce::Sum).integers(|document, out| …)]]`",
        ]);
    }
}

/// The parts of the name of a column: its own, or the calculator's and the emitter's, and whether
/// it is the number of values of a mean.
type ColumnName = (&'static str, &'static str, bool);

/// The column of a position; `None` after the last.
const fn column_at<D>(table: &Table<D>, number: usize) -> Option<ColumnName> {
    let mut rest = number;
    if rest < RESERVED.len() {
        return Some((RESERVED[rest], "", false));
    }
    rest -= RESERVED.len();
    if rest < table.groups.len() {
        return Some((table.groups[rest].name, "", false));
    }
    rest -= table.groups.len();
    if rest < table.flat.len() {
        return Some((table.flat[rest].name, "", false));
    }
    rest -= table.flat.len();
    let mut position = 0;
    while position < table.calculators.len() {
        let calculated = &table.calculators[position];
        let mut list = 0;
        while list < calculated.emitters.len() {
            let mut index = 0;
            while index < calculated.emitters[list].len() {
                let emitter = &calculated.emitters[list][index];
                if rest < emitter.reduce.columns() {
                    return Some((calculated.name, emitter.name, rest == 1));
                }
                rest -= emitter.reduce.columns();
                index += 1;
            }
            list += 1;
        }
        position += 1;
    }
    None
}

const fn length(name: ColumnName) -> usize {
    let joined = if name.1.is_empty() { 0 } else { 1 + name.1.len() };
    name.0.len() + joined + if name.2 { 2 } else { 0 }
}

const fn byte(name: ColumnName, position: usize) -> u8 {
    let (first, second) = (name.0.as_bytes(), name.1.as_bytes());
    if position < first.len() {
        first[position]
    } else if position == first.len() {
        b'_'
    } else if position - first.len() - 1 < second.len() {
        second[position - first.len() - 1]
    } else {
        b"_n"[position - first.len() - 1 - second.len()]
    }
}

const fn is_same(one: ColumnName, other: ColumnName) -> bool {
    if length(one) != length(other) {
        return false;
    }
    let mut position = 0;
    while position < length(one) {
        if byte(one, position) != byte(other, position) {
            return false;
        }
        position += 1;
    }
    true
}

#[track_caller]
const fn assert_name(what: &str, name: &str, longest: usize) {
    let bytes = name.as_bytes();
    let mut is_fine = !bytes.is_empty() && bytes.len() <= longest && !bytes[0].is_ascii_digit();
    let mut position = 0;
    while position < bytes.len() {
        let byte = bytes[position];
        if !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
            is_fine = false;
        }
        position += 1;
    }
    if !is_fine {
        panic_with(&[
            what,
            " cannot be named `",
            name,
            "`\nhelp: use lowercase letters, digits and `_`, not a digit first, and no more than 63 bytes of a column or 40 of a table",
        ]);
    }
}
