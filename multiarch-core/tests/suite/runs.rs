//! Helpers to run imports in a temporary folder.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use multiarch_core::{Digest, ErrorKind, Import, MemoryStore, Package, Plan, Report, Target};
use multiarch_generator::Image;

/// A temporary folder that is removed at the end of the test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        std::fs::write(&path, content).expect("written");
        path
    }

    pub(crate) fn layout(&self, name: &str) -> Target {
        format!("oci:{}", self.path().join(name).display()).parse().expect("a target")
    }
}

pub(crate) fn memory() -> Target {
    store().0
}

/// A target in memory, with its store to read afterwards.
pub(crate) fn store() -> (Target, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::new());
    (Target::new("memory", store.clone()), store)
}

pub(crate) fn open(path: &Path) -> Arc<Package> {
    Arc::new(Package::open(path).expect("a package"))
}

/// An import of opened packages.
pub(crate) fn into(packages: &[Arc<Package>], target: &Target) -> Import {
    packages.iter().cloned().fold(Import::into(target.clone()), Import::opened)
}

pub(crate) fn plan(packages: &[Arc<Package>], target: &Target) -> Plan {
    into(packages, target).plan().expect("planned")
}

pub(crate) fn import(packages: &[Arc<Package>], target: &Target) -> Report {
    plan(packages, target).apply()
}

/// Imports a package into memory, and returns the names with their digests.
pub(crate) fn names(path: &Path) -> Vec<(String, String)> {
    let report = import(&[open(path)], &memory());
    assert!(report.complete, "{:?}", report.errors().collect::<Vec<_>>());
    let digest = |d: &Option<Digest>| d.as_ref().expect("written").to_string();
    report.images.iter().map(|i| (i.name.to_string(), digest(&i.after))).collect()
}

pub(crate) fn pair(name: &str, image: &Image) -> (String, String) {
    (name.into(), image.digest())
}

/// The kinds of all errors of a report.
pub(crate) fn kinds(report: &Report) -> Vec<ErrorKind> {
    report.errors().map(multiarch_core::Error::kind).collect()
}
