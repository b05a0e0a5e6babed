//! Finds bundles, docker-archives and OCI layouts in a listing, at any depth and in any folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    BlobSource, Bundle, BundleName, Listing, PackageImage, docker_archive, layout, model::ChartFile,
};
use crate::{
    chart::{Chart, ChartFiles, MAX_CHART_SIZE, Values, parse_hints},
    error::{Error, ErrorKind, Result},
    image::MAX_DOCUMENT_SIZE,
};

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) bundles: Vec<Bundle>,
    pub(crate) images: Vec<PackageImage>,
    pub(crate) problems: Vec<Error>,
}

const HINTS: &str = "hints.yaml";
const CHART: &str = "original-chart/";
const IMAGES: &str = "images.tar";
/// Limit for one file of a chart.
const MAX_CHART_FILE: u64 = 16 << 20;

/// Collects everything in a listing and in the archives inside it.
pub(crate) fn collect(listing: &mut Listing, source: &dyn BlobSource, found: &mut Found) {
    let mut nested = std::mem::take(&mut listing.nested);
    let mut problems = std::mem::take(&mut listing.problems);
    let mut claimed: Option<String> = None;
    for prefix in prefixes(listing) {
        if claimed.as_ref().is_some_and(|claimed| prefix.starts_with(claimed)) {
            continue;
        }
        let has = |path: &str| listing.has(&format!("{prefix}{path}"));
        if has(HINTS) || has(&format!("{CHART}Chart.yaml")) {
            let images = nested.remove(&format!("{prefix}{IMAGES}"));
            // In a bundle's own archive every problem is the bundle's.
            let own = if prefix.is_empty() { std::mem::take(&mut problems) } else { Vec::new() };
            found.bundles.push(bundle(listing, &prefix, images, own, source));
            // Other archives in the bundle's folder are part of the bundle: they are not collected.
            nested.retain(|path, _| !path.starts_with(&prefix));
            claimed = Some(prefix);
        } else if has("index.json")
            && (has("oci-layout") || listing.has_below(&format!("{prefix}blobs/")))
        {
            gather(layout::read(listing, &prefix, source), listing, found);
        } else if has("manifest.json") && has_docker_list(listing, &prefix, source) {
            gather(docker_archive::read(listing, &prefix, source), listing, found);
        } else if has("chart/Images.lock") {
            let message = "a dt wrap (Distribution Tooling for Helm), which is not read yet";
            let error = Error::new(ErrorKind::Unsupported, message);
            found.problems.push(error.at_path(format!("{}/{prefix}", listing.path)));
            claimed = Some(prefix);
        }
    }
    let name = listing.path.rsplit('/').next().unwrap_or_default();
    let claims = BundleName::parse(name).is_some();
    if claims && !found.bundles.iter().any(|bundle| bundle.path == listing.path) {
        let message = "not a bundle: it has neither hints.yaml nor original-chart/Chart.yaml";
        problems.push(Error::new(ErrorKind::Malformed, message));
        let mut bundle = empty_bundle(listing, "");
        bundle.problems = problems;
        found.bundles.push(bundle);
    } else {
        found.problems.extend(problems.into_iter().map(|e| e.at_path(&listing.path)));
    }
    for listing in nested.values_mut() {
        collect(listing, source, found);
    }
}

