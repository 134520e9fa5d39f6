//! How a committed mapping stands to its struct: the states and their words, which the compiler, `make-mapping --check` and the
//! test `assert_committed` share.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use crate::committed::{CommittedFile, CommittedFileError, FOLDER, FORMAT};
use crate::definition::Definition;
use crate::diff::{diff, summary};
use crate::fingerprint::FingerprintError;
use crate::pillow::Committed;
use crate::registry::Registry;

/// How a committed mapping stands to its struct.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It is what the struct derives.
    Fresh,
    /// There is none yet.
    New,
    /// The struct derives another one.
    Stale,
    /// Its body is not what its header says.
    EditedByHand(&'static str),
    /// It is the file of another pillow.
    OfAnother(String),
    /// A later release wrote it.
    LaterFormat(u64),
    /// Its fingerprint cannot be compared with that of this release.
    OtherFingerprint,
    /// It is no committed mapping.
    Malformed(String),
    /// It cannot be read.
    Unreadable(String),
    /// No registered pillow has it.
    Orphaned,
    /// The pillow says that it is not checked.
    Unchecked,
}

impl State {
    /// The state of a file that was read: [`State::Stale`] for one that can be compared and is not `derived`.
    #[must_use]
    pub fn of(read: &Result<CommittedFile, CommittedFileError>, derived: &CommittedFile) -> Self {
        match read {
            Ok(file) if file == derived => Self::Fresh,
            Ok(file) if file.pillow != derived.pillow => Self::OfAnother(file.pillow.clone()),
            Ok(_) => Self::Stale,
            Err(error) => Self::of_error(error),
        }
    }

    /// The state of a file that cannot be compared.
    #[must_use]
    pub fn of_error(error: &CommittedFileError) -> Self {
        match error {
            CommittedFileError::Missing(_) => Self::New,
            CommittedFileError::EditedByHand(how) => Self::EditedByHand(how),
            CommittedFileError::LaterFormat(format) => Self::LaterFormat(*format),
            CommittedFileError::Fingerprint(FingerprintError::OtherVersion(_)) => Self::OtherFingerprint,
            CommittedFileError::Malformed(what) => Self::Malformed(what.clone()),
            CommittedFileError::Io(error) => Self::Unreadable(error.kind().to_string()),
            other => Self::Malformed(other.to_string()),
        }
    }

    /// Whether nothing is to be done about it.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        matches!(self, Self::Fresh | Self::Unchecked)
    }

    /// What is so, as one sentence. `shown` is the file as people write its path, `rust_name` the struct's name.
    #[must_use]
    pub fn sentence(&self, rust_name: &str, shown: &str) -> String {
        let of = format!("the committed mapping `{shown}` of `{rust_name}`");
        match self {
            Self::Fresh => format!("{of} is what the struct derives"),
            Self::New => format!("`{rust_name}` has no committed mapping `{shown}`"),
            Self::Stale => format!(
                "the committed mapping `{shown}` is stale: `{rust_name}` has changed since it was made"
            ),
            Self::EditedByHand(how) => format!("{of} was edited by hand: {how}"),
            Self::OfAnother(pillow) => format!("{of} is of another pillow, `{pillow}`"),
            Self::LaterFormat(format) => {
                format!(
                    "{of} was written by a newer pillowtop: it has format {format}, this release knows format {FORMAT}"
                )
            }
            Self::OtherFingerprint => format!("{of} has a fingerprint of another release of pillowtop"),
            Self::Malformed(what) => format!("{of} is malformed: {what}"),
            Self::Unreadable(why) => format!("{of} cannot be read: {why}"),
            Self::Orphaned => format!("no registered pillow has the committed mapping `{shown}`"),
            Self::Unchecked => format!("`{rust_name}` says that its mapping is not checked"),
        }
    }

    /// What to do about it. `program` is how the commands are run, as `cargo xtask`.
    #[must_use]
    pub fn help(&self, program: &str, pillow: &str, shown: &str) -> String {
        match self {
            Self::LaterFormat(_) => "use the release of pillowtop that wrote it, or a later one".to_owned(),
            Self::Orphaned => format!("register its pillow, or remove the file: `git rm {shown}`"),
            _ => format!("run `{program} make-mapping {pillow}`"),
        }
    }
}

