//! What the programs work on: packages, a layout, a registry in memory.

use std::{fs, path::PathBuf};

use multiarch_generator::{Large, demo_package, package_name};
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

    /// A folder with one package whose layers are so large that one is sent in many pieces.
    pub(crate) fn large() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let architecture = "amd64".to_owned();
        let large = Large { architecture, charts: 1, images: 2, layers: 2, layer_size: 3 << 20 };
        let path = folder.path().join(package_name("v1.0.0", "amd64"));
        large.write(&mut fs::File::create(path).expect("a file")).expect("written");
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The paths of the packages.
    pub(crate) fn packages(&self) -> Vec<String> {
        let paths = ["amd64", "arm64"].map(|a| self.path(&package_name("v1.0.0", a)));
        paths.iter().filter(|path| path.exists()).map(|path| path.display().to_string()).collect()
    }

    /// Options of an import into a layout directory, with charts.
    pub(crate) fn layout_options(&self) -> Value {
        json!({
            "packages": self.packages(),
            "target": format!("oci:{}", self.path("store").display()),
            "charts_to": format!("dir:{}", self.path("charts").display()),
            "options": {"registry": "registry.example.com/platform"},
        })
    }

    /// Options of an import into a registry.
    pub(crate) fn registry_options(&self, address: &str) -> Value {
        json!({
            "packages": self.packages(),
            "target": format!("http://{address}"),
            "credentials": "none",
        })
    }
}
