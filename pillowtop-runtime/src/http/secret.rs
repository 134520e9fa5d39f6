//! Secrets: where they come from, and the credentials that they belong to. None of them appears in
//! a message or a debug output.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, HeaderValue};

/// How long a command may take to print a secret.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a secret comes from. One from a file or a command is read again when the server refuses
/// it.
#[derive(Clone)]
pub struct SecretSource(Kind);

#[derive(Clone)]
enum Kind {
    Fixed(String),
    File(PathBuf),
    Command { program: String, arguments: Vec<String> },
}

/// Why a secret could not be read. It never quotes the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The file cannot be read.
    #[error("the secret cannot be read: {0}")]
    File(String),
    /// The command failed.
    #[error("the command `{program}`, which prints the secret, failed: {reason}")]
    Command {
        /// The program, without its arguments.
        program: String,
        /// What happened.
        reason: String,
    },
    /// There is nothing in the file or output.
    #[error("the secret from {0} is empty")]
    Empty(String),
    /// The secret has a character that no header can carry.
    #[error("the secret from {0} has a character that cannot be sent")]
    Unsendable(String),
}

impl SecretSource {
    /// A secret that does not change.
    pub fn fixed(secret: impl Into<String>) -> Self {
        Self(Kind::Fixed(secret.into()))
    }

    /// The contents of a file, without a line break at their end.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Kind::File(path.into()))
    }

    /// The output of a command, without a line break at its end.
    pub fn command(program: impl Into<String>, arguments: impl IntoIterator<Item = String>) -> Self {
        Self(Kind::Command { program: program.into(), arguments: arguments.into_iter().collect() })
    }

    /// Whether reading again may give another secret.
    pub(super) fn may_change(&self) -> bool {
        !matches!(self.0, Kind::Fixed(_))
    }

    /// Reads the secret.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, the command fails, or there is nothing in it.
    pub async fn read(&self) -> Result<String, SecretError> {
        let text = match &self.0 {
            Kind::Fixed(secret) => return Ok(secret.clone()),
            Kind::File(path) => tokio::fs::read_to_string(path).await.map_err(|error| {
                // An error about the contents would not quote them, but its kind is enough.
                SecretError::File(format!("{}: {}", path.display(), error.kind()))
            })?,
            Kind::Command { program, arguments } => output(program, arguments).await?,
        };
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            return Err(SecretError::Empty(self.to_string()));
        }
        Ok(secret.to_owned())
    }
}

async fn output(program: &str, arguments: &[String]) -> Result<String, SecretError> {
    let failed = |reason: String| SecretError::Command { program: program.to_owned(), reason };
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stdin(std::process::Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(COMMAND_TIMEOUT, command.output())
        .await
        .map_err(|_| failed(format!("it took longer than {} seconds", COMMAND_TIMEOUT.as_secs())))?
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    String::from_utf8(output.stdout).map_err(|_| failed("its output is not UTF-8".to_owned()))
}

impl fmt::Display for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Fixed(_) => formatter.write_str("the configuration"),
            Kind::File(path) => write!(formatter, "the file {}", path.display()),
            Kind::Command { program, .. } => write!(formatter, "the command `{program}`"),
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SecretSource({self})")
    }
}

/// The credentials that are sent to a server.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Credentials {
    /// A user and a password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: SecretSource,
    },
    /// A token, such as a JWT.
    Bearer(SecretSource),
    /// An API key of Elasticsearch.
    ApiKey(SecretSource),
}

impl Credentials {
    pub(super) fn secret(&self) -> &SecretSource {
        match self {
            Self::Basic { password: secret, .. } | Self::Bearer(secret) | Self::ApiKey(secret) => secret,
        }
    }

    /// The value of a secret, if it can be sent.
    pub(super) async fn read(&self) -> Result<String, SecretError> {
        let secret = self.secret().read().await?;
        let is_sendable = matches!(self, Self::Basic { .. }) || HeaderValue::from_str(&secret).is_ok();
        if is_sendable { Ok(secret) } else { Err(SecretError::Unsendable(self.secret().to_string())) }
    }

    /// Adds the credentials to a request.
    pub(super) fn add_to(&self, request: RequestBuilder, secret: &str) -> RequestBuilder {
        match self {
            Self::Basic { user, .. } => request.basic_auth(user, Some(secret)),
            Self::Bearer(_) => request.bearer_auth(secret),
            Self::ApiKey(_) => match HeaderValue::from_str(&format!("ApiKey {secret}")) {
                Ok(mut value) => {
                    value.set_sensitive(true);
                    request.header(AUTHORIZATION, value)
                }
                // `read` has checked it.
                Err(_) => request,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_secret_comes_from_a_file_or_a_command() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        fs_err::write(&path, "hidden\n").unwrap();
        assert_eq!(SecretSource::file(&path).read().await.unwrap(), "hidden");
        let command = SecretSource::command("cat", [path.display().to_string()]);
        assert_eq!(command.read().await.unwrap(), "hidden");
    }

    #[tokio::test]
    async fn a_secret_that_cannot_be_read_says_why_and_shows_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        fs_err::write(&path, "\n").unwrap();
        for (source, reason) in [
            (SecretSource::file(&path), "is empty"),
            (SecretSource::file(directory.path().join("missing")), "entity not found"),
            (SecretSource::command("false", ["hidden".to_owned()]), "exit status: 1"),
            (SecretSource::command("no-such-program", []), "No such file"),
        ] {
            let error = source.read().await.unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
            assert!(!format!("{error} {source:?}").contains("hidden"), "{error}");
        }
        assert!(!format!("{:?}", SecretSource::fixed("hidden")).contains("hidden"));
    }
}
