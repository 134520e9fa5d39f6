//! `dead-letters purge`: dead letters are removed without doing anything about their documents.

use std::io::IsTerminal as _;

use pillowtop_core::PillowName;
use pillowtop_runtime::target::elastic::DeadLetterFilter;
use serde_json::json;

use super::check_name;
use crate::commands::confirm::is_confirmed;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::counted;
use crate::servers::target_servers;

pub(super) async fn run(
    context: &Context,
    filter: &DeadLetterFilter,
    yes: bool,
    dry_run: bool,
) -> Result<Outcome, Failure> {
    let is_terminal = std::io::stdin().is_terminal();
    if !yes && !dry_run && !is_terminal {
        return Err(Failure::usage("removing dead letters needs a confirmation, and there is no terminal")
            .hint("give `--yes`, or `--dry-run` to count them"));
    }
    let concerned = context.concerned(filter.pillow.as_ref().map(PillowName::as_str))?;
    let servers = target_servers(context, &concerned).await?;
    let mut count = 0;
    for server in &servers {
        count += server.dead_letters(filter, 0, None).await?.total;
    }
    if count == 0 {
        check_name(context, filter)?;
    }
    if dry_run {
        context.ui.note("dry run: nothing is changed");
        context.ui.text(&format!("would remove {}", counted(count, "dead letter")));
        context.ui.json(&json!({"dry_run": true, "purged": 0, "matching": count}));
        return Ok(Outcome::Done);
    }
    if count == 0 {
        context.ui.text("no dead letters");
    }
    let question = || {
        format!(
            "remove {}? Their documents stay out of the index, or stale in it.",
            counted(count, "dead letter")
        )
    };
    if count > 0 && !yes && !is_confirmed(context, &question())? {
        return Err(Failure::new("no dead letters were removed"));
    }
    let mut purged = 0;
    if count > 0 {
        for server in &servers {
            purged += server.purge_dead_letters(filter).await?;
        }
    }
    if purged > 0 {
        context.ui.text(&format!("removed {}", counted(purged, "dead letter")));
    }
    context.ui.json(&json!({"dry_run": false, "purged": purged, "matching": count}));
    Ok(Outcome::Done)
}
