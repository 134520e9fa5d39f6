//! `[databases]` of the configuration: which databases are read where a struct names one.

use pillowtop_core::DatabaseName;
use pillowtop_core::name::database_name_problem;
use pillowtop_runtime::engine::DatabaseSelection;
use serde::Deserialize;

/// What is read in place of a database that a struct names: another one, or several by names and
/// patterns.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "toml::Value")]
pub(crate) struct Databases(DatabaseSelection);

impl TryFrom<toml::Value> for Databases {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, Self::Error> {
        match value {
            toml::Value::String(name) => match database_name_problem(&name) {
                None => Ok(Self(DatabaseSelection::One(DatabaseName::from(name)))),
                Some(problem) => Err(format!("no database can be named `{name}`: it {problem}")),
            },
            toml::Value::Array(patterns) => several(patterns, false),
            toml::Value::Table(mut table) => {
                let Some(toml::Value::Array(patterns)) = table.remove("match") else {
                    return Err("`match` expects a list of names and patterns".to_owned());
                };
                let ids_are_global = match table.remove("ids_are_global") {
                    None => false,
                    Some(toml::Value::Boolean(value)) => value,
                    Some(_) => return Err("`ids_are_global` expects true or false".to_owned()),
                };
                match table.keys().next() {
                    None => several(patterns, ids_are_global),
                    Some(key) => Err(format!("unknown key `{key}`; `match` and `ids_are_global` are known")),
                }
            }
            _ => Err("expected a database's name, a list of names and patterns, or a table with `match`"
                .to_owned()),
        }
    }
}

fn several(patterns: Vec<toml::Value>, ids_are_global: bool) -> Result<Databases, String> {
    let mut names = Vec::new();
    for pattern in patterns {
        let toml::Value::String(pattern) = pattern else {
            return Err("a list of databases expects strings".to_owned());
        };
        // A pattern is checked as a name without its wildcards.
        let name = pattern.replace('*', "a");
        if let Some(problem) = database_name_problem(&name) {
            return Err(format!("no database matches `{pattern}`: a name that {problem} is not possible"));
        }
        names.push(pattern);
    }
    if names.is_empty() {
        return Err("a list of databases needs at least one name or pattern".to_owned());
    }
    Ok(Databases(DatabaseSelection::Several { patterns: names, ids_are_global }))
}

impl Databases {
    /// The selection.
    pub(crate) fn selection(&self) -> DatabaseSelection {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DatabaseSelection, String> {
        let table: toml::Table = toml::from_str(text).unwrap();
        Databases::try_from(table["hq"].clone()).map(|databases| databases.selection())
    }

    #[test]
    fn one_database_a_list_and_a_table_are_read() {
        assert_eq!(read("hq = \"hq2\""), Ok(DatabaseSelection::One("hq2".into())));
        let several = |patterns: &[&str], ids_are_global| {
            let patterns = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
            Ok(DatabaseSelection::Several { patterns, ids_are_global })
        };
        assert_eq!(read("hq = [\"clinic-*\", \"hq\"]"), several(&["clinic-*", "hq"], false));
        assert_eq!(read("hq = { match = [\"*\"], ids_are_global = true }"), several(&["*"], true));
    }

    #[test]
    fn what_is_not_a_selection_is_named() {
        for (text, expected) in [
            ("hq = \"HQ\"", "no database can be named `HQ`"),
            ("hq = []", "needs at least one"),
            ("hq = [1]", "expects strings"),
            ("hq = [\"Clinic-*\"]", "no database matches `Clinic-*`"),
            ("hq = 1", "expected a database's name"),
            ("hq = { patterns = [\"a\"] }", "`match` expects"),
            ("hq = { match = [\"a\"], global = true }", "unknown key `global`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
