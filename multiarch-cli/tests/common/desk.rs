//! Running the command.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use multiarch_generator::{Image, Layer, demo_package, images_tar, package_name};
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

    /// A docker-archive in gzip, whose 4 MiB of content hardly compress.
    pub(crate) fn large_archive(&self, seed: u64) -> String {
        let mut state = seed;
        let content: String = (0..4 << 20)
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                char::from(b'0' + u8::try_from((state >> 33) % 75).expect("small"))
            })
            .collect();
        let image = Image::of("amd64", "", vec![Layer::plain("file", &content)]);
        let archive = images_tar(&[("q.io/a/b:1", &image)]);
        self.write("large.tar.gz", multiarch_generator::gzip(&archive))
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

/// The file of the command.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_multiarch");

/// The command. It heeds signals also where what runs the tests ignores some, as under `nohup`.
pub(crate) fn multiarch() -> Command {
    let mut command = Command::new("/usr/bin/env");
    command.args(["--default-signal=INT,TERM,HUP", PROGRAM]);
    // No cache can be created below this path.
    command.env("XDG_CACHE_HOME", "/dev/null");
    // No folder, so that no snapshot is kept there.
    command.env("XDG_STATE_HOME", "none");
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

/// Tag → digest, from a layout's index.json.
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
