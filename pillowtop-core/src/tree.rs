//! The mapping tree: what a derive writes down about a struct, as constants that other structs'
//! constants contain.
//!
//! A derive sees the tokens of one struct and not of those nested in it, so a nested struct appears
//! as the associated const of its own impl. Parameter values are canonical JSON strings (see
//! [`crate::canonical`]), hashed by the macro. What const evaluation does here is adding and mixing
//! 128-bit numbers: rendering JSON there would cost minutes in a large workspace.

mod refusals;

use crate::fingerprint::{hash_text, mix};
use crate::origin::Origin;
use crate::requirement::{Needs, Requirement};

use refusals::{
    refuse_duplicate_parameter, refuse_equal_names, refuse_parameters_of_flattened, refuse_root_parameters,
};

/// One parameter of a field or an object, such as `ignore_above`.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Elasticsearch's name of it.
    pub name: &'static str,
    /// The value, as canonical JSON.
    pub json: &'static str,
    hash: u128,
}

impl Parameter {
    /// A parameter whose hash is computed here; the derives compute it themselves and call
    /// [`Parameter::hashed`].
    #[must_use]
    pub const fn new(name: &'static str, json: &'static str) -> Self {
        Self { name, json, hash: Self::hash_of(name, json) }
    }

    /// A parameter with its [`Parameter::hash_of`] given.
    #[must_use]
    pub const fn hashed(name: &'static str, json: &'static str, hash: u128) -> Self {
        Self { name, json, hash }
    }

    /// The share of a parameter in a fingerprint. `json` is canonical JSON.
    #[must_use]
    pub const fn hash_of(name: &str, json: &str) -> u128 {
        mix(hash_text(name), hash_text(json))
    }
}

/// What one property of an index is: its type, its parameters and, for objects, what is inside.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Elasticsearch's name of the type.
    pub type_name: &'static str,
    /// Its parameters, `fields` among them.
    pub parameters: &'static [Parameter],
    /// The properties inside, of `object` and `nested`.
    pub object: Option<&'static Object>,
    /// What it asks of its surroundings, without what is inside `object`; no part of the hash.
    pub requirements: &'static [Requirement],
    /// The sum of all that is asked here and inside.
    pub needs: Needs,
    hash: u128,
}

impl Field {
    /// A field without properties of its own.
    #[must_use]
    pub const fn leaf(type_name: &'static str, parameters: &'static [Parameter]) -> Self {
        let hash = mix(hash_text(type_name), sum(parameters));
        Self { type_name, parameters, object: None, requirements: &[], needs: Needs::NOTHING, hash }
    }

    /// The same field with what it asks of its surroundings.
    #[must_use]
    pub const fn requiring(self, requirements: &'static [Requirement]) -> Self {
        Self { requirements, needs: self.needs.and(Needs::of(requirements)), ..self }
    }

    /// An `object` or `nested` field with the properties of `object`.
    ///
    /// # Panics
    ///
    /// In const evaluation, hence as a compile error: when a parameter is declared both here and at
    /// the struct, or when the struct has parameters that only the root of an index can have.
    #[must_use]
    #[track_caller]
    pub const fn object(
        type_name: &'static str,
        parameters: &'static [Parameter],
        object: &'static Object,
    ) -> Self {
        Self::object_by_rule(type_name, parameters, object, parameters.len())
    }

    /// The same where a rule gives the parameters after the first `explicit_count`: what the struct says
    /// itself comes before a rule.
    ///
    /// # Panics
    ///
    /// As [`Field::object`].
    #[must_use]
    #[track_caller]
    pub const fn object_by_rule(
        type_name: &'static str,
        parameters: &'static [Parameter],
        object: &'static Object,
        explicit_count: usize,
    ) -> Self {
        refuse_root_parameters(object);
        let (by_attribute, _) = parameters.split_at(explicit_count);
        refuse_duplicate_parameter(by_attribute, object);
        let contents = sum_without(parameters, object.parameters)
            .wrapping_add(sum(object.parameters))
            .wrapping_add(object.members_sum);
        let hash = mix(hash_text(type_name), contents);
        Self { type_name, parameters, object: Some(object), requirements: &[], needs: object.needs, hash }
    }

