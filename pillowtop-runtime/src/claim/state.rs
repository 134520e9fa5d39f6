//! What a claim remembers: phase, position, identities. Kept in one document, always written whole.

use pillowtop_core::{DatabaseName, Definition, DocumentId, IndexName, PillowName, Sequence};
use serde::{Deserialize, Serialize};

use crate::operation::Version;

/// How far an index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Documents are copied in; only loaders write.
    Loading,
    /// Changes since the load began are applied.
    CatchingUp,
    /// Changes are followed.
    Following,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Loading => "loading",
            Self::CatchingUp => "catching up",
            Self::Following => "following",
        })
    }
}

/// Which database this is. One that was deleted and created again has another start time, and
/// sequences of the earlier one mean nothing in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseIdentity {
    /// The database's name.
    pub name: DatabaseName,
    /// CouchDB's `instance_start_time`. "0" and an empty string prove nothing: CouchDB before 3.3
    /// and Cloudant always report "0".
    pub instance_start_time: String,
}

impl DatabaseIdentity {
    /// Whether both may be the same database. A start time of "0" matches any, as CouchDB's
    /// replicator has it.
    pub fn matches(&self, other: &Self) -> bool {
        let is_same_time = self.instance_start_time == other.instance_start_time;
        self.name == other.name && (is_same_time || !self.has_start_time() || !other.has_start_time())
    }

    /// Whether the start time distinguishes this database from one of the same name that is created
    /// later. A stored identity that has none is replaced by a matching one that has one, for
    /// instance after an upgrade of CouchDB.
    pub fn has_start_time(&self) -> bool {
        !matches!(self.instance_start_time.as_str(), "" | "0" | "null")
    }
}

/// What a load reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadForm {
    /// The changes feed, with documents.
    #[default]
    Feed,
    /// Ids and revisions from `_all_docs`, and the documents by `_bulk_get`.
    Ids,
    /// `_all_docs` with documents.
    AllDocs,
    /// Ids and revisions from a view, and the documents by `_bulk_get`.
    View,
    /// The index that is searched, by `_reindex` on the server.
    OldIndex,
}

impl LoadForm {
    /// Whether documents are listed in order of their ids, so that the load has ranges.
    pub fn has_ranges(self) -> bool {
        matches!(self, Self::Ids | Self::AllDocs | Self::View)
    }
}

impl std::fmt::Display for LoadForm {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Feed => "feed",
            Self::Ids => "ids",
            Self::AllDocs => "all-docs",
            Self::View => "view",
            Self::OldIndex => "old-index",
        })
    }
}

/// A first load, so that it can be resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadState {
    /// The position that the database reported before the first document was read. If documents are
    /// listed, it was taken by opening the feed.
    pub start: Sequence,
    /// Everything before this position of the load's own feed is acknowledged.
    pub position: Sequence,
    /// Whether the load reads through a selector. A change after which a document no longer matches
    /// the selector is not in it, so catching up begins at `start`.
    #[serde(default)]
    pub uses_selector: bool,
    /// What it reads.
    #[serde(default)]
    pub form: LoadForm,
    /// The view that it reads, as `DESIGN/VIEW`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// The index that it copies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<IndexName>,
    /// The ids at which the listing is divided, one less than there are ranges. Each range has a
    /// claim of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub boundaries: Vec<DocumentId>,
}

impl LoadState {
    /// A load that has read nothing.
    pub fn new(start: Sequence, form: LoadForm) -> Self {
        let position = Sequence::start();
        Self { start, position, uses_selector: false, form, view: None, index: None, boundaries: Vec::new() }
    }

    /// Where catching up begins. A load by the feed continues from its own last position: with
    /// several copies of a shard, the position that `GET /<database>` reported when the load began
    /// may be ahead of the copy that the load read. What is listed, or read through a selector, has
    /// no position.
    fn reached(&self) -> &Sequence {
        if self.uses_selector || self.form != LoadForm::Feed { &self.start } else { &self.position }
    }
}

