//! What a field of each Rust type becomes in an index unless an attribute sets it.
//!
//! These impls are the default table. A type without one has no default: the compiler then says
//! what can be written.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet, LinkedList, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;
use std::sync::Arc;

use crate::cow_str::CowStr;
use crate::requirement::{NEVER, Requirement};
use crate::tree::{Field, Object, Parameter};

/// A type that has a default field in an index.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no default field type",
    label = "declare how this field is mapped",
    note = "help: write its type, for instance `#[es(keyword)]`, `#[es(text)]` or `#[es(flattened)]`",
    note = "help: for a struct, derive `CouchDocument` on it; `#[es(object, dynamic = false)]` keeps it unindexed; `#[es(skip)]` leaves it out"
)]
pub trait IndexField {
    /// The field.
    const FIELD: Field;
}

/// A struct, or a list or option of one, whose properties can stand in an `object` or `nested`
/// field.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no properties that an object field could have",
    label = "`object` and `nested` expect a struct that derives `CouchDocument`, or a list of it",
    note = "help: for a struct, derive `CouchDocument` on it, or write `#[es(object, dynamic = false)]` to keep it unindexed",
    note = "help: strings, numbers and dates are not objects: write their own type, for instance `#[es(keyword)]`, or leave it out"
)]
pub trait IndexObject {
    /// Its properties.
    const OBJECT: &'static Object;
}

/// A struct whose properties can stand among those of another one, as `#[serde(flatten)]` puts
/// them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is flattened, and has no properties that could be part of this struct",
    label = "not a struct that derives `CouchDocument`",
    note = "help: for a struct, derive `CouchDocument` on it",
    note = "help: for an enum, write `#[es(skip)]` at this field; to index its members, name them at the struct: `#[es(properties(kind(keyword)))]`"
)]
pub trait Flattened {
    /// Its properties.
    const OBJECT: &'static Object;
}

#[diagnostic::do_not_recommend]
impl<Type: IndexObject> Flattened for Type {
    const OBJECT: &'static Object = <Type as IndexObject>::OBJECT;
}

/// A longer term would make Lucene reject the whole document: 32766 bytes, four bytes a character
/// at most.
const KEYWORD: Field = Field::leaf("keyword", &[Parameter::new("ignore_above", "8191")]);

/// The only default that not every server has.
const UNSIGNED_LONG: Field = Field::leaf("unsigned_long", &[]).requiring(&[Requirement::server(
    "",
    "is of type `unsigned_long`",
    [0x070a, NEVER, 0x0208, NEVER],
    "Elasticsearch 7.10 or later, or OpenSearch 2.8 or later",
)]);

/// serde writes RFC 3339 with as many fraction digits as there are.
const INSTANT: Field =
    Field::leaf("date", &[Parameter::new("format", "\"strict_date_optional_time_nanos\"")]);
const DATE: Field = Field::leaf("date", &[Parameter::new("format", "\"strict_date\"")]);

/// Defaults by the names of types, with impls for those that this crate has.
macro_rules! defaults {
    ($($field:expr => $($name:literal $(: $rust_type:ty)?),+;)+) => {
        /// The default fields by the last parts of the names of Rust types.
        const DEFAULTS: &[(&str, Field)] = &[$($(($name, $field)),+),+];
        $($($(impl IndexField for $rust_type {
            const FIELD: Field = $field;
        })?)+)+
    };
}

defaults! {
    KEYWORD => "String": String, "str": str, "char": char, "CowStr": CowStr<'_>, "Uuid";
    Field::leaf("boolean", &[]) => "bool": bool;
    Field::leaf("byte", &[]) => "i8": i8;
    Field::leaf("short", &[]) => "i16": i16, "u8": u8;
    Field::leaf("integer", &[]) => "i32": i32, "u16": u16;
    Field::leaf("long", &[]) => "i64": i64, "u32": u32;
    UNSIGNED_LONG => "u64": u64;
    Field::leaf("float", &[]) => "f32": f32;
    Field::leaf("double", &[]) => "f64": f64;
    Field::leaf("ip", &[]) => "IpAddr": IpAddr, "Ipv4Addr": Ipv4Addr, "Ipv6Addr": Ipv6Addr;
    INSTANT => "DateTime", "NaiveDateTime", "Timestamp";
    DATE => "NaiveDate", "Date";
}

