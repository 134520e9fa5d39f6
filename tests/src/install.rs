//! Gets the servers from Maven Central and npm into the target directory, once.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use crate::{directories, error::ServerError};

/// What can be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installable {
    /// `OpenSearch` 2.19.6.
    OpenSearch2,
    /// `OpenSearch` 3.6.0.
    OpenSearch3,
    /// Elasticsearch 7.10.2.
    Elasticsearch7,
    /// Elasticsearch 7.17.15.
    Elasticsearch717,
    /// Elasticsearch 8.14.1.
    Elasticsearch8,
    /// Elasticsearch 9.4.3.
    Elasticsearch9,
    /// The packages that the couch server needs.
    Couch,
    /// `PostgreSQL` 17.5.
    Postgres,
}

impl Installable {
    /// The name of its directory.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::OpenSearch2 => "opensearch2",
            Self::OpenSearch3 => "opensearch3",
            Self::Elasticsearch7 => "elasticsearch7",
            Self::Elasticsearch717 => "elasticsearch7.17",
            Self::Elasticsearch8 => "elasticsearch8",
            Self::Elasticsearch9 => "elasticsearch9",
            Self::Couch => "couch",
            Self::Postgres => "postgres",
        }
    }

    /// What people call it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::OpenSearch2 => "OpenSearch 2.19.6",
            Self::OpenSearch3 => "OpenSearch 3.6.0",
            Self::Elasticsearch7 => "Elasticsearch 7.10.2",
            Self::Elasticsearch717 => "Elasticsearch 7.17.15",
            Self::Elasticsearch8 => "Elasticsearch 8.14.1",
            Self::Elasticsearch9 => "Elasticsearch 9.4.3",
            Self::Couch => "pouchdb-server 4.2.0",
            Self::Postgres => "PostgreSQL 17.5",
        }
    }
}

/// Installs a server unless it is installed, and returns its directory. Says through `report` what
/// it does when that takes time.
///
/// A `.ready` file holds the definition that was installed: when the definition changes, it is
/// installed anew. Other processes that want the same wait.
pub fn install(what: Installable, report: &(dyn Fn(&str) + Sync)) -> Result<PathBuf, ServerError> {
    let doing = || ServerError::io(format!("installing {}", what.label()));
    let root = directories::root().map_err(doing())?;
    fs_err::create_dir_all(&root).map_err(doing())?;
    let directory = root.join(what.key());
    let ready = directory.join(".ready");
    let wanted = definition_text(&directories::definition(what.key())).map_err(doing())?;

    let lock = directories::lock_file(&root.join(format!("{}.lock", what.key()))).map_err(doing())?;
    if lock.try_lock().is_err() {
        report(&format!("waiting for another installation of {} …", what.label()));
        lock.lock().map_err(doing())?;
    }
    if fs_err::read_to_string(&ready).is_ok_and(|installed| installed == wanted) {
        return Ok(directory);
    }

    report(&format!("installing {} …", what.label()));
    let started = Instant::now();
    match fs_err::remove_dir_all(&directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(doing()(error)),
        _ => fs_err::create_dir_all(&directory).map_err(doing())?,
    }
    let log = root.join(format!("{}.install.log", what.key()));
    fetch(what, &directory, &log)?;
    fs_err::write(&ready, wanted).map_err(doing())?;
    report(&format!("installed {} in {:.0} s", what.label(), started.elapsed().as_secs_f64()));
    Ok(directory)
}

