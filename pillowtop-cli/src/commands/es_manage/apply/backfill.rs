//! Every document of an index is indexed again by its owner, so that old ones have new fields.

use std::collections::BTreeMap;
use std::sync::Arc;

use pillowtop_core::{DatabaseName, Definition, DocumentId};
use pillowtop_runtime::claim::WhenHeld;
use pillowtop_runtime::engine::Served;
use pillowtop_runtime::request::{RequestKind, RequestResult};
use pillowtop_runtime::target::TargetRef;
use pillowtop_runtime::target::elastic::{Backfill, IndexStatus, IndexedId};
use pillowtop_runtime::touch::{Part, Touch, TouchError, TouchEvent, touch};

use super::Applier;
use crate::exit::Failure;
use crate::output::{Steps, counted};
use crate::servers;

impl Applier<'_> {
    /// Touches all documents of an extended index, from where an earlier run stopped.
    pub(super) async fn backfill(&self, definition: &Definition, index: &IndexStatus) -> Result<(), Failure> {
        let (context, cluster) = (self.context, self.servers.cluster()?);
        let name = &definition.pillow;
        let served = self.servers.served(context, context.pillow(name.as_str())?)?;
        let mut backfill = cluster
            .backfill(&index.uuid)
            .await?
            .unwrap_or_else(|| Backfill { hash: definition.hash.to_string(), ..Backfill::default() });
        // What was written before is to be listed.
        cluster.refresh(&index.name).await?;
        let steps = Steps::start(&context.ui, &format!("{name}: backfilling"), backfill.total);
        let mut sum = RequestResult::default();
        loop {
            let (ids, last) = cluster.indexed_ids(&index.name, backfill.after.as_ref()).await?;
            let Some(last) = last else { break };
            backfill.done += ids.len() as u64;
            for (database, ids) in by_database(ids) {
                sum += self.touch(&served, index, database, ids).await?;
            }
            backfill.after = Some(last);
            cluster.store_backfill(&index.uuid, Some(&backfill)).await?;
            steps.set(backfill.done.min(backfill.total));
        }
        drop(steps);
        cluster.end_extension(&index.name, &index.uuid).await?;
        let dead_letters = match sum.dead_letters {
            0 => String::new(),
            some => format!(
                "; {} keep an older version: see `dead-letters list {name}`",
                counted(some, "document")
            ),
        };
        context.ui.text(&format!(
            "{}: {} indexed again{dead_letters}",
            index.name,
            counted(sum.total(), "document")
        ));
        Ok(())
    }

    async fn touch(
        &self,
        served: &Served,
        index: &IndexStatus,
        database: DatabaseName,
        ids: Vec<DocumentId>,
    ) -> Result<RequestResult, Failure> {
        let (context, servers) = (self.context, self.servers);
        let target = TargetRef { name: index.name.clone(), uuid: index.uuid.clone() };
        let part = Part { target, database };
        let touched =
            Touch { kind: RequestKind::Touch, ids, acquire: servers::acquire(context, WhenHeld::Fail) };
        let store = Arc::clone(servers.lease()?.store());
        let notify = |event| match event {
            TouchEvent::Paused(reason) => context.ui.note(&format!("{}: paused: {reason}", index.name)),
            TouchEvent::Resumed => context.ui.note(&format!("{}: resumed", index.name)),
            _ => {}
        };
        let done = touch(&servers.engine, served, &store, &part, &touched, self.stop.token(), notify).await;
        done.map_err(|error| match error {
            TouchError::Stopped(_) => Failure::new(format!("stopped before `{}` was backfilled", index.name))
                .hint("`PROGRAM es-manage apply` continues from here"),
            error => error.into(),
        })
    }
}

/// The ids of each database.
fn by_database(ids: Vec<IndexedId>) -> BTreeMap<DatabaseName, Vec<DocumentId>> {
    let mut all: BTreeMap<DatabaseName, Vec<DocumentId>> = BTreeMap::new();
    for IndexedId { database, id } in ids {
        all.entry(database).or_default().push(id);
    }
    all
}
