//! Finds bundles, docker-archives and OCI layouts in a listing, at any depth and in any folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    BlobSource, Bundle, BundleName, Listing, PackageImage, Unused,
    bundle_folders::{CHART, HINTS, IMAGES, folders, is_bundle},
    bundle_images::{BundleImages, holds_images},
    image_archive::{self, ArchivedImages},
    model::ChartFile,
    source::Counted,
};
use crate::{
    chart::{Chart, ChartFiles, Values, parse_hints},
    error::{Error, ErrorKind, Result},
    limit::{self, SharedBudget},
    run::workers,
};

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) bundles: Vec<Bundle>,
    pub(crate) images: Vec<PackageImage>,
    pub(crate) problems: Vec<Error>,
    pub(crate) unused: Vec<Unused>,
    /// The paths of bundles, and of folders and archives with images.
    pub(crate) places: Vec<String>,
}

/// Endings of archives that may hold images and are not read.
const UNREAD: [&str; 5] = [".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.lz4"];

/// What the bundles of a package may have together.
struct BundleBudgets {
    /// How many there may be.
    count: SharedBudget,
    yaml: SharedBudget,
    /// Memory for their values.
    values: SharedBudget,
}

impl Default for BundleBudgets {
    fn default() -> Self {
        let all = [limit::BUNDLES, limit::CHARTS_YAML, limit::CHARTS_VALUES];
        let [count, yaml, values] = all.map(|limit| limit.budget().shared());
        Self { count, yaml, values }
    }
}

/// Collects everything in a listing and in the archives inside it.
/// Of manifests and configs, no more than `documents` are kept in memory.
pub(crate) fn collect(
    listing: &mut Listing,
    source: &dyn BlobSource,
    documents: &SharedBudget,
    found: &mut Found,
) {
    let source = Counted { source, left: documents };
    collect_below("", listing, &source, &BundleBudgets::default(), found);
}

/// The same for an archive at this path of the package.
fn collect_below(
    path: &str,
    listing: &mut Listing,
    source: &dyn BlobSource,
    budgets: &BundleBudgets,
    found: &mut Found,
) {
    let below = |inner: &str| format!("{path}/{inner}").trim_matches('/').to_owned();
    let mut nested = std::mem::take(&mut listing.nested);
    let mut problems = std::mem::take(&mut listing.problems);
    let folders = folders(listing);
    let has_images = |folder: &str| nested.contains_key(&format!("{folder}{IMAGES}"));
    let bundles = folders.iter().filter(|f| is_bundle(listing, f, has_images(f)));
    let bundles: BTreeSet<&str> = bundles.map(String::as_str).collect();
    // An archive or a layout in a bundle's folder holds images of that bundle: of the innermost one.
    let owner = |path: &str| {
        let ends = path.match_indices('/').map(|(at, _)| at + 1).rev().chain([0]);
        ends.map(|end| &path[..end]).find_map(|folder| bundles.get(folder).copied())
    };
    // By their bundle: a package may have so many that looking through all of them for each would take minutes.
    let mut inside: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for folder in folders.iter().filter(|folder| !bundles.contains(folder.as_str())) {
        if let Some(bundle) = owner(folder) {
            inside.entry(bundle).or_default().push(folder);
        }
    }
    let mut archives: BTreeMap<&str, Vec<Listing>> = BTreeMap::new();
    let is_owned =
        |path: &String, inner: &mut Listing| owner(path).is_some() && holds_images(inner);
    for (path, archive) in nested.extract_if(.., is_owned) {
        if let Some(bundle) = owner(&path) {
            archives.entry(bundle).or_default().push(archive);
        }
    }
    for folder in &bundles {
        if let Err(error) = budgets.count.spend(1_u64) {
            problems.push(error);
            break;
        }
        let mut images = BundleImages::default();
        let inside = inside.remove(folder).into_iter().flatten();
        inside.for_each(|inner| images.add(listing, inner, source));
        let archives = archives.remove(folder).into_iter().flatten();
        archives.for_each(|archive| images.add_archive(archive, source));
        // In a bundle's own archive every problem is the bundle's.
        let own = if folder.is_empty() { std::mem::take(&mut problems) } else { Vec::new() };
        let bundle = bundle(listing, folder, images, own, source, budgets);
        found.places.push(below(folder));
        found.bundles.push(bundle);
    }
    for folder in folders.iter().filter(|folder| owner(folder).is_none()) {
        if listing.has(&format!("{folder}chart/Images.lock")) {
            let message = "a dt wrap (Distribution Tooling for Helm), which is not read yet";
            let error = Error::new(ErrorKind::Unsupported, message);
            found.problems.push(error.at_path(format!("{}/{folder}", listing.path)));
        } else if listing.has(&format!("{folder}{HINTS}")) {
            let what = format!("{}/{folder}{HINTS}", listing.path);
            let what = what.trim_start_matches('/').to_owned();
            found.unused.push(Unused { what, because: "hints without a chart and without images" });
        }
        let ArchivedImages { images, problems, unused } =
            image_archive::read(listing, folder, source);
        if !images.is_empty() || !problems.is_empty() {
            found.places.push(below(folder));
        }
        found.images.extend(images);
        found.problems.extend(problems.into_iter().map(|error| error.at_path(&listing.path)));
        found.unused.extend(unused);
    }
    let unread = listing
        .members
        .keys()
        .filter(|path| !path.contains(CHART) && UNREAD.iter().any(|ending| path.ends_with(ending)));
    found.unused.extend(unread.map(|path| Unused {
        what: below(path),
        because: "packed in a way that is not read; if it holds images, unpack it or pack it with gzip",
    }));
    problems.extend(listing.lost_archives());
    let name = listing.path.rsplit('/').next().unwrap_or_default();
    let claims = BundleName::parse(name).is_some()
        && !found.bundles.iter().any(|bundle| bundle.path == listing.path);
    match claims.then(|| budgets.count.spend(1_u64)) {
        Some(Ok(())) => {
            let message = "not a bundle: it has no original-chart/Chart.yaml";
            problems.push(Error::new(ErrorKind::Malformed, message));
            let mut bundle = empty_bundle(listing, "");
            bundle.problems = problems;
            found.bundles.push(bundle);
        }
        too_many => {
            problems.extend(too_many.and_then(Result::err));
            found.problems.extend(problems.into_iter().map(|e| e.at_path(&listing.path)));
        }
    }
    let nested: Vec<Mutex<Listing>> = nested.into_values().map(Mutex::new).collect();
    for inner in workers::map(workers::processors(), &nested, |listing| {
        let mut found = Found::default();
        let mut listing = listing.lock().unwrap_or_else(PoisonError::into_inner);
        let path = listing.path.clone();
        collect_below(&path, &mut listing, source, budgets, &mut found);
        found
    }) {
        found.bundles.extend(inner.bundles);
        found.images.extend(inner.images);
        found.problems.extend(inner.problems);
        found.unused.extend(inner.unused);
        found.places.extend(inner.places);
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
        chart: None,
        values: Values::new(),
        hints: Vec::new(),
        images: Vec::new(),
        has_images: false,
        chart_files: BTreeMap::new(),
        problems: Vec::new(),
        unused: Vec::new(),
        left_out: BTreeSet::new(),
    }
}

