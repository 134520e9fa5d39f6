//! The folder of an index: its names, and the opening of what is in it.

use std::fs::TryLockError;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use pillowtop_core::{Definition, IndexName};
use tantivy::directory::MmapDirectory;
use tantivy::tokenizer::TokenizerManager;
use tantivy::{Index, IndexSettings, TantivyError};

use super::error::EmbeddedError;
use super::mapping::{Plan, plan};
use crate::state::IndexState;

/// Where an index is, and what it is called.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The index's name, which is the folder's.
    pub name: IndexName,
    /// The folder.
    pub folder: PathBuf,
}

impl Place {
    /// The place of a definition's index below the folder of all indices.
    pub(crate) fn of(folder: &Path, definition: &Definition) -> Self {
        let name = definition.index_name(None, 1);
        Self { folder: folder.join(name.as_str()), name }
    }

    /// The search library's files.
    pub(crate) fn index_folder(&self) -> PathBuf {
        self.folder.join("index")
    }

    /// The dead letters.
    pub(crate) fn letters_folder(&self) -> PathBuf {
        self.folder.join("dead-letters")
    }

    pub(crate) fn io(&self, doing: &'static str, source: io::Error) -> EmbeddedError {
        EmbeddedError::Io { folder: self.folder.clone(), doing, source }
    }

    pub(crate) fn library(&self, doing: &'static str, source: TantivyError) -> EmbeddedError {
        match source {
            TantivyError::LockFailure(tantivy::directory::error::LockError::LockBusy, _) => {
                EmbeddedError::InUse { folder: self.folder.clone() }
            }
            source => EmbeddedError::Library { folder: self.folder.clone(), doing, source },
        }
    }

    pub(crate) fn damaged(&self, reason: impl Into<String>) -> EmbeddedError {
        EmbeddedError::Damaged { folder: self.folder.clone(), reason: reason.into() }
    }

    fn plan(&self, definition: &Definition, manager: &TokenizerManager) -> Result<Plan, EmbeddedError> {
        plan(&definition.mappings, &definition.settings, manager)
            .map_err(|reason| EmbeddedError::Mapping { index: self.name.to_string(), reason })
    }

    /// Makes the folder and takes it for this process; given back when the file is dropped.
    pub(crate) fn lock(&self) -> Result<std::fs::File, EmbeddedError> {
        let opened =
            fs::create_dir_all(&self.folder).and_then(|()| fs::File::create(self.folder.join("lock")));
        let (file, _) = opened.map_err(|error| self.io("making the lock", error))?.into_parts();
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(EmbeddedError::InUse { folder: self.folder.clone() }),
            Err(TryLockError::Error(error)) => Err(self.io("taking the lock", error)),
        }
    }

    /// Opens the index that is there; `None` if there is none.
    pub(crate) fn open_existing(
        &self,
        definition: &Definition,
    ) -> Result<Option<(Index, Plan)>, EmbeddedError> {
        let manager = TokenizerManager::default();
        let plan = self.plan(definition, &manager)?;
        let folder = self.index_folder();
        if !folder.join("meta.json").is_file() {
            return match self.left_over()? {
                None => Ok(None),
                Some(file) => Err(self.damaged(format!("file `{file}` is there, and `meta.json` is not"))),
            };
        }
        let mut index = Index::open_in_dir(&folder).map_err(|error| self.damaged(error.to_string()))?;
        if index.schema() != plan.schema {
            return Err(
                self.damaged("its fields are not those of the mapping, as after an upgrade of this program")
            );
        }
        index.set_tokenizers(manager);
        Ok(Some((index, plan)))
    }

    /// Makes an empty index. Until the first commit there is no state, and the next opening makes it anew.
    pub(crate) fn create(&self, definition: &Definition) -> Result<(Index, Plan), EmbeddedError> {
        let manager = TokenizerManager::default();
        let plan = self.plan(definition, &manager)?;
        let folder = self.index_folder();
        fs::create_dir_all(&folder).map_err(|error| self.io("making folders", error))?;
        let directory =
            MmapDirectory::open(&folder).map_err(|error| self.library("opening the folder", error.into()))?;
        let mut index = Index::create(directory, plan.schema.clone(), IndexSettings::default())
            .map_err(|error| self.library("making an index", error))?;
        index.set_tokenizers(manager);
        Ok((index, plan))
    }

    /// The state of the last commit; `None` before the first.
    pub(crate) fn state(
        &self,
        index: &Index,
        definition: &Definition,
    ) -> Result<Option<IndexState>, EmbeddedError> {
        let metas = index.load_metas().map_err(|error| self.damaged(error.to_string()))?;
        let Some(payload) = metas.payload else {
            return if metas.segments.is_empty() {
                Ok(None)
            } else {
                Err(self.damaged("it has documents and no state"))
            };
        };
        let state: IndexState = serde_json::from_str(&payload)
            .map_err(|error| self.damaged(format!("its state cannot be read: {error}")))?;
        if state.hash != definition.hash.to_string() {
            return Err(self.damaged(format!(
                "it was made for the content hash {}, and this build has {}",
                state.hash, definition.hash
            )));
        }
        Ok(Some(state))
    }

    /// A file of documents in a folder without a list of them. An interrupted first opening leaves none.
    fn left_over(&self) -> Result<Option<String>, EmbeddedError> {
        let entries = match fs::read_dir(self.index_folder()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            entries => entries.map_err(|error| self.io("listing files", error))?,
        };
        for entry in entries {
            let name = entry.map_err(|error| self.io("listing files", error))?.file_name();
            let name = name.to_string_lossy().into_owned();
            // The library's locks and lists start with a point.
            if !name.starts_with('.') {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }
}
