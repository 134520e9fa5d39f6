//! Which tables there are, and which one the views show.

use pillowtop_fluff::sql::{Schema, SqlDeadLetters};
use serde_json::json;

use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::{Align, Table};

pub(super) async fn status(context: &Context, schemas: &[Schema]) -> Result<Outcome, Failure> {
    let mut table = Table::new(&[
        ("pillow", Align::Left),
        ("table", Align::Left),
        ("shown", Align::Left),
        ("committed", Align::Left),
        ("complete", Align::Left),
        ("dead letters", Align::Right),
    ]);
    let mut listed = Vec::new();
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    for schema in schemas {
        let definition = schema.definition();
        for physical in schema.tables().await? {
            let is_current = physical.hash == definition.hash.to_string();
            let dead_letters = SqlDeadLetters::new(schema.database().clone(), physical.uuid.clone());
            let dead_letters = dead_letters.list().await?.len();
            listed.push(json!({
                "pillow": definition.pillow, "table": physical.name, "shown": physical.is_shown,
                "committed": is_current, "complete": physical.is_complete, "dead_letters": dead_letters,
            }));
            let cells = [
                yes(physical.is_shown),
                yes(is_current),
                yes(physical.is_complete),
                dead_letters.to_string(),
            ];
            table.row([definition.pillow.to_string(), physical.name].into_iter().chain(cells));
        }
    }
    context.ui.table(&table);
    context.ui.json(&json!({"tables": listed}));
    Ok(Outcome::Done)
}

pub(super) async fn flip(context: &Context, schema: &Schema, dry_run: bool) -> Result<Outcome, Failure> {
    let name = &schema.definition().pillow;
    let newest = schema.current().await?.pop().ok_or_else(|| {
        Failure::new(format!("there is no table of `{name}` with the committed definition"))
            .hint(format!("build it: `PROGRAM fluff build {name}`"))
    })?;
    let changes = !newest.is_shown;
    if changes && !newest.is_complete {
        return Err(Failure::new(format!("table `{}` is not complete", newest.name))
            .hint(format!("`PROGRAM fluff build {name}` resumes it")));
    }
    if changes && !dry_run {
        schema.flip(&newest).await?;
    }
    let outcome = match (changes, dry_run) {
        (false, _) => "the views show it already",
        (true, true) => "the views would show it",
        (true, false) => "the views show it",
    };
    context.ui.text(&format!("{name}: table `{}`: {outcome}", newest.name));
    context.ui.json(&json!({"pillow": name, "table": newest.name, "changed": changes && !dry_run}));
    Ok(Outcome::Done)
}

pub(super) async fn rollback(context: &Context, schema: &Schema, dry_run: bool) -> Result<Outcome, Failure> {
    let name = &schema.definition().pillow;
    let earlier = if dry_run { schema.earlier().await? } else { schema.rollback().await? };
    let verb = if dry_run { "would show" } else { "show" };
    context.ui.text(&format!("{name}: the views {verb} table `{}`", earlier.name));
    context.ui.json(&json!({"pillow": name, "table": earlier.name, "changed": !dry_run}));
    Ok(Outcome::Done)
}

pub(super) async fn prune(context: &Context, schema: &Schema, dry_run: bool) -> Result<Outcome, Failure> {
    let name = &schema.definition().pillow;
    let mut pruned = Vec::new();
    for table in schema.unused().await? {
        if !dry_run {
            schema.drop_table(&table).await?;
        }
        let verb = if dry_run { "would drop" } else { "dropped" };
        context.ui.text(&format!("{name}: {verb} table `{}`", table.name));
        pruned.push(table.name);
    }
    if pruned.is_empty() {
        context.ui.text(&format!("{name}: there is no unused table"));
    }
    context.ui.json(&json!({"pillow": name, "tables": pruned, "changed": !dry_run}));
    Ok(Outcome::Done)
}

pub(super) async fn dead_letters(context: &Context, schema: &Schema) -> Result<Outcome, Failure> {
    let mut table = Table::new(&[("table", Align::Left), ("document", Align::Left), ("reason", Align::Left)]);
    let mut listed = Vec::new();
    for physical in schema.tables().await? {
        let dead_letters = SqlDeadLetters::new(schema.database().clone(), physical.uuid);
        for letter in dead_letters.list().await? {
            table.row([physical.name.clone(), letter.id.to_string(), letter.reason.clone()]);
            listed.push(json!(letter));
        }
    }
    context.ui.table(&table);
    context.ui.json(&json!({"dead_letters": listed}));
    Ok(Outcome::Done)
}
