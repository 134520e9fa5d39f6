//! Where a member of a mapping comes from, for those who ask why a field is mapped as it is.

use pillowtop_core::origin;

use crate::parse::{FieldReceiver, is_single, squeeze};

/// The field behind a member.
pub(crate) struct Origin {
    /// Its name in Rust; empty where no field is.
    pub(crate) field: String,
    /// Its type as it is written.
    pub(crate) rust_type: String,
    pub(crate) decided: Decided,
}

/// What decided how a member is mapped; rules by their matchers.
pub(crate) enum Decided {
    Default,
    Attribute,
    AttributeOverDefault,
    AttributeOverRule(String),
    Rule(String),
    ObjectsRule(String),
    Serde,
}

impl Origin {
    /// That of a field, marked by `[]` when it holds several values.
    pub(crate) fn of(field: &FieldReceiver<'_>, decided: Decided) -> Self {
        let list = if is_single(field.rust_type) { "" } else { "[]" };
        let rust_type = squeeze(field.rust_type).replace(',', ", ");
        Self { field: format!("{}{list}", field.name()), rust_type, decided }
    }

    /// That of a property without a field.
    pub(crate) fn of_no_field(decided: Decided) -> Self {
        Self { field: String::new(), rust_type: String::new(), decided }
    }

    /// The origin as it goes along with the mapping.
    pub(crate) fn line(&self) -> String {
        let decided = match &self.decided {
            Decided::Default => origin::Decided::Default,
            Decided::Attribute => origin::Decided::Attribute,
            Decided::AttributeOverDefault => origin::Decided::AttributeOverDefault,
            Decided::AttributeOverRule(matcher) => origin::Decided::AttributeOverRule(matcher),
            Decided::Rule(matcher) => origin::Decided::Rule(matcher),
            Decided::ObjectsRule(matcher) => origin::Decided::ObjectsRule(matcher),
            Decided::Serde => origin::Decided::Serde,
        };
        origin::Origin { field: &self.field, rust_type: &self.rust_type, decided }.write()
    }

    /// What to say beside an error about a mapping that a rule made.
    pub(crate) fn note(&self) -> Option<String> {
        match &self.decided {
            Decided::Rule(matcher) | Decided::AttributeOverRule(matcher) | Decided::ObjectsRule(matcher) => {
                Some(format!("the rule `{matcher}` maps the field `{}`", self.field.trim_end_matches("[]")))
            }
            Decided::Default | Decided::Attribute | Decided::AttributeOverDefault | Decided::Serde => None,
        }
    }
}
