//! What the programs work on: packages, a layout, a registry in memory.

use std::{fs, path::PathBuf};

use multiarch_generator::{demo_package, package_name};
use serde_json::{Value, json};

/// A folder with two packages.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for architecture in ["amd64", "arm64"] {
            let path = folder.path().join(package_name("v1.0.0", architecture));
            fs::write(path, demo_package(architecture)).expect("written");
        }
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The paths of the packages.
    pub(crate) fn packages(&self) -> Vec<String> {
        let path = |architecture| self.path(&package_name("v1.0.0", architecture));
        ["amd64", "arm64"].map(|a| path(a).display().to_string()).into()
    }

    /// Options of an import into a layout directory, with charts.
    pub(crate) fn into_layout(&self) -> Value {
        json!({
            "packages": self.packages(),
            "target": format!("oci:{}", self.path("store").display()),
            "charts_to": format!("dir:{}", self.path("charts").display()),
            "options": {"registry": "registry.example.com/platform"},
        })
    }

    /// Options of an import into a registry.
    pub(crate) fn into_registry(&self, address: &str) -> Value {
        json!({
            "packages": self.packages(),
            "target": format!("http://{address}"),
            "credentials": "none",
        })
    }
}