fn gather(read: Result<(Vec<PackageImage>, Vec<Error>)>, listing: &Listing, found: &mut Found) {
    match read {
        Ok((images, problems)) => {
            found.images.extend(images);
            found.problems.extend(problems);
        }
        Err(error) => found.problems.push(error.at_path(&listing.path)),
    }
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
fn prefixes(listing: &Listing) -> BTreeSet<String> {
    let inside = |prefix: &str, folder: &str| {
        prefix.starts_with(folder) || prefix.contains(&format!("/{folder}"))
    };
    let mut prefixes = BTreeSet::new();
    for path in listing.members.keys() {
        for prefix in MARKERS.iter().filter_map(|marker| path.strip_suffix(marker)) {
            let folder = prefix.is_empty() || prefix.ends_with('/');
            if folder && !inside(prefix, CHART) && !inside(prefix, "blobs/") {
                prefixes.insert(prefix.to_owned());
            }
        }
    }
    prefixes
}

fn has_docker_list(listing: &Listing, prefix: &str, source: &dyn BlobSource) -> bool {
    let path = format!("{prefix}manifest.json");
    match listing.read(&path, MAX_DOCUMENT_SIZE, source) {
        // A broken list means a broken docker-archive, which is to be reported. Anything else is another
        // program's `manifest.json`.
        Ok(text) => text.trim_ascii_start().starts_with(b"[") || docker_archive::is_list(&text),
        Err(_) => true,
    }
}

fn empty_bundle(listing: &Listing, prefix: &str) -> Bundle {
    let path = format!("{}/{prefix}", listing.path);
    let path = path.trim_matches('/').to_owned();
    let file = path.rsplit('/').next().unwrap_or_default();
    let name = BundleName::parse(file)
        .unwrap_or_else(|| BundleName { chart: file.into(), version: String::new() });
    Bundle {
        path,
        chart_name: name.chart,
        chart_version: name.version,
        values: Values::new(),
        hints: Vec::new(),
        images: Vec::new(),
        has_images: false,
        chart_files: BTreeMap::new(),
        problems: Vec::new(),
    }
}

fn bundle(
    listing: &Listing,
    prefix: &str,
    images: Option<Listing>,
    problems: Vec<Error>,
    source: &dyn BlobSource,
) -> Bundle {
    let mut bundle = empty_bundle(listing, prefix);
    bundle.problems = problems;
    match chart_files(listing, prefix) {
        Ok(files) => bundle.chart_files = files,
        Err(error) => bundle.problems.push(error),
    }
    match read_chart(listing, prefix, source) {
        Ok(chart) => bundle.take_chart(&chart),
        Err(error) => bundle.problems.push(error),
    }
    let hints = format!("{prefix}{HINTS}");
    if listing.has(&hints) {
        let parsed = listing
            .read(&hints, MAX_CHART_FILE, source)
            .and_then(|text| parse_hints(&text).map_err(|e| e.at_path(HINTS)));
        match parsed {
            Ok(hints) => bundle.hints = hints,
            Err(error) => bundle.problems.push(error),
        }
    }
    match images {
        Some(mut images) => {
            bundle.has_images = true;
            bundle.problems.append(&mut images.problems);
            if images.has("manifest.json") || !images.is_incomplete {
                match docker_archive::read(&images, "", source) {
                    Ok((images, problems)) => {
                        bundle.images = images.into_iter().map(Arc::new).collect();
                        bundle.problems.extend(problems);
                    }
                    Err(error) => bundle.problems.push(error),
                }
            }
        }
        None if listing.has(&format!("{prefix}{IMAGES}")) => {
            let message = "images.tar is not a tar archive";
            bundle.problems.push(Error::new(ErrorKind::Malformed, message).at_path(IMAGES));
        }
        None => {}
    }
    bundle
}

/// Every file of the chart: where it is, and its content where the listing has it.
fn chart_files(listing: &Listing, prefix: &str) -> Result<BTreeMap<String, ChartFile>> {
    let folder = format!("{prefix}{CHART}");
    let (mut files, mut total) = (BTreeMap::new(), 0);
    for path in listing.members.keys().filter(|path| path.starts_with(&folder)) {
        let (locator, member) = listing.file(path)?;
        total += locator.size;
        if locator.size > MAX_CHART_FILE || total > MAX_CHART_SIZE {
            let message = "a chart of more than 64 MiB, or with a file of more than 16 MiB";
            return Err(Error::new(ErrorKind::TooLarge, message).at_path(path));
        }
        files.insert(path[folder.len()..].to_owned(), (locator, member.content.clone()));
    }
    Ok(files)
}

fn read_chart(listing: &Listing, prefix: &str, source: &dyn BlobSource) -> Result<Chart> {
    let folder = format!("{prefix}{CHART}");
    let mut files = ChartFiles::default();
    for path in listing.members.keys().filter(|path| path.starts_with(&folder)) {
        // Templates are not needed to know the images.
        let below = &path[folder.len()..];
        let name = below.rsplit('/').next().unwrap_or(below);
        if ["Chart.yaml", "values.yaml", "requirements.yaml"].contains(&name)
            || name.ends_with(".tgz")
        {
            files.insert(below, listing.read(path, MAX_CHART_FILE, source)?);
        }
    }
    Chart::load(&files)
}
