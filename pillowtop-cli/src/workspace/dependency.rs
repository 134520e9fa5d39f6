//! Where a new workspace gets pillowtop from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Crates that the image of a service is built from.
const CRATES: [&str; 8] = [
    "pillowtop",
    "pillowtop-cli",
    "pillowtop-conformance",
    "pillowtop-core",
    "pillowtop-derive",
    "pillowtop-embedded",
    "pillowtop-fluff",
    "pillowtop-runtime",
];

/// The directory of this crate when it was compiled. No path of the machine gets into an optimised
/// build, which runs somewhere else.
#[cfg(debug_assertions)]
const COMPILED: Option<&str> = Some(env!("CARGO_MANIFEST_DIR"));
#[cfg(not(debug_assertions))]
const COMPILED: Option<&str> = None;

/// Where a new workspace gets pillowtop from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dependency {
    /// A checkout, by an absolute path or one from the workspace.
    Path(PathBuf),
    /// A git repository.
    Git {
        /// Its URL.
        url: String,
        /// A commit or a tag; the default branch without one.
        revision: Option<String>,
    },
    /// A published version.
    Version(String),
}

impl Dependency {
    /// What this program has pillowtop from: the checkout that it is run in or was compiled with, a
    /// git repository, or a published version.
    #[must_use]
    pub fn detect() -> Self {
        let running = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        Self::of_packages(running.as_deref(), COMPILED.map(Path::new))
    }

    /// By the directories of the package that runs and of this crate when it was compiled.
    fn of_packages(running: Option<&Path>, compiled: Option<&Path>) -> Self {
        let is_checkout = |root: &&Path| root.join("pillowtop-cli/Cargo.toml").is_file();
        if let Some(root) = running.and_then(Path::parent).filter(is_checkout) {
            return Self::Path(root.to_owned());
        }
        let parts: Vec<&str> =
            compiled.into_iter().flatten().map(|part| part.to_str().unwrap_or_default()).collect();
        // Where cargo keeps what it has cloned: the commit is the name of the directory.
        if let Some(start) = parts.windows(2).position(|pair| pair == ["git", "checkouts"]) {
            let revision = parts.get(start + 3).map(|commit| (*commit).to_owned());
            return Self::Git { url: env!("CARGO_PKG_REPOSITORY").to_owned(), revision };
        }
        let is_published = parts.windows(2).any(|pair| pair == ["registry", "src"]);
        match compiled.and_then(Path::parent).filter(is_checkout) {
            Some(root) if !is_published => Self::Path(root.to_owned()),
            _ => Self::Version(env!("CARGO_PKG_VERSION").to_owned()),
        }
    }

    /// The lines of the manifest.
    pub(super) fn manifest(&self) -> String {
        let one = |name: &str, more: &str| {
            let source = match self {
                Self::Path(path) => {
                    format!("path = {:?}", path.join(name).display().to_string().replace('\\', "/"))
                }
                Self::Git { url, revision: None } => format!("git = {url:?}"),
                Self::Git { url, revision: Some(revision) } => format!("git = {url:?}, rev = {revision:?}"),
                Self::Version(version) => format!("version = {version:?}"),
            };
            format!("{name} = {{ {source}{more} }}")
        };
        let note = match self {
            Self::Path(_) => {
                "# A directory of this machine. Before others build this workspace, name a git repository or a version in its place.\n"
            }
            _ => "",
        };
        // The embedded index of `quickstart` is not needed here.
        let lines = [one("pillowtop", ""), one("pillowtop-cli", ", default-features = false")];
        format!("{note}{}", lines.join("\n"))
    }

    /// What the Dockerfile needs before the sources are copied.
    pub(super) fn dockerfile(&self) -> String {
        let Self::Path(path) = self else { return String::new() };
        let path = path.display();
        let copies = CRATES.map(|name| format!("COPY --from=pillowtop {name} {path}/{name}\n"));
        format!("COPY --from=pillowtop Cargo.toml {path}/Cargo.toml\n{}", copies.concat())
    }

