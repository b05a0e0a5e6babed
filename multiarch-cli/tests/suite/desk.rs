//! Running the command.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use multiarch_generator::{demo_package, package_name};
use serde_json::Value;

/// A folder with the demo packages.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for architecture in ["amd64", "arm64"] {
            let path = folder.path().join(package_name("v1.0.0", architecture));
            std::fs::write(path, demo_package(architecture)).expect("written");
        }
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn package(&self, architecture: &str) -> String {
        self.path().join(package_name("v1.0.0", architecture)).display().to_string()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path().join(name);
        std::fs::write(&path, content).expect("written");
        path.display().to_string()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path().join("store")
    }

    pub(crate) fn target(&self) -> String {
        format!("oci:{}", self.store().display())
    }

    pub(crate) fn run(&self, words: &[&str]) -> Run {
        Run::of(multiarch().args(words).current_dir(self.path()))
    }
}

pub(crate) fn multiarch() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_multiarch"));
    // A place where no cache can be.
    command.env("XDG_CACHE_HOME", "/dev/null");
    command
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        command.output().expect("the command runs").into()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).expect("JSON on standard output")
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A tool that `ci/test` installs. Without it the test fails: nothing is skipped.
pub(crate) fn tool(name: &str) -> Command {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools").join(name);
    let found = if own.exists() { own } else { name.into() };
    let mut command = Command::new(found);
    // Nobody's credentials or settings.
    command.env("DOCKER_CONFIG", "/nonexistent").env("REGCTL_CONFIG", "/nonexistent/regctl.json");
    command
}

pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}; `ci/test` installs what the tests need"));
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {err}");
    String::from_utf8(output.stdout).expect("text")
}

/// Tag → digest, out of a layout's index.json.
pub(crate) fn tags(store: &Path) -> std::collections::BTreeMap<String, String> {
    let text = std::fs::read(store.join("index.json")).expect("index.json");
    let index: Value = serde_json::from_slice(&text).expect("JSON");
    index["manifests"]
        .as_array()
        .expect("manifests")
        .iter()
        .map(|entry| {
            let name = &entry["annotations"]["org.opencontainers.image.ref.name"];
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            (text(name), text(&entry["digest"]))
        })
        .collect()
}