fn fetch(what: Installable, directory: &Path, log: &Path) -> Result<(), ServerError> {
    let definition = directories::definition(what.key());
    let doing = || ServerError::io(format!("installing {}", what.label()));
    let (program, tool, hint, arguments) = match what {
        Installable::Couch => {
            fs_err::copy(definition.join("package.json"), directory.join("package.json")).map_err(doing())?;
            (
                "npm",
                "Node (`node` and `npm`)",
                "install Node 18 or newer, for example from https://nodejs.org",
                // Without scripts: sqlite3, which nobody uses here, would be compiled from source.
                [
                    "install",
                    "--ignore-scripts",
                    "--omit=optional",
                    "--no-audit",
                    "--no-fund",
                    "--no-package-lock",
                ]
                .map(str::to_owned)
                .to_vec(),
            )
        }
        _ => (
            "mvn",
            "Maven (`mvn`)",
            "install Maven 3.6 or newer, for example with `apt install maven` or `brew install maven`",
            vec![
                "-B".into(),
                "-q".into(),
                "-Dstyle.color=never".into(),
                format!("-Dinstall.folder={}", directory.display()),
                format!("-Dpostgres.platform={}", postgres_platform()),
                format!("--file={}", definition.join("pom.xml").display()),
                "generate-resources".into(),
            ],
        ),
    };
    let output = fs_err::File::create(log).map_err(doing())?.into_file();
    let status = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(output.try_clone().map_err(doing())?)
        .stderr(output)
        .status();
    match status {
        Ok(status) if status.success() && what == Installable::Postgres => {
            if unpack(directory).map_err(doing())? {
                return Ok(());
            }
            Err(ServerError::Install {
                server: what.label().to_owned(),
                log: log.to_path_buf(),
                tail: "its archive could not be unpacked with `tar`".to_owned(),
            })
        }
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(ServerError::Install {
            server: what.label().to_owned(),
            log: log.to_path_buf(),
            tail: directories::tail(log, 20),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ServerError::MissingTool {
            server: what.label().to_owned(),
            tool: tool.to_owned(),
            hint: hint.to_owned(),
        }),
        Err(error) => Err(doing()(error)),
    }
}

/// Unpacks the archive that is in the jar, where any user may read it.
fn unpack(directory: &Path) -> io::Result<bool> {
    let server = directory.join("server");
    fs_err::create_dir_all(&server)?;
    let archive = fs_err::read_dir(directory.join("jar"))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "txz"));
    let Some(archive) = archive else { return Ok(false) };
    let unpacked = Command::new("tar").arg("xJf").arg(archive).arg("-C").arg(&server).status()?;
    let readable = Command::new("chmod").args(["-R", "a+rX"]).arg(&server).status()?;
    Ok(unpacked.success() && readable.success())
}

/// The part of the artifact's name that says which platform it is for.
fn postgres_platform() -> String {
    let system = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let processor = if cfg!(target_arch = "aarch64") { "arm64v8" } else { "amd64" };
    format!("{system}-{processor}")
}

/// The text of all files that decide what is installed. Scripts are run from the source tree and do
/// not count.
fn definition_text(directory: &Path) -> io::Result<String> {
    let mut entries: Vec<PathBuf> =
        fs_err::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    entries.sort();
    let mut text = String::new();
    for path in entries {
        if path.is_dir() {
            text.push_str(&definition_text(&path)?);
        } else if path.extension().is_none_or(|extension| extension != "js") {
            text.push_str(&fs_err::read_to_string(&path)?);
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_pin_their_versions() {
        let text = |what: Installable| definition_text(&directories::definition(what.key())).unwrap();
        assert!(text(Installable::OpenSearch3).contains("<opensearch.version>3.6.0<"));
        let elasticsearch = text(Installable::Elasticsearch7);
        assert!(elasticsearch.contains("<es.version>7.10.2<"));
        assert!(elasticsearch.contains("name=lang-painless"), "the modules' descriptors count, too");
        for (what, version) in [
            (Installable::OpenSearch2, "<opensearch.version>2.19.6<"),
            (Installable::Elasticsearch717, "<version>9.9.8.100196<"),
            (Installable::Elasticsearch8, "<version>10.7.0.96327<"),
            (Installable::Elasticsearch9, "<version>26.9.0.129388<"),
        ] {
            assert!(text(what).contains(version), "{}", what.label());
        }
        assert!(text(Installable::Postgres).contains("<postgres.version>17.5.0<"));
        let couch = text(Installable::Couch);
        assert!(couch.contains("\"pouchdb-server\": \"4.2.0\""));
        assert!(!couch.contains("'use strict'"));
    }
}