    /// What the Dockerfile says of it.
    pub(super) fn dockerfile_note(&self) -> &'static str {
        match self {
            Self::Path(_) => " The context `pillowtop` is that of compose.yaml.",
            _ => "",
        }
    }

    /// What the compose file adds to the build of the service.
    pub(super) fn compose(&self) -> String {
        match self {
            Self::Path(path) => {
                format!("\n      additional_contexts:\n        pillowtop: {}", path.display())
            }
            _ => String::new(),
        }
    }

    /// What the README says of it.
    pub(super) fn readme(&self) -> String {
        match self {
            Self::Path(_) => String::from(
                "\n`Cargo.toml` names pillowtop by a directory of this machine, and `compose.yaml` passes it to the\n\
                 build of the image. Name a git repository or a version there before the CI workflow can run.\n",
            ),
            _ => String::new(),
        }
    }
}

/// As in the command line: a version, `URL` or `URL#REVISION` of a git repository, or else a
/// directory.
impl FromStr for Dependency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_version =
            text.starts_with(|first: char| first.is_ascii_digit()) && !text.contains(['/', '\\']);
        if is_version {
            return Ok(Self::Version(text.to_owned()));
        }
        if text.contains("://") || text.starts_with("git@") {
            let (url, revision) = match text.split_once('#') {
                Some((url, revision)) => (url, Some(revision.to_owned())),
                None => (text, None),
            };
            return Ok(Self::Git { url: url.to_owned(), revision });
        }
        let path = Path::new(text);
        if !path.join("pillowtop-cli/Cargo.toml").is_file() {
            return Err("neither a version, nor the URL of a git repository, nor a directory with a checkout of pillowtop".to_owned());
        }
        std::path::absolute(path).map(Self::Path).map_err(|error| error.to_string())
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(formatter, "the directory {}", path.display()),
            Self::Git { url, .. } => write!(formatter, "the repository {url}"),
            Self::Version(version) => write!(formatter, "version {version}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_has_pillowtop_from_where_this_program_has_it() {
        let checkout = tempfile::tempdir().unwrap();
        let package = checkout.path().join("pillowtop-cli");
        fs_err::create_dir_all(&package).unwrap();
        fs_err::write(package.join("Cargo.toml"), "").unwrap();
        let path = Dependency::Path(checkout.path().to_owned());
        let elsewhere = Path::new("/elsewhere/xtask");
        assert_eq!(Dependency::of_packages(Some(&checkout.path().join("xtask")), None), path);
        assert_eq!(Dependency::of_packages(Some(elsewhere), Some(&package)), path);
        let cloned = Path::new("/home/a/.cargo/git/checkouts/pillowtop-0a1b/2c3d4e5/pillowtop-cli");
        let git = Dependency::of_packages(Some(elsewhere), Some(cloned));
        assert!(matches!(git, Dependency::Git { revision: Some(commit), .. } if commit == "2c3d4e5"));
        let published = Path::new("/home/a/.cargo/registry/src/index-0a1b/pillowtop-cli-0.1.0");
        let version = Dependency::Version(env!("CARGO_PKG_VERSION").to_owned());
        assert_eq!(Dependency::of_packages(Some(elsewhere), Some(published)), version);
        assert_eq!(Dependency::of_packages(None, None), version);
    }

    #[test]
    fn a_source_is_a_version_a_repository_or_a_checkout() {
        assert_eq!("0.2".parse(), Ok(Dependency::Version("0.2".to_owned())));
        let url = "https://example.org/pillowtop.git".to_owned();
        let tagged = Dependency::Git { url: url.clone(), revision: Some("v1".to_owned()) };
        assert_eq!(format!("{url}#v1").parse(), Ok(tagged));
        assert_eq!(url.parse(), Ok(Dependency::Git { url, revision: None }));
        assert!("/nowhere".parse::<Dependency>().is_err());
    }
}
