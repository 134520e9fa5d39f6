//! `pillowtop.toml` under the environment under flags.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use pillowtop_core::name::index_name_problem;
use pillowtop_core::settings::{hashed_names, normalize};
use pillowtop_core::{DatabaseName, PillowName};
use pillowtop_runtime::engine::DatabaseSelection;
use pillowtop_runtime::http::{Endpoint, EndpointError};
use pillowtop_runtime::member::MemberOptions;
use pillowtop_runtime::source::ViewName;
use pillowtop_runtime::target::elastic::SettingsOverrides;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::arguments::Shared;
use crate::certificates;
use crate::databases::Databases;
use crate::exit::Failure;

/// The name of the file that is looked for.
const FILE: &str = "pillowtop.toml";

/// A string that is never shown, not even by an error that says what stands in its place.
#[derive(Clone, Deserialize)]
#[serde(try_from = "toml::Value")]
pub(crate) struct Secret(String);

impl TryFrom<toml::Value> for Secret {
    type Error = &'static str;

    fn try_from(value: toml::Value) -> Result<Self, Self::Error> {
        match value {
            toml::Value::String(text) => Ok(Self(text)),
            _ => Err("a password or an address is a string in quotes"),
        }
    }
}

impl Secret {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    pillows: Option<Vec<String>>,
    couch: FileServer,
    elastic: FileCluster,
    sql: FileSql,
    databases: BTreeMap<String, Databases>,
    settings: Option<Value>,
    pillow: BTreeMap<String, FilePillow>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FilePillow {
    settings: Option<Value>,
    dead_letters: Option<KeptLetters>,
    max_open_dead_letters: Option<u64>,
    view: Option<ReadView>,
}

/// A view that loads read.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct ReadView(ViewName);

impl TryFrom<String> for ReadView {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

/// What dead letters keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptLetters {
    /// Id, revision, path, error and reason.
    KeepError,
    /// The document too.
    KeepBody,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileServer {
    url: Option<String>,
    user: Option<String>,
    password: Option<Secret>,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileCluster {
    url: Option<String>,
    user: Option<String>,
    password: Option<Secret>,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    prefix: Option<String>,
}

impl FileCluster {
    /// The same without the prefix.
    fn server(self) -> FileServer {
        let Self { url, user, password, password_file, ca_file, .. } = self;
        FileServer { url, user, password, password_file, ca_file }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileSql {
    url: Option<Secret>,
}

/// Where a server is and who asks.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServerConfig {
    pub(crate) url: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    /// Certificates, as PEM, that are trusted beside the machine's own.
    pub(crate) authorities: Option<Vec<u8>>,
}

impl ServerConfig {
    /// This server, or another one with its user and certificates. Credentials in the address come
    /// first.
    pub(crate) fn endpoint(&self, url: &str) -> Result<Endpoint, EndpointError> {
        let has_own = credentials(url).is_some();
        let user = self.user.as_deref().filter(|_| !has_own);
        let password = self.password.as_ref().map(Secret::reveal).filter(|_| !has_own);
        Endpoint::with_options(url, user, password, &certificates::options(self.authorities.as_ref()))
    }
}

/// What a command runs with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    /// The enabled pillows; all by default.
    pub(crate) pillows: Option<Vec<String>>,
    pub(crate) couch: ServerConfig,
    pub(crate) elastic: ServerConfig,
    pub(crate) prefix: Option<String>,
    /// The address of the database of tables, which may contain a password.
    #[cfg_attr(not(feature = "sql"), allow(dead_code, reason = "only tables need it"))]
    pub(crate) sql_url: Option<Secret>,
    /// Index settings of this environment, over the pillows' own.
    pub(crate) settings: SettingsOverrides,
    databases: BTreeMap<String, Databases>,
    members: BTreeMap<PillowName, FilePillow>,
}

impl Config {
    /// Reads the configuration. `variable` reads the environment; flags and what clap reads of the
    /// environment are in `shared`.
    pub(crate) fn read(shared: &Shared, variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let path = match &shared.config {
            Some(path) => Some(path.clone()),
            None => nearest(&std::env::current_dir()?),
        };
        let file = match &path {
            Some(path) => parse(path, &fs_err::read_to_string(path).map_err(Failure::usage)?)?,
            None => File::default(),
        };
        let directory = path.as_deref().and_then(Path::parent).unwrap_or(Path::new(".")).to_owned();
        // A variable that is set to nothing has no effect.
        let password = |name: &str, inline: Option<Secret>, from: Option<PathBuf>| match (
            variable(name).filter(|text| !text.is_empty()),
            inline,
            from,
        ) {
            (Some(text), _, _) => Ok(Some(Secret(text))),
            (None, Some(secret), _) => Ok(Some(secret)),
            (None, None, Some(path)) => {
                let text = fs_err::read_to_string(directory.join(path)).map_err(Failure::usage)?;
                Ok(Some(Secret(text.trim_end_matches(['\r', '\n']).to_owned())))
            }
            (None, None, None) => Ok::<_, Failure>(None),
        };
        let authorities = |flag: &Option<PathBuf>, file: Option<PathBuf>| {
            let path = flag.clone().filter(|path| !path.as_os_str().is_empty());
            path.or_else(|| file.map(|path| directory.join(path)))
                .map(|path| certificates::read(&path))
                .transpose()
        };
        // As above.
        let explicit = |flag: &Option<String>| flag.clone().filter(|text| !text.is_empty());
        let server = |flags: [&Option<String>; 2], ca_file, variable: &str, file: FileServer| {
            let [url, user] = flags.map(explicit);
            let own = url.as_deref().and_then(credentials);
            let is_complete = user.is_none() && own.is_some_and(|own| own.contains(':'));
            // Credentials in an address are those of its server, and those in the file of the file's.
            let file = if own.is_some() {
                FileServer { user: None, password: None, password_file: None, ..file }
            } else {
                file
            };
            let password = password(variable, file.password, file.password_file)?;
            Ok::<_, Failure>(ServerConfig {
                password: password.filter(|_| !is_complete),
                url: url.or(file.url),
                user: user.or(file.user),
                authorities: authorities(ca_file, file.ca_file)?,
            })
        };
        let prefix = explicit(&shared.prefix).or_else(|| file.elastic.prefix.clone());
        check_prefix(prefix.as_deref())?;
        Ok(Self {
            pillows: file.pillows,
            couch: server(
                [&shared.couch_url, &shared.couch_user],
                &shared.couch_ca_file,
                "PILLOWTOP_COUCH_PASSWORD",
                file.couch,
            )?,
            elastic: server(
                [&shared.elastic_url, &shared.elastic_user],
                &shared.elastic_ca_file,
                "PILLOWTOP_ELASTIC_PASSWORD",
                file.elastic.server(),
            )?,
            prefix,
            sql_url: explicit(&shared.sql_url).map(Secret).or(file.sql.url),
            members: file
                .pillow
                .iter()
                .map(|(name, pillow)| (PillowName::from(name.as_str()), pillow.clone()))
                .collect(),
            settings: overrides(file.settings, file.pillow)?,
            databases: file.databases,
        })
    }

    /// The pillows that have a table of their own in the file.
    pub(crate) fn named_pillows(&self) -> impl Iterator<Item = &str> {
        self.settings.by_pillow.keys().map(PillowName::as_str)
    }

    /// The databases that are read where a struct names one.
    pub(crate) fn databases(&self, named: &str) -> DatabaseSelection {
        match self.databases.get(named) {
            Some(databases) => databases.selection(),
            None => DatabaseSelection::One(DatabaseName::from(named)),
        }
    }

    /// The view that loads of a pillow read, if one is named.
    pub(crate) fn view(&self, pillow: &PillowName) -> Option<ViewName> {
        self.members.get(pillow)?.view.as_ref().map(|view| view.0.clone())
    }

    /// The bounds of a pillow's members.
    pub(crate) fn member_options(&self, pillow: &PillowName) -> MemberOptions {
        let mut options = MemberOptions::default();
        if let Some(own) = self.members.get(pillow) {
            options.keeps_bodies = own.dead_letters == Some(KeptLetters::KeepBody);
            options.max_open_dead_letters =
                own.max_open_dead_letters.unwrap_or(options.max_open_dead_letters);
        }
        options
    }
}

/// The user in an address, with the password after a colon.
fn credentials(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    Some(authority.rsplit_once('@')?.0)
}

/// Fails if no index can have the prefix, or no database one of the names.
fn check_prefix(prefix: Option<&str>) -> Result<(), Failure> {
    match prefix.and_then(|prefix| Some((prefix, index_name_problem(prefix)?))) {
        Some((prefix, problem)) => {
            Err(Failure::usage(format!("no index can begin with the prefix `{prefix}`: it {problem}")))
        }
        None => Ok(()),
    }
}

fn overrides(
    all: Option<Value>,
    pillows: BTreeMap<String, FilePillow>,
) -> Result<SettingsOverrides, Failure> {
    let all = all.map(|settings| overriding("settings", &settings)).transpose()?;
    let mut by_pillow = BTreeMap::new();
    for (name, pillow) in pillows {
        let settings = pillow.settings.unwrap_or_else(|| Value::Object(Map::new()));
        let settings = overriding(&format!("pillow.{name}.settings"), &settings)?;
        by_pillow.insert(PillowName::from(name.as_str()), settings);
    }
    Ok(SettingsOverrides { all, by_pillow })
}

/// Settings in their normal form, none of them hashed.
fn overriding(table: &str, settings: &Value) -> Result<Value, Failure> {
    let normal = normalize(settings).map_err(|problem| Failure::usage(format!("`[{table}]`: {problem}")))?;
    let hashed = hashed_names(&normal);
    if hashed.is_empty() {
        return Ok(normal);
    }
    let names: Vec<String> = hashed.iter().map(|name| format!("`{name}`")).collect();
    Err(Failure::usage(format!(
        "`[{table}]` sets {}, which decides what an index holds and so is part of its hash: it is the same in every environment",
        names.join(", ")
    ))
    .hint("put it into the pillow's settings file, run `PROGRAM make-mapping NAME`, and build the index again"))
}

fn nearest(directory: &Path) -> Option<PathBuf> {
    // Whatever has the name is meant: what cannot be read is an error then, and not passed over.
    directory.ancestors().map(|directory| directory.join(FILE)).find(|path| path.symlink_metadata().is_ok())
}

fn parse(path: &Path, text: &str) -> Result<File, Failure> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
        let location = line.map(|line| format!(" line {line}")).unwrap_or_default();
        // Names of TOML, where serde has its own.
        let message = error.message().replace("expected a sequence", "expected a list");
        let message = message.replace("invalid type: map", "invalid type: table");
        let failure = Failure::usage(format!("{}{location}: {message}", path.display()));
        match suggestion(&message) {
            Some(name) => failure.hint(format!("did you mean `{name}`?")),
            None => failure,
        }
    })
}

