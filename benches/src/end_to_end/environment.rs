//! The databases and indices of one measurement, and the configuration that names them. All names
//! begin with one prefix.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use super::documents::couch_document;
use super::http::Http;
use super::servers::{Servers, Versions};
use crate::output::progress;

/// Documents in one request to `CouchDB`.
const SAVED_AT_ONCE: u32 = 1000;

/// The servers, the measured program, and a directory for configuration and output.
pub(super) struct Environment {
    /// Names and versions of the servers.
    pub(super) versions: Versions,
    servers: Servers,
    program: PathBuf,
    directory: tempfile::TempDir,
    name: String,
}

impl Environment {
    /// Asks the servers for their versions, and writes the configuration.
    pub(super) async fn new(servers: Servers, program: PathBuf) -> anyhow::Result<Self> {
        let versions = servers.versions().await?;
        progress(&format!("measuring on {} and {}", versions.couch, versions.elastic));
        if servers.are_temporary() {
            progress(
                "note: the double of CouchDB is slower than CouchDB; measure on one with --couch-url and --elastic-url",
            );
        }
        let name = format!("pillowtop-bench-{}", std::process::id());
        let directory = tempfile::tempdir()?;
        let configuration = format!(
            "pillows = [\"case\"]\n\n[databases]\ncommcarehq = \"{name}\"\n\n[settings]\nnumber_of_replicas = 0\n"
        );
        fs_err::write(directory.path().join("pillowtop.toml"), configuration)?;
        Ok(Self { versions, servers, program, directory, name })
    }

    /// `CouchDB`.
    pub(super) fn couch(&self) -> &Http {
        &self.servers.couch
    }

    /// The search server.
    pub(super) fn elastic(&self) -> &Http {
        &self.servers.elastic
    }

    /// The database that the measured program reads.
    pub(super) fn database(&self) -> &str {
        &self.name
    }

    /// A name for another database, or an index that the measured program does not know.
    pub(super) fn other(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    /// The alias that the measured program gives the index of cases.
    pub(super) fn alias(&self) -> anyhow::Result<String> {
        let registry = commcare::registry();
        let mut pillows = registry.pillows().iter().map(|pillow| pillow.definition());
        let case =
            pillows.find(|definition| definition.pillow.as_str() == "case").context("no pillow `case`")?;
        Ok(case.hashed_alias(Some(&self.name)).to_string())
    }

    /// A directory for the output of processes.
    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The measured program with this configuration, without any of the caller's.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.directory().join("pillowtop.toml")).args(arguments);
        command.current_dir(self.directory()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PILLOWTOP_") {
                command.env_remove(name);
            }
        }
        // URLs may have passwords, which a command line would show to everybody.
        command.env("PILLOWTOP_COUCH_URL", self.couch().url());
        command.env("PILLOWTOP_ELASTIC_URL", self.elastic().url());
        command.env("PILLOWTOP_PREFIX", &self.name);
        command
    }

    /// Creates a database.
    pub(super) async fn create_database(&self, name: &str) -> anyhow::Result<()> {
        self.couch().json(Method::PUT, &format!("/{name}"), &Value::Null).await.map(drop)
    }

    /// Writes documents to a database.
    pub(super) async fn save(&self, database: &str, numbers: Range<u32>) -> anyhow::Result<()> {
        let path = format!("/{database}/_bulk_docs");
        for start in numbers.clone().step_by(SAVED_AT_ONCE as usize) {
            let end = numbers.end.min(start.saturating_add(SAVED_AT_ONCE));
            let documents: Vec<Value> = (start..end).map(couch_document).collect();
            let rows = self.couch().json(Method::POST, &path, &json!({"docs": documents})).await?;
            let refused =
                rows.as_array().context("not a list of rows")?.iter().find(|row| row.get("error").is_some());
            if let Some(row) = refused {
                bail!("CouchDB refused a document: {row}");
            }
        }
        Ok(())
    }

    /// Creates an index with the mapping of cases and nothing else: one shard, no replicas, no
    /// refresh unless `refresh` says how often.
    pub(super) async fn create_index(&self, name: &str, refresh: &str) -> anyhow::Result<()> {
        let committed: Value = serde_json::from_str(include_str!("../../../mappings/case.json"))?;
        let mut settings = committed["settings"].clone();
        settings["index"] =
            json!({"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": refresh});
        let body = json!({"settings": settings, "mappings": committed["mappings"]});
        self.elastic().json(Method::PUT, &format!("/{name}"), &body).await.map(drop)
    }

    /// How many documents are in an index.
    pub(super) async fn count(&self, index: &str) -> anyhow::Result<u64> {
        self.elastic().json(Method::POST, &format!("/{index}/_refresh"), &Value::Null).await?;
        let counted = self.elastic().json(Method::GET, &format!("/{index}/_count"), &Value::Null).await?;
        counted["count"].as_u64().context("no count")
    }

    /// Fails unless an index has this many documents.
    pub(super) async fn require_count(&self, index: &str, documents: u32) -> anyhow::Result<()> {
        let counted = self.count(index).await?;
        ensure!(
            counted == u64::from(documents),
            "index `{index}` has {counted} documents, expected {documents}"
        );
        Ok(())
    }

    /// Deletes all indices of this measurement.
    pub(super) async fn remove_indices(&self) -> anyhow::Result<()> {
        let path = format!("/_cat/indices/{}-*?format=json&h=index", self.name);
        let listed = self.elastic().json(Method::GET, &path, &Value::Null).await?;
        // By name: clusters may refuse to delete by a pattern.
        for index in listed.as_array().into_iter().flatten().filter_map(|row| row["index"].as_str()) {
            self.elastic().json(Method::DELETE, &format!("/{index}"), &Value::Null).await?;
        }
        Ok(())
    }

    /// Removes the databases and indices from servers that keep running.
    pub(super) async fn remove(&self) -> anyhow::Result<()> {
        if self.servers.are_temporary() {
            return Ok(());
        }
        self.remove_indices().await.context("removing the indices of the measurement")?;
        let databases = self.couch().json(Method::GET, "/_all_dbs", &Value::Null).await?;
        let names = databases.as_array().into_iter().flatten().filter_map(Value::as_str);
        let others = self.other("");
        for database in names.filter(|name| *name == self.name || name.starts_with(&others)) {
            self.couch().json(Method::DELETE, &format!("/{database}"), &Value::Null).await?;
        }
        Ok(())
    }
}
