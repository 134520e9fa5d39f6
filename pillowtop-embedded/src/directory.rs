//! The directory of an index: its names, and the opening of the search library's files in it.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use pillowtop_core::Definition;
use tantivy::directory::MmapDirectory;
use tantivy::directory::error::LockError;
use tantivy::tokenizer::TokenizerManager;
use tantivy::{Index, IndexSettings, TantivyError};

use super::error::EmbeddedError;
use super::mapping::{Plan, plan};
use pillowtop_runtime::target::local::{LocalDirectory, LocalError};

/// The directory of a definition's index.
#[derive(Debug, Clone)]
pub(crate) struct IndexDirectory {
    /// The directory with what all local targets have.
    pub local: LocalDirectory,
}

impl IndexDirectory {
    pub(crate) fn of(local: LocalDirectory) -> Self {
        Self { local }
    }

    /// The directory of a definition's index below the directory of all indices.
    pub(crate) fn below(parent: &Path, definition: &Definition) -> Self {
        Self::of(LocalDirectory::new(parent, definition.index_name(None, 1)))
    }

    /// The search library's files, and the uuid.
    pub(crate) fn files(&self) -> PathBuf {
        self.local.path.join("index")
    }

    pub(crate) fn library(&self, doing: &'static str, source: TantivyError) -> EmbeddedError {
        let directory = self.local.path.clone();
        match source {
            TantivyError::LockFailure(LockError::LockBusy, _) => LocalError::InUse { directory }.into(),
            source => EmbeddedError::Library { directory, doing, source },
        }
    }

    pub(crate) fn damaged(&self, reason: impl Into<String>) -> EmbeddedError {
        EmbeddedError::Damaged { directory: self.local.path.clone(), reason: reason.into() }
    }

    fn plan(&self, definition: &Definition, manager: &TokenizerManager) -> Result<Plan, EmbeddedError> {
        plan(&definition.mappings, &definition.settings, manager)
            .map_err(|reason| EmbeddedError::Mapping { index: self.local.name.to_string(), reason })
    }

    /// Opens the index; `None` if there is none.
    pub(crate) fn open_existing(
        &self,
        definition: &Definition,
    ) -> Result<Option<(Index, Plan)>, EmbeddedError> {
        let manager = TokenizerManager::default();
        let plan = self.plan(definition, &manager)?;
        let files = self.files();
        if !files.join("meta.json").is_file() {
            return match self.left_over()? {
                None => Ok(None),
                Some(file) => Err(self.damaged(format!("file `{file}` exists, and `meta.json` does not"))),
            };
        }
        let mut index = Index::open_in_dir(&files).map_err(|error| self.damaged(error.to_string()))?;
        if index.schema() != plan.schema {
            return Err(
                self.damaged("its fields are not those of the mapping, as after an upgrade of this program")
            );
        }
        index.set_tokenizers(manager);
        Ok(Some((index, plan)))
    }

    /// Creates an empty index.
    pub(crate) fn create(&self, definition: &Definition) -> Result<(Index, Plan), EmbeddedError> {
        let manager = TokenizerManager::default();
        let plan = self.plan(definition, &manager)?;
        let files = self.files();
        fs::create_dir_all(&files).map_err(|error| self.local.io("creating directories", error))?;
        let directory = MmapDirectory::open(&files)
            .map_err(|error| self.library("opening the directory", error.into()))?;
        let mut index = Index::create(directory, plan.schema.clone(), IndexSettings::default())
            .map_err(|error| self.library("creating an index", error))?;
        index.set_tokenizers(manager);
        Ok((index, plan))
    }

    /// Whether anything was ever committed.
    pub(crate) fn has_documents(&self, index: &Index) -> Result<bool, EmbeddedError> {
        let metas = index.load_metas().map_err(|error| self.damaged(error.to_string()))?;
        Ok(!metas.segments.is_empty())
    }

    /// A file of documents in a directory without a list of them. An interrupted creation leaves
    /// none.
    fn left_over(&self) -> Result<Option<String>, EmbeddedError> {
        let listing = |error| self.local.io("listing files", error);
        let entries = match fs::read_dir(self.files()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            entries => entries.map_err(listing)?,
        };
        for entry in entries {
            let name = entry.map_err(listing)?.file_name().to_string_lossy().into_owned();
            // The library's locks and lists begin with a full stop.
            if !name.starts_with('.') && name != "uuid" {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }
}
