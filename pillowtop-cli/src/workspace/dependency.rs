//! Where a new workspace gets pillowtop from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Crates that the image of a service is built from.
const CRATES: [&str; 5] =
    ["pillowtop", "pillowtop-cli", "pillowtop-core", "pillowtop-derive", "pillowtop-runtime"];

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
    /// The checkout that this program was run from, or else the version of this program.
    #[must_use]
    pub fn detect() -> Self {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let checkout = package.as_deref().and_then(Path::parent);
        match checkout.filter(|checkout| checkout.join("pillowtop-cli/Cargo.toml").is_file()) {
            Some(checkout) => Self::Path(checkout.to_owned()),
            None => Self::Version(env!("CARGO_PKG_VERSION").to_owned()),
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
                "\n`Cargo.toml` names pillowtop by a directory of this machine, and `compose.yaml` passes it to the build of the image. Name a git repository or a\nversion there before the CI workflow can run.\n",
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
