//! The script that one would write without pillowtop, if this machine can run it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::child::{self, Usage};
use super::environment::Environment;
use crate::output::progress;

/// A Python that has the packages of the script.
pub(super) struct Script {
    python: String,
    path: PathBuf,
}

impl Script {
    /// Looks for Python (`$PYTHON`, else `python3`) and the packages; says why the script is
    /// skipped if they are missing.
    pub(super) fn find() -> Option<Self> {
        let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let mut command = Command::new(&python);
        command.args(["-c", "import opensearchpy, requests"]).stdin(Stdio::null()).stdout(Stdio::null());
        match command.stderr(Stdio::null()).status() {
            Ok(status) if status.success() => {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/reindex.py");
                return Some(Self { python, path });
            }
            Ok(_) => progress(&format!(
                "skipping the Python script: `{python}` lacks opensearch-py; install it with `{python} -m pip install opensearch-py`"
            )),
            Err(error) => progress(&format!("skipping the Python script: cannot run `{python}`: {error}")),
        }
        None
    }

    /// One round, into an index of its own, which is deleted afterwards.
    pub(super) async fn round(&self, environment: &Environment, documents: u32) -> anyhow::Result<Usage> {
        let index = environment.other("python");
        environment.create_index(&index, "-1").await?;
        let mut command = Command::new(&self.python);
        command.arg(&self.path).arg(environment.database()).arg(&index);
        command.env("COUCH_URL", environment.couch().url());
        command.env("ELASTIC_URL", environment.elastic().url());
        let usage = child::run(command, "reindex.py", environment.directory()).await?;
        environment.require_count(&index, documents).await?;
        environment.remove_indices().await?;
        Ok(usage)
    }
}