/// The state's name: in tables and for scripts.
impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Fresh => "fresh",
            Self::New => "new",
            Self::Stale => "stale",
            Self::EditedByHand(_) => "edited by hand",
            Self::OfAnother(_) => "of another pillow",
            Self::LaterFormat(_) => "of a newer pillowtop",
            Self::OtherFingerprint => "of another release",
            Self::Malformed(_) => "malformed",
            Self::Unreadable(_) => "unreadable",
            Self::Orphaned => "orphaned",
            Self::Unchecked => "unchecked",
        })
    }
}

/// The state of a definition's committed mapping, and the file if it can be read.
#[must_use]
pub fn state(definition: &Definition) -> (State, Option<CommittedFile>) {
    let read = match definition.committed {
        Committed::Unchecked => return (State::Unchecked, None),
        Committed::Embedded(bytes) => CommittedFile::parse(bytes),
        Committed::OnDisk(path) => CommittedFile::read(Path::new(path)),
    };
    (State::of(&read, &CommittedFile::of(definition)), read.ok())
}

/// The struct's name without its modules and parameters.
#[must_use]
pub fn rust_name(definition: &Definition) -> &str {
    let path = definition.rust_type.split('<').next().unwrap_or_default();
    path.rsplit("::").next().unwrap_or(path)
}

/// Where the committed mapping of a definition is on disk, without `..`; a build without `bless` does not know.
#[must_use]
pub fn path(definition: &Definition) -> Option<PathBuf> {
    let Committed::OnDisk(path) = definition.committed else { return None };
    let mut plain = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    Some(plain)
}

/// The committed mappings in a folder that no registered pillow has.
///
/// # Errors
///
/// When the folder cannot be listed.
pub fn orphans(registry: &Registry, folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let definitions = registry.pillows().iter().map(|pillow| pillow.definition());
    let known: BTreeSet<PathBuf> = definitions
        .map(|known| path(known).unwrap_or_else(|| folder.join(format!("{}.json", known.pillow))))
        .collect();
    let mut orphans = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") && !known.contains(&path) {
            orphans.push(path);
        }
    }
    orphans.sort();
    Ok(orphans)
}

/// How many folders up from a crate its `mappings/` is, and how many its workspace's root: that is where the first one is if there
/// is none yet.
#[must_use]
pub fn levels(crate_folder: &Path) -> (usize, usize) {
    let to_root = crate_folder.ancestors().position(is_workspace_root).unwrap_or(0);
    let nearest = crate_folder.ancestors().take(to_root + 1).position(|folder| folder.join(FOLDER).is_dir());
    (nearest.unwrap_or(to_root), to_root)
}

fn is_workspace_root(folder: &Path) -> bool {
    let manifest = fs_err::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    manifest.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with("[workspace]") || line.starts_with("[workspace.")
    })
}

/// What is to be done about the committed mappings of a list of pillows, each with what changed; empty if all are fresh.
/// `crate_folder` is that of the crate whose documents they are.
#[must_use]
pub fn report(registry: &Registry, crate_folder: &Path, program: &str) -> String {
    let (up, to_root) = levels(crate_folder);
    let ancestor = |levels: usize| crate_folder.ancestors().nth(levels).unwrap_or(crate_folder);
    let folder = ancestor(up).join(FOLDER);
    let shown = |path: &Path| path.strip_prefix(ancestor(to_root)).unwrap_or(path).display().to_string();
    let mut lines = Vec::new();
    for definition in registry.pillows().iter().map(|pillow| pillow.definition()) {
        let (state, old) = state(definition);
        if state.is_fine() {
            continue;
        }
        let name = definition.pillow.as_str();
        let shown = shown(&path(definition).unwrap_or_else(|| folder.join(format!("{name}.json"))));
        lines.push(state.sentence(rust_name(definition), &shown));
        if let Some(old) = old {
            let new = CommittedFile::of(definition);
            lines.extend(diff(&old, &new).iter().map(|change| format!("  {change}")));
            lines.extend(summary(&old, &new, program).map(|summary| format!("  {summary}")));
        }
        lines.push(format!("help: {}", state.help(program, name, &shown)));
    }
    match orphans(registry, &folder) {
        Ok(orphans) => {
            for path in orphans {
                let shown = shown(&path);
                lines.push(State::Orphaned.sentence("", &shown));
                lines.push(format!("help: {}", State::Orphaned.help(program, "", &shown)));
            }
        }
        // Without the folder there is nothing to be left over.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => lines.push(format!("listing `{}`: {error}", shown(&folder))),
    }
    lines.join("\n")
}
