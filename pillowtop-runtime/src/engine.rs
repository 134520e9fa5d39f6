//! What the members of a process share: the readers of databases, memory, cores, and the requests
//! of other processes.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use pillowtop_core::{AnyPillow, DatabaseName, IndexName, PillowName};

use crate::claim::{ClaimStore, Slice};
use crate::inbox::Inbox;
use crate::member::{
    Counters, DecidePool, Decider, Deciders, Member, MemberError, MemberLookup, MemberOptions, MemberParts,
    SharedLookup,
};
use crate::pattern::matches;
use crate::reader::{Budget, Hub, ReaderOptions};
use crate::source::{CouchServer, Source, SourceError};
use crate::target::{Destination, OpenTarget};

/// The share of a process's memory for rows and operations; the rest is for everything else.
const BATCHES_SHARE: usize = 4;

/// How often a position in a range of a load is saved.
const LOAD_SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// The databases of a server.
pub trait Databases: Send + Sync + 'static {
    /// The names of all databases, without those of the server itself.
    fn list(&self) -> BoxFuture<'_, Result<Vec<DatabaseName>, SourceError>>;

    /// Opens one of them. Nothing is requested yet.
    fn open(&self, name: &DatabaseName) -> Arc<dyn Source>;
}

/// One source under one name: a file, a directory, or a single database.
#[derive(Debug)]
pub struct OneDatabase {
    /// What it is called.
    pub name: DatabaseName,
    /// Where changes come from.
    pub source: Arc<dyn Source>,
}

impl Databases for OneDatabase {
    fn list(&self) -> BoxFuture<'_, Result<Vec<DatabaseName>, SourceError>> {
        Box::pin(async { Ok(vec![self.name.clone()]) })
    }

    fn open(&self, _: &DatabaseName) -> Arc<dyn Source> {
        Arc::clone(&self.source)
    }
}

impl Databases for CouchServer {
    fn list(&self) -> BoxFuture<'_, Result<Vec<DatabaseName>, SourceError>> {
        Box::pin(async { Ok(self.databases().await?) })
    }

    fn open(&self, name: &DatabaseName) -> Arc<dyn Source> {
        Arc::new(self.database(name.clone()))
    }
}

/// Which databases a pillow reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseSelection {
    /// One. Ids in the target are the documents' own.
    One(DatabaseName),
    /// Several, which may appear and disappear while the service runs.
    Several {
        /// Names, or patterns in which `*` stands for any characters.
        patterns: Vec<String>,
        /// Whether no two databases have documents of the same id. Otherwise ids in the target are
        /// `<database>/<_id>`.
        ids_are_global: bool,
    },
}

impl DatabaseSelection {
    /// The databases among these that are selected, or why there are none.
    ///
    /// # Errors
    ///
    /// The patterns that match no database.
    pub fn select(&self, all: &[DatabaseName]) -> Result<BTreeSet<DatabaseName>, Vec<String>> {
        let Self::Several { patterns, .. } = self else { return Ok(all.iter().cloned().collect()) };
        let mut selected = BTreeSet::new();
        for pattern in patterns {
            if pattern.contains('*') {
                selected.extend(all.iter().filter(|name| matches(pattern, name.as_str())).cloned());
            } else {
                // One that is missing is not passed over: its member is paused.
                selected.insert(DatabaseName::from(pattern.as_str()));
            }
        }
        if selected.is_empty() { Err(patterns.clone()) } else { Ok(selected) }
    }

    /// Whether ids in the target are `<database>/<_id>`, as [`index_id`](crate::index_id::index_id)
    /// makes them.
    pub fn prefixes_ids(&self) -> bool {
        matches!(self, Self::Several { ids_are_global: false, .. })
    }

    /// The slice of a target that one of these databases is read into.
    pub fn slice(&self, database: &DatabaseName) -> Slice {
        match self {
            Self::One(_) => Slice::Whole,
            Self::Several { .. } => Slice::Database(database.clone()),
        }
    }
}

