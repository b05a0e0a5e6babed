//! A folder for one command: packages, a cache, and a place for temporary files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{desk::multiarch, pair};

pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for architecture in ["amd64", "arm64", "s390x"] {
            let content = pair::package(architecture);
            fs::write(folder.path().join(pair::file_name(architecture)), content).expect("written");
        }
        for name in ["cache", "home", "tmp"] {
            fs::create_dir(folder.path().join(name)).expect("created");
        }
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// An import of the packages of these architectures.
    pub(crate) fn import(&self, architectures: &[&str], target: &str) -> Command {
        let mut command = multiarch();
        command.args(["import", "-q", "--jobs", "1", "--to", target]);
        command.args(architectures.iter().map(|architecture| pair::file_name(architecture)));
        command.current_dir(self.path()).stdout(Stdio::null()).stderr(Stdio::piped());
        let path = |name: &str| self.path().join(name);
        command.env("XDG_CACHE_HOME", path("cache")).env("HOME", path("home"));
        command.env("TMPDIR", path("tmp"));
        command
    }

    /// What the command should not have left: anything but the target outside of the cache, and in the
    /// cache anything but kept indexes.
    pub(crate) fn rubbish(&self) -> Vec<PathBuf> {
        let (mut rubbish, mut folders) = (Vec::new(), vec![self.path().to_owned()]);
        while let Some(folder) = folders.pop() {
            for item in fs::read_dir(&folder).expect("a folder") {
                let path = item.expect("an item").path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let below = path.strip_prefix(self.path()).expect("below").to_owned();
                let is_temporary = name.starts_with('.');
                if path.is_dir() && !below.starts_with("store") {
                    folders.push(path);
                } else if is_temporary || below.starts_with("tmp") || below.starts_with("home") {
                    rubbish.push(below);
                }
            }
        }
        rubbish
    }
}