/// What a claim remembers of its target, or of its slice of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimState {
    /// The pillow.
    pub pillow: PillowName,
    /// The target's name: a physical index.
    pub target: IndexName,
    /// The content hash that the target was created for.
    pub hash: String,
    /// How far it is.
    pub phase: Phase,
    /// Everything before this position is in the target. Present from catching up on.
    pub checkpoint: Option<Sequence>,
    /// The first load, until it is done.
    pub load: Option<LoadState>,
    /// The database that the positions belong to.
    pub database: DatabaseIdentity,
    /// The purge position up to which purged documents were fetched again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purges: Option<Sequence>,
    /// No version above it was sent.
    pub ceiling: Version,
}

impl ClaimState {
    /// The state of an empty target of a definition, to be filled from a database. With `load` it
    /// is loaded first, otherwise its feed is followed from the start.
    pub fn new(
        definition: &Definition,
        target: IndexName,
        database: DatabaseIdentity,
        load: Option<LoadState>,
    ) -> Self {
        Self {
            pillow: definition.pillow.clone(),
            target,
            hash: definition.hash.to_string(),
            phase: if load.is_some() { Phase::Loading } else { Phase::Following },
            checkpoint: None,
            load,
            database,
            purges: None,
            ceiling: Version(0),
        }
    }

    /// Where reading resumes in this phase.
    pub fn position(&self) -> Sequence {
        match (&self.phase, &self.load, &self.checkpoint) {
            (Phase::Loading, Some(load), _) | (_, Some(load), None) => load.position.clone(),
            (_, _, Some(checkpoint)) => checkpoint.clone(),
            (_, None, None) => Sequence::start(),
        }
    }

    /// Sets where reading resumes in this phase.
    pub fn set_position(&mut self, position: Sequence) {
        match (self.phase, &mut self.load) {
            (Phase::Loading, Some(load)) => load.position = position,
            _ => self.checkpoint = Some(position),
        }
    }

    /// Enters the next phase.
    pub fn enter(&mut self, phase: Phase) {
        if self.phase == Phase::Loading {
            self.checkpoint = self.load.as_ref().map(|load| load.reached().clone());
        }
        self.phase = phase;
        if phase == Phase::Following {
            self.load = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> ClaimState {
        ClaimState {
            pillow: "case".into(),
            target: "hqcases_0_1".into(),
            hash: "0".to_owned(),
            phase: Phase::Loading,
            checkpoint: None,
            load: Some(LoadState::new("s0".into(), LoadForm::Feed)),
            database: DatabaseIdentity { name: "db".into(), instance_start_time: "1".to_owned() },
            purges: None,
            ceiling: Version(1),
        }
    }

    #[test]
    fn catching_up_continues_from_the_own_last_position_of_the_load() {
        let mut state = state();
        state.set_position("l1".into());
        assert_eq!(state.position(), "l1".into());
        assert_eq!(state.checkpoint, None);
        state.enter(Phase::CatchingUp);
        assert_eq!(state.position(), "l1".into());
        state.set_position("s1".into());
        state.enter(Phase::Following);
        assert_eq!(state.position(), "s1".into());
        assert_eq!(state.load, None);
    }

    #[test]
    fn catching_up_with_a_listing_continues_from_the_position_before_it() {
        for form in [LoadForm::Ids, LoadForm::AllDocs, LoadForm::View, LoadForm::OldIndex] {
            let load = LoadState::new("s0".into(), form);
            let mut state = ClaimState { load: Some(load), ..state() };
            state.set_position("after:x".into());
            state.enter(Phase::CatchingUp);
            assert_eq!(state.position(), "s0".into());
            let text = serde_json::to_value(form).unwrap();
            assert_eq!(text, form.to_string());
        }
        // A claim of an earlier release.
        let load: LoadState = serde_json::from_str(r#"{"start": "s", "position": "p"}"#).unwrap();
        assert_eq!((load.form, load.reached()), (LoadForm::Feed, &"p".into()));
    }

    #[test]
    fn a_start_time_of_zero_has_no_effect() {
        let identity =
            |time: &str| DatabaseIdentity { name: "db".into(), instance_start_time: time.to_owned() };
        assert!(identity("0").matches(&identity("1700000000")));
        assert!(identity("1700000000").matches(&identity("1700000000")));
        assert!(!identity("1700000000").matches(&identity("1700000001")));
        let other = DatabaseIdentity { name: "other".into(), ..identity("0") };
        assert!(!identity("0").matches(&other));
    }
}
