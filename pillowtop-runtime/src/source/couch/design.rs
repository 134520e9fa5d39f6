//! Design documents: what a view is, whether it is built, and installing one.

use pillowtop_core::Revision;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::database::CouchDatabase;
use super::error::CouchError;
use super::page::{PageRequest, ViewName};

impl CouchDatabase {
    /// A design document, if it exists. `name` is without `_design/`.
    ///
    /// # Errors
    ///
    /// When the server does not respond.
    pub async fn design(&self, name: &str) -> Result<Option<Value>, CouchError> {
        let path = [self.name().as_str(), "_design", name];
        match self.server().get::<Value>(&path, None, "a design document").await {
            Ok(document) => Ok(Some(document)),
            Err(CouchError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a design document over the revision that was seen, or as the first one.
    ///
    /// # Errors
    ///
    /// When the server refuses it: only an administrator of the database may write one.
    pub async fn put_design(
        &self,
        name: &str,
        mut document: Value,
        seen: Option<&Revision>,
    ) -> Result<(), CouchError> {
        if let (Some(revision), Some(members)) = (seen, document.as_object_mut()) {
            members.insert("_rev".to_owned(), revision.as_str().into());
        }
        let request = self.server().request(Method::PUT, &[self.name().as_str(), "_design", name]);
        let request = request.header(CONTENT_TYPE, "application/json").body(document.to_string());
        self.server().send(request, None, "writing a design document").await.map(drop)
    }

    /// How many documents a view lists. The server brings the view up to date before it responds,
    /// and gives up with a status of 500 when that takes long; it then continues to build it.
    ///
    /// # Errors
    ///
    /// When the view does not exist, the server does not respond, or the view is still being built.
    pub async fn view_rows(&self, view: &ViewName) -> Result<u64, CouchError> {
        let wanted = PageRequest { view: Some(view), limit: 1, ..PageRequest::default() };
        Ok(self.page(&wanted).await?.total.unwrap_or(0))
    }

    /// How much of the index of a design document is built, in percent; `None` while none is, or if
    /// the user may not see that.
    pub async fn view_progress(&self, design: &str) -> Option<u64> {
        let tasks =
            self.server().get::<Vec<Value>>(&["_active_tasks"], None, "the active tasks").await.ok()?;
        let id = format!("_design/{design}");
        let of_view = |task: &&Value| {
            task.get("type").and_then(Value::as_str) == Some("indexer")
                && task.get("design_document").and_then(Value::as_str) == Some(&id)
        };
        let progress = |task: &Value| task.get("progress").and_then(Value::as_u64);
        // One for each shard.
        let shards: Vec<u64> = tasks.iter().filter(of_view).filter_map(progress).collect();
        shards.iter().sum::<u64>().checked_div(shards.len() as u64)
    }

    /// Whether the server builds the index of a design document now. `None` if it does not report
    /// that.
    ///
    /// # Errors
    ///
    /// When the server does not respond.
    pub async fn is_building(&self, design: &str) -> Result<Option<bool>, CouchError> {
        let path = [self.name().as_str(), "_design", design, "_info"];
        let info = match self.server().get::<Value>(&path, None, "a design document's index").await {
            Ok(info) => info,
            Err(CouchError::Refused { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(info.pointer("/view_index/updater_running").and_then(Value::as_bool))
    }
}
