//! `OpenSearch` and Elasticsearch, one node each.

use std::{
    ffi::OsString,
    fmt::Write as _,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use crate::{
    error::ServerError,
    install::{Installable, install},
    java,
    launcher::Launcher,
    process::is_root,
    server::{Identity, Launch, Server},
};

/// Which search server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// `OpenSearch` 2.19.6.
    OpenSearch2,
    /// `OpenSearch` 3.6.0.
    OpenSearch3,
    /// Elasticsearch 7.10.2, the last under the Apache licence.
    Elasticsearch7,
    /// Elasticsearch 7.17.15, which `SonarQube` brings, as the later ones.
    Elasticsearch717,
    /// Elasticsearch 8.14.1.
    Elasticsearch8,
    /// Elasticsearch 9.4.3.
    Elasticsearch9,
}

impl Product {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::OpenSearch2,
        Self::OpenSearch3,
        Self::Elasticsearch7,
        Self::Elasticsearch717,
        Self::Elasticsearch8,
        Self::Elasticsearch9,
    ];
    /// Those with which all tests run: quick to install, and with all modules.
    pub const TESTED: [Self; 2] = [Self::OpenSearch3, Self::Elasticsearch7];

    /// The name on the command line and in the environment of the tests, such as `opensearch3`.
    pub fn key(self) -> &'static str {
        self.installable().key()
    }

    /// Product and version, for people.
    pub fn label(self) -> &'static str {
        self.installable().label()
    }

    /// The product with this [key](Self::key).
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|product| product.key() == key)
    }

    /// What has to be installed for it.
    pub fn installable(self) -> Installable {
        match self {
            Self::OpenSearch2 => Installable::OpenSearch2,
            Self::OpenSearch3 => Installable::OpenSearch3,
            Self::Elasticsearch7 => Installable::Elasticsearch7,
            Self::Elasticsearch717 => Installable::Elasticsearch717,
            Self::Elasticsearch8 => Installable::Elasticsearch8,
            Self::Elasticsearch9 => Installable::Elasticsearch9,
        }
    }

    /// The versions of Java it runs on. Older ones need the Security Manager, which Java 24 no
    /// longer has.
    fn java_versions(self) -> RangeInclusive<u32> {
        match self {
            Self::OpenSearch3 | Self::Elasticsearch9 => 21..=u32::MAX,
            _ => 17..=23,
        }
    }

    fn is_open(self) -> bool {
        matches!(self, Self::OpenSearch2 | Self::OpenSearch3)
    }

    /// Whether a program of its own starts the server.
    fn has_launcher(self) -> bool {
        matches!(self, Self::Elasticsearch8 | Self::Elasticsearch9)
    }

    fn home(self, installed: &Path) -> PathBuf {
        installed.join(match self {
            Self::OpenSearch2 => "opensearch-2.19.6",
            Self::OpenSearch3 => "opensearch-3.6.0",
            Self::Elasticsearch7 => "elasticsearch-7.10.2",
            Self::Elasticsearch717 => "sonarqube-9.9.8.100196/elasticsearch",
            Self::Elasticsearch8 => "sonarqube-10.7.0.96327/elasticsearch",
            Self::Elasticsearch9 => "sonarqube-26.9.0.129388/elasticsearch",
        })
    }
}

/// How a search server is started.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// Java's `-Xmx`. `1g` if not said otherwise.
    pub heap: String,
    /// Settings beyond the usual (`-E key=value`), such as `thread_pool.write.queue_size` = `1`.
    pub settings: Vec<(String, String)>,
    /// Options for Java, which override those that make a small server start fast.
    pub java_options: Vec<String>,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self { heap: "1g".to_owned(), settings: Vec::new(), java_options: Vec::new() }
    }
}

impl ClusterOptions {
    /// Adds a setting.
    #[must_use]
    pub fn setting(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((key.into(), value.into()));
        self
    }

    /// Adds an option for Java.
    #[must_use]
    pub fn java_option(mut self, option: impl Into<String>) -> Self {
        self.java_options.push(option.into());
        self
    }
}

/// Starts search servers.
#[derive(Debug)]
pub struct Cluster;

impl Cluster {
    /// Installs (once) and starts a search server with no data; returns when its health is at least
    /// yellow.
    pub fn start(product: Product, options: &ClusterOptions) -> Result<Server, ServerError> {
        let installed = install(product.installable(), &|_| ())?;
        let java = java::find(product.label(), &product.java_versions())?;
        let identity = Identity {
            key: product.key(),
            label: product.label(),
            // After a restart HTTP answers before the shards do: without the status a GET may find no shard.
            ready_path: "/_cluster/health?wait_for_status=yellow&timeout=1s",
        };
        Server::start(identity, |directory, port| {
            write_configuration(product, directory, port)
                .map_err(ServerError::io(format!("configuring {}", product.label())))?;
            let home = product.home(&installed);
            if product.has_launcher() {
                let launcher = Launcher { java: &java, home: &home, directory, heap: &options.heap };
                return launcher
                    .launch(product == Product::Elasticsearch8, &options.java_options, &options.settings)
                    .map_err(ServerError::io(format!("configuring {}", product.label())));
            }
            Ok(Launch {
                program: java.clone(),
                arguments: arguments(product, &home, directory, options),
                environment: vec![
                    ("HOME", directory.join("home").into()),
                    ("ES_TMPDIR", directory.join("tmp").into()),
                    ("LIBFFI_TMPDIR", directory.join("tmp").into()),
                ],
                without_environment: vec!["JAVA_TOOL_OPTIONS", "JAVA_OPTS", "_JAVA_OPTIONS"],
                working_directory: home,
            })
        })
    }
}

