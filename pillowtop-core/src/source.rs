//! The `_source` of an indexed document: the typed document without CouchDB's own members, the
//! carried members, and the reserved object.

use serde::Serialize;
use serde::ser::{Error as _, Impossible, SerializeMap, SerializeStruct, Serializer};

use crate::bytes::BytesAsText;
use crate::document::ChangeMeta;
use crate::pillow::RESERVED;
use crate::raw_json::RawObject;

/// Members that are CouchDB's and never indexed. Others may start with an underscore: a transform
/// may make them.
const COUCH_MEMBERS: [&str; 10] = [
    "_attachments",
    "_conflicts",
    "_deleted",
    "_deleted_conflicts",
    "_id",
    "_local_seq",
    "_rev",
    "_revisions",
    "_revs_info",
    "_removed",
];

/// Whether a member of a document is CouchDB's own.
#[must_use]
pub fn is_couch_member(name: &str) -> bool {
    name.starts_with('_') && COUCH_MEMBERS.contains(&name)
}

/// Whether a member is the reserved object, or a server would put it there: to one that makes
/// objects of dots, `pillowtop.id` is its member.
fn is_reserved(name: &str) -> bool {
    name.strip_prefix(RESERVED).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[derive(Serialize)]
struct Reserved<'a> {
    id: &'a str,
    rev: &'a str,
    db: &'a str,
}

/// Appends the `_source` of a document to `source`. A carried member that the typed document also
/// has is left out: servers refuse a document that has a member twice.
///
/// # Errors
///
/// What serde says, when the document is not a struct or map, or one of its values cannot be JSON.
/// `source` then ends with a torn document, which the caller cuts off.
pub fn write_source<T: Serialize>(
    document: &T,
    carried: &RawObject<'_>,
    change: &ChangeMeta,
    source: &mut Vec<u8>,
) -> Result<(), serde_json::Error> {
    let mut serializer = serde_json::Serializer::with_formatter(source, BytesAsText);
    document.serialize(Root { inner: &mut serializer, carried, change })
}

/// Takes a struct or a map, at the root of a document only.
struct Root<'a, S> {
    inner: S,
    carried: &'a RawObject<'a>,
    change: &'a ChangeMeta,
}

struct Members<'a, M> {
    inner: M,
    carried: &'a RawObject<'a>,
    change: &'a ChangeMeta,
    /// A bit for each carried name, several names a bit.
    carried_bits: u64,
    /// The carried members that the typed document has too.
    covered: Vec<usize>,
    /// Whether the value of the last name is CouchDB's own.
    skips_value: bool,
}

impl<M: SerializeMap> Members<'_, M> {
    /// Whether a member of this name is to be written.
    fn takes(&mut self, name: &str) -> bool {
        // Hardly any name is that of a carried member, so most are recognised by a bit.
        if self.carried_bits & bit_of(name) != 0
            && let Some(position) = self.carried.iter().position(|(carried, _)| carried == name)
        {
            self.covered.push(position);
        }
        !is_couch_member(name) && !is_reserved(name)
    }

    fn finish(mut self) -> Result<M::Ok, M::Error> {
        for (position, (name, value)) in self.carried.iter().enumerate() {
            if !self.covered.contains(&position) && !is_couch_member(name) && !is_reserved(name) {
                self.inner.serialize_entry(name, value)?;
            }
        }
        let change = self.change;
        let reserved =
            Reserved { id: change.id.as_str(), rev: change.revision.as_str(), db: change.database.as_str() };
        self.inner.serialize_entry(RESERVED, &reserved)?;
        self.inner.end()
    }
}

impl<M: SerializeMap> SerializeStruct for Members<'_, M> {
    type Ok = M::Ok;
    type Error = M::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), M::Error> {
        if self.takes(name) { self.inner.serialize_entry(name, value) } else { Ok(()) }
    }

    fn end(self) -> Result<M::Ok, M::Error> {
        self.finish()
    }
}

impl<M: SerializeMap> SerializeMap for Members<'_, M> {
    type Ok = M::Ok;
    type Error = M::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), M::Error> {
        key.serialize(Key { members: self })
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), M::Error> {
        if self.skips_value { Ok(()) } else { self.inner.serialize_value(value) }
    }

    fn end(self) -> Result<M::Ok, M::Error> {
        self.finish()
    }
}

/// A bit by length and two letters: cheap, and different for most names.
fn bit_of(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let letter = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let mixed = usize::from(letter(0)) * 7 + usize::from(letter(bytes.len() / 2)) * 3 + bytes.len();
    1 << (mixed % 64)
}

impl<'a, S: Serializer> Root<'a, S> {
    fn members(self) -> Result<Members<'a, S::SerializeMap>, S::Error> {
        Ok(Members {
            inner: self.inner.serialize_map(None)?,
            carried: self.carried,
            carried_bits: self.carried.iter().fold(0, |bits, (name, _)| bits | bit_of(name)),
            change: self.change,
            covered: Vec::new(),
            skips_value: false,
        })
    }
}

macro_rules! refuse {
    ($error:ty, $text:literal; $($method:ident($($argument:ty),*) -> $result:ty;)+) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$result, $error> {
            Err(<$error>::custom($text))
        })+
        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<Self::Ok, $error> {
            Err(<$error>::custom($text))
        }
    };
}

