//! Elasticsearch 8 and later: a small program starts the server, and passes it its arguments.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::process::is_root;
use crate::server::Launch;

/// The user that the server runs as where the tests run as root, which it refuses.
const NOBODY: &str = "65534";

/// What is to be started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Launcher<'a> {
    pub(crate) java: &'a Path,
    pub(crate) home: &'a Path,
    /// The directory of its data and configuration.
    pub(crate) directory: &'a Path,
    /// Java's `-Xmx`.
    pub(crate) heap: &'a str,
}

impl Launcher<'_> {
    /// How to start it. `is_8`: by the launcher of Elasticsearch 8.
    pub(crate) fn launch(
        self,
        is_8: bool,
        java_options: &[String],
        settings: &[(String, String)],
    ) -> io::Result<Launch> {
        self.write_java_options(java_options)?;
        let mut arguments: Vec<OsString> = Vec::new();
        let mut program = self.java.to_path_buf();
        if is_root() {
            self.give_to_nobody()?;
            program = "setpriv".into();
            let ids = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".to_owned()];
            arguments.extend(ids.map(OsString::from));
            arguments.push(self.java.into());
        }
        let temporary = self.temporary();
        let of_launcher = ["-Xms4m", "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", &temporary];
        arguments.extend(of_launcher.map(OsString::from));
        let home = self.home.display();
        if is_8 {
            let of_server = [
                "-Dcli.name=server".to_owned(),
                format!("-Dcli.script={home}/bin/elasticsearch"),
                "-Dcli.libs=lib/tools/server-cli".to_owned(),
                format!("-Des.path.home={home}"),
                format!("-Des.path.conf={}/conf", self.directory.display()),
                "-Des.distribution.type=tar".to_owned(),
                "-cp".to_owned(),
                format!("{home}/lib/*:{home}/lib/cli-launcher/*"),
                "org.elasticsearch.launcher.CliToolLauncher".to_owned(),
            ];
            arguments.extend(of_server.map(OsString::from));
        } else {
            let classes = format!("{home}/lib/tools/server-launcher/*");
            let main = "org.elasticsearch.server.launcher.ServerLauncher".to_owned();
            arguments.extend(["-cp".to_owned(), classes, main].map(OsString::from));
        }
        for (key, value) in settings {
            arguments.push("-E".into());
            arguments.push(format!("{key}={value}").into());
        }
        Ok(Launch {
            program,
            arguments,
            environment: self.environment(),
            without_environment: vec!["JAVA_HOME", "JAVA_TOOL_OPTIONS", "JAVA_OPTS", "_JAVA_OPTIONS"],
            // The launchers look for lib and modules there.
            working_directory: self.home.to_path_buf(),
        })
    }

    fn environment(&self) -> Vec<(&'static str, OsString)> {
        let java_home = self.java.parent().and_then(Path::parent).unwrap_or(self.java);
        vec![
            ("HOME", self.directory.join("home").into()),
            ("ES_TMPDIR", self.directory.join("tmp").into()),
            ("LIBFFI_TMPDIR", self.directory.join("tmp").into()),
            ("ES_HOME", self.home.into()),
            ("ES_PATH_CONF", self.directory.join("conf").into()),
            ("ES_JAVA_HOME", java_home.into()),
            ("JAVA", self.java.into()),
            ("ES_DISTRIBUTION_TYPE", "tar".into()),
            ("CLI_JAVA_OPTS", self.temporary().into()),
        ]
    }

    fn temporary(&self) -> String {
        format!("-Djava.io.tmpdir={}/tmp", self.directory.display())
    }

    /// The options of the server's own Java.
    fn write_java_options(&self, more: &[String]) -> io::Result<()> {
        let mut options = vec![
            "-Xms256m".to_owned(),
            format!("-Xmx{}", self.heap),
            "-XX:+UseSerialGC".to_owned(),
            "-XX:TieredStopAtLevel=1".to_owned(),
            self.temporary(),
            "-XX:-AlwaysPreTouch".to_owned(),
            format!("-XX:ErrorFile={}/logs/hs_err_pid%p.log", self.directory.display()),
            "20-:--add-modules=jdk.incubator.vector".to_owned(),
        ];
        options.extend(more.iter().cloned());
        fs_err::write(self.directory.join("conf/jvm.options"), options.join("\n") + "\n")
    }

    fn give_to_nobody(&self) -> io::Result<()> {
        let status = Command::new("chown").arg("-R").arg(NOBODY).arg(self.directory).status()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("cannot make {NOBODY} the owner of {}", self.directory.display())))
        }
    }
}
