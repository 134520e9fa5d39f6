//! The state of a pillow's index, from what one overview shows, and what to do next.

use std::collections::BTreeMap;
use std::fmt;

use chrono::DateTime;
use pillowtop_core::{AliasName, DatabaseName, Definition, IndexName};
use pillowtop_runtime::claim::{ClaimDocument, Phase, Slice, Verified};
use pillowtop_runtime::target::elastic::{Backfill, GateOptions, IndexHealth, IndexStatus, Overview};

/// How far a pillow's index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum State {
    /// What is searched is the index of the committed mapping, and it is followed.
    Current,
    /// It is loaded or catches up; in percent as far as that is known.
    Building(Option<u64>),
    /// It is complete, and searches use another one or none.
    Ready,
    /// It is searched, and no process follows it.
    NotFollowed,
    /// It is searched and followed, and many changes are missing in it.
    Behind,
    /// Nothing is applied to it now.
    Paused,
    /// The name of the alias is used by something that pillowtop did not make.
    Unmanaged,
    /// There is no index of the committed mapping.
    Missing,
    /// Its mapping was extended, and not all documents have been indexed again; in percent.
    Backfilling(u64),
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.percent() {
            Some(percent) => write!(formatter, "{} {percent} %", self.name()),
            None => formatter.write_str(self.name()),
        }
    }
}

impl State {
    /// Its name without how far it is.
    pub(in crate::commands) fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Building(_) => "building",
            Self::Ready => "ready",
            Self::NotFollowed => "not followed",
            Self::Behind => "behind",
            Self::Paused => "paused",
            Self::Unmanaged => "unmanaged",
            Self::Missing => "missing",
            Self::Backfilling(_) => "backfilling",
        }
    }

    /// How far it is, in percent, where that is known.
    pub(in crate::commands) fn percent(self) -> Option<u64> {
        match self {
            Self::Building(percent) => percent,
            Self::Backfilling(percent) => Some(percent),
            _ => None,
        }
    }
}

/// What is known of a pillow's index.
#[derive(Debug, Clone)]
pub(in crate::commands) struct PillowStatus<'a> {
    pub(in crate::commands) definition: &'a Definition,
    pub(in crate::commands) alias: AliasName,
    /// The indices that are searched.
    pub(in crate::commands) searched: Vec<&'a IndexName>,
    /// The index of the committed mapping.
    pub(in crate::commands) index: Option<&'a IndexStatus>,
    pub(in crate::commands) state: State,
    /// Why it is in this state.
    pub(in crate::commands) reason: Option<String>,
    /// The processes that follow it, or that build it.
    pub(in crate::commands) owners: Vec<String>,
    /// How many changes are not applied, as far as is known.
    pub(in crate::commands) pending: Option<u64>,
    /// For how long changes have been missing, in seconds.
    pub(in crate::commands) lag: Option<u64>,
    /// What the last comparisons of its index with its databases found, if all were compared.
    pub(in crate::commands) verified: Option<Vec<&'a Verified>>,
    /// The command to run next.
    pub(in crate::commands) next: Option<String>,
}

/// The command that leads on from a state of a pillow: `is_shown` where people read some index or
/// table of it, `is_owned` where a process writes to that of the committed mapping. Where nothing
/// can be done but wait, none.
pub(super) fn leads_on(
    state: State,
    name: &str,
    is_shown: bool,
    is_owned: bool,
    differences: Option<u64>,
) -> Option<String> {
    match state {
        State::Missing | State::Building(_) => (!is_owned).then(|| format!("preindex {name}")),
        State::Ready if !is_shown => Some(format!("es-manage flip {name}")),
        State::Ready if is_owned => Some(match differences {
            None => format!("verify {name}"),
            Some(0) => format!("es-manage flip {name}"),
            Some(_) => format!("verify {name} --repair"),
        }),
        // Where several databases are read, a process may follow some of them.
        State::NotFollowed if is_owned => None,
        State::Ready | State::NotFollowed => Some(format!("run {name}")),
        State::Backfilling(_) => Some("es-manage apply".to_owned()),
        State::Current | State::Behind | State::Paused | State::Unmanaged => None,
    }
}

