//! serde's rules that rename all fields of a struct: which words it takes, and what a rule makes of
//! a field's name.

/// `#[serde(rename_all = "…")]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenameRule {
    /// `lowercase`.
    Lower,
    /// `UPPERCASE`.
    Upper,
    /// `PascalCase`.
    Pascal,
    /// `camelCase`.
    Camel,
    /// `snake_case`.
    Snake,
    /// `SCREAMING_SNAKE_CASE`.
    ScreamingSnake,
    /// `kebab-case`.
    Kebab,
    /// `SCREAMING-KEBAB-CASE`.
    ScreamingKebab,
}

impl RenameRule {
    /// All rules, as serde lists them.
    pub const ALL: [Self; 8] = [
        Self::Lower,
        Self::Upper,
        Self::Pascal,
        Self::Camel,
        Self::Snake,
        Self::ScreamingSnake,
        Self::Kebab,
        Self::ScreamingKebab,
    ];

    /// The rule of a word; none of a word that serde does not take.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.word() == word)
    }

    /// The word that names the rule.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lower => "lowercase",
            Self::Upper => "UPPERCASE",
            Self::Pascal => "PascalCase",
            Self::Camel => "camelCase",
            Self::Snake => "snake_case",
            Self::ScreamingSnake => "SCREAMING_SNAKE_CASE",
            Self::Kebab => "kebab-case",
            Self::ScreamingKebab => "SCREAMING-KEBAB-CASE",
        }
    }

    /// The JSON name of a field, as serde makes it of the field's name in snake case.
    #[must_use]
    pub fn apply(self, field: &str) -> String {
        match self {
            Self::Lower | Self::Snake => field.to_owned(),
            Self::Upper | Self::ScreamingSnake => field.to_ascii_uppercase(),
            Self::Kebab => field.replace('_', "-"),
            Self::ScreamingKebab => field.to_ascii_uppercase().replace('_', "-"),
            Self::Pascal => pascal(field),
            Self::Camel => {
                let pascal = pascal(field);
                let mut letters = pascal.chars();
                letters.next().map_or_else(String::new, |first| {
                    first.to_ascii_lowercase().to_string() + letters.as_str()
                })
            }
        }
    }
}

fn pascal(field: &str) -> String {
    let mut name = String::new();
    let mut capital = true;
    for letter in field.chars() {
        if letter == '_' {
            capital = true;
        } else if capital {
            name.push(letter.to_ascii_uppercase());
            capital = false;
        } else {
            name.push(letter);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_does_what_serde_does() {
        macro_rules! by_serde {
            ($($word:literal)+) => {
                vec![$({
                    #[derive(serde::Serialize)]
                    #[serde(rename_all = $word)]
                    struct Renamed {
                        opened_on: (),
                        _id: (),
                        a_b_2: (),
                    }
                    let renamed = Renamed { opened_on: (), _id: (), a_b_2: () };
                    ($word, serde_json::to_value(renamed).unwrap())
                }),+]
            };
        }
        let by_serde = by_serde! {
            "lowercase" "UPPERCASE" "PascalCase" "camelCase" "snake_case" "SCREAMING_SNAKE_CASE" "kebab-case"
            "SCREAMING-KEBAB-CASE"
        };
        assert_eq!(by_serde.len(), RenameRule::ALL.len());
        for (word, object) in by_serde {
            let rule = RenameRule::named(word).unwrap();
            for field in ["opened_on", "_id", "a_b_2"] {
                let name = rule.apply(field);
                assert!(object.get(&name).is_some(), "`{word}` makes `{name}` of `{field}`: {object}");
            }
        }
        assert_eq!(RenameRule::named("Title Case"), None);
    }
}