impl fmt::Display for DatabaseSelection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(name) => fmt::Display::fmt(name, formatter),
            Self::Several { patterns, .. } => formatter.write_str(&patterns.join(", ")),
        }
    }
}

/// Why no database is selected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// The databases cannot be listed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// No database has such a name.
    #[error("no database matches {}", patterns.iter().map(|pattern| format!("`{pattern}`")).collect::<Vec<_>>().join(", "))]
    NoDatabase {
        /// The patterns.
        patterns: Vec<String>,
    },
}

/// A pillow to follow.
#[derive(Clone)]
pub struct Served {
    /// The pillow.
    pub pillow: Arc<dyn AnyPillow>,
    /// Where it is followed into.
    pub destination: Arc<dyn Destination>,
    /// What it reads.
    pub databases: DatabaseSelection,
    /// What it has done, and why it is paused when it is.
    pub counters: Arc<Counters>,
    /// The bounds of its members.
    pub options: MemberOptions,
}

/// Options for [`Engine::new`]: how the members of a process share its memory and connections.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// About how many bytes of memory the process may use, whatever the number of pillows. Default:
    /// 256 MB.
    pub memory: usize,
    /// How readers wait, detach and join.
    pub readers: ReaderOptions,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { memory: 256_000_000, readers: ReaderOptions::default() }
    }
}

/// What the members of a process share: readers, memory, cores, and the requests of other
/// processes.
pub struct Engine {
    databases: Arc<dyn Databases>,
    budget: Budget,
    pool: DecidePool,
    readers: ReaderOptions,
    hubs: Mutex<HashMap<DatabaseName, Arc<Hub>>>,
    inboxes: Mutex<HashMap<String, Arc<Inbox>>>,
    /// The lookups of pillows, by the pillows' names.
    lookups: Mutex<HashMap<PillowName, Arc<SharedLookup>>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").field("budget", &self.budget).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine that reads these databases.
    pub fn new(databases: Arc<dyn Databases>, options: EngineOptions) -> Arc<Self> {
        Arc::new(Self {
            databases,
            budget: Budget::new(options.memory / BATCHES_SHARE),
            pool: DecidePool::default(),
            readers: options.readers,
            hubs: Mutex::default(),
            inboxes: Mutex::default(),
            lookups: Mutex::default(),
        })
    }

    /// The readers of a database.
    pub fn hub(&self, database: &DatabaseName) -> Arc<Hub> {
        let mut hubs = self.hubs.lock().unwrap_or_else(PoisonError::into_inner);
        let hub = hubs.entry(database.clone()).or_insert_with(|| {
            Hub::new(self.databases.open(database), self.budget.clone(), self.readers.clone())
        });
        Arc::clone(hub)
    }

    /// A member of a pillow for a database and an open target.
    ///
    /// # Errors
    ///
    /// When the open dead letters cannot be read.
    pub async fn member(
        &self,
        served: &Served,
        database: &DatabaseName,
        open: OpenTarget,
    ) -> Result<Member, MemberError> {
        self.member_of(served, database, self.hub(database), open).await
    }

    /// A member that reads another source of a database, such as a range of its listing.
    pub(crate) async fn loader(
        &self,
        served: &Served,
        database: &DatabaseName,
        source: Arc<dyn Source>,
        open: OpenTarget,
    ) -> Result<Member, MemberError> {
        // What is read again after an interruption is read by ids, which costs more than saving often.
        let save_interval = served.options.save_interval.min(LOAD_SAVE_INTERVAL);
        let options = MemberOptions { save_interval, ..served.options.clone() };
        let served = &Served { options, ..served.clone() };
        // It has no other members to wait for.
        let readers = ReaderOptions { gather: Duration::ZERO, ..self.readers.clone() };
        let hub = Hub::new(source, self.budget.clone(), readers);
        self.member_of(served, database, hub, open).await
    }