impl PillowStatus<'_> {
    /// How many documents differed when the index was last compared. Nothing if it never was.
    pub(super) fn differences(&self) -> Option<u64> {
        Some(self.verified.as_ref()?.iter().map(|verified| verified.differences()).sum())
    }
}

/// What decides the states of all pillows.
pub(in crate::commands) struct Look<'a> {
    pub(in crate::commands) overview: &'a Overview,
    pub(in crate::commands) prefix: Option<&'a str>,
    /// How many changes a database has in all, where it was asked.
    pub(in crate::commands) feeds: BTreeMap<DatabaseName, u64>,
    /// The present, in seconds since 1970.
    pub(in crate::commands) now: u64,
}

impl<'a> Look<'a> {
    /// The status of one pillow.
    pub(in crate::commands) fn at(&self, definition: &'a Definition) -> PillowStatus<'a> {
        let alias = definition.search_alias(self.prefix);
        let mut status = PillowStatus {
            definition,
            searched: self.overview.indices_of(&alias),
            alias,
            index: self.index_of(definition),
            state: State::Current,
            reason: None,
            owners: Vec::new(),
            pending: None,
            lag: None,
            verified: None,
            next: None,
        };
        if let Some(index) = status.index {
            status.owners = self.owners(index);
            status.pending = self.pending(index);
            status.lag = self.lag(index);
            let results = index.claims.iter().map(|(slice, _)| self.overview.verified(index, slice));
            status.verified = results.collect::<Option<_>>();
        } else if let Some(owner) = self.overview.builder(&definition.hashed_alias(self.prefix)) {
            status.owners = vec![owner.to_string()];
        }
        (status.state, status.reason) = self.state(&status);
        let (is_shown, is_owned) = (!status.searched.is_empty(), !status.owners.is_empty());
        let pillow = definition.pillow.as_str();
        status.next = leads_on(status.state, pillow, is_shown, is_owned, status.differences());
        status
    }

    /// The index of the committed mapping: the one with the hashed alias, else the newest.
    fn index_of(&self, definition: &Definition) -> Option<&'a IndexStatus> {
        let (hash, hashed) = (definition.hash.to_string(), definition.hashed_alias(self.prefix));
        let own = || {
            self.overview
                .indices
                .iter()
                .filter(|index| index.pillow == definition.pillow && index.hash == hash)
        };
        own()
            .find(|index| index.aliases.contains(&hashed))
            .or_else(|| own().max_by_key(|index| index.created))
    }

    fn state(&self, status: &PillowStatus<'_>) -> (State, Option<String>) {
        let because = |reason: &str| Some(reason.to_owned());
        let (alias, overview) = (&status.alias, self.overview);
        let own = |name: &&IndexName| overview.index(name).is_some();
        if overview.foreign.iter().any(|index| index.name.as_str() == alias.as_str()) {
            return (
                State::Unmanaged,
                Some(format!("`{alias}` is an index, so no alias can have this name")),
            );
        }
        if let Some(foreign) = status.searched.iter().find(|name| !own(name)) {
            let reason = format!("alias `{alias}` is on `{foreign}`, which pillowtop did not create");
            return (State::Unmanaged, Some(reason));
        }
        let Some(index) = status.index else {
            let reason = match status.searched.first() {
                Some(searched) => format!("searches use `{searched}`, which has another mapping"),
                None => "there is no index of the committed mapping".to_owned(),
            };
            return (State::Missing, Some(reason));
        };
        if index.is_backfilling {
            let percent = overview.backfills.get(&index.uuid).map_or(0, Backfill::percent);
            let reason = because("its mapping was extended; old documents lack the new fields");
            return (State::Backfilling(percent), reason);
        }
        if !self.is_complete(status.definition, index) {
            return (State::Building(self.percent(index)), None);
        }
        if let Some(reason) = unusable(index) {
            return (State::Paused, Some(reason));
        }
        let is_followed = self.is_followed(index);
        if let Some(reason) = self.pause_reason(index).filter(|_| is_followed) {
            return (State::Paused, Some(reason));
        }
        match status.searched.as_slice() {
            [only] if **only == index.name => {}
            [] => return (State::Ready, because("the alias is on no index yet")),
            [old, ..] => return (State::Ready, Some(format!("searches still use `{old}`"))),
        }
        if !is_followed {
            return (State::NotFollowed, because("no process applies changes to it"));
        }
        match status.pending {
            Some(pending) if pending > GateOptions::default().most_pending => {
                (State::Behind, Some(format!("{pending} changes are pending")))
            }
            _ => (State::Current, None),
        }
    }

