//! Helpers to run imports in a temporary folder.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use multiarch_core::{
    Digest, Document, ErrorKind, ImageStore, Import, MemoryStore, Package, Plan, Report, Target,
    TargetName,
};
use multiarch_generator::Image;
use serde_json::Value;

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

/// The platforms that a tag lists, each with its manifest, as a reader of the specification sees them: the
/// descriptor's platform, or the config's for a single manifest. Every blob must be there.
pub(crate) fn held(store: &dyn ImageStore, name: &str) -> Vec<(String, String)> {
    let name: TargetName = name.parse().expect("a name");
    let Some(document) = store.get_tag(&name).expect("read") else { return Vec::new() };
    let mut held = Vec::new();
    collect(store, name.repository(), &document, None, &mut held);
    held.sort();
    held
}

fn collect(
    store: &dyn ImageStore,
    repository: &str,
    document: &Document,
    platform: Option<&Value>,
    held: &mut Vec<(String, String)>,
) {
    let text: Value = serde_json::from_slice(document.raw()).expect("JSON");
    for entry in text["manifests"].as_array().into_iter().flatten() {
        let digest = entry["digest"].as_str().expect("text").parse().expect("a digest");
        let child = store.get_manifest(repository, &digest).expect("read");
        let child = child.unwrap_or_else(|| panic!("{digest} is listed, and missing"));
        assert_eq!(entry["size"], child.raw().len());
        collect(store, repository, &child, Some(&entry["platform"]), held);
    }
    if text.get("config").is_none() {
        return;
    }
    for blob in std::iter::once(&text["config"]).chain(text["layers"].as_array().expect("a list")) {
        let digest = blob["digest"].as_str().expect("text").parse().expect("a digest");
        let size = blob["size"].as_u64().expect("a size");
        assert!(store.has_blob(repository, &digest, size).expect("asked"), "{digest} is missing");
    }
    let config = text["config"]["digest"].as_str().expect("text").parse().expect("a digest");
    let config = store.get_blob(repository, &config, 1 << 20).expect("read").expect("there");
    let config: Value = serde_json::from_slice(&config).expect("JSON");
    let platform = platform.filter(|platform| platform.is_object()).unwrap_or(&config);
    let parts = ["os", "architecture", "variant"].map(|part| platform[part].as_str().unwrap_or(""));
    let name = parts.join("/").trim_end_matches('/').to_owned();
    held.push((name, document.digest().to_string()));
}

/// The platforms of a tag alone.
pub(crate) fn platforms(store: &dyn ImageStore, name: &str) -> Vec<String> {
    held(store, name).into_iter().map(|(platform, _)| platform).collect()
}

/// Imports files in one run, by their paths.
pub(crate) fn import_paths(paths: &[&Path], target: &Target) -> Report {
    let import = paths.iter().fold(Import::into(target.clone()), |i, path| i.package(*path));
    import.plan().expect("planned").apply()
}
