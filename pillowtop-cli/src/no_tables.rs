//! In place of tables, in a build without them.

#![expect(clippy::unused_async, reason = "it waits in a build with tables")]

use std::sync::Arc;

use futures_util::future::BoxFuture;
use pillowtop_core::Definition;
use pillowtop_runtime::claim::ClaimStore;
use pillowtop_runtime::engine::DatabaseSelection;
use pillowtop_runtime::target::Destination;
use pillowtop_runtime::target::elastic::{DeadLetterFilter, DeadLetterPage, NextPage};

use crate::context::Context;
use crate::exit::Failure;
use crate::reachable::WhenUnreachable;
use crate::target_server::{TableInfo, TargetClaim, TargetServer};

/// There are none.
pub(crate) enum Tables {}

impl Tables {
    pub(crate) async fn connect(
        _: &Context,
        definitions: &[&Definition],
        _: String,
        _: WhenUnreachable,
    ) -> Result<Self, Failure> {
        let names: Vec<&str> = definitions.iter().map(|definition| definition.pillow.as_str()).collect();
        Err(Failure::usage(format!(
            "this program was built without tables, such as `{}`",
            names.join("`, `")
        ))
        .hint("enable the feature `sqlite` or `postgres` of `pillowtop-cli`"))
    }

    pub(crate) fn destination(
        &self,
        _: &Definition,
        _: &DatabaseSelection,
    ) -> Result<Arc<dyn Destination>, Failure> {
        match *self {}
    }

    pub(crate) async fn end(&self) {
        match *self {}
    }

    pub(crate) async fn list(&self, _: &Definition) -> Result<Vec<TableInfo>, Failure> {
        match *self {}
    }

    pub(crate) async fn unused(&self, _: &Definition) -> Result<Vec<TableInfo>, Failure> {
        match *self {}
    }

    pub(crate) async fn earlier(&self, _: &Definition) -> Result<Option<TableInfo>, Failure> {
        match *self {}
    }

    pub(crate) async fn create(&self, _: &Definition) -> Result<TableInfo, Failure> {
        match *self {}
    }

    pub(crate) async fn count(&self, _: &Definition, _: &TableInfo) -> Result<u64, Failure> {
        match *self {}
    }

    pub(crate) async fn complete(&self, _: &Definition, _: &TableInfo) -> Result<(), Failure> {
        match *self {}
    }

    pub(crate) async fn show(&self, _: &Definition, _: &TableInfo) -> Result<(), Failure> {
        match *self {}
    }

    pub(crate) async fn remove(&self, _: &Definition, _: &TableInfo) -> Result<(), Failure> {
        match *self {}
    }
}

impl TargetServer for Tables {
    fn store(&self) -> Arc<dyn ClaimStore> {
        match *self {}
    }

    fn claims(&self) -> BoxFuture<'_, Result<Vec<TargetClaim>, Failure>> {
        match *self {}
    }

    fn dead_letters<'a>(
        &'a self,
        _: &'a DeadLetterFilter,
        _: usize,
        _: Option<&'a NextPage>,
    ) -> BoxFuture<'a, Result<DeadLetterPage, Failure>> {
        match *self {}
    }

    fn purge_dead_letters<'a>(&'a self, _: &'a DeadLetterFilter) -> BoxFuture<'a, Result<u64, Failure>> {
        match *self {}
    }
}
