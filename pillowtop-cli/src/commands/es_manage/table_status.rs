//! The state of a pillow's tables, and the tables that nothing needs.

use pillowtop_core::Definition;
use pillowtop_runtime::claim::{ClaimDocument, ClaimKey, FollowReport, Leases, Verified, last_verified};
use pillowtop_runtime::clock::now_micros;
use pillowtop_runtime::target::elastic::GateOptions;

use super::state::{State, leads_on, seconds};
use crate::exit::Failure;
use crate::tables::Tables;
use crate::target_server::{TableInfo, TargetServer as _};

/// What is known of the tables of a pillow.
pub(super) struct TableStatus<'a> {
    pub(super) definition: &'a Definition,
    /// All of them.
    pub(super) tables: Vec<TableInfo>,
    /// The newest one of the committed definition.
    pub(super) newest: Option<TableInfo>,
    pub(super) documents: Option<u64>,
    claims: Vec<(ClaimDocument, Option<FollowReport>)>,
    /// What the last comparisons with the databases found, if all were compared.
    pub(super) verified: Option<Vec<Verified>>,
    pub(super) state: State,
    pub(super) reason: Option<String>,
    pub(super) next: Option<String>,
}

impl<'a> TableStatus<'a> {
    pub(super) async fn read(tables: &Tables, definition: &'a Definition) -> Result<Self, Failure> {
        let (all, store) = (tables.list(definition).await?, tables.store());
        let hash = definition.hash.to_string();
        let newest = all.iter().rfind(|table| table.hash == hash).cloned();
        let (mut claims, mut verified, mut documents) = (Vec::new(), Vec::new(), None);
        if let Some(table) = &newest {
            documents = Some(tables.count(definition, table).await?);
            for (key, claim) in claims_on(tables, table).await? {
                verified.push(last_verified(store.as_ref(), &key).await?);
                claims.push((claim, FollowReport::read(store.as_ref(), &key).await?));
            }
        }
        let verified: Option<Vec<Verified>> = verified.into_iter().collect();
        let mut status = Self {
            definition,
            tables: all,
            newest,
            documents,
            verified: verified.filter(|_| !claims.is_empty()),
            claims,
            state: State::Current,
            reason: None,
            next: None,
        };
        (status.state, status.reason) = status.state();
        let is_shown = status.shown().is_some();
        let is_owned = !status.owners().is_empty();
        let pillow = definition.pillow.as_str();
        status.next = leads_on(status.state, pillow, is_shown, is_owned, status.differences());
        Ok(status)
    }

    /// The table that the views show.
    pub(super) fn shown(&self) -> Option<&TableInfo> {
        self.tables.iter().find(|table| table.is_shown)
    }

    /// Who writes to the newest table, each once.
    pub(super) fn owners(&self) -> Vec<String> {
        let owners = self.claims.iter().filter_map(|(claim, _)| claim.live_owner());
        let mut labels: Vec<String> = owners.map(ToString::to_string).collect();
        labels.sort();
        labels.dedup();
        labels
    }

    pub(super) fn is_followed(&self) -> bool {
        !self.claims.is_empty() && self.claims.iter().all(|(claim, _)| claim.live_owner().is_some())
    }

    pub(super) fn differences(&self) -> Option<u64> {
        Some(self.verified.as_ref()?.iter().map(Verified::differences).sum())
    }

    /// How many changes are not applied, as far as is known.
    pub(super) fn pending(&self) -> Option<u64> {
        let pending = self.claims.iter().filter_map(|(_, report)| report.as_ref()?.pending);
        pending.reduce(|all, one| all + one)
    }

    /// For how long changes have been missing, in seconds.
    pub(super) fn lag(&self) -> Option<u64> {
        let now = now_micros() / 1_000_000;
        let since = self.claims.iter().filter_map(|(claim, report)| match claim.live_owner() {
            None => Some(claim.saved.clone()),
            Some(_) => report.as_ref()?.behind_since.clone(),
        });
        let longest = since.filter_map(|since| seconds(&since)).map(|since| now.saturating_sub(since)).max();
        longest.or_else(|| self.is_followed().then_some(0))
    }

    fn state(&self) -> (State, Option<String>) {
        let shown = self.shown();
        let Some(newest) = &self.newest else {
            let reason = match shown {
                Some(shown) => {
                    format!("the views show `{}`, which has another definition", shown.target.name)
                }
                None => "there is no table of the committed definition".to_owned(),
            };
            return (State::Missing, Some(reason));
        };
        if !newest.is_complete {
            return (State::Building(None), None);
        }
        let paused = self.claims.iter().find_map(|(_, report)| report.as_ref()?.paused.clone());
        if let (Some(reason), true) = (paused, self.is_followed()) {
            return (State::Paused, Some(reason));
        }
        match shown {
            Some(shown) if shown.target == newest.target => {}
            Some(shown) => {
                return (State::Ready, Some(format!("the views still show `{}`", shown.target.name)));
            }
            None => return (State::Ready, Some("the views show no table yet".to_owned())),
        }
        if !self.is_followed() {
            return (State::NotFollowed, Some("no process applies changes to it".to_owned()));
        }
        match self.pending() {
            Some(pending) if pending > GateOptions::default().most_pending => {
                (State::Behind, Some(format!("{pending} changes are pending")))
            }
            _ => (State::Current, None),
        }
    }
}

/// The claims on a table, without owners that seem to be gone.
pub(super) async fn claims_on(
    tables: &Tables,
    table: &TableInfo,
) -> Result<Vec<(ClaimKey, ClaimDocument)>, Failure> {
    let (store, mut found) = (tables.store(), Vec::new());
    for (_, key, mut claim) in tables.claims().await? {
        if key.target != table.target.uuid {
            continue;
        }
        if let Some(owner) = claim.owner.take() {
            let mut leases = Leases::default();
            if let Some(lease) = store.read(&owner.lease()).await? {
                leases.add(&owner.lease(), &lease.value);
            }
            claim.owner = leases.seems_alive(&owner, claim.length()).then_some(owner);
        }
        found.push((key, claim));
    }
    Ok(found)
}

/// A table that nothing needs, with the time at which it was last written.
pub(super) struct Unused<'a> {
    pub(super) definition: &'a Definition,
    pub(super) table: TableInfo,
    pub(super) used: String,
    pub(super) documents: u64,
}

/// The tables of these pillows that nothing needs and that were last written before a time.
pub(super) async fn unused<'a>(
    tables: &Tables,
    definitions: impl Iterator<Item = &'a Definition>,
    older_than: &str,
) -> Result<Vec<Unused<'a>>, Failure> {
    let mut all = Vec::new();
    for definition in definitions {
        for table in tables.unused(definition).await? {
            let claims = claims_on(tables, &table).await?;
            // One without a claim was created just now.
            let Some(used) = claims.iter().map(|(_, claim)| claim.saved.clone()).max() else { continue };
            if used.as_str() < older_than && claims.iter().all(|(_, claim)| claim.live_owner().is_none()) {
                let documents = tables.count(definition, &table).await?;
                all.push(Unused { definition, table, used, documents });
            }
        }
    }
    Ok(all)
}
