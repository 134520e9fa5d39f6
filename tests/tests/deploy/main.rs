//! Deploys of several releases, one after the other, while documents are written and searched.

#[path = "../commands/support.rs"]
#[expect(dead_code, reason = "the world of the commands' tests, of which these need a part")]
mod support;

mod ledger;
mod releases;

mod scenario;
mod script;