/// serde names the unknown member first and then those that it knows, each in backticks.
fn suggestion(message: &str) -> Option<String> {
    let mut names = message.starts_with("unknown field").then(|| message.split('`').skip(1).step_by(2))?;
    let unknown = names.next()?;
    pillowtop_core::edit_distance::nearest(unknown, names).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "pillows = [\"case\"]\n[couch]\nurl = \"http://file\"\npassword = \"p\"\n[elastic]\nprefix = \"e\"\n[databases]\nhq = \"hq2\"\n";

    fn read(text: &str, shared: &Shared, environment: &[(&str, &str)]) -> Result<Config, Failure> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pillowtop.toml");
        fs_err::write(&path, text).unwrap();
        let shared = Shared { config: Some(path), ..shared.clone() };
        Config::read(&shared, |name| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn flags_come_before_the_environment_before_the_file() {
        let config = read(TEXT, &Shared::default(), &[]).unwrap();
        assert_eq!(config.couch.url.as_deref(), Some("http://file"));
        assert_eq!(config.couch.password.as_ref().map(Secret::reveal), Some("p"));
        assert_eq!(config.prefix.as_deref(), Some("e"));
        assert_eq!(config.databases("hq"), DatabaseSelection::One("hq2".into()));
        assert_eq!(config.databases("other"), DatabaseSelection::One("other".into()));
        let shared = Shared { couch_url: Some("http://flag".to_owned()), ..Shared::default() };
        let config = read(TEXT, &shared, &[("PILLOWTOP_COUCH_PASSWORD", "said-outside")]).unwrap();
        assert_eq!(config.couch.url.as_deref(), Some("http://flag"));
        assert_eq!(config.couch.password.as_ref().map(Secret::reveal), Some("said-outside"));
        assert!(!format!("{config:?}").contains("said-outside"), "{config:?}");
        let config = read(TEXT, &Shared::default(), &[("PILLOWTOP_COUCH_PASSWORD", "")]).unwrap();
        assert_eq!(
            config.couch.password.as_ref().map(Secret::reveal),
            Some("p"),
            "an empty value has no effect"
        );
    }

    #[test]
    fn credentials_in_an_address_come_before_those_of_the_file() {
        let text = "[couch]\nurl = \"http://file\"\nuser = \"u\"\npassword = \"p\"\n";
        let read = |url: &str, user: Option<&str>, password: &str| {
            let couch_user = user.map(str::to_owned);
            let shared = Shared { couch_url: Some(url.to_owned()), couch_user, ..Shared::default() };
            let couch = read(text, &shared, &[("PILLOWTOP_COUCH_PASSWORD", password)]).unwrap().couch;
            (couch.user, couch.password.map(|password| password.reveal().to_owned()))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read("http://other", None, ""), (some("u"), some("p")));
        assert_eq!(read("http://a:b@other", None, ""), (None, None));
        assert_eq!(read("http://a:b@other", None, "e"), (None, None));
        assert_eq!(read("http://a@other", None, "e"), (None, some("e")));
        assert_eq!(read("http://a:b@other", Some("c"), "e"), (some("c"), some("e")));
        assert_eq!(read("http://other/@", None, ""), (some("u"), some("p")));
    }

    #[test]
    fn a_password_without_quotes_is_refused_and_not_shown() {
        for password in ["20261126", "1.5", "true", "[\"20261126\"]", "2026-11-26"] {
            let failure =
                read(&format!("[couch]\npassword = {password}\n"), &Shared::default(), &[]).unwrap_err();
            assert_eq!(failure.code, 2);
            assert!(
                failure.message.ends_with("line 2: a password or an address is a string in quotes"),
                "{failure:?}"
            );
        }
    }

    #[test]
    fn a_directory_with_the_name_of_the_file_is_not_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let below = directory.path().join("below");
        fs_err::create_dir_all(&below).unwrap();
        fs_err::write(directory.path().join(FILE), "").unwrap();
        assert_eq!(nearest(&below), Some(directory.path().join(FILE)));
        fs_err::create_dir_all(below.join(FILE)).unwrap();
        assert_eq!(nearest(&below), Some(below.join(FILE)));
    }

    #[test]
    fn an_unknown_member_is_named() {
        let failure = read("[couch]\nurll = \"x\"\n", &Shared::default(), &[]).unwrap_err();
        assert_eq!(failure.code, 2);
        assert!(
            failure.message.contains("line 2") && failure.message.contains("`urll`"),
            "{}",
            failure.message
        );
        assert_eq!(failure.hint.as_deref(), Some("did you mean `url`?"));
        assert!(read("[couch]\nurl = 1\n", &Shared::default(), &[]).is_err());
    }

    #[test]
    fn settings_of_an_environment_are_read_and_hashed_ones_refused() {
        let text = "[settings]\nnumber_of_replicas = 2\n\"index.refresh_interval\" = \"30s\"\n[pillow.case.settings]\nnumber_of_shards = 6\n";
        let config = read(text, &Shared::default(), &[]).unwrap();
        let all = serde_json::json!({"number_of_replicas": 2, "refresh_interval": "30s"});
        assert_eq!(config.settings.all, Some(all));
        assert_eq!(config.settings.by_pillow[&PillowName::from("case")]["number_of_shards"], 6);
        assert_eq!(config.named_pillows().collect::<Vec<_>>(), ["case"]);
        let text = "[pillow.case.settings.analysis.analyzer.comma]\ntype = \"pattern\"\n";
        let failure = read(text, &Shared::default(), &[]).unwrap_err();
        assert_eq!(failure.code, 2);
        assert!(failure.message.contains("`[pillow.case.settings]` sets `analysis`"), "{failure:?}");
        assert!(failure.hint.is_some_and(|hint| hint.contains("settings file")));
        assert!(read("[pillow.case]\nsetings = 1\n", &Shared::default(), &[]).is_err());
        let config = read("[pillow.case]\nview = \"cases/by_id\"\n", &Shared::default(), &[]).unwrap();
        assert_eq!(config.view(&"case".into()).map(|view| view.to_string()).as_deref(), Some("cases/by_id"));
        let failure = read("[pillow.case]\nview = \"cases\"\n", &Shared::default(), &[]).unwrap_err();
        assert!(failure.message.contains("`cases` is not a view"), "{failure:?}");
    }

    #[test]
    fn a_missing_file_that_was_named_is_an_error() {
        let shared = Shared { config: Some("/nowhere/pillowtop.toml".into()), ..Shared::default() };
        assert_eq!(Config::read(&shared, |_| None).unwrap_err().code, 2);
    }
}
