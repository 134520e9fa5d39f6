//! A pillow: what its attribute means, given the struct.

use pillowtop_core::canonical::to_canonical;
use pillowtop_core::field_types::Target;
use pillowtop_core::fingerprint::hash_text;
use pillowtop_core::settings::normalize;
use proc_macro2::Span;
use serde_json::Value;
use syn::{Generics, Ident, PathSegment, Type};

use super::routing::RoutingModel;
use super::target::target;

use crate::committed::{Crate, Location};
use crate::errors::Errors;
use crate::filter::{Filter, parse, print, selector, selector_fields};
use crate::parse::{MappingReceiver, PillowReceiver, StructReceiver};

/// What `#[derive(Pillow)]` is of.
pub(crate) struct PillowModel<'a> {
    pub(crate) ident: &'a Ident,
    /// Lifetimes alone.
    pub(crate) generics: &'a Generics,
    pub(crate) name: String,
    pub(crate) alias: String,
    pub(crate) filter: Option<FilterModel>,
    pub(crate) routing: Option<RoutingModel>,
    pub(crate) settings: Option<SettingsModel>,
    /// The servers that the mapping is for, each with its place.
    pub(crate) targets: Vec<(Target, Span)>,
    pub(crate) transform: Option<TransformModel>,
    pub(crate) transform_version: u32,
    /// The file of sample documents.
    pub(crate) samples: Option<Location>,
    /// None for `mapping = unchecked`.
    pub(crate) mapping: Option<Location>,
}

/// The filter in its three forms.
pub(crate) struct FilterModel {
    pub(crate) filter: Filter,
    pub(crate) text: String,
    pub(crate) selector: Option<String>,
    pub(crate) is_immutable: bool,
}

/// Index settings.
pub(crate) struct SettingsModel {
    pub(crate) text: SettingsText,
    pub(crate) hash: u128,
    /// The settings in their normal form.
    pub(crate) normal: Value,
    /// The place of the item that names the file.
    pub(crate) span: Span,
}

/// Where the settings are.
pub(crate) enum SettingsText {
    File(Location),
    /// In the attribute itself.
    Inline(String),
}

/// A transform, and the type that it makes.
pub(crate) struct TransformModel {
    pub(crate) function: syn::ExprPath,
    pub(crate) index: Type,
    /// The function's name, if it is one of that type's.
    pub(crate) of_index: Option<PathSegment>,
    /// What it looks up.
    pub(crate) lookup: Option<LookupModel>,
}

/// A lookup, and the function that gives the keys of a document.
pub(crate) struct LookupModel {
    pub(crate) lookup: Type,
    pub(crate) keys: syn::ExprPath,
}

impl<'a> PillowModel<'a> {
    /// What an attribute means; none without a name or an alias, which is reported by the check.
    pub(crate) fn of(
        errors: &Errors,
        receiver: &StructReceiver<'a>,
        pillow: &PillowReceiver,
        compiled: Option<&Crate>,
    ) -> Option<Self> {
        let filter = pillow.filter.as_ref().and_then(|expression| {
            let filter = parse(errors, expression)?;
            let (text, selector) = (print(&filter), selector(&filter, &selector_fields(receiver)));
            Some(FilterModel { filter, text, selector, is_immutable: pillow.filter_is_immutable.is_some() })
        });
        let routing =
            pillow.routing.as_ref().and_then(|expression| RoutingModel::of(errors, receiver, expression));
        let settings = pillow.settings.as_ref().and_then(|literal| settings(errors, literal, compiled));
        let targets = pillow
            .targets
            .iter()
            .flatten()
            .filter_map(|literal| Some((target(errors, literal)?, literal.span())))
            .collect();
        let transform = transform(errors, pillow);
        let (name, alias) = (pillow.name.as_ref()?.value(), pillow.alias.as_ref()?.value());
        let mapping = match (&pillow.mapping, compiled) {
            (Some(MappingReceiver::Unchecked), _) => None,
            (Some(MappingReceiver::Path(path)), Some(compiled)) => Some(compiled.file(&path.value())),
            (None, Some(compiled)) => Some(compiled.mapping(&name)),
            (_, None) => {
                errors.at(
                    receiver.ident,
                    "the crate's directory is not known (`CARGO_MANIFEST_DIR`)",
                    "build with cargo",
                );
                None
            }
        };
        let samples = pillow.samples.as_ref().and_then(|literal| samples(errors, literal, compiled));
        let transform_version = pillow.transform_version.map_or(1, |(version, _)| version);
        Some(Self {
            ident: receiver.ident,
            generics: receiver.generics,
            name,
            alias,
            filter,
            routing,
            settings,
            targets,
            transform,
            transform_version,
            samples,
            mapping,
        })
    }
}

