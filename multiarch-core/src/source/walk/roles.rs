//! What a file is for, told by its path.

use crate::image::Digest;

/// Blobs are never looked into: a layer is a tar archive, too.
pub(super) fn is_blob(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_prefix("sha256:").unwrap_or(name);
    let stem = stem.split('.').next().unwrap_or(stem);
    Digest::from_sha256_hex(stem).is_some()
        || name == "layer.tar"
        || path.starts_with("blobs/")
        || path.contains("/blobs/")
}

/// Files of the chart as it was before it came into the package.
pub(super) fn is_chart_file(path: &str) -> bool {
    path.starts_with("original-chart/") || path.contains("/original-chart/")
}

/// Files that say what an archive is. Configs and manifests are told by their first byte.
pub(super) fn is_wanted(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    [
        "manifest.json",
        "index.json",
        "oci-layout",
        "hints.yaml",
        "Chart.yaml",
        "values.yaml",
        "requirements.yaml",
    ]
    .contains(&name)
        || (is_chart_file(path) && name.ends_with(".tgz"))
}