    /// This field with the parameters of a rule for fields that hold a struct, if it is one.
    /// Whether a type is a struct, no derive sees; parameters that the type has already come
    /// from an attribute.
    #[must_use]
    #[track_caller]
    pub const fn with_rule_for_objects(
        self,
        parameters: &'static [Parameter],
        requirements: &'static [Requirement],
    ) -> Self {
        match self.object {
            Some(object) if equal(self.type_name, "object") && self.parameters.is_empty() => {
                Self::object_by_rule(self.type_name, parameters, object, 0).requiring(requirements)
            }
            _ => self,
        }
    }
}

/// One entry of a struct's mapping.
#[derive(Debug, Clone, Copy)]
pub enum Member {
    /// A property of the index.
    Property {
        /// Its name in the JSON document.
        name: &'static str,
        /// [`hash_text`] of the name.
        name_hash: u128,
        /// What it is.
        field: Field,
    },
    /// All properties of another struct, as `#[serde(flatten)]` puts them.
    Flatten(&'static Object),
}

impl Member {
    /// A property; `name_hash` is [`hash_text`] of `name`.
    #[must_use]
    pub const fn property(name: &'static str, name_hash: u128, field: Field) -> Self {
        Self::Property { name, name_hash, field }
    }

    const fn hash(&self) -> u128 {
        match self {
            Self::Property { name_hash, field, .. } => mix(*name_hash, field.hash),
            Self::Flatten(object) => object.members_sum,
        }
    }

    const fn needs(&self) -> Needs {
        match self {
            Self::Property { field, .. } => field.needs,
            Self::Flatten(object) => object.needs,
        }
    }
}

/// What a struct says of its fields.
#[derive(Debug, Clone, Copy)]
pub struct Object {
    /// Its properties, in the struct's order.
    pub members: &'static [Member],
    /// Parameters that any object may have, such as `dynamic`.
    pub parameters: &'static [Parameter],
    /// Parameters that only the root of an index may have, such as `date_detection`.
    pub root_parameters: &'static [Parameter],
    /// What the parameters ask of their surroundings; no part of the hash.
    pub requirements: &'static [Requirement],
    /// The sum of all that is asked here and inside.
    pub needs: Needs,
    /// What a rule gives to the root of an index, before the defaults of a root and after what the
    /// struct says.
    pub root_rule: &'static [Parameter],
    /// The struct's name, for people.
    pub name: &'static str,
    /// Where each of `members` comes from, for people: a line each; empty when nobody said it.
    origins: &'static str,
    members_sum: u128,
}

impl Object {
    /// What a struct says of its fields.
    ///
    /// # Panics
    ///
    /// In const evaluation, hence as a compile error: when a flattened struct has parameters of its
    /// own, which would be lost, or when two members have one name.
    #[must_use]
    #[track_caller]
    pub const fn new(
        members: &'static [Member],
        parameters: &'static [Parameter],
        root_parameters: &'static [Parameter],
    ) -> Self {
        let mut members_sum = 0_u128;
        let mut needs = Needs::NOTHING;
        let mut flattens = false;
        let mut position = 0;
        while position < members.len() {
            if let Member::Flatten(inner) = &members[position] {
                flattens = true;
                refuse_parameters_of_flattened(inner);
            }
            members_sum = members_sum.wrapping_add(members[position].hash());
            needs = needs.and(members[position].needs());
            position += 1;
        }
        let object = Self {
            members,
            parameters,
            root_parameters,
            root_rule: &[],
            name: "",
            origins: "",
            requirements: &[],
            needs,
            members_sum,
        };
        // Within one struct the derive itself looks for equal names.
        if flattens {
            refuse_equal_names(&object);
        }
        object
    }

    /// The same object with what its parameters ask of their surroundings.
    #[must_use]
    pub const fn requiring(self, requirements: &'static [Requirement]) -> Self {
        Self { requirements, needs: self.needs.and(Needs::of(requirements)), ..self }
    }

    /// With the struct's name and where each member comes from: a line of [`Origin::write`] each.
    /// Neither counts in a fingerprint.
    #[must_use]
    pub const fn explained(mut self, name: &'static str, origins: &'static str) -> Self {
        self.name = name;
        self.origins = origins;
        self
    }

