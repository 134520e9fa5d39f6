//! What sample documents hold: per member how often it is there, and which kinds of JSON it has
//! with examples.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::texts;

/// Examples kept of each kind.
const EXAMPLES: usize = 3;
/// Integers up to here are exact as a 64-bit float.
const EXACT: u64 = 1 << 53;

/// How often a kind of value was seen, and in which documents first.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) count: usize,
    pub(super) ids: Vec<String>,
}

impl Seen {
    fn add(&mut self, id: &str) {
        self.count += 1;
        if self.ids.len() < EXAMPLES && !self.ids.iter().any(|known| known == id) {
            self.ids.push(id.to_owned());
        }
    }
}

/// The numbers of a place.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the numbers")]
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    pub(super) has_floats: bool,
    pub(super) has_negatives: bool,
    /// Over `i64::MAX`.
    pub(super) has_large: bool,
    /// Integers that a 64-bit float does not hold exactly.
    pub(super) has_inexact: bool,
}

/// The values of one place.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    pub(super) nulls: Seen,
    pub(super) booleans: Seen,
    pub(super) numbers: Seen,
    pub(super) strings: Seen,
    pub(super) lists: Seen,
    pub(super) objects: Seen,
    pub(super) number: Numbers,
    pub(super) texts: Vec<String>,
    /// How many strings are dates.
    pub(super) dates: usize,
    /// The strings that are neither dates nor empty.
    pub(super) not_dates: Seen,
    /// The largest number without its sign.
    pub(super) largest: f64,
    pub(super) members: BTreeMap<String, Values>,
    /// What lists hold.
    pub(super) elements: Option<Box<Values>>,
}

impl Values {
    /// Counts a value.
    pub(super) fn add(&mut self, id: &str, value: &Value) {
        match value {
            Value::Null => self.nulls.add(id),
            Value::Bool(_) => self.booleans.add(id),
            Value::Number(number) => {
                self.numbers.add(id);
                self.largest = self.largest.max(number.as_f64().unwrap_or(f64::INFINITY).abs());
                let known = &mut self.number;
                match (number.as_u64(), number.as_i64()) {
                    (Some(whole), _) => {
                        known.has_large |= i64::try_from(whole).is_err();
                        known.has_inexact |= whole > EXACT;
                    }
                    (None, Some(whole)) => {
                        known.has_negatives = true;
                        known.has_inexact |= whole.unsigned_abs() > EXACT;
                    }
                    (None, None) => known.has_floats = true,
                }
            }
            Value::String(text) => {
                self.strings.add(id);
                if texts::is_date(text) {
                    self.dates += 1;
                } else if !text.is_empty() {
                    self.not_dates.add(id);
                }
                self.texts.push(text.clone());
            }
            Value::Array(list) => {
                self.lists.add(id);
                let elements = self.elements.get_or_insert_default();
                list.iter().for_each(|element| elements.add(id, element));
            }
            Value::Object(object) => self.add_object(id, object),
        }
    }

    /// Takes an object in.
    pub(super) fn add_object(&mut self, id: &str, object: &Map<String, Value>) {
        self.objects.add(id);
        for (name, value) in object {
            match self.members.get_mut(name) {
                Some(known) => known.add(id, value),
                None => {
                    let mut known = Self::default();
                    known.add(id, value);
                    self.members.insert(name.clone(), known);
                }
            }
        }
    }

    /// The kinds that were seen, `null` aside.
    pub(super) fn kinds(&self) -> Vec<(&'static str, &Seen)> {
        [
            ("boolean", &self.booleans),
            ("number", &self.numbers),
            ("string", &self.strings),
            ("list", &self.lists),
            ("object", &self.objects),
        ]
        .into_iter()
        .filter(|(_, seen)| seen.count > 0)
        .collect()
    }

    /// How many values there are, `null` included.
    pub(super) fn count(&self) -> usize {
        self.nulls.count + self.kinds().iter().map(|(_, seen)| seen.count).sum::<usize>()
    }

    /// All scalars, those in lists of any depth among them; none when there are objects.
    pub(super) fn scalars(&self) -> Option<Self> {
        if self.objects.count > 0 {
            return None;
        }
        let mut all = Self { elements: None, ..self.clone() };
        all.lists = Seen::default();
        if let Some(elements) = &self.elements {
            let inner = elements.scalars()?;
            all.booleans.count += inner.booleans.count;
            all.numbers.count += inner.numbers.count;
            all.strings.count += inner.strings.count;
            all.number.has_floats |= inner.number.has_floats;
            all.number.has_negatives |= inner.number.has_negatives;
            all.number.has_large |= inner.number.has_large;
            all.number.has_inexact |= inner.number.has_inexact;
            all.texts.extend(inner.texts);
        }
        Some(all)
    }
}
