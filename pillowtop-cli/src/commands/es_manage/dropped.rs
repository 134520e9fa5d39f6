//! An index that the service of this release does not follow any more, because searches moved from
//! it to another one of the same mapping: this process follows it until searches are back on it.

use std::sync::Arc;

use pillowtop_core::{AnyPillow, IndexName};
use pillowtop_runtime::claim::WhenHeld;
use pillowtop_runtime::engine::Served;
use pillowtop_runtime::reader::ReadMode;
use pillowtop_runtime::service::{ServiceOptions, WhenFailing, serve};
use pillowtop_runtime::target::TargetRef;
use pillowtop_runtime::target::elastic::{IndexStatus, Overview};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::exit::Failure;
use crate::one_target::OneTarget;
use crate::servers::{self, Servers};

/// The index as something to follow, if it was dropped: it has the mapping of this release, nobody
/// follows it, and a process that can do so once it is searched follows the one that is searched
/// now.
pub(super) fn dropped(
    context: &Context,
    servers: &Servers,
    overview: &Overview,
    (pillow, now, before): (&Arc<dyn AnyPillow>, &IndexName, &IndexName),
) -> Result<Option<Served>, Failure> {
    let hash = pillow.definition().hash.to_string();
    let is_owned = |index: &IndexStatus| {
        !index.claims.is_empty() && index.claims.iter().all(|(_, claim)| overview.live_owner(claim).is_some())
    };
    let (Some(now), Some(before)) = (overview.index(now), overview.index(before)) else { return Ok(None) };
    if before.hash != hash || now.hash != hash || is_owned(before) || !is_owned(now) {
        return Ok(None);
    }
    let served = servers.served(context, pillow)?;
    let target = TargetRef { name: before.name.clone(), uuid: before.uuid.clone() };
    let destination = Arc::new(OneTarget { all: Arc::clone(&served.destination), target });
    Ok(Some(Served { destination, ..served }))
}

/// Does something while dropped indices are followed.
pub(super) async fn while_followed<T>(
    context: &Context,
    servers: &Servers,
    dropped: Vec<Served>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    if dropped.is_empty() {
        return work.await;
    }
    let options = ServiceOptions {
        mode: ReadMode::Follow,
        acquire: servers::acquire(context, WhenHeld::Standby),
        when_failing: WhenFailing::Stop,
    };
    let stop = CancellationToken::new();
    let working = async {
        let done = work.await;
        stop.cancel();
        done
    };
    let (followed, done) = tokio::join!(serve(&servers.engine, dropped, &options, &stop), working);
    match (done, followed) {
        (Err(_), Err(error)) => Err(error.into()),
        (done, _) => done,
    }
}
