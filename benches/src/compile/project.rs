//! The workspace of crates that are compiled, in the target directory.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::Variant;
use super::structs::Derives;

/// The limit is raised: what is measured has more fields than a server takes by itself.
const SETTINGS: &str = r#"{"index.mapping.total_fields.limit": 3000}"#;

const MAIN: &str = r"//! Writes the mappings that are to be committed.
fn main() -> std::io::Result<()> {
    for pillow in documents::registry().pillows() {
        let definition = pillow.definition();
        if let pillowtop::Committed::OnDisk(path) = definition.committed {
            pillowtop::CommittedFile::of(definition).write(std::path::Path::new(path)).map_err(std::io::Error::other)?;
        }
    }
    Ok(())
}
";

/// A workspace with a crate of each variant.
pub(super) struct Project {
    directory: PathBuf,
}

impl Project {
    /// Writes the crates, builds what they depend on, and makes the mappings of those that compare
    /// them.
    pub(super) fn create(variants: &[Variant]) -> Result<Self, String> {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the bench has no workspace")?;
        let directory = checkout.join("target").join("compile-bench");
        let project = Self { directory };
        let names: Vec<String> = variants.iter().map(|variant| format!("{:?}", variant.name())).collect();
        project.write(
            "Cargo.toml",
            &format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n", names.join(", ")),
        )?;
        // The versions that are here already, so that nothing is fetched.
        fs_err::copy(checkout.join("Cargo.lock"), project.directory.join("Cargo.lock")).map_err(text)?;
        for variant in variants {
            project.write_crate(checkout, variant)?;
        }
        for variant in variants.iter().filter(|variant| variant.derives == Derives::Committed) {
            project.commit(&variant.name())?;
        }
        for variant in variants {
            project.cargo(&["check", "--package", &variant.name()])?;
        }
        Ok(project)
    }

    fn write_crate(&self, checkout: &Path, variant: &Variant) -> Result<(), String> {
        let name = variant.name();
        let facade = checkout.join("pillowtop").display().to_string().replace('\\', "/");
        let bless = "\n[features]\nbless = [\"pillowtop/bless\"]\n";
        let binary =
            "\n[[bin]]\nname = \"BINARY\"\npath = \"src/main.rs\"\nrequired-features = [\"bless\"]\n"
                .replace("BINARY", &format!("{name}-commit"));
        let (dependency, more) = match variant.derives {
            Derives::Serde => (String::new(), String::new()),
            Derives::Committed => {
                (format!("pillowtop = {{ path = \"{facade}\" }}\n"), format!("{bless}{binary}"))
            }
            _ => (format!("pillowtop = {{ path = \"{facade}\" }}\n"), String::new()),
        };
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[lib]\nname = \"{}\"\n\n\
             [dependencies]\nserde = {{ version = \"1\", features = [\"derive\"] }}\n{dependency}{more}",
            name.replace('-', "_")
        );
        self.write(&format!("{name}/Cargo.toml"), &manifest)?;
        self.write(&format!("{name}/src/lib.rs"), &variant.structs.source(variant.derives))?;
        self.write(&format!("{name}/settings.json"), SETTINGS)?;
        if variant.derives == Derives::Committed {
            fs_err::create_dir_all(self.directory.join(&name).join("mappings")).map_err(text)?;
            self.write(
                &format!("{name}/src/main.rs"),
                &MAIN.replace("documents::", &format!("{}::", name.replace('-', "_"))),
            )?;
        }
        Ok(())
    }

    fn commit(&self, name: &str) -> Result<(), String> {
        self.cargo(&["run", "--package", name, "--features", "bless"]).map(drop)
    }

    /// Seconds of a `cargo check` of one crate, less those of one that has nothing to do.
    pub(super) fn check(&self, name: &str) -> Result<f64, String> {
        let source = self.directory.join(name).join("src/lib.rs");
        let now = std::time::SystemTime::now();
        let file = fs_err::OpenOptions::new().append(true).open(source).map_err(text)?;
        file.into_parts().0.set_modified(now).map_err(text)?;
        let cold = self.cargo(&["check", "--package", name])?;
        let idle = self.cargo(&["check", "--package", name])?;
        Ok(cold - idle)
    }

    fn write(&self, path: &str, contents: &str) -> Result<(), String> {
        let path = self.directory.join(path);
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent).map_err(text)?;
        }
        // A file that is the same keeps its time, so that a second run builds nothing again.
        if fs_err::read_to_string(&path).is_ok_and(|present| present == contents) {
            return Ok(());
        }
        fs_err::write(path, contents).map_err(text)
    }

    fn cargo(&self, arguments: &[&str]) -> Result<f64, String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let before = Instant::now();
        let output = Command::new(cargo)
            .args(arguments)
            .args(["--offline", "--color", "never"])
            .current_dir(&self.directory)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TARGET_DIR", self.directory.join("target"))
            .output()
            .map_err(text)?;
        let seconds = before.elapsed().as_secs_f64();
        if output.status.success() {
            return Ok(seconds);
        }
        Err(format!("cargo {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)))
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
