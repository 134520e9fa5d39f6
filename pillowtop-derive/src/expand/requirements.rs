//! What a mapping requires of its surroundings, as constants beside it.

use pillowtop_core::analysis::NameKind;
use pillowtop_core::requirement::{Asks, Requirement, Versions, of_field, of_object, of_root};
use proc_macro2::{Literal, TokenStream};
use quote::quote;
use serde_json::{Map, Value};

use crate::idents::PRIVATE;
use crate::model::{ExplicitMapping, Parameter};

/// What a said field asks, without the properties inside, which say it themselves.
pub(super) fn of_explicit(explicit: &ExplicitMapping<'_>) -> TokenStream {
    let mut mapping = json_of(&explicit.parameters);
    mapping.insert("type".to_owned(), Value::from(explicit.type_name.text.as_str()));
    requiring(&of_field(&Value::Object(mapping)))
}

/// What the parameters of a struct ask.
pub(super) fn of_parameters<'p>(
    parameters: &[Parameter],
    root_parameters: impl Iterator<Item = &'p Parameter>,
) -> TokenStream {
    let mut found = of_object(&json_of(parameters));
    found.extend(of_root(&Value::Object(json_of(root_parameters))));
    requiring(&found)
}

/// What the parameters of a rule for objects ask, as a list.
pub(super) fn of_rule_for_objects(parameters: &[Parameter]) -> TokenStream {
    list(&of_object(&json_of(parameters)))
}

fn json_of<'p>(parameters: impl IntoIterator<Item = &'p Parameter>) -> Map<String, Value> {
    parameters.into_iter().map(|parameter| (parameter.name.text.clone(), parameter.json())).collect()
}

/// Nothing for what asks nothing: most fields do not.
fn requiring(found: &[Requirement<String>]) -> TokenStream {
    if found.is_empty() {
        return TokenStream::new();
    }
    let requirements = list(found);
    quote!(.requiring(#requirements))
}

fn list(found: &[Requirement<String>]) -> TokenStream {
    let requirements = found.iter().map(requirement);
    quote!(&[#(#requirements),*])
}

fn requirement(requirement: &Requirement<String>) -> TokenStream {
    let Requirement { path, what, asks, .. } = requirement;
    match asks {
        Asks::Server { versions, needs } => {
            let versions = numbers(*versions);
            quote!(#PRIVATE::Requirement::server(#path, #what, [#(#versions),*], #needs))
        }
        Asks::Routing => quote!(#PRIVATE::Requirement::routing(#path, #what)),
        Asks::Definition { kind, name } => {
            let kind = match kind {
                NameKind::Analyzer => quote!(analyzer),
                NameKind::Normalizer => quote!(normalizer),
                NameKind::Similarity => quote!(similarity),
            };
            quote!(#PRIVATE::Requirement::#kind(#path, #name))
        }
    }
}

fn numbers(versions: Versions) -> [Literal; 4] {
    let Versions { elasticsearch, opensearch } = versions;
    [elasticsearch.0, elasticsearch.1, opensearch.0, opensearch.1].map(Literal::u16_unsuffixed)
}
