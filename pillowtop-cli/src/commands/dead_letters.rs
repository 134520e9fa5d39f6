//! `dead-letters`: the changes that could not be indexed.

use pillowtop_runtime::target::elastic::DeadLetterFilter;
use serde_json::json;

use crate::arguments::DeadLetterAction;
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::output::{Align, Table};
use crate::servers::{self, WhenUnreachable};

/// The most dead letters that are listed.
const MOST: usize = 10_000;
/// The longest reason in a table, in characters.
const REASON: usize = 100;

pub(crate) async fn run(context: &Context, action: &DeadLetterAction) -> Result<Outcome, Failure> {
    let DeadLetterAction::List { name } = action;
    let pillow = match name {
        Some(name) => Some(context.pillow(name)?.definition().pillow.clone()),
        None => None,
    };
    let cluster = servers::cluster(context, WhenUnreachable::Fail).await?;
    let filter = DeadLetterFilter { pillow, ..DeadLetterFilter::default() };
    let page = cluster.dead_letters(&filter, MOST, None).await?;
    let letters: Vec<_> = page.letters.into_iter().map(|stored| stored.letter).collect();
    let mut table = Table::new(&["time", "pillow", "id", "stage", "reason"].map(|name| (name, Align::Left)));
    for letter in &letters {
        let stage = json!(letter.stage).as_str().unwrap_or_default().to_owned();
        let reason = cut(&letter.reason);
        table.row([letter.time.clone(), letter.pillow.to_string(), letter.id.to_string(), stage, reason]);
    }
    if letters.is_empty() {
        context.talk.text("no dead letters");
    } else {
        context.talk.table(&table);
    }
    context.talk.json(&json!({"dead_letters": letters}));
    Ok(Outcome::Done)
}

/// A reason as long as a table takes; `…` says that there is more, which `--json` shows.
fn cut(reason: &str) -> String {
    if reason.chars().count() <= REASON {
        return reason.to_owned();
    }
    reason.chars().take(REASON - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_is_cut_says_so() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"é".repeat(REASON)), "é".repeat(REASON));
        assert_eq!(cut(&"é".repeat(REASON + 1)), "é".repeat(REASON - 1) + "…");
    }
}
