//! `dead-letters`: the changes that could not be indexed.

use serde_json::json;

use crate::arguments::DeadLetterAction;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::{Align, Table};
use crate::servers::{self, WhenUnreachable};

/// The longest reason in a table, in characters.
const REASON: usize = 100;

pub(crate) async fn run(context: &Context, action: &DeadLetterAction) -> Result<Outcome, Failure> {
    let DeadLetterAction::List { name } = action;
    let pillow = match name {
        Some(name) => Some(context.pillow(name)?.definition().pillow.clone()),
        None => None,
    };
    let cluster = servers::cluster(context, WhenUnreachable::Fail).await?;
    let letters = cluster.dead_letters(pillow.as_ref()).await?;
    let mut table = Table::new(&["time", "pillow", "id", "stage", "reason"].map(|name| (name, Align::Left)));
    for letter in &letters {
        let stage = json!(letter.stage).as_str().unwrap_or_default().to_owned();
        let reason: String = letter.reason.chars().take(REASON).collect();
        table.row([letter.time.clone(), letter.pillow.to_string(), letter.id.to_string(), stage, reason]);
    }
    if letters.is_empty() {
        context.talk.text("no dead letters");
    } else {
        table.lines().iter().for_each(|line| context.talk.text(line));
    }
    context.talk.json(&json!({"dead_letters": letters}));
    Ok(Outcome::Done)
}
