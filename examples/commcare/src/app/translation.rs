//! Strings in every language of an application.

use std::collections::BTreeMap;

use pillowtop::CouchDocument;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::value::text_of;

/// A text in the languages of an application.
///
/// A document has an object of them, `{"en": "Visit", "hin": "भेंट"}`, whose members no mapping can
/// name. HQ keeps it unindexed. Here it becomes a list, so that `modules.forms.name.text` finds a
/// form by its name in any language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, CouchDocument)]
#[serde(from = "Option<BTreeMap<String, Value>>")]
#[es(rules = crate::rules)]
pub struct Translations(pub Vec<Translation>);

/// A text in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, CouchDocument)]
#[es(rules = crate::rules)]
pub struct Translation {
    /// The language's code, of two letters or three.
    pub lang: String,
    /// The text in it.
    #[es(text)]
    pub text: String,
}

impl From<Option<BTreeMap<String, Value>>> for Translations {
    /// Languages without a text are left out.
    fn from(texts: Option<BTreeMap<String, Value>>) -> Self {
        let texts = texts.into_iter().flatten();
        Self(texts.filter_map(|(lang, text)| Some(Translation { lang, text: text_of(text)? })).collect())
    }
}
