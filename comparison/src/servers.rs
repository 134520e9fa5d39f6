//! The servers that the user names: those that are installed and started, and those that run.

use std::str::FromStr;

use pillowtop_tests::{Cluster, ClusterOptions, Product, ServerError, install};

/// A server to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// One that is installed and started.
    Started(Product),
    /// One that listens on a port of this machine.
    Running(u16),
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(product) = Product::from_key(text) {
            return Ok(Self::Started(product));
        }
        let host = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
        let port = ["127.0.0.1:", "localhost:"].iter().find_map(|name| host.strip_prefix(name));
        port.and_then(|port| port.parse().ok()).map(Self::Running).ok_or_else(|| {
            let keys: Vec<&str> = Product::ALL.iter().map(|product| product.key()).collect();
            format!("expected {}, or an address such as `http://127.0.0.1:9200`", keys.join(", "))
        })
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Started(product) => formatter.write_str(product.key()),
            Self::Running(port) => write!(formatter, "http://127.0.0.1:{port}"),
        }
    }
}

/// A server that runs as long as this is kept.
#[derive(Debug)]
pub(crate) enum Running {
    Started(Box<pillowtop_tests::Server>),
    Found(u16),
}

impl Running {
    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Started(server) => server.port(),
            Self::Found(port) => *port,
        }
    }
}

impl Wanted {
    /// Installs and starts it, unless it runs.
    pub(crate) fn start(self, report: &(dyn Fn(&str) + Sync)) -> Result<Running, ServerError> {
        match self {
            Self::Running(port) => Ok(Running::Found(port)),
            Self::Started(product) => {
                install(product.installable(), report)?;
                report(&format!("starting {} …", product.label()));
                let server = Cluster::start(product, &ClusterOptions::default())?;
                Ok(Running::Started(Box::new(server)))
            }
        }
    }
}