    /// With parameters that a rule gives to the root of an index. Where the struct is nested they
    /// have no effect.
    #[must_use]
    pub const fn with_root_rule(mut self, parameters: &'static [Parameter]) -> Self {
        self.root_rule = parameters;
        self
    }

    /// Its members, each with where it comes from; none where nobody said it.
    pub fn origins(&self) -> impl Iterator<Item = (&'static Member, Option<Origin<'static>>)> {
        let mut lines = self.origins.split('\n').filter(|_| !self.name.is_empty()).map(Origin::read);
        self.members.iter().map(move |member| (member, lines.next()))
    }

    /// An object without properties.
    pub const EMPTY: Self = Self::new(&[], &[], &[]);

    /// Whether a property of this name is there, its own or flattened.
    #[must_use]
    pub const fn has_property(&self, name_hash: u128) -> bool {
        count_property(self.members, name_hash) > 0
    }

    /// The fingerprint of a mapping whose root this object is, with the defaults of a root
    /// ([`ROOT_DEFAULTS`]).
    #[must_use]
    pub const fn root_hash(&self) -> u128 {
        let mut contents =
            sum(self.parameters).wrapping_add(sum(self.root_parameters)).wrapping_add(self.members_sum);
        contents = contents.wrapping_add(self.unsaid(self.root_rule));
        let mut position = 0;
        while position < ROOT_DEFAULTS.len() {
            if !names(self.root_rule, ROOT_DEFAULTS[position].name) {
                contents = contents.wrapping_add(self.unsaid(&[ROOT_DEFAULTS[position]]));
            }
            position += 1;
        }
        mix(hash_text("root"), contents)
    }

    /// The share of those parameters that the struct does not say itself.
    const fn unsaid(&self, parameters: &[Parameter]) -> u128 {
        let mut total = 0_u128;
        let mut position = 0;
        while position < parameters.len() {
            let parameter = &parameters[position];
            if !names(self.parameters, parameter.name) && !names(self.root_parameters, parameter.name) {
                total = total.wrapping_add(parameter.hash);
            }
            position += 1;
        }
        total
    }

    /// Its properties with flattened ones in place, in order.
    pub fn properties(&self) -> impl Iterator<Item = (&'static str, &'static Field)> {
        let mut all = Vec::new();
        collect(self.members, &mut all);
        all.into_iter()
    }
}

/// What the root of an index is given unless the struct sets it: nothing is mapped that no struct
/// names.
pub const ROOT_DEFAULTS: [Parameter; 2] =
    [Parameter::new("dynamic", "false"), Parameter::new("date_detection", "false")];

fn collect(members: &'static [Member], all: &mut Vec<(&'static str, &'static Field)>) {
    for member in members {
        match member {
            Member::Property { name, field, .. } => all.push((name, field)),
            Member::Flatten(object) => collect(object.members, all),
        }
    }
}

const fn sum(parameters: &[Parameter]) -> u128 {
    let mut total = 0_u128;
    let mut position = 0;
    while position < parameters.len() {
        total = total.wrapping_add(parameters[position].hash);
        position += 1;
    }
    total
}

/// The sum over those that `others` do not name.
const fn sum_without(parameters: &[Parameter], others: &[Parameter]) -> u128 {
    let mut total = 0_u128;
    let mut position = 0;
    while position < parameters.len() {
        if !names(others, parameters[position].name) {
            total = total.wrapping_add(parameters[position].hash);
        }
        position += 1;
    }
    total
}

const fn names(parameters: &[Parameter], name: &str) -> bool {
    let mut position = 0;
    while position < parameters.len() {
        if equal(parameters[position].name, name) {
            return true;
        }
        position += 1;
    }
    false
}

const fn equal(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut position = 0;
    while position < left.len() {
        if left[position] != right[position] {
            return false;
        }
        position += 1;
    }
    true
}

const fn count_property(members: &[Member], wanted: u128) -> usize {
    let mut count = 0;
    let mut position = 0;
    while position < members.len() {
        count += match &members[position] {
            Member::Property { name_hash, .. } => (*name_hash == wanted) as usize,
            Member::Flatten(inner) => count_property(inner.members, wanted),
        };
        position += 1;
    }
    count
}
