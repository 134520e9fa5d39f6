//! One target of a pillow, whatever shows it.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use pillowtop_runtime::claim::{AcquireOptions, DatabaseIdentity, Slice};
use pillowtop_runtime::target::{Destination, OpenError, OpenTarget, TargetReader, TargetRef};

/// A destination with one of its targets alone.
#[derive(Debug)]
pub(crate) struct OneTarget {
    pub(crate) all: Arc<dyn Destination>,
    pub(crate) target: TargetRef,
}

impl Destination for OneTarget {
    fn targets(&self) -> BoxFuture<'_, Result<Vec<TargetRef>, OpenError>> {
        ready(Ok(vec![self.target.clone()])).boxed()
    }

    fn open<'a>(
        &'a self,
        target: &'a TargetRef,
        slice: Slice,
        begin: Option<DatabaseIdentity>,
        options: AcquireOptions,
    ) -> BoxFuture<'a, Result<OpenTarget, OpenError>> {
        self.all.open(target, slice, begin, options)
    }

    fn reader(&self, target: &TargetRef) -> Option<Arc<dyn TargetReader>> {
        self.all.reader(target)
    }
}
