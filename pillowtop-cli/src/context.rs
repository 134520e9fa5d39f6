//! What every command has at hand: pillows, configuration, and somebody to talk to.

use std::collections::BTreeSet;
use std::sync::Arc;

use pillowtop_core::edit_distance::nearest;
use pillowtop_core::{AnyPillow, Definition, Registry};
use pillowtop_runtime::engine::DatabaseSelection;

use crate::config::Config;
use crate::exit::Failure;
use crate::output::Ui;

pub(crate) struct Context {
    pub(crate) registry: Registry,
    pub(crate) config: Config,
    pub(crate) ui: Ui,
    /// How this program is run: `cargo xtask`, or its own name.
    pub(crate) program: String,
}

impl Context {
    /// A registered pillow by its name.
    pub(crate) fn pillow(&self, name: &str) -> Result<&Arc<dyn AnyPillow>, Failure> {
        self.registry.get(name).ok_or_else(|| {
            let names: Vec<&str> =
                self.registry.pillows().iter().map(|pillow| pillow.definition().pillow.as_str()).collect();
            let failure = Failure::usage(format!("there is no pillow `{name}`"));
            match nearest(name, names.iter().copied()) {
                Some(known) => failure.hint(format!("did you mean `{known}`?")),
                None => failure.hint(format!("known pillows: {}", names.join(", "))),
            }
        })
    }

    /// The pillows of these names, or the enabled ones; each once, as it would stand in its own
    /// way.
    pub(crate) fn pillows(&self, names: &[String]) -> Result<Vec<Arc<dyn AnyPillow>>, Failure> {
        let named: Vec<&Arc<dyn AnyPillow>> = match &self.config.pillows {
            None if names.is_empty() => self.registry.pillows().iter().collect(),
            Some(enabled) if names.is_empty() => self.each(enabled)?,
            _ => self.each(names)?,
        };
        let mut seen = BTreeSet::new();
        Ok(named.into_iter().filter(|pillow| seen.insert(&pillow.definition().pillow)).cloned().collect())
    }

    /// The pillows of these names, or the enabled ones, that have an index.
    pub(crate) fn indices(&self, names: &[String]) -> Result<Vec<Arc<dyn AnyPillow>>, Failure> {
        Ok(self.pillows(names)?.into_iter().filter(|pillow| !pillow.definition().is_table()).collect())
    }

    /// A pillow with an index, by its name.
    pub(crate) fn index(&self, name: &str) -> Result<&Arc<dyn AnyPillow>, Failure> {
        let pillow = self.pillow(name)?;
        if pillow.definition().is_table() {
            return Err(Failure::usage(format!("`{name}` is a table, and this command is about indices")));
        }
        Ok(pillow)
    }

    /// The pillows whose servers a command looks at that may name one: that one, or else the enabled
    /// ones. What is not registered any more may be on any server.
    pub(crate) fn concerned(&self, name: Option<&str>) -> Result<Vec<Arc<dyn AnyPillow>>, Failure> {
        match name.map(|name| self.registry.get(name)) {
            None => self.pillows(&[]),
            Some(Some(pillow)) => Ok(vec![Arc::clone(pillow)]),
            Some(None) => Ok(self.registry.pillows().to_vec()),
        }
    }

    fn each(&self, names: &[String]) -> Result<Vec<&Arc<dyn AnyPillow>>, Failure> {
        names.iter().map(|name| self.pillow(name)).collect()
    }

    /// The databases that a pillow reads.
    pub(crate) fn databases(&self, definition: &Definition) -> Result<DatabaseSelection, Failure> {
        let named = definition.document.database.ok_or_else(|| {
            Failure::usage(format!("pillow `{}` names no database", definition.pillow))
                .hint("write `#[couch(database = \"…\")]` on its struct")
        })?;
        Ok(self.config.databases(named))
    }
}
