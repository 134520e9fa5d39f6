//! Finds a JDK of a version that a server runs on.

use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::error::ServerError;

/// The path of a `java` whose major version is in `versions`.
///
/// Searched in this order: `SERVER_JAVA_HOME`, `JAVA_HOME`, the `PATH`, then where packages of the
/// usual systems put them.
pub(crate) fn find(server: &str, versions: &RangeInclusive<u32>) -> Result<PathBuf, ServerError> {
    candidates()
        .into_iter()
        .filter(|path| path.is_file())
        .find(|path| version_of(path).is_some_and(|version| versions.contains(&version)))
        .ok_or_else(|| ServerError::MissingTool {
            server: server.to_owned(),
            tool: format!("a JDK {}", describe(versions)),
            hint: format!(
                "install one (openjdk-{} or Temurin will do), or set SERVER_JAVA_HOME to its directory",
                versions.start()
            ),
        })
}

fn describe(versions: &RangeInclusive<u32>) -> String {
    if *versions.end() == u32::MAX {
        format!("{} or newer", versions.start())
    } else {
        format!("{} to {}", versions.start(), versions.end())
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for variable in ["SERVER_JAVA_HOME", "JAVA_HOME"] {
        found.extend(std::env::var_os(variable).map(|home| Path::new(&home).join("bin/java")));
    }
    if let Some(path) = std::env::var_os("PATH") {
        found.extend(std::env::split_paths(&path).map(|directory| directory.join("java")));
    }
    let user = std::env::home_dir().unwrap_or_default();
    let places = [
        (PathBuf::from("/usr/lib/jvm"), "bin/java"),
        (PathBuf::from("/Library/Java/JavaVirtualMachines"), "Contents/Home/bin/java"),
        (user.join(".sdkman/candidates/java"), "bin/java"),
        (user.join(".jdks"), "bin/java"),
    ];
    for (directory, below) in places {
        let Ok(entries) = fs_err::read_dir(directory) else { continue };
        let mut homes: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        homes.sort();
        found.extend(homes.into_iter().map(|home| home.join(below)));
    }
    found
}

fn version_of(java: &Path) -> Option<u32> {
    let output = Command::new(java)
        .args(["-XshowSettings:properties", "-version"])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    parse_version(&String::from_utf8_lossy(&output.stderr))
}

/// The major version in what `java -XshowSettings:properties -version` says.
fn parse_version(settings: &str) -> Option<u32> {
    let line = settings.lines().find_map(|line| line.trim().strip_prefix("java.specification.version = "))?;
    line.trim().strip_prefix("1.").unwrap_or(line.trim()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_settings() {
        let settings = |version: &str| {
            format!(
                "Property settings:\n    java.home = x\n    java.specification.version = {version}\n    z = 1\n"
            )
        };
        assert_eq!(parse_version(&settings("17")), Some(17));
        assert_eq!(parse_version(&settings("1.8")), Some(8));
        assert_eq!(parse_version(&settings("25")), Some(25));
        assert_eq!(parse_version("openjdk version \"17.0.1\""), None);
    }

    #[test]
    fn what_is_missing_is_reported_with_a_hint() {
        let error = find("A server", &(7000..=u32::MAX)).unwrap_err().to_string();
        assert!(
            error.starts_with("A server needs a JDK 7000 or newer, which was not found\n\nhint: "),
            "{error}"
        );
    }
}