    /// Whether every part of an index is followed, and the last step of its load is made: the
    /// hashed alias.
    fn is_complete(&self, definition: &Definition, index: &IndexStatus) -> bool {
        let is_following = |(_, claim): &(Slice, ClaimDocument)| claim.state.phase == Phase::Following;
        index.aliases.contains(&definition.hashed_alias(self.prefix))
            && !index.claims.is_empty()
            && index.claims.iter().all(is_following)
    }

    /// Whether each part of an index has an owner that is alive.
    pub(in crate::commands) fn is_followed(&self, index: &IndexStatus) -> bool {
        !index.claims.is_empty()
            && index.claims.iter().all(|(_, claim)| self.overview.live_owner(claim).is_some())
    }

    /// Who writes to an index, each once.
    pub(super) fn owners(&self, index: &IndexStatus) -> Vec<String> {
        let owners = index.claims.iter().filter_map(|(_, claim)| self.overview.live_owner(claim));
        let mut labels: Vec<String> = owners.map(ToString::to_string).collect();
        labels.sort();
        labels.dedup();
        labels
    }

    fn pause_reason(&self, index: &IndexStatus) -> Option<String> {
        let mut reports = index.claims.iter().filter_map(|(slice, _)| self.overview.report(index, slice));
        reports.find_map(|report| report.paused.clone())
    }

    fn pending(&self, index: &IndexStatus) -> Option<u64> {
        let reports = index.claims.iter().filter_map(|(slice, _)| self.overview.report(index, slice));
        let pending: Vec<u64> = reports.filter_map(|report| report.pending).collect();
        (!pending.is_empty()).then(|| pending.iter().sum())
    }

    /// For how long changes have been missing: since nothing was pending last, or, without an
    /// owner, since the position was last saved.
    fn lag(&self, index: &IndexStatus) -> Option<u64> {
        let since = index.claims.iter().filter_map(|(slice, claim)| {
            if self.overview.live_owner(claim).is_none() {
                return Some(claim.saved.clone());
            }
            self.overview.report(index, slice)?.behind_since.clone()
        });
        let longest =
            since.filter_map(|since| seconds(&since)).map(|since| self.now.saturating_sub(since)).max();
        longest.or_else(|| self.is_followed(index).then_some(0))
    }

    /// How much of the databases an index has, in percent.
    fn percent(&self, index: &IndexStatus) -> Option<u64> {
        let mut of_all = (0, 0);
        for (slice, claim) in &index.claims {
            let total = *self.feeds.get(&claim.state.database.name)?;
            let pending = self.overview.report(index, slice).and_then(|report| report.pending)?;
            of_all.0 += total.saturating_sub(pending);
            of_all.1 += total;
        }
        of_all.0.saturating_mul(100_u64).checked_div(of_all.1)
    }
}

/// Why nothing can be read from an index or written to it.
fn unusable(index: &IndexStatus) -> Option<String> {
    match index.health {
        IndexHealth::Closed => Some(format!("`{}` is closed", index.name)),
        IndexHealth::Red => Some(format!("`{}` is red: a shard has no active primary", index.name)),
        _ if !index.blocks.is_empty() => {
            Some(format!("`{}` is read-only: block `{}`", index.name, index.blocks.join("`, `")))
        }
        _ => None,
    }
}

/// A time, RFC 3339, in seconds since 1970.
pub(super) fn seconds(time: &str) -> Option<u64> {
    u64::try_from(DateTime::parse_from_rfc3339(time).ok()?.timestamp()).ok()
}

#[cfg(test)]
mod tests;