/// The default field of a Rust type by the last part of its name, which is all that a derive sees
/// of it.
#[must_use]
pub fn default_field(name: &str) -> Option<&'static Field> {
    DEFAULTS.iter().find(|(known, _)| *known == name).map(|(_, field)| field)
}

#[cfg(any(feature = "chrono", feature = "jiff", feature = "uuid"))]
macro_rules! fields {
    ($($field:expr => $($rust_type:ty),+;)+) => {
        $($(impl IndexField for $rust_type {
            const FIELD: Field = $field;
        })+)+
    };
}

#[cfg(feature = "uuid")]
fields! { KEYWORD => uuid::Uuid; }

#[cfg(feature = "chrono")]
fields! {
    INSTANT => chrono::NaiveDateTime;
    DATE => chrono::NaiveDate;
}
#[cfg(feature = "chrono")]
impl<Zone: chrono::TimeZone> IndexField for chrono::DateTime<Zone> {
    const FIELD: Field = INSTANT;
}

#[cfg(feature = "jiff")]
fields! {
    INSTANT => jiff::Timestamp, jiff::civil::DateTime;
    DATE => jiff::civil::Date;
}

/// A container is mapped as what it holds: every field of an index may have no value, one or many.
macro_rules! containers {
    ($([$($generics:tt)+] $container:ty;)+) => {
        $(impl<$($generics)+> IndexField for $container {
            const FIELD: Field = <Element as IndexField>::FIELD;
        })+
    };
}
macro_rules! object_containers {
    ($([$($generics:tt)+] $container:ty;)+) => {
        $(impl<$($generics)+> IndexObject for $container {
            const OBJECT: &'static Object = <Element as IndexObject>::OBJECT;
        })+
    };
}

containers! {
    [Element: IndexField + ?Sized] &Element;
    [Element: IndexField + ?Sized] Box<Element>;
    [Element: IndexField + ?Sized] Arc<Element>;
    [Element: IndexField + ?Sized] Rc<Element>;
    [Element: IndexField + ToOwned + ?Sized] Cow<'_, Element>;
    [Element: IndexField] Option<Element>;
    [Element: IndexField] Vec<Element>;
    [Element: IndexField] VecDeque<Element>;
    [Element: IndexField] LinkedList<Element>;
    [Element: IndexField] [Element];
    [Element: IndexField, const LENGTH: usize] [Element; LENGTH];
    [Element: IndexField] BTreeSet<Element>;
    [Element: IndexField, Hasher] HashSet<Element, Hasher>;
}
object_containers! {
    [Element: IndexObject + ?Sized] &Element;
    [Element: IndexObject + ?Sized] Box<Element>;
    [Element: IndexObject + ?Sized] Arc<Element>;
    [Element: IndexObject + ?Sized] Rc<Element>;
    [Element: IndexObject] Option<Element>;
    [Element: IndexObject] Vec<Element>;
    [Element: IndexObject] VecDeque<Element>;
    [Element: IndexObject] LinkedList<Element>;
    [Element: IndexObject] [Element];
    [Element: IndexObject, const LENGTH: usize] [Element; LENGTH];
    [Element: IndexObject] BTreeSet<Element>;
    [Element: IndexObject, Hasher] HashSet<Element, Hasher>;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::requirement::{Asks, Needs, of_field};

    #[test]
    fn defaults_ask_what_the_table_says() {
        #[track_caller]
        fn check<Type: IndexField + ?Sized>() {
            let field = Type::FIELD;
            let mut mapping = json!({"type": field.type_name});
            for parameter in field.parameters {
                mapping[parameter.name] = serde_json::from_str(parameter.json).unwrap();
            }
            let asked = of_field(&mapping);
            assert_eq!(asked.len(), field.requirements.len(), "{}: {asked:?}", field.type_name);
            assert_eq!(field.needs, Needs::of(field.requirements));
            for (asked, requirement) in asked.iter().zip(field.requirements) {
                let Asks::Server { versions, needs } = requirement.asks else { panic!("no name") };
                assert_eq!(asked.what, requirement.what);
                assert_eq!(asked.asks, Asks::Server { versions, needs: needs.to_owned() });
            }
        }
        check::<String>();
        check::<bool>();
        check::<i8>();
        check::<i16>();
        check::<i32>();
        check::<i64>();
        check::<u64>();
        check::<f32>();
        check::<f64>();
        check::<IpAddr>();
        #[cfg(feature = "chrono")]
        check::<chrono::NaiveDateTime>();
        #[cfg(feature = "chrono")]
        check::<chrono::NaiveDate>();
    }
}