fn write_configuration(product: Product, directory: &Path, port: u16) -> std::io::Result<()> {
    for name in ["conf", "data", "logs", "tmp", "home"] {
        fs_err::create_dir_all(directory.join(name))?;
    }
    let mut settings = String::new();
    for (key, value) in [
        ("cluster.name", format!("pillowtop-test-{port}")),
        ("node.name", "node-1".to_owned()),
        ("path.data", quoted(&directory.join("data"))),
        ("path.logs", quoted(&directory.join("logs"))),
        ("network.host", "127.0.0.1".to_owned()),
        ("http.port", port.to_string()),
        ("transport.port", "0".to_owned()),
        ("discovery.type", "single-node".to_owned()),
        // A disk that is nearly full would make indexes read-only.
        ("cluster.routing.allocation.disk.threshold_enabled", "false".to_owned()),
    ] {
        // Writing to a String cannot fail.
        let _ = writeln!(settings, "{key}: {value}");
    }
    if product.has_launcher() {
        // Otherwise it would ask for certificates and passwords.
        settings.push_str("xpack.security.enabled: false\n");
    }
    let file = if product.is_open() { "opensearch.yml" } else { "elasticsearch.yml" };
    fs_err::write(directory.join("conf").join(file), settings)?;
    fs_err::write(directory.join("conf/log4j2.properties"), LOGGING)
}

/// A path as a string of YAML.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "''"))
}

const LOGGING: &str = "\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
";

/// The arguments that the product's own start script would give to Java, for a small server that
/// starts fast.
fn arguments(product: Product, home: &Path, directory: &Path, options: &ClusterOptions) -> Vec<OsString> {
    let with = |before: &str, path: PathBuf| {
        let mut argument = OsString::from(before);
        argument.push(path);
        argument
    };
    let mut all: Vec<OsString> = Vec::new();
    all.extend(["-Xms256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss1m"].map(OsString::from));
    all.push(format!("-Xmx{}", options.heap).into());
    all.extend(
        [
            "-XX:-OmitStackTraceInFastThrow",
            "-Djava.awt.headless=true",
            "-Dfile.encoding=UTF-8",
            "-Djna.nosys=true",
            "-Dio.netty.noUnsafe=true",
            "-Dlog4j.shutdownHookEnabled=false",
            "-Dlog4j2.disable.jmx=true",
            "-Dlog4j2.formatMsgNoLookups=true",
        ]
        .map(OsString::from),
    );
    all.push(with("-Djava.io.tmpdir=", directory.join("tmp")));
    all.push(with("-Djna.tmpdir=", directory.join("tmp")));
    all.push(with("-XX:ErrorFile=", directory.join("logs/hs_err_pid%p.log")));
    if is_root() {
        // Both refuse to run as root. They ask through JNA who they are; without it they cannot.
        all.push("-Djna.noclasspath=true".into());
    }
    if product == Product::OpenSearch3 {
        // The Java agent stays away (it costs two seconds), but its classes are needed.
        let bootstrap = home.join("agent/opensearch-agent-bootstrap-3.6.0.jar");
        all.push(with("-Xbootclasspath/a:", bootstrap));
        all.push("--add-modules=jdk.incubator.vector".into());
        all.push("--enable-native-access=ALL-UNNAMED".into());
    } else {
        all.push("-Djava.security.manager=allow".into());
    }
    let (prefix, main) = if product.is_open() {
        ("opensearch", "org.opensearch.bootstrap.OpenSearch")
    } else {
        let flavor = if product == Product::Elasticsearch7 { "oss" } else { "default" };
        all.push("-Des.networkaddress.cache.ttl=60".into());
        all.push(format!("-Des.distribution.flavor={flavor}").into());
        ("es", "org.elasticsearch.bootstrap.Elasticsearch")
    };
    all.push(with(&format!("-D{prefix}.path.home="), home.to_path_buf()));
    all.push(with(&format!("-D{prefix}.path.conf="), directory.join("conf")));
    all.push(format!("-D{prefix}.distribution.type=zip").into());
    all.push(format!("-D{prefix}.bundled_jdk=false").into());
    all.extend(options.java_options.iter().map(OsString::from));
    all.push("-cp".into());
    all.push(home.join("lib/*").into());
    all.push(main.into());
    for (key, value) in &options.settings {
        all.push("-E".into());
        all.push(format!("{key}={value}").into());
    }
    all
}
