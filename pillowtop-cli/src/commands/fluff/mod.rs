//! `fluff`: what tables alone can do: queries, and comparing one document.

#[cfg(all(feature = "quickstart", feature = "sqlite"))]
mod chart;

mod query;

#[cfg(all(feature = "quickstart", feature = "sqlite"))]
mod report;

use std::sync::Arc;

use pillowtop_core::AnyPillow;

use crate::arguments::{Fluff, FluffAction};
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::freshness::require_fresh;
use crate::reachable::WhenUnreachable;
use crate::tables::Tables;

#[cfg(all(feature = "quickstart", feature = "sqlite"))]
pub(crate) use report::report;

pub(crate) async fn run(context: &Context, arguments: &Fluff) -> Result<Outcome, Failure> {
    match &arguments.action {
        FluffAction::Query(query) => {
            let (pillow, tables) = open(context, &query.name).await?;
            query::run(context, tables.schema(pillow.definition())?, query).await
        }
        FluffAction::Diff { name, id } => {
            let (pillow, tables) = open(context, name).await?;
            query::diff(context, tables.schema(pillow.definition())?, &pillow, id).await
        }
    }
}

/// A pillow with a table, whose committed definition must be fresh.
async fn open(context: &Context, name: &str) -> Result<(Arc<dyn AnyPillow>, Tables), Failure> {
    let pillow = context.pillow(name)?;
    if !pillow.definition().is_table() {
        return Err(Failure::usage(format!("pillow `{name}` has an index, not a table")));
    }
    require_fresh(std::slice::from_ref(pillow))?;
    let definitions = [pillow.definition()];
    let tables = Tables::connect(context, &definitions, "fluff".to_owned(), WhenUnreachable::Fail).await?;
    Ok((Arc::clone(pillow), tables))
}