/// Takes the name of a member, without a copy of it.
struct Key<'a, 'b, M> {
    members: &'b mut Members<'a, M>,
}

impl<M: SerializeMap> Serializer for Key<'_, '_, M> {
    type Ok = ();
    type Error = M::Error;
    type SerializeSeq = Impossible<(), M::Error>;
    type SerializeTuple = Impossible<(), M::Error>;
    type SerializeTupleStruct = Impossible<(), M::Error>;
    type SerializeTupleVariant = Impossible<(), M::Error>;
    type SerializeMap = Impossible<(), M::Error>;
    type SerializeStruct = Impossible<(), M::Error>;
    type SerializeStructVariant = Impossible<(), M::Error>;

    fn serialize_str(self, name: &str) -> Result<(), M::Error> {
        self.members.skips_value = !self.members.takes(name);
        if self.members.skips_value { Ok(()) } else { self.members.inner.serialize_key(name) }
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), M::Error> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), M::Error> {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<(), M::Error> {
        self.serialize_str(name)
    }

    refuse! {
        M::Error, "a document's member names are strings";
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}

impl<'a, S: Serializer> Serializer for Root<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Impossible<S::Ok, S::Error>;
    type SerializeTuple = Impossible<S::Ok, S::Error>;
    type SerializeTupleStruct = Impossible<S::Ok, S::Error>;
    type SerializeTupleVariant = Impossible<S::Ok, S::Error>;
    type SerializeMap = Members<'a, S::SerializeMap>;
    type SerializeStruct = Members<'a, S::SerializeMap>;
    type SerializeStructVariant = Impossible<S::Ok, S::Error>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, S::Error> {
        self.members()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.members()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        value.serialize(self)
    }

    refuse! {
        S::Error, "an indexed document is a struct or a map";
        serialize_bool(bool) -> S::Ok;
        serialize_i8(i8) -> S::Ok;
        serialize_i16(i16) -> S::Ok;
        serialize_i32(i32) -> S::Ok;
        serialize_i64(i64) -> S::Ok;
        serialize_u8(u8) -> S::Ok;
        serialize_u16(u16) -> S::Ok;
        serialize_u32(u32) -> S::Ok;
        serialize_u64(u64) -> S::Ok;
        serialize_f32(f32) -> S::Ok;
        serialize_f64(f64) -> S::Ok;
        serialize_char(char) -> S::Ok;
        serialize_str(&str) -> S::Ok;
        serialize_bytes(&[u8]) -> S::Ok;
        serialize_none() -> S::Ok;
        serialize_unit() -> S::Ok;
        serialize_unit_struct(&'static str) -> S::Ok;
        serialize_unit_variant(&'static str, u32, &'static str) -> S::Ok;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::decode::decode_carrying;

    #[derive(Serialize, serde::Deserialize)]
    struct Person {
        _id: String,
        name: String,
        #[serde(rename = "__made")]
        made: Option<u8>,
    }

    #[derive(Serialize)]
    struct Flattened {
        name: String,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }

    fn change() -> ChangeMeta {
        ChangeMeta::new("a".into(), "1-x".into(), "db".into())
    }

    fn written<T: Serialize>(document: &T, carried: &RawObject<'_>) -> String {
        let mut source = Vec::new();
        write_source(document, carried, &change(), &mut source).unwrap();
        String::from_utf8(source).unwrap()
    }

    #[test]
    fn couch_members_go_and_carried_ones_come_along() {
        let text =
            r#"{"_id":"a","_rev":"1-x","name":"n","extra":{"n": 1e3},"pillowtop":1,"pillowtop.id":"b"}"#;
        let (person, carried) = decode_carrying::<Person>(text).unwrap();
        assert_eq!(
            written(&person, &carried),
            r#"{"name":"n","__made":null,"extra":{"n": 1e3},"pillowtop":{"id":"a","rev":"1-x","db":"db"}}"#
        );
    }

    #[test]
    fn only_the_reserved_object_and_its_members_are_reserved() {
        for (name, reserved) in
            [("pillowtop", true), ("pillowtop.id", true), ("pillowtops", false), ("a.pillowtop", false)]
        {
            assert_eq!(is_reserved(name), reserved, "{name}");
        }
    }

    #[test]
    fn no_member_is_written_twice() {
        let (_, carried) = decode_carrying::<Person>(r#"{"_id":"a","name":"n","x":1,"y":2}"#).unwrap();
        let document = Flattened {
            name: "n".to_owned(),
            rest: BTreeMap::from([("x".to_owned(), 9), ("_rev".to_owned(), 1)]),
        };
        assert_eq!(
            written(&document, &carried),
            r#"{"name":"n","x":9,"y":2,"pillowtop":{"id":"a","rev":"1-x","db":"db"}}"#
        );
    }

    #[test]
    fn only_structs_and_maps_are_documents() {
        let mut source = Vec::new();
        let error = write_source(&[1, 2], &RawObject::new(), &change(), &mut source).unwrap_err();
        assert!(error.to_string().contains("a struct or a map"));
    }
}
