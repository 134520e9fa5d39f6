//! `fast-reindex --in-place` and its parts: documents are sent again into the index that there is,
//! by its owner.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use pillowtop_core::{AnyPillow, DocumentId, Sequence};
use pillowtop_runtime::engine::Served;
use pillowtop_runtime::source::{CouchDatabase, CouchError, ListedPage, Source as _};
use pillowtop_runtime::touch::parts;

use crate::arguments::{FastReindex, Part};
use crate::commands::process::read_ids;
use crate::commands::touching::{self, Ended, check_database, choose};
use crate::context::Context;
use crate::exit::{Failure, Outcome};
use crate::servers::Servers;
use crate::stop::Stop;

/// Ids of some documents at a time.
type Blocks<'a> = BoxStream<'a, Result<Vec<DocumentId>, Failure>>;

pub(super) async fn run(
    context: &Context,
    servers: &Servers,
    pillow: &Arc<dyn AnyPillow>,
    arguments: &FastReindex,
    stop: &Stop,
) -> Result<Outcome, Failure> {
    let served = servers.served(context, pillow)?;
    let ended = send(context, servers, &served, arguments, stop).await;
    ended.map_err(|failure| failure.for_pillow(&pillow.definition().pillow))
}

async fn send(
    context: &Context,
    servers: &Servers,
    served: &Served,
    arguments: &FastReindex,
    stop: &Stop,
) -> Result<Outcome, Failure> {
    let wanted = &arguments.part;
    let database = wanted.database.as_deref();
    let named = wanted.ids.as_deref().map(read_ids).transpose()?;
    if named.is_some() {
        check_database(&served.databases, database)?;
    }
    let chosen = choose(parts(&servers.engine, served).await?, database)?;
    let databases = chosen.iter().map(|part| &part.database).collect::<HashSet<_>>();
    if databases.len() > 1 && (wanted.since.is_some() || wanted.until.is_some()) {
        return Err(Failure::usage("a position belongs to one database, and the pillow reads several")
            .hint("name one by `--database`"));
    }
    let mut all = Vec::new();
    for part in &chosen {
        let database = servers.couch.database(part.database.clone());
        let (blocks, documents): (Blocks<'_>, u64) = match &named {
            Some(ids) => block(ids.clone()),
            None if wanted.reads_feed() => block(changed(&database, wanted).await?),
            None => (listed(&database), database.info().await?.documents),
        };
        all.push(if arguments.dry_run {
            Ended { served: served.clone(), part: part.clone(), documents, result: None }
        } else {
            touching::run_blocks(context, servers, (served, part), blocks, documents, stop).await?
        });
    }
    if arguments.dry_run {
        context.ui.note("dry run: nothing is changed");
    }
    Ok(touching::show_all(context, &all, arguments.dry_run))
}

/// All documents, page by page.
fn listed(database: &CouchDatabase) -> Blocks<'_> {
    let ids = |page: ListedPage| page.documents.into_iter().map(|document| document.id).collect();
    database.list().map_ok(ids).map_err(Failure::from).boxed()
}

fn block(ids: Vec<DocumentId>) -> (Blocks<'static>, u64) {
    let documents = ids.len() as u64;
    (stream::iter([Ok(ids)]).boxed(), documents)
}

/// The documents that changed after one position and not after another. Positions have no order:
/// what comes after the later one is taken away from what comes after the earlier one.
async fn changed(database: &CouchDatabase, wanted: &Part) -> Result<Vec<DocumentId>, Failure> {
    let position = |text: &Option<String>| text.as_deref().map_or_else(Sequence::start, Sequence::from);
    let ids = |since: Sequence| async move {
        let ids = database.changed_ids(&since, wanted.selector.as_ref()).await;
        ids.map_err(|error| match error {
            CouchError::UnknownPosition { database, reason } => {
                Failure::usage(format!("`{since}` is not a position of database `{database}`: {reason}"))
            }
            error => error.into(),
        })
    };
    let mut changed = ids(position(&wanted.since)).await?;
    if wanted.until.is_some() {
        let later: HashSet<DocumentId> = ids(position(&wanted.until)).await?.into_iter().collect();
        changed.retain(|id| !later.contains(id));
    }
    Ok(changed)
}
