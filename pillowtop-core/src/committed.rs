//! The committed mapping file: what is reviewed, compared by the compiler, and deployed.
//!
//! Its header says which definition the body came from; `digest` covers all the rest, so an edit by
//! hand is distinguished from a stale file. The same definition always gives the same bytes.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::canonical::{to_canonical, to_readable};
use crate::definition::{Content, Definition, FORMAT, content_hash, document_json};
use crate::fingerprint::{Fingerprint, FingerprintError};

/// The directory that committed files are in: the nearest one of this name, walking up from a crate
/// to its workspace's root.
pub const FOLDER: &str = "mappings";

/// The order of the members, a reader's order. `digest` is checked, `routing` stands there where it
/// is declared, and the rest is required.
const MEMBERS: [&str; 10] = [
    "format",
    "pillow",
    "alias",
    "hash",
    "fingerprint",
    "document",
    "filter",
    "routing",
    "transform_version",
    "settings",
];

/// A committed mapping file.
#[derive(Debug, Clone, PartialEq)]
pub struct CommittedFile {
    /// The pillow's name.
    pub pillow: String,
    /// The name that users search.
    pub alias: String,
    /// The content hash, in hexadecimal digits.
    pub hash: String,
    /// What the compiler compares.
    pub fingerprint: Fingerprint,
    /// Document types and database, as [`document_json`] gives them.
    pub document: Value,
    /// `{"text": …, "selector": …}`, or null.
    pub filter: Value,
    /// Where the routing value of a document comes from, if it is declared.
    pub routing: Option<String>,
    /// The transform's version.
    pub transform_version: u32,
    /// Normal settings.
    pub settings: Value,
    /// The root of the mapping, without `_meta.pillowtop`.
    pub mappings: Value,
}

/// Why a committed file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommittedFileError {
    /// There is none.
    #[error("there is no committed mapping {}", .0.display())]
    Missing(PathBuf),
    /// It cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It is not such a file.
    #[error("the committed mapping is malformed: {0}")]
    Malformed(String),
    /// It was written by a later release.
    #[error(
        "the committed mapping was written by a newer pillowtop: it has format {0}, this release knows format {FORMAT}"
    )]
    LaterFormat(u64),
    /// Its fingerprint is of another version.
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
    /// Its body is not what its header says.
    #[error("the committed mapping was edited by hand: {0}")]
    EditedByHand(&'static str),
}

