//! Where the members of a struct's mapping come from: for people, and not part of any fingerprint
//! or hash.
//!
//! The derives write them as one string, a line for each member: a literal costs a build next to
//! nothing.

/// The field of a struct that a member of its mapping comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'t> {
    /// The field's name in Rust, with `[]` when it holds several values; empty for a property that
    /// no field has.
    pub field: &'t str,
    /// The field's type as it is written.
    pub rust_type: &'t str,
    /// What decided how it is mapped.
    pub decided: Decided<'t>,
}

/// What decided how a field is mapped; rules by the fields that they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decided<'t> {
    /// The default of its Rust type.
    Default,
    /// `#[es(...)]` at the field, or at the struct for a property that no field has.
    Attribute,
    /// Parameters of an attribute, and otherwise the default of its Rust type.
    AttributeOverDefault,
    /// Parameters of an attribute, and otherwise this rule.
    AttributeOverRule(&'t str),
    /// A rule of the crate.
    Rule(&'t str),
    /// A rule for fields that hold a struct; for others the default of the Rust type.
    ObjectsRule(&'t str),
    /// One of serde's attributes.
    Serde,
}

impl<'t> Origin<'t> {
    /// The line of this origin.
    #[must_use]
    pub fn write(&self) -> String {
        let (word, matcher) = match self.decided {
            Decided::Default => ("", ""),
            Decided::Attribute => ("a", ""),
            Decided::AttributeOverDefault => ("ad", ""),
            Decided::AttributeOverRule(matcher) => ("ar", matcher),
            Decided::Rule(matcher) => ("r", matcher),
            Decided::ObjectsRule(matcher) => ("o", matcher),
            Decided::Serde => ("s", ""),
        };
        let line = [self.field, self.rust_type, word, matcher].join("\t");
        line.trim_end_matches('\t').to_owned()
    }

    /// The origin of a line.
    #[must_use]
    pub fn read(line: &'t str) -> Self {
        let mut parts = line.splitn(4, '\t');
        let mut next = || parts.next().unwrap_or_default();
        let (field, rust_type, word, matcher) = (next(), next(), next(), next());
        let decided = match word {
            "a" => Decided::Attribute,
            "ad" => Decided::AttributeOverDefault,
            "ar" => Decided::AttributeOverRule(matcher),
            "r" => Decided::Rule(matcher),
            "o" => Decided::ObjectsRule(matcher),
            "s" => Decided::Serde,
            _ => Decided::Default,
        };
        Self { field, rust_type, decided }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_reads_what_it_writes() {
        for decided in [
            Decided::Default,
            Decided::Attribute,
            Decided::AttributeOverDefault,
            Decided::AttributeOverRule("strings named \"*_id\""),
            Decided::Rule("type A | B"),
            Decided::ObjectsRule("objects"),
            Decided::Serde,
        ] {
            for (field, rust_type) in [("actions[]", "Vec<CaseAction>"), ("", "")] {
                let origin = Origin { field, rust_type, decided };
                assert_eq!(Origin::read(&origin.write()), origin);
            }
        }
    }
}
