//! What a file is for, by its path.

use crate::image::Digest;

/// Blobs are never walked, although a layer is a tar archive, too.
pub(super) fn is_blob(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_prefix("sha256:").unwrap_or(name);
    let stem = stem.split('.').next().unwrap_or(stem);
    Digest::from_sha256_hex(stem).is_some()
        || name == "layer.tar"
        || path.starts_with("blobs/")
        || path.contains("/blobs/")
}

/// Files of the original chart, as it was before it was packaged.
pub(super) fn is_chart_file(path: &str) -> bool {
    path.starts_with("original-chart/") || path.contains("/original-chart/")
}

/// Files whose content the parsers need. Configs and manifests among the blobs are recognised by their
/// first byte instead.
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
