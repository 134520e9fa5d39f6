//! The `CouchDB`-like server: `servers/couch/server.js` on Node.

use std::process::{Command, Stdio};

use crate::{
    directories,
    error::ServerError,
    install::{Installable, install},
    server::{Identity, Launch, Server},
};

/// Where the databases are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CouchStorage {
    /// In memory: faster, and empty after a restart.
    #[default]
    Memory,
    /// On disk, kept over a restart and after a kill.
    Disk,
}

/// How the couch server is started.
#[derive(Debug, Clone, Default)]
pub struct CouchOptions {
    /// Where the databases are kept. In memory if not said otherwise.
    pub storage: CouchStorage,
    /// Name and password, which every request must then bring. `None`, the default: anybody may do
    /// anything.
    pub admin: Option<(String, String)>,
}

/// Starts couch servers.
#[derive(Debug)]
pub struct CouchServer;

impl CouchServer {
    /// Installs (once) and starts a couch server with no databases.
    pub fn start(options: &CouchOptions) -> Result<Server, ServerError> {
        let identity =
            Identity { key: "couch", label: "CouchDB 3.5 double (pouchdb-server 4.2.0)", ready_path: "/_up" };
        node_is_there(identity.label)?;
        let installed = install(Installable::Couch, &|_| ())?;
        Server::start(identity, |directory, port| {
            let storage = match options.storage {
                CouchStorage::Memory => "memory",
                CouchStorage::Disk => "disk",
            };
            let mut environment = vec![("NODE_PATH", installed.join("node_modules").into_os_string())];
            if let Some((name, password)) = &options.admin {
                environment.push(("COUCH_TEST_ADMIN", format!("{name}:{password}").into()));
            }
            Ok(Launch {
                program: "node".into(),
                arguments: vec![
                    directories::definition("couch").join("server.js").into(),
                    port.to_string().into(),
                    directory.join("data").into(),
                    storage.into(),
                ],
                environment,
                without_environment: vec!["NODE_OPTIONS", "COUCH_TEST_ADMIN"],
                working_directory: directory.to_path_buf(),
            })
        })
    }
}

fn node_is_there(server: &str) -> Result<(), ServerError> {
    let found = Command::new("node").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(ServerError::MissingTool {
        server: server.to_owned(),
        tool: "Node (`node` and `npm`)".to_owned(),
        hint: "install Node 18 or newer, for example from https://nodejs.org".to_owned(),
    })
}
