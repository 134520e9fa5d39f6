//! The claims of all indices and tables, and those that a command is about.

use std::sync::Arc;

use pillowtop_core::{AnyPillow, Definition, IndexName};
use pillowtop_runtime::claim::{ClaimDocument, ClaimKey, ClaimStore, Phase};

use crate::arguments::Of;
use crate::context::Context;
use crate::exit::Failure;
use crate::servers::target_servers;

/// A claim on an index or a table, or on the part of it that is read from one database.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) index: IndexName,
    pub(super) key: ClaimKey,
    pub(super) claim: ClaimDocument,
    /// Where it is stored.
    pub(super) store: Arc<dyn ClaimStore>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (&self.index, &self.key, &self.claim) == (&other.index, &other.key, &other.claim)
    }
}

/// The claims of all targets that exist on the servers of some pillows, in order of their names.
pub(super) async fn all(context: &Context, pillows: &[Arc<dyn AnyPillow>]) -> Result<Vec<Entry>, Failure> {
    let mut all = Vec::new();
    for server in target_servers(context, pillows).await? {
        let claims = server.claims().await?.into_iter();
        all.extend(claims.map(|(index, key, claim)| Entry { index, key, claim, store: server.store() }));
    }
    Ok(all)
}

/// The claims of a pillow whose positions are to be changed. The position of a load that is not
/// finished is the load's own.
pub(super) fn choose(all: Vec<Entry>, of: &Of, definition: &Definition) -> Result<Vec<Entry>, Failure> {
    let hash = definition.hash.to_string();
    let is_meant = |entry: &Entry| {
        let state = &entry.claim.state;
        let is_index = match &of.index {
            Some(index) => entry.index.as_str() == index,
            None => state.hash == hash,
        };
        let is_database =
            of.database.as_ref().is_none_or(|database| *database == state.database.name.as_str());
        state.pillow == definition.pillow && is_index && is_database
    };
    let meant: Vec<Entry> = all.into_iter().filter(is_meant).collect();
    if meant.is_empty() {
        return Err(nothing(of));
    }
    let loading = meant.iter().find(|entry| entry.claim.state.phase == Phase::Loading).cloned();
    let chosen: Vec<Entry> =
        meant.into_iter().filter(|entry| entry.claim.state.phase != Phase::Loading).collect();
    match loading {
        Some(entry) if chosen.is_empty() => Err(Failure::new(format!(
            "index `{}` is being loaded, and has no checkpoint before it is complete",
            entry.index
        ))
        .hint(format!("`PROGRAM fast-reindex {}` resumes the load", of.name))),
        _ => Ok(chosen),
    }
}

fn nothing(of: &Of) -> Failure {
    let name = &of.name;
    let of_index = of.index.as_ref().map(|index| format!(" in index `{index}`")).unwrap_or_default();
    let of_database =
        of.database.as_ref().map(|database| format!(" for database `{database}`")).unwrap_or_default();
    Failure::new(format!("pillow `{name}` has no checkpoint{of_index}{of_database}")).hint(format!(
        "`PROGRAM checkpoint show {name}` lists those there are; `PROGRAM fast-reindex {name}` builds an index"
    ))
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use pillowtop_core::pillow::{Committed, PillowInfo};
    use pillowtop_core::{ChangeMeta, CouchDocument, DocumentInfo, Object, Pillow, Registry};
    use pillowtop_runtime::claim::{ClaimState, DatabaseIdentity, FileClaimStore, Slice};

    use super::*;

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Note;

    impl CouchDocument for Note {
        const MAPPING: &'static Object = &Object::EMPTY;
        const DOCUMENT: DocumentInfo = DocumentInfo { types: &["Note"], ..DocumentInfo::PART };
    }

    impl Pillow for Note {
        type Document<'text> = Self;
        type Index = Self;
        type Lookup = pillowtop_core::lookup::NoLookup;
        const PILLOW: PillowInfo = PillowInfo::named("note", "notes");
        const COMMITTED: Committed = Committed::Unchecked;
        fn accepts(&self) -> bool {
            true
        }
        fn transform(self, _: &ChangeMeta) -> Option<Self> {
            Some(self)
        }
    }

    fn with_definition<T>(work: impl FnOnce(&Definition) -> T) -> T {
        work(Registry::new().with::<Note>().pillows()[0].definition())
    }

    /// A claim of the pillow `note`.
    pub(in super::super) fn entry(index: &str, database: &str, phase: Phase) -> Entry {
        with_definition(|definition| {
            let identity = DatabaseIdentity { name: database.into(), instance_start_time: "1".to_owned() };
            let mut state = ClaimState::new(definition, index.into(), identity, None);
            state.phase = phase;
            state.set_position("5-x".into());
            Entry {
                index: index.into(),
                key: ClaimKey { target: format!("uuid-{index}"), slice: Slice::Database(database.into()) },
                claim: ClaimDocument {
                    state,
                    owner: None,
                    lease_ms: 0,
                    epoch: 1,
                    histories: BTreeMap::new(),
                    saved: "2026-01-01T00:00:00Z".to_owned(),
                },
                store: Arc::new(FileClaimStore::open(tempfile::tempdir().unwrap().path()).unwrap()),
            }
        })
    }

    fn of(index: Option<&str>, database: Option<&str>) -> Of {
        let owned = |text: &str| text.to_owned();
        Of { name: "note".to_owned(), database: database.map(owned), index: index.map(owned), dry_run: false }
    }

    #[test]
    fn all_databases_of_all_complete_indices_are_meant_unless_one_is_named() {
        let mut old = entry("notes_0_1", "a", Phase::Following);
        old.claim.state.hash = "another".to_owned();
        let all = || {
            vec![
                old.clone(),
                entry("notes_1_1", "a", Phase::Following),
                entry("notes_1_1", "b", Phase::CatchingUp),
                entry("notes_1_2", "a", Phase::Loading),
            ]
        };
        let chosen = |of: &Of| with_definition(|definition| choose(all(), of, definition));
        let names = |of: &Of| -> Vec<String> {
            let chosen = chosen(of).unwrap();
            chosen
                .iter()
                .map(|entry| format!("{} {}", entry.index, entry.claim.state.database.name))
                .collect()
        };
        assert_eq!(names(&of(None, None)), ["notes_1_1 a", "notes_1_1 b"]);
        assert_eq!(names(&of(None, Some("b"))), ["notes_1_1 b"]);
        assert_eq!(names(&of(Some("notes_0_1"), None)), ["notes_0_1 a"]);
        let failure = chosen(&of(Some("notes_1_2"), None)).unwrap_err();
        assert!(failure.message.contains("is being loaded"), "{failure:?}");
        let failure = chosen(&of(None, Some("c"))).unwrap_err();
        assert!(failure.message.ends_with("no checkpoint for database `c`"), "{failure:?}");
    }
}
