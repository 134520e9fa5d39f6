//! The routing value of a document: an index keeps documents of one value in one shard. Without
//! one, the document's id decides.

use std::borrow::Cow;

use crate::cow_str::CowStr;

/// A field whose value is the routing value.
#[diagnostic::on_unimplemented(
    message = "a routing value is a string, and `{Self}` is not one",
    label = "not a string",
    note = "help: name a field that is a string, or a function: `routing = Case::routing`, a `fn(&Case) -> Option<String>`"
)]
pub trait RoutingField {
    /// The routing value.
    fn routing(&self) -> String;
}

#[diagnostic::do_not_recommend]
impl<Type: AsRef<str> + ?Sized> RoutingField for Type {
    fn routing(&self) -> String {
        self.as_ref().to_owned()
    }
}

/// A function that gives the routing value of a document.
#[diagnostic::on_unimplemented(
    message = "this function does not give the routing value of `{Document}`",
    label = "not a `fn(&{Document}) -> Option<String>`",
    note = "help: write it as `fn(document: &{Document}) -> Option<String>`; `None` leaves the document to its id"
)]
pub trait RoutingFunction<'document, Document> {
    /// Calls it.
    fn apply(self, document: &'document Document) -> Option<String>;
}

#[diagnostic::do_not_recommend]
impl<'document, Function, Document, Value> RoutingFunction<'document, Document> for Function
where
    Document: 'document,
    Function: FnOnce(&'document Document) -> Value,
    Value: RoutingValue,
{
    fn apply(self, document: &'document Document) -> Option<String> {
        self(document).into_routing()
    }
}

/// What such a function returns.
pub trait RoutingValue {
    /// The routing value.
    fn into_routing(self) -> Option<String>;
}

impl RoutingValue for String {
    fn into_routing(self) -> Option<String> {
        Some(self)
    }
}

impl RoutingValue for &str {
    fn into_routing(self) -> Option<String> {
        Some(self.to_owned())
    }
}

impl RoutingValue for Cow<'_, str> {
    fn into_routing(self) -> Option<String> {
        Some(self.into_owned())
    }
}

impl RoutingValue for CowStr<'_> {
    fn into_routing(self) -> Option<String> {
        Some(self.as_str().to_owned())
    }
}

impl<Value: RoutingValue> RoutingValue for Option<Value> {
    fn into_routing(self) -> Option<String> {
        self.and_then(RoutingValue::into_routing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Case {
        owner: Option<String>,
    }

    #[test]
    fn functions_may_return_any_kind_of_string() {
        fn borrowed(case: &Case) -> Option<&str> {
            case.owner.as_deref()
        }
        let case = Case { owner: Some("a".to_owned()) };
        assert_eq!(borrowed.apply(&case), Some("a".to_owned()));
        assert_eq!((|case: &Case| case.owner.clone()).apply(&case), Some("a".to_owned()));
        assert_eq!((|_: &Case| "b".to_owned()).apply(&case), Some("b".to_owned()));
        assert_eq!((|_: &Case| CowStr::from("c")).apply(&case), Some("c".to_owned()));
        assert_eq!(borrowed.apply(&Case { owner: None }), None);
    }
}