/// The file of sample documents, which must be there.
fn samples(errors: &Errors, literal: &syn::LitStr, compiled: Option<&Crate>) -> Option<Location> {
    let location = compiled?.file(&literal.value());
    if let Err(error) = fs_err::read_to_string(&location.path) {
        errors.at(
            literal,
            format!("the samples `{}` cannot be read: {}", location.shown, error.kind()),
            "write the path of a file with a JSON document on each line, from the directory of the crate",
        );
        return None;
    }
    Some(location)
}

impl PillowModel<'_> {
    /// What the transform looks up.
    pub(crate) fn lookup(&self) -> Option<&LookupModel> {
        self.transform.as_ref()?.lookup.as_ref()
    }
}

fn settings(errors: &Errors, literal: &syn::LitStr, compiled: Option<&Crate>) -> Option<SettingsModel> {
    let value = literal.value();
    if value.trim_start().starts_with('{') {
        let help = "write index settings in JSON, such as `{\"codec\": \"best_compression\"}`, or the path of a file with them";
        return match normal_settings(&value) {
            Ok(normal) => Some(SettingsModel::of(SettingsText::Inline(value), normal, literal)),
            Err(problem) => {
                errors.at(literal, format!("these settings {problem}"), help);
                None
            }
        };
    }
    let help = "write the path of a JSON file with index settings, from the crate's directory";
    let location = compiled?.file(&value);
    let text = match fs_err::read_to_string(&location.path) {
        Ok(text) => text,
        Err(error) => {
            // Without the path of this machine.
            errors.at(
                literal,
                format!("the settings `{}` cannot be read: {}", location.shown, error.kind()),
                help,
            );
            return None;
        }
    };
    match normal_settings(&text) {
        Ok(normal) => Some(SettingsModel::of(SettingsText::File(location), normal, literal)),
        Err(problem) => {
            errors.at(literal, format!("the settings `{}` {problem}", location.shown), help);
            None
        }
    }
}

/// Settings in normal form.
fn normal_settings(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("are not JSON: {error}"))?;
    if value.get("mappings").is_some() {
        return Err("are the body of a whole index: write only what is under `settings`, because `mappings` come from the struct".to_owned());
    }
    normalize(&value).map_err(|problem| format!("cannot be used: {problem}"))
}

impl SettingsModel {
    /// What messages call it.
    pub(crate) fn shown(&self) -> &str {
        match &self.text {
            SettingsText::File(location) => &location.shown,
            SettingsText::Inline(_) => "settings",
        }
    }

    fn of(text: SettingsText, normal: Value, literal: &syn::LitStr) -> Self {
        Self { text, hash: hash_text(&to_canonical(&normal)), normal, span: literal.span() }
    }
}

fn transform(errors: &Errors, pillow: &PillowReceiver) -> Option<TransformModel> {
    let Some(function) = &pillow.transform else {
        if let Some(index) = &pillow.index {
            errors.at(
                index,
                "`index` is the type that a transform makes",
                "write `transform = …` too, or remove it",
            );
        }
        return None;
    };
    let index = pillow.made();
    if index.is_none() {
        errors.at(
            function,
            "the type that this function returns is not known from its path",
            "write `index = CaseIndex`, the type that it makes, or name it as `transform = CaseIndex::from_case`",
        );
    }
    let of_index = function.path.segments.last().filter(|_| pillow.index.is_none()).cloned();
    let lookup = pillow.lookup.clone().zip(pillow.lookup_keys.clone());
    let lookup = lookup.map(|(lookup, keys)| LookupModel { lookup, keys });
    Some(TransformModel { function: function.clone(), index: index?, of_index, lookup })
}
