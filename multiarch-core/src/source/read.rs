//! Reads one package: from its bytes, or the index cache, to a [`Package`].

use std::{
    io::{Read, Seek, SeekFrom},
    path::Path,
    sync::{Arc, Mutex},
};

use super::{
    foreign::foreign,
    image_check::ImageChecker,
    index_cache::{self, IndexCache},
    options::{Kept, OpenOptions},
    programs::Programs,
    streams::Streams,
    walk::Walk,
};
use crate::{
    error::{Error, ErrorKind, Result},
    image::{Algorithm, Hasher},
    package::{
        Blob, Finding, Found, Listing, Package, PackageIdentity, PackageImage, PackageName, Unused,
        collect,
    },
};

pub(super) fn read(path: &Path, options: &OpenOptions) -> Result<Package> {
    let metadata = std::fs::metadata(path).map_err(|e| Error::from_io("cannot be opened", e))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if !metadata.is_dir() && !metadata.is_file() {
        return Err(nothing("neither a regular file nor a directory"));
    }
    if metadata.is_file() && metadata.len() == 0 {
        return Err(nothing("the file is empty"));
    }
    let kept = options.kept();
    let cache = options.cache.as_deref().and_then(|folder| IndexCache::find(path, folder));
    let known = cache.as_ref().and_then(|cache| cache.load(path, &options.context.cancel));
    let to_fill = cache.filter(|_| known.is_none());
    let pass = match known {
        Some((listing, streams)) => {
            let modified = super::walk::modified(&metadata);
            Pass { listing, streams, modified, links: Vec::new(), specials: Vec::new() }
        }
        None => walk(options, &kept, |walk| match metadata.is_dir() {
            true => walk.directory(path).map(Some),
            false => walk.file(path, &name),
        })?,
    };
    let size = (!metadata.is_dir()).then_some(metadata.len());
    package(&path.display().to_string(), &name, size, pass, options, &kept, to_fill)
}

pub(super) fn read_from(
    name: &str,
    mut reader: impl Read + Seek + Send + 'static,
    options: &OpenOptions,
) -> Result<Package> {
    let size = reader.seek(SeekFrom::End(0)).map_err(|e| Error::from_io("cannot be read", e))?;
    let reader = Arc::new(Mutex::new(reader));
    let kept = options.kept();
    let pass = walk(options, &kept, |walk| walk.reader(reader, size, name))?;
    package(name, name, Some(size), pass, options, &kept, None)
}

fn nothing(why: &str) -> Error {
    Error::new(ErrorKind::NotAPackage, why)
}

/// What one pass over a package finds.
struct Pass {
    listing: Listing,
    streams: Streams,
    modified: u64,
    links: Vec<(String, String)>,
    specials: Vec<String>,
}

fn walk(
    options: &OpenOptions,
    kept: &Kept,
    pass: impl FnOnce(&mut Walk<'_>) -> Result<Option<Listing>>,
) -> Result<Pass> {
    let mut walk = Walk::new(options, kept);
    let listing = pass(&mut walk)?;
    options.context.cancel.check()?;
    let Walk { streams, modified, links, specials, .. } = walk;
    let listing =
        listing.ok_or_else(|| nothing("neither a tar archive nor one in gzip or Zstandard"))?;
    Ok(Pass { listing, streams, modified, links, specials })
}

/// Makes a package of what a pass found. `size` is `None` for a directory.
fn package(
    path: &str,
    file_name: &str,
    size: Option<u64>,
    pass: Pass,
    options: &OpenOptions,
    kept: &Kept,
    to_fill: Option<IndexCache>,
) -> Result<Package> {
    let Pass { mut listing, streams, modified, links, specials } = pass;
    // What is only said while a package is read must be said again by the next run.
    let to_fill = to_fill.filter(|_| specials.is_empty());
    let to_fill = to_fill.and_then(|cache| Some((cache, index_cache::encode_listing(&listing)?)));
    let identity = identity(path, size, &listing, modified);
    let streams = Arc::new(streams);
    let mut found = Found::default();
    let paths = listing.paths();
    collect(&mut listing, &*streams, &kept.documents, &mut found);
    let foreign = foreign(&paths, found.places);
    options.context.cancel.check()?;
    if let Some((cache, text)) = to_fill {
        // A failure is ignored: the next run then reads the whole package again.
        let _ = cache.store(&text, &streams);
    }
    let Found { mut bundles, images, mut problems, unused, .. } = found;
    if bundles.is_empty() && images.is_empty() {
        let first = problems.into_iter().next();
        let why = "no bundle, docker-archive or OCI layout is in it";
        return Err(first.unwrap_or_else(|| nothing(why)));
    }
    // Blobs are read in their order in the package, so its bundles are sorted by their first blob.
    bundles.sort_by_key(|bundle| {
        let blobs = bundle.images.iter().flat_map(|image| image.blobs());
        blobs.filter_map(Blob::locator).min()
    });
    let name = PackageName::parse(file_name);
    let mut findings: Vec<Finding> = links
        .into_iter()
        .map(|(link, target)| Finding::LinkOutside { package: path.into(), path: link, target })
        .collect();
    findings.extend(specials.into_iter().map(|what| Finding::NotUsed {
        package: path.into(),
        what,
        because: "neither a file nor a folder, but a pipe, a socket or a device".into(),
    }));
    for error in &mut problems {
        *error = error.clone().in_package(path);
    }
    for bundle in &mut bundles {
        for error in &mut bundle.problems {
            *error = error.clone().in_bundle(&bundle.path).in_package(path);
        }
    }
    let unused = bundles.iter().flat_map(|bundle| &bundle.unused).chain(&unused);
    findings.extend(unused.map(|Unused { what, because }| Finding::NotUsed {
        package: path.into(),
        what: what.clone(),
        because: (*because).into(),
    }));
    let programs = Programs::new(&*streams, &options.context.cancel);
    let looks_at_all = options.reads_programs;
    let mut checker = ImageChecker { package: path, programs, looks_at_all, findings };
    for bundle in &mut bundles {
        // In a directory of packages, each file's own name says its version and architecture.
        let inner = PackageName::parse(bundle.path.split('/').next().unwrap_or_default());
        let own = name.architecture.is_none() && name.version.is_none();
        let origin = if own && bundle.path.contains('/') { inner } else { name.clone() };
        for image in &mut bundle.images {
            *image = Arc::new(checker.check(PackageImage::clone(image), &origin)?);
        }
    }
    let images = images.into_iter().map(|image| checker.check(image, &name).map(Arc::new));
    let images = images.collect::<Result<_>>()?;
    let findings = checker.findings;
    let (left_out, source) = (Vec::new(), streams);
    Ok(Package { name, identity, bundles, images, findings, problems, foreign, left_out, source })
}

/// `size` is `None` for a directory, whose size is the sum of its files' sizes.
fn identity(path: &str, size: Option<u64>, listing: &Listing, modified: u64) -> PackageIdentity {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let files = listing.fingerprint(&mut hasher);
    PackageIdentity {
        path: path.into(),
        size: size.unwrap_or(files),
        modified,
        listing: hasher.finish(),
    }
}
