//! The folders of a listing that are bundles, or hold images.

use std::collections::BTreeSet;

use super::Listing;

pub(super) const HINTS: &str = "hints.yaml";
pub(super) const CHART: &str = "original-chart/";
pub(super) const IMAGES: &str = "images.tar";

/// True where there is a bundle at `folder`: a chart, or hints and images that have lost their chart.
pub(super) fn is_bundle(listing: &Listing, folder: &str, has_images: bool) -> bool {
    let has = |path: &str| listing.has(&format!("{folder}{path}"));
    has(&format!("{CHART}Chart.yaml")) || (has(HINTS) && has_images)
}

/// Files that mark a folder as a bundle, a layout, a docker-archive or a dt wrap.
const MARKERS: [&str; 6] = [
    HINTS,
    "original-chart/Chart.yaml",
    "index.json",
    "manifest.json",
    "oci-layout",
    "chart/Images.lock",
];

/// Every folder with one of the [`MARKERS`], as a prefix that ends in a slash or is empty. Folders in a
/// chart or among blobs are left out, since files there belong to the chart or to an image.
pub(super) fn folders(listing: &Listing) -> BTreeSet<String> {
    let inside = |prefix: &str, folder: &str| {
        prefix.starts_with(folder) || prefix.contains(&format!("/{folder}"))
    };
    let mut folders = BTreeSet::new();
    for path in listing.members.keys() {
        for prefix in MARKERS.iter().filter_map(|marker| path.strip_suffix(marker)) {
            let folder = prefix.is_empty() || prefix.ends_with('/');
            if folder && !inside(prefix, CHART) && !inside(prefix, "blobs/") {
                folders.insert(prefix.to_owned());
            }
        }
    }
    folders
}