impl CommittedFile {
    /// The file of a definition.
    #[must_use]
    pub fn of(definition: &Definition) -> Self {
        Self {
            pillow: definition.pillow.to_string(),
            alias: definition.alias.to_string(),
            hash: definition.hash.to_string(),
            fingerprint: definition.fingerprint,
            document: document_json(&definition.document),
            filter: match definition.filter {
                Some(text) => json!({"text": text, "selector": definition.selector}),
                None => Value::Null,
            },
            routing: definition.routing.map(str::to_owned),
            transform_version: definition.transform_version,
            settings: definition.settings.clone(),
            mappings: definition.mappings.clone(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it is missing, unreadable, or [`CommittedFile::parse`] refuses it.
    pub fn read(path: &Path) -> Result<Self, CommittedFileError> {
        match fs_err::read(path) {
            Ok(bytes) => Self::parse(&bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(CommittedFileError::Missing(path.to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    ///
    /// When a member is missing or of the wrong kind, the format is later, or the body is not what
    /// the header says.
    pub fn parse(bytes: &[u8]) -> Result<Self, CommittedFileError> {
        let malformed = |what: String| CommittedFileError::Malformed(what);
        let value: Value = serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))?;
        let Value::Object(mut members) = value else {
            return Err(malformed("it is not a JSON object".to_owned()));
        };
        let format = members.get("format").and_then(Value::as_u64);
        match format {
            Some(format) if format > u64::from(FORMAT) => {
                return Err(CommittedFileError::LaterFormat(format));
            }
            Some(_) => {}
            None => return Err(malformed("`format` is missing".to_owned())),
        }
        let digest = members.remove("digest");
        let found = digest_of(&members);
        let routing = members.remove("routing").map(|routing| text(routing, "routing")).transpose()?;
        let mut take = |name: &str| {
            members.remove(name).ok_or_else(|| CommittedFileError::Malformed(format!("`{name}` is missing")))
        };
        let file = Self {
            pillow: text(take("pillow")?, "pillow")?,
            alias: text(take("alias")?, "alias")?,
            hash: text(take("hash")?, "hash")?,
            fingerprint: text(take("fingerprint")?, "fingerprint")?.parse()?,
            document: take("document")?,
            filter: take("filter")?,
            routing,
            transform_version: take("transform_version")?
                .as_u64()
                .and_then(|version| u32::try_from(version).ok())
                .ok_or_else(|| {
                    CommittedFileError::Malformed("`transform_version` is not a number".to_owned())
                })?,
            settings: take("settings")?,
            mappings: take("mappings")?,
        };
        if digest.as_ref().and_then(Value::as_str) != Some(&found) {
            return Err(CommittedFileError::EditedByHand("its digest is not that of its contents"));
        }
        if file.content_hash() != file.hash {
            return Err(CommittedFileError::EditedByHand(
                "its hash is not that of its mappings and settings",
            ));
        }
        Ok(file)
    }

    /// The bytes of the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut members = self.members();
        members.insert("digest".to_owned(), json!(digest_of(&members)));
        let order = MEMBERS[..5].iter().chain(&["digest"]).chain(&MEMBERS[5..]).chain(&["mappings"]);
        let order = order.filter(|name| members.contains_key(**name));
        let lines: Vec<String> = order
            .map(|name| {
                format!("  \"{name}\": {}", to_readable(members.get(*name).unwrap_or(&Value::Null), 1))
            })
            .collect();
        format!("{{\n{}\n}}\n", lines.join(",\n")).into_bytes()
    }

    /// Writes the file so that a reader sees the old bytes or the new ones, and tells whether they
    /// differed.
    ///
    /// # Errors
    ///
    /// When the directory or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<bool, CommittedFileError> {
        let bytes = self.to_bytes();
        if fs_err::read(path).is_ok_and(|there| there == bytes) {
            return Ok(false);
        }
        let directory = path.parent().unwrap_or(Path::new("."));
        fs_err::create_dir_all(directory)?;
        let beside = directory.join(format!(".{}.{}.part", self.pillow, std::process::id()));
        let mut part = fs_err::File::create(&beside)?;
        part.write_all(&bytes)?;
        part.sync_all()?;
        fs_err::rename(&beside, path)?;
        Ok(true)
    }

    fn content_hash(&self) -> String {
        content_hash(&Content {
            mappings: &self.mappings,
            settings: &self.settings,
            document: &self.document,
            filter: self.filter.get("text").and_then(Value::as_str),
            routing: self.routing.as_deref(),
            transform_version: self.transform_version,
        })
        .to_string()
    }

    fn members(&self) -> Map<String, Value> {
        let Self {
            pillow,
            alias,
            hash,
            fingerprint,
            document,
            filter,
            routing,
            transform_version,
            settings,
            mappings,
        } = self;
        let all = json!({
            "format": FORMAT, "pillow": pillow, "alias": alias, "hash": hash, "fingerprint": fingerprint.to_string(),
            "document": document, "filter": filter, "transform_version": transform_version, "settings": settings,
            "mappings": mappings,
        });
        let mut members = match all {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        if let Some(routing) = routing {
            members.insert("routing".to_owned(), json!(routing));
        }
        members
    }
}

fn digest_of(members: &Map<String, Value>) -> String {
    let canonical = to_canonical(&Value::Object(members.clone()));
    let mut start = [0; 8];
    start.copy_from_slice(&Sha256::digest(canonical.as_bytes())[..8]);
    format!("{:016x}", u64::from_be_bytes(start))
}

fn text(value: Value, name: &str) -> Result<String, CommittedFileError> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(CommittedFileError::Malformed(format!("`{name}` is not a string"))),
    }
}
