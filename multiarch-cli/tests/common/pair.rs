//! A small package whose import makes every kind of request.

use multiarch_generator::{Bundle, Entry, Image, tar};

/// The names of the charts' files.
pub(crate) const CHARTS: [&str; 2] = ["pair-1.0.0.tgz", "solo-1.0.0.tgz"];

pub(crate) fn file_name(architecture: &str) -> String {
    format!("addon-offline-full-package-v1.0.0-{architecture}.tar")
}

/// A chart with two images and one with a single image; all of them share a layer, which is mounted.
pub(crate) fn package(architecture: &str) -> Vec<u8> {
    let image = |name| Image::new(architecture, name);
    let (web, cache, solo) = (image("web"), image("cache"), image("solo"));
    let pair = [
        ("web", "quay.io", "demo/web", "v1", &web),
        ("cache", "docker.io", "library/cache", "7", &cache),
    ];
    let solo = [("solo", "quay.io", "demo/solo", "v2", &solo)];
    let bundles = [Bundle::simple("pair", "1.0.0", &pair), Bundle::simple("solo", "1.0.0", &solo)];
    let entries = bundles
        .iter()
        .map(|bundle| Entry::file(format!("./addon/{}", bundle.file_name()), bundle.tar()));
    tar(&entries.collect::<Vec<_>>())
}
