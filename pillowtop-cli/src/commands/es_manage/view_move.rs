//! Views that are to show another table, the reasons against it, and the move.

use pillowtop_core::{Definition, IndexName};
use pillowtop_runtime::target::elastic::GateOptions;
use serde_json::{Value, json};

use super::alias_move::movement;
use super::table_status::{TableStatus, claims_on};
use crate::context::Context;
use crate::exit::Failure;
use crate::servers::Servers;
use crate::target_server::TableInfo;

/// Views that are to show another table, and the reasons against it.
pub(super) struct ViewMove<'a> {
    definition: &'a Definition,
    from: Option<IndexName>,
    to: TableInfo,
    problems: Vec<String>,
}

impl<'a> ViewMove<'a> {
    /// To the newest table of the committed definition.
    pub(super) async fn flip(servers: &Servers, definition: &'a Definition) -> Result<Self, Failure> {
        let status = TableStatus::read(servers.tables()?, definition).await?;
        let name = &definition.pillow;
        let hint = format!("`PROGRAM fast-reindex {name}` builds or resumes it");
        let to = match &status.newest {
            None => {
                let problem = format!("pillow `{name}` has no table of the committed definition");
                return Err(Failure::new(problem).hint(hint));
            }
            Some(table) if !table.is_complete => {
                let problem = format!("table `{}` is not complete", table.target.name);
                return Err(Failure::new(problem).hint(hint));
            }
            Some(table) => table.clone(),
        };
        let from = status.shown().map(|table| table.target.name.clone());
        let mut problems = Vec::new();
        // Where nothing is shown yet, nobody has to follow the table or to have compared it.
        if from.as_ref().is_some_and(|from| *from != to.target.name) {
            if !status.is_followed() {
                problems.push("no process follows it".to_owned());
            }
            match status.differences() {
                None => problems.push("it was not compared with its databases".to_owned()),
                Some(0) => {}
                Some(found) => problems.push(format!("the last comparison found {found} differences")),
            }
            if let Some(pending) =
                status.pending().filter(|pending| *pending > GateOptions::default().most_pending)
            {
                problems.push(format!("{pending} changes are pending"));
            }
        }
        Ok(Self { definition, from, to, problems })
    }

    /// Back to the table that the views showed before, if there is one.
    pub(super) async fn back(servers: &Servers, definition: &'a Definition) -> Result<Option<Self>, Failure> {
        let tables = servers.tables()?;
        let Some(to) = tables.earlier(definition).await? else { return Ok(None) };
        if !to.is_complete {
            return Err(Failure::new(format!("table `{}` is not complete", to.target.name)));
        }
        let from = tables.list(definition).await?.into_iter().find(|table| table.is_shown);
        let claims = claims_on(tables, &to).await?;
        let is_followed = claims.iter().all(|(_, claim)| claim.live_owner().is_some());
        let mut problems = Vec::new();
        if claims.is_empty() || !is_followed {
            problems.push("no process follows it".to_owned());
        }
        Ok(Some(Self { definition, from: from.map(|table| table.target.name), to, problems }))
    }

    /// Why the views do not move.
    pub(super) fn refusal(&self) -> Option<Failure> {
        if self.problems.is_empty() {
            return None;
        }
        let (name, to) = (&self.definition.pillow, &self.to.target.name);
        let problems = self.problems.join("; ");
        Some(Failure::new(format!("the views of `{name}` do not move to `{to}`: {problems}")).hint(format!(
            "`PROGRAM run {name}` follows it, and `PROGRAM verify {name}` compares it; `--force` moves the views anyway"
        )))
    }

    /// Moves the views, unless nothing is to be changed, and shows it.
    pub(super) async fn run(
        &self,
        context: &Context,
        servers: &Servers,
        dry_run: bool,
    ) -> Result<Value, Failure> {
        let Self { definition, from, to, problems } = self;
        let name = &to.target.name;
        let is_done = from.as_ref() == Some(name);
        if !is_done && !dry_run {
            servers.tables()?.show(definition, to).await?;
        }
        for problem in problems {
            context.ui.note(&format!("overridden by `--force`: {name}: {problem}"));
        }
        let from = from.as_slice();
        context.ui.text(&movement(definition.alias.as_str(), from, name, is_done, dry_run));
        Ok(json!({
            "pillow": definition.pillow, "alias": definition.alias, "from": from, "to": name,
            "moved": !is_done && !dry_run, "problems": problems,
        }))
    }
}