    async fn member_of(
        &self,
        served: &Served,
        database: &DatabaseName,
        hub: Arc<Hub>,
        open: OpenTarget,
    ) -> Result<Member, MemberError> {
        let queue = self.inbox(open.claim.lease().store()).subscribe(open.claim.key());
        let parts = MemberParts {
            pillow: Arc::clone(&served.pillow),
            hub,
            name: member_name(served, database, &open.claim.target()),
            open,
            prefixes_ids: served.databases.prefixes_ids(),
            counters: Arc::clone(&served.counters),
            options: served.options.clone(),
            pool: self.pool.clone(),
            lookup: self.lookup(&served.pillow),
        };
        Member::new(parts, queue).await
    }

    /// What decides documents of a database for a target, outside of a member.
    pub(crate) fn deciders(&self, served: &Served, database: &DatabaseName, target: &IndexName) -> Deciders {
        let lookup = self.lookup(&served.pillow).map(|shared| Arc::new(MemberLookup::new(shared)));
        let decider = Decider {
            pillow: Arc::clone(&served.pillow),
            target: target.clone(),
            database: database.clone(),
            prefixes_ids: served.databases.prefixes_ids(),
            keeps_bodies: false,
        };
        Deciders { decider, pool: self.pool.clone(), lookup }
    }

    /// The lookup of a pillow, whatever the number of its members.
    fn lookup(&self, pillow: &Arc<dyn AnyPillow>) -> Option<Arc<SharedLookup>> {
        let lookup = pillow.lookup()?;
        let mut lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        let name = pillow.definition().pillow.clone();
        Some(Arc::clone(lookups.entry(name).or_insert_with(|| SharedLookup::new(lookup))))
    }

    fn inbox(&self, store: &Arc<dyn ClaimStore>) -> Arc<Inbox> {
        let mut inboxes = self.inboxes.lock().unwrap_or_else(PoisonError::into_inner);
        let inbox =
            inboxes.entry(store.describe()).or_insert_with(|| Arc::new(Inbox::start(Arc::clone(store))));
        Arc::clone(inbox)
    }

    /// The databases that are selected now.
    ///
    /// # Errors
    ///
    /// When none is, or the databases cannot be listed.
    pub async fn selected(
        &self,
        selection: &DatabaseSelection,
    ) -> Result<BTreeSet<DatabaseName>, SelectionError> {
        match selection {
            DatabaseSelection::One(name) => Ok(BTreeSet::from([name.clone()])),
            several @ DatabaseSelection::Several { .. } => {
                let all = self.databases.list().await?;
                several.select(&all).map_err(|patterns| SelectionError::NoDatabase { patterns })
            }
        }
    }
}

/// What counters and logs call a member.
pub(crate) fn member_name(served: &Served, database: &DatabaseName, target: &IndexName) -> String {
    let pillow = &served.pillow.definition().pillow;
    match &served.databases {
        DatabaseSelection::One(_) => format!("{pillow} ({target})"),
        DatabaseSelection::Several { .. } => format!("{pillow} ({target}, {database})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_select_databases() {
        let all: Vec<DatabaseName> = ["clinic-a", "clinic-b", "users", "logs"].map(DatabaseName::from).into();
        let several = |patterns: &[&str]| DatabaseSelection::Several {
            patterns: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(),
            ids_are_global: false,
        };
        let names = |patterns: &[&str]| {
            several(patterns)
                .select(&all)
                .map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(names(&["clinic-*"]), Ok(vec!["clinic-a".to_owned(), "clinic-b".to_owned()]));
        assert_eq!(names(&["users", "*-b"]), Ok(vec!["clinic-b".to_owned(), "users".to_owned()]));
        assert_eq!(names(&["*"]).map(|names| names.len()), Ok(4));
        assert_eq!(names(&["cl*n*c-a"]), Ok(vec!["clinic-a".to_owned()]));
        assert_eq!(names(&["nothing-*"]), Err(vec!["nothing-*".to_owned()]));
        let missing = names(&["users", "missing"]);
        assert_eq!(
            missing,
            Ok(vec!["missing".to_owned(), "users".to_owned()]),
            "it is paused, not passed over"
        );
    }
}
