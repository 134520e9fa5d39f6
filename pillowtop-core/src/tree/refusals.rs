//! What no mapping can be: panics of const evaluation, hence compile errors where the derive's code
//! stands.

use super::{Member, Object, Parameter, count_property, names};
use crate::message::panic_with;

/// A nested struct with a parameter that only a root has.
#[track_caller]
pub(super) const fn refuse_root_parameters(object: &Object) {
    if let Some(parameter) = object.root_parameters.first() {
        panic_with(&[
            "only the root of an index can have `",
            parameter.name,
            "`, and the struct `",
            object.name,
            "` that declares it is nested in another here\nhelp: declare it only at the struct of the pillow",
        ]);
    }
}

/// A parameter that both an attribute of the field and the struct in it say.
#[track_caller]
pub(super) const fn refuse_duplicate_parameter(by_attribute: &[Parameter], object: &Object) {
    let mut position = 0;
    while position < object.parameters.len() {
        let name = object.parameters[position].name;
        if names(by_attribute, name) {
            panic_with(&[
                "`",
                name,
                "` is declared both at this field and at the struct `",
                object.name,
                "` that it holds\nhelp: remove one of them",
            ]);
        }
        position += 1;
    }
}

/// A flattened struct with parameters of its own, which would be lost.
#[track_caller]
pub(super) const fn refuse_parameters_of_flattened(inner: &Object) {
    if let (Some(parameter), _) | (None, Some(parameter)) =
        (inner.parameters.first(), inner.root_parameters.first())
    {
        panic_with(&[
            "the struct `",
            inner.name,
            "` is flattened, so its `",
            parameter.name,
            "` has no object to apply to\nhelp: write it at the outer struct",
        ]);
    }
}

/// Two members with one name.
#[track_caller]
pub(super) const fn refuse_equal_names(object: &Object) {
    if let Some(name) = brought_again(object, object.members) {
        panic_with(&[
            "the property `",
            name,
            "` is a duplicate, and comes at least once from a flattened struct\nhelp: rename one with `#[serde(rename = \"…\")]`, or leave one out with `#[es(skip)]`",
        ]);
    }
}

const fn brought_again(object: &Object, members: &'static [Member]) -> Option<&'static str> {
    let mut position = 0;
    while position < members.len() {
        match &members[position] {
            Member::Property { name, name_hash, .. } => {
                if count_property(object.members, *name_hash) > 1 {
                    return Some(name);
                }
            }
            Member::Flatten(inner) => {
                if let Some(name) = brought_again(object, inner.members) {
                    return Some(name);
                }
            }
        }
        position += 1;
    }
    None
}