fn bundle(
    listing: &Listing,
    prefix: &str,
    images: BundleImages,
    problems: Vec<Error>,
    source: &dyn BlobSource,
    budgets: &BundleBudgets,
) -> Bundle {
    let mut bundle = empty_bundle(listing, prefix);
    bundle.problems = problems;
    match chart_files(listing, prefix) {
        Ok(files) => bundle.chart_files = files,
        Err(error) => bundle.problems.push(error),
    }
    // One chart after the other: each may take all of the memory before it is refused.
    let chart = read_chart_files(listing, prefix, source, &budgets.yaml).and_then(|files| {
        budgets.values.attempt(|memory| {
            let chart = Chart::load_within(&files, memory)?;
            bundle.take_chart(chart, memory)
        })
    });
    let hints = format!("{prefix}{HINTS}");
    if listing.has(&hints) {
        let parsed = listing
            .read(&hints, limit::CHART_FILE, source)
            .and_then(|text| parse_hints(&text).map_err(|e| e.at_path(HINTS)));
        match parsed {
            Ok(hints) => bundle.hints = hints,
            Err(error) => bundle.problems.push(error),
        }
    }
    let checked = chart.and_then(|()| bundle.read_chart()?.check_hints(&bundle.hints));
    if let Err(error) = checked {
        bundle.problems.push(error);
    }
    bundle.has_images = images.is_there;
    bundle.problems.extend(images.found.problems);
    bundle.images = images.found.images.into_iter().map(Arc::new).collect();
    bundle.unused = images.found.unused;
    if !bundle.has_images && listing.has(&format!("{prefix}{IMAGES}")) {
        let message = "images.tar is not a tar archive";
        bundle.problems.push(Error::new(ErrorKind::Malformed, message).at_path(IMAGES));
    }
    bundle
}

/// Every file of the chart: where it is, and its content where the listing has it.
fn chart_files(listing: &Listing, prefix: &str) -> Result<BTreeMap<String, ChartFile>> {
    let folder = format!("{prefix}{CHART}");
    let (mut files, mut total) = (BTreeMap::new(), limit::CHART.budget());
    for path in listing.below(&folder) {
        let (locator, member) = listing.file(path)?;
        limit::CHART_FILE.check(locator.size).map_err(|e| e.at_path(path))?;
        total.spend(locator.size).map_err(|e| e.at_path(path))?;
        files.insert(path[folder.len()..].to_owned(), (locator, member.content.clone()));
    }
    Ok(files)
}

/// The files of a chart that say which images it has.
fn read_chart_files(
    listing: &Listing,
    prefix: &str,
    source: &dyn BlobSource,
    yaml: &SharedBudget,
) -> Result<ChartFiles> {
    let folder = format!("{prefix}{CHART}");
    let mut files = ChartFiles::default();
    for path in listing.below(&folder) {
        // Templates are not needed to know the images.
        let below = &path[folder.len()..];
        let name = below.rsplit('/').next().unwrap_or(below);
        let is_packed = name.ends_with(".tgz");
        if is_packed || ["Chart.yaml", "values.yaml", "requirements.yaml"].contains(&name) {
            let file = listing.read(path, limit::CHART_FILE, source)?;
            if !is_packed {
                yaml.spend(file.len())?;
            }
            files.insert(below, file);
        } else if below.strip_prefix("charts/").is_some_and(|below| !below.contains('/')) {
            // What it holds does not matter: it is no chart.
            files.insert(below, Vec::new());
        }
    }
    Ok(files)
}
