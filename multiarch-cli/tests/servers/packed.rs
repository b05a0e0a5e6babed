//! Packed charts as Helm pulls, renders and packs them.

use std::path::{Path, PathBuf};

use crate::{
    server::Server,
    tools::{succeed, tool},
};

/// Runs Helm, with its own files in `folder`.
pub(crate) fn helm(words: &[&str], folder: &Path) -> String {
    let mut command = tool("helm");
    for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(variable, folder);
    }
    succeed(command.args(words).current_dir(folder))
}

/// Fetches a chart that is stored as an artifact.
pub(crate) fn pull(server: &Server, repository: &str, version: &str, folder: &Path) -> PathBuf {
    let reference = format!("oci://{}", server.at(repository));
    helm(&["pull", &reference, "--version", version, "--plain-http"], folder);
    let name = repository.rsplit('/').next().expect("a name");
    folder.join(format!("{name}-{version}.tgz"))
}

/// The images that a chart's own template prints.
pub(crate) fn images(chart: &Path) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let text = helm(&["template", "x", &chart.display().to_string()], folder.path());
    let images = text.lines().filter_map(|l| l.trim().strip_prefix("image-")?.split_once(": "));
    images.map(|(_, image)| image.trim_matches('"').to_owned()).collect()
}

/// Packs a chart's folder.
pub(crate) fn pack(chart: &Path) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    helm(&["package", &chart.display().to_string(), "-d", "out"], folder.path());
    let packed = std::fs::read_dir(folder.path().join("out")).expect("packed").next();
    std::fs::read(packed.expect("one").expect("a file").path()).expect("read")
}
