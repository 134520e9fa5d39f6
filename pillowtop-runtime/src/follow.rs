//! Following changes: pillows that stand at one position share a feed.
//!
//! Sequences are never compared, so pillows at different positions cannot start from one of them. Before following, each group reads to the
//! end by itself, one after the other; where the first one's end was is then behind all of them, and they go on together from there. Some
//! changes come twice by it, and none is missed.

use std::sync::Arc;

use pillowtop_core::{AnyPillow, DatabaseName, PillowName, Sequence};
use tokio::sync::watch;

use crate::lease::LeaseKeeper;
use crate::pipeline::{Counters, Pipeline, PipelineOptions, Session, SessionEnd, SessionError};
use crate::sink::{Sink, SinkError};
use crate::source::{ChangesFile, CouchDatabase, CouchError, DocumentFolder, Feed, FeedMode, SourceError};
use crate::state::DatabaseIdentity;

/// A pillow and the index that it is followed into.
#[derive(Clone)]
pub struct Member {
    /// The pillow.
    pub pillow: Arc<dyn AnyPillow>,
    /// The index, whose lease is held.
    pub sink: Arc<dyn Sink>,
    /// What it has done.
    pub counters: Arc<Counters>,
    /// Renews the lease as long as there is a member.
    _keeper: Arc<LeaseKeeper>,
}

impl Member {
    /// A pillow and its index, with counts of zero. From now on the lease is renewed by itself, until the last clone is dropped.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn new(pillow: Arc<dyn AnyPillow>, sink: Arc<dyn Sink>) -> Self {
        Self::counted(pillow, sink, Arc::default())
    }

    /// The same, going on with counts.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn counted(pillow: Arc<dyn AnyPillow>, sink: Arc<dyn Sink>, counters: Arc<Counters>) -> Self {
        let keeper = Arc::new(LeaseKeeper::start(Arc::clone(&sink)));
        Self { pillow, sink, counters, _keeper: keeper }
    }

    /// The pillow's name.
    pub fn name(&self) -> &PillowName {
        &self.pillow.definition().pillow
    }
}

/// Where changes come from.
#[derive(Debug, Clone)]
pub enum ChangesSource {
    /// A CouchDB database.
    Couch(CouchDatabase),
    /// A file of changes.
    File(ChangesFile),
    /// A folder of documents.
    Folder(DocumentFolder),
}

impl ChangesSource {
    /// Which database this is; a file or folder stands for the one named.
    ///
    /// # Errors
    ///
    /// When CouchDB does not answer, or has no such database.
    pub async fn identity(&self, database: &DatabaseName) -> Result<DatabaseIdentity, SourceError> {
        match self {
            Self::Couch(couch) => Ok(couch.info().await?.identity),
            Self::File(file) => Ok(file.identity(database.clone())),
            Self::Folder(folder) => Ok(folder.identity(database.clone())),
        }
    }

    /// How many changes there are, where that is known without asking.
    pub fn total(&self) -> Option<u64> {
        match self {
            Self::Couch(_) => None,
            Self::File(file) => u64::try_from(file.rows()).ok(),
            Self::Folder(folder) => u64::try_from(folder.rows()).ok(),
        }
    }

    /// A file and a folder end, whatever the mode.
    fn feed(&self, since: Sequence, identity: DatabaseIdentity, mode: FeedMode) -> Feed {
        match self {
            Self::Couch(couch) => couch.changes(since, identity, mode),
            Self::File(file) => file.changes(since),
            Self::Folder(folder) => folder.changes(&since),
        }
    }
}

/// Reads to the end of what there is now. Members may stand at different positions; afterwards each has everything up to the end.
///
/// # Errors
///
/// When the feed is broken for good, a lease is lost, or a member's position belongs to another database.
pub async fn catch_up(
    members: &[Member],
    source: &ChangesSource,
    options: &PipelineOptions,
    stop: watch::Receiver<bool>,
) -> Result<SessionEnd, SessionError> {
    let mut end = SessionEnd::Caught(None);
    for group in by_position(members) {
        end = session(&group, source, FeedMode::OneShot, options, &stop).await?;
        if end == SessionEnd::Stopped {
            break;
        }
    }
    Ok(end)
}

/// Follows the changes until a stop is asked for; a file or folder is followed to its end.
///
/// # Errors
///
/// As [`catch_up`].
pub async fn follow(
    members: &[Member],
    source: &ChangesSource,
    options: &PipelineOptions,
    stop: watch::Receiver<bool>,
) -> Result<(), SessionError> {
    let groups = by_position(members);
    if let [first, rest @ ..] = groups.as_slice()
        && !rest.is_empty()
    {
        let mut joined = None;
        for group in &groups {
            if session(group, source, FeedMode::OneShot, options, &stop).await? == SessionEnd::Stopped {
                return Ok(());
            }
            // Where the first group's reading ended, the others read past.
            joined.get_or_insert_with(|| first[0].sink.state().position());
        }
        for member in members {
            save(member, joined.clone()).await?;
        }
    }
    session(members, source, FeedMode::Continuous, options, &stop).await.map(drop)
}

async fn session(
    members: &[Member],
    source: &ChangesSource,
    mode: FeedMode,
    options: &PipelineOptions,
    stop: &watch::Receiver<bool>,
) -> Result<SessionEnd, SessionError> {
    let Some(first) = members.first() else { return Ok(SessionEnd::Caught(None)) };
    let state = first.sink.state();
    let found = source.identity(&state.database.name).await?;
    for member in members {
        let expected = member.sink.state().database;
        if expected != found {
            return Err(SourceError::from(CouchError::replaced(&expected, &found)).into());
        }
    }
    let pipelines = members
        .iter()
        .map(|member| {
            let (pillow, sink) = (Arc::clone(&member.pillow), Arc::clone(&member.sink));
            Pipeline::new(pillow, sink, Arc::clone(&member.counters), options.clone())
        })
        .collect();
    let feed = source.feed(state.position(), found, mode);
    Session::new(pipelines).run(feed, stop.clone()).await
}

async fn save(member: &Member, position: Option<Sequence>) -> Result<(), SessionError> {
    match member.sink.save(position).await {
        Ok(()) => Ok(()),
        Err(SinkError::LeaseLost { reason, .. }) => {
            Err(SessionError::LeaseLost { pillow: member.name().clone(), reason })
        }
        // It is stored with the next position; until then the member only stands where it stood.
        Err(error) => {
            tracing::warn!(pillow = %member.name(), %error, "the joined position is not stored yet");
            Ok(())
        }
    }
}

/// Members by position, byte by byte, in order of their first members.
fn by_position(members: &[Member]) -> Vec<Vec<Member>> {
    let mut groups: Vec<(Sequence, Vec<Member>)> = Vec::new();
    for member in members {
        let position = member.sink.state().position();
        match groups.iter_mut().find(|(found, _)| *found == position) {
            Some((_, group)) => group.push(member.clone()),
            None => groups.push((position, vec![member.clone()])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}
