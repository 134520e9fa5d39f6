//! Fingerprints are equal exactly when the canonical JSON of the mappings is.

use pillowtop_core::canonical::to_canonical;
use pillowtop_core::definition::root_mapping;
use pillowtop_core::fingerprint::hash_text;
use pillowtop_core::{Field, Member, Object, Parameter};
use proptest::prelude::*;

/// A mapping in owned form, as a person would write it down.
#[derive(Debug, Clone, PartialEq)]
struct Model {
    properties: Vec<(&'static str, Property)>,
    parameters: Vec<(&'static str, &'static str)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Property {
    Leaf(&'static str, Vec<(&'static str, &'static str)>),
    Object(&'static str, Model),
}

const NAMES: [&str; 5] = ["a", "b", "c", "properties", "type"];
const LEAVES: [&str; 3] = ["keyword", "text", "object"];
const LEAF_PARAMETERS: [(&str, &str); 5] = [
    ("ignore_above", "1"),
    ("ignore_above", "2"),
    ("index", "false"),
    ("dynamic", "false"),
    ("fields", r#"{"exact":{"type":"keyword"}}"#),
];
const OBJECT_PARAMETERS: [(&str, &str); 3] =
    [("dynamic", "false"), ("dynamic", "\"strict\""), ("enabled", "false")];

type Pair = (&'static str, &'static str);

/// Some of the parameters, no name twice.
fn some_of(all: &'static [Pair]) -> impl Strategy<Value = Vec<Pair>> {
    prop::sample::subsequence(all, 0..=all.len()).prop_map(|mut chosen| {
        chosen.dedup_by_key(|(name, _)| *name);
        chosen
    })
}

fn model(depth: u32) -> BoxedStrategy<Model> {
    let leaf = (prop::sample::select(&LEAVES[..]), some_of(&LEAF_PARAMETERS))
        .prop_map(|(kind, parameters)| Property::Leaf(kind, parameters));
    let property = if depth == 0 {
        leaf.boxed()
    } else {
        let kinds = prop::sample::select(&["object", "nested"][..]);
        let object = (kinds, model(depth - 1)).prop_map(|(kind, model)| Property::Object(kind, model));
        prop_oneof![2 => leaf, 1 => object].boxed()
    };
    let names = prop::sample::subsequence(&NAMES[..], 0..=NAMES.len()).prop_shuffle();
    (names, prop::collection::vec(property, NAMES.len()), some_of(&OBJECT_PARAMETERS))
        .prop_map(|(names, properties, parameters)| Model {
            properties: names.into_iter().zip(properties).collect(),
            parameters,
        })
        .boxed()
}

fn leak<T>(values: Vec<T>) -> &'static [T] {
    Vec::leak(values)
}

fn parameters(pairs: &[Pair]) -> &'static [Parameter] {
    leak(pairs.iter().map(|(name, json)| Parameter::new(name, json)).collect())
}

/// The tree of a model. With `flatten`, some properties come by way of a flattened struct.
fn tree(model: &Model, flatten: bool) -> &'static Object {
    let mut members: Vec<Member> = model
        .properties
        .iter()
        .map(|(name, property)| {
            let field = match property {
                Property::Leaf(kind, pairs) => Field::leaf(kind, parameters(pairs)),
                Property::Object(kind, inner) => Field::object(kind, &[], tree(inner, flatten)),
            };
            Member::property(name, hash_text(name), field)
        })
        .collect();
    if flatten {
        let inner = members.split_off(members.len() / 2);
        members.push(Member::Flatten(Box::leak(Box::new(Object::new(leak(inner), &[], &[])))));
    }
    Box::leak(Box::new(Object::new(leak(members), parameters(&model.parameters), &[])))
}

fn shuffled(model: &Model) -> Model {
    let mut other = model.clone();
    other.properties.reverse();
    other.parameters.reverse();
    for (_, property) in &mut other.properties {
        match property {
            Property::Leaf(_, pairs) => pairs.reverse(),
            Property::Object(_, inner) => *inner = shuffled(inner),
        }
    }
    other
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn equal_exactly_when_canonical_json_is((left, right) in (model(2), model(2))) {
        let (left, right) = (tree(&left, false), tree(&right, false));
        let equal = to_canonical(&root_mapping(left)) == to_canonical(&root_mapping(right));
        prop_assert_eq!(left.root_hash() == right.root_hash(), equal);
    }

    #[test]
    fn neither_order_nor_flatten_matters(model in model(2)) {
        let hash = tree(&model, false).root_hash();
        prop_assert_eq!(tree(&shuffled(&model), false).root_hash(), hash);
        prop_assert_eq!(tree(&model, true).root_hash(), hash);
    }

    /// Random pairs hardly ever differ in one place only, so one place is changed.
    #[test]
    fn one_difference_is_seen(model in model(2), location in any::<prop::sample::Index>()) {
        prop_assume!(!model.properties.is_empty());
        let mut other = model.clone();
        let location = location.index(other.properties.len());
        match &mut other.properties[location].1 {
            Property::Leaf(kind, _) => *kind = if *kind == "text" { "long" } else { "text" },
            Property::Object(kind, _) => *kind = if *kind == "nested" { "object" } else { "nested" },
        }
        prop_assert_ne!(tree(&other, false).root_hash(), tree(&model, false).root_hash());
    }
}

#[test]
fn a_default_of_the_root_may_be_explicit() {
    let bare = Object::EMPTY.root_hash();
    let explicit = Object::new(&[], &[const { Parameter::new("dynamic", "false") }], &[]).root_hash();
    let other = Object::new(&[], &[const { Parameter::new("dynamic", "true") }], &[]).root_hash();
    assert_eq!(explicit, bare);
    assert_ne!(other, bare);
}
