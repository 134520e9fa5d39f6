//! What the generated predicate of a filter calls, so that optional and plain fields are written
//! the same way.
//!
//! `self.case_type == "person"` reads an `Option<String>` as well as a `String`: a missing value
//! equals nothing, differs from everything, and is neither less nor greater. That is how CouchDB's
//! selectors treat a missing member once `$exists` is added.

use std::collections::{BTreeSet, HashSet};

use crate::cow_str::CowStr;

/// One step of a field path.
#[derive(Debug)]
pub struct Step<'a, Type: ?Sized>(pub &'a Type);

impl<'a, Type> Step<'a, Option<Type>> {
    /// The value of an optional field. Being inherent, it comes before [`Plain::get`].
    pub fn get(&self) -> Option<&'a Type> {
        self.0.as_ref()
    }
}

/// A field that is always there.
pub trait Plain<'a> {
    /// The field's type.
    type Value: ?Sized;
    /// The value of the field.
    fn get(&self) -> Option<&'a Self::Value>;
}

impl<'a, Type: ?Sized> Plain<'a> for Step<'a, Type> {
    type Value = Type;
    fn get(&self) -> Option<&'a Type> {
        Some(self.0)
    }
}

/// What `is_some()` and `is_none()` of a filter ask.
#[diagnostic::on_unimplemented(
    message = "`is_some()` and `is_none()` of a filter are for optional fields, not for `{Self}`",
    label = "this field is always there",
    note = "help: leave the condition out, or make the field an `Option`"
)]
pub trait Optional {
    /// Whether there is a value.
    fn is_some(&self) -> bool;
    /// Whether there is none.
    fn is_none(&self) -> bool;
}

impl<Type> Optional for Option<Type> {
    fn is_some(&self) -> bool {
        self.is_some()
    }
    fn is_none(&self) -> bool {
        self.is_none()
    }
}

/// What a filter compares with strings in another way than by `==`.
#[diagnostic::on_unimplemented(
    message = "a filter compares strings here, and `{Self}` is not one",
    label = "not a string",
    note = "help: compare it with a value of its own type, or decide it in a transform that returns `None`"
)]
pub trait Text {
    /// The text.
    fn text(&self) -> &str;
}

#[diagnostic::do_not_recommend]
impl<Type: AsRef<str> + ?Sized> Text for Type {
    fn text(&self) -> &str {
        self.as_ref()
    }
}

/// What `contains` of a filter means: a part of a string, or an element of a list.
#[diagnostic::on_unimplemented(
    message = "`contains` of a filter is for strings and lists, not for `{Self}`",
    label = "neither a string nor a list that holds `{Needle}`"
)]
pub trait Contains<Needle: ?Sized> {
    /// Whether the needle is in it.
    fn has(&self, needle: &Needle) -> bool;
}

impl Contains<str> for String {
    fn has(&self, needle: &str) -> bool {
        self.as_str().contains(needle)
    }
}

impl Contains<str> for CowStr<'_> {
    fn has(&self, needle: &str) -> bool {
        self.as_str().contains(needle)
    }
}

impl<Element: PartialEq<Needle>, Needle: ?Sized> Contains<Needle> for Vec<Element> {
    fn has(&self, needle: &Needle) -> bool {
        self.iter().any(|element| element == needle)
    }
}

impl<Element: PartialEq<Needle>, Needle: ?Sized> Contains<Needle> for BTreeSet<Element> {
    fn has(&self, needle: &Needle) -> bool {
        self.iter().any(|element| element == needle)
    }
}

impl<Element: PartialEq<Needle>, Needle: ?Sized, Hasher> Contains<Needle> for HashSet<Element, Hasher> {
    fn has(&self, needle: &Needle) -> bool {
        self.iter().any(|element| element == needle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optional_and_plain_fields_are_read_alike() {
        let (plain, some, none) = ("a".to_owned(), Some("a".to_owned()), None::<String>);
        assert!(Step(&plain).get().is_some_and(|value| *value == *"a"));
        assert!(Step(&some).get().is_some_and(|value| *value == *"a"));
        assert!(Step(&none).get().is_none_or(|value: &String| *value != *"a"));
        assert!(Step(&none).get().is_none_or(|value: &String| *value != *"a"));
    }

    #[test]
    fn contains_is_for_strings_and_lists() {
        assert!("abc".to_owned().has("b"));
        assert!(!vec!["abc".to_owned()].has("b"));
        assert!(vec!["abc".to_owned()].has("abc"));
        assert!(BTreeSet::from([1, 2]).has(&2));
    }
}
