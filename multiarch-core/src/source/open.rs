//! Opening a package.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    kept::{self, Kept},
    space::Spaces,
    walk::Walk,
};
use crate::{
    apply::{Cancel, Progress, parallel},
    error::{Error, ErrorKind, Result},
    image::{Algorithm, Hasher},
    package::{
        Contents, Finding, Found, Identity, Package, PackageImage, PackageName, Scope, collect,
    },
};

/// How a package is opened.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct OpenOptions {
    /// Stops the reading.
    pub cancel: Cancel,
    /// Is told how far the reading is.
    pub progress: Option<Arc<dyn Progress>>,
    /// A folder in which the index of a package is kept for the next time; `None` keeps nothing. It
    /// may be removed at any time.
    pub cache: Option<PathBuf>,
}

impl std::fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenOptions").field("cancel", &self.cancel).finish_non_exhaustive()
    }
}

impl Package {
    /// Opens a package: a file (`.tar.gz`, `.tar.zst`, `.tar`, one bundle, a docker-archive, an OCI
    /// layout) or a directory of such things. What it is is told by its content.
    ///
    /// It is read once, front to back. What is broken in it is in [`Package::problems`] and
    /// [`Bundle::problems`](crate::package::Bundle::problems); the rest can be used.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where it cannot be read at all, [`ErrorKind::NotAPackage`] where nothing
    /// known is in it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &OpenOptions::default())
    }

    /// [`Package::open`] with options.
    ///
    /// # Errors
    /// As [`Package::open`], and [`ErrorKind::Cancelled`].
    pub fn open_with(path: impl AsRef<Path>, options: &OpenOptions) -> Result<Self> {
        let path = path.as_ref();
        read(path, options).map_err(|e| e.in_package(path.display()))
    }

    /// Opens several packages, as many at once as there are processors. The answers are in the order
    /// of the paths.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] where one of them cannot be read, which is found out before the first one is
    /// read where it is not there at all; [`ErrorKind::Cancelled`]. One that is no package has its
    /// error in its place.
    pub fn open_all<P: AsRef<Path> + Sync>(
        paths: &[P],
        options: &OpenOptions,
    ) -> Result<Vec<Result<Self>>> {
        for path in paths.iter().map(AsRef::as_ref) {
            let there = std::fs::metadata(path).map_err(|e| Error::from_io("cannot be opened", e));
            there.map_err(|e| e.in_package(path.display()))?;
        }
        let jobs = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let opened = parallel::map(jobs, paths, |path| Self::open_with(path, options));
        let ends_all = |e: &Error| matches!(e.kind(), ErrorKind::Io | ErrorKind::Cancelled);
        opened
            .into_iter()
            .map(|opened| match opened {
                Err(error) if ends_all(&error) => Err(error),
                opened => Ok(opened),
            })
            .collect()
    }
}

fn read(path: &Path, options: &OpenOptions) -> Result<Package> {
    let metadata = std::fs::metadata(path).map_err(|e| Error::from_io("cannot be opened", e))?;
    let file_name =
        path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let nothing = |why: &str| Error::new(ErrorKind::NotAPackage, why);
    if !metadata.is_dir() && !metadata.is_file() {
        return Err(nothing("neither a regular file nor a directory"));
    }
    if metadata.is_file() && metadata.len() == 0 {
        return Err(nothing("the file is empty"));
    }
    let kept = options.cache.as_deref().and_then(|folder| Kept::of(path, folder));
    let known = kept.as_ref().and_then(|kept| kept.load(path, &options.cancel));
    let to_keep = kept.filter(|_| known.is_none());
    let Pass { mut scope, spaces, modified, links } = match known {
        Some((scope, spaces)) => {
            Pass { scope, spaces, modified: super::walk::modified(&metadata), links: Vec::new() }
        }
        None => pass(path, &file_name, metadata.is_dir(), options)?
            .ok_or_else(|| nothing("neither a tar archive nor one in gzip or Zstandard"))?,
    };
    let to_keep = to_keep.and_then(|kept| Some((kept, kept::listing(&scope)?)));
    let identity = identity(&metadata, &scope, modified);
    let spaces = Arc::new(spaces);
    let mut found = Found::default();
    collect(&mut scope, &*spaces as &dyn Contents, &mut found);
    options.cancel.check()?;
    if let Some((kept, listing)) = to_keep {
        // Without it the next run takes as long as this one.
        let _ = kept.store(&listing, &spaces);
    }
    let display = path.display().to_string();
    let Found { mut bundles, images, mut problems } = found;
    if bundles.is_empty() && images.is_empty() {
        return Err(problems
            .into_iter()
            .next()
            .unwrap_or_else(|| nothing("no bundle, docker-archive or OCI layout is in it")));
    }
    // Blobs are read in the order of the package: so its bundles come in that order, too.
    bundles.sort_by_key(|bundle| {
        let blobs = bundle.images.iter().flat_map(|i| &i.parts).flat_map(|p| &p.blobs);
        blobs.filter_map(|blob| blob.locator).min()
    });
    let name = PackageName::of(&file_name);
    let mut findings: Vec<Finding> = links
        .into_iter()
        .map(|(path, target)| Finding::LinkOutside { package: display.clone(), path, target })
        .collect();
    for error in &mut problems {
        *error = take(error).in_package(&display);
    }
    for bundle in &mut bundles {
        for error in &mut bundle.problems {
            *error = take(error).in_bundle(&bundle.path).in_package(&display);
        }
    }
    let mut check = |image: PackageImage, origin: &PackageName| {
        check_image(image, &display, origin, &mut findings)
    };
    for bundle in &mut bundles {
        // In a directory of packages each file says for itself what it is.
        let inner = PackageName::of(bundle.path.split('/').next().unwrap_or_default());
        let own = name.architecture.is_none() && name.version.is_none();
        let origin = if own && bundle.path.contains('/') { inner } else { name.clone() };
        let images = std::mem::take(&mut bundle.images).into_iter();
        bundle.images = images.map(|image| check(image, &origin)).collect();
    }
    let images = images.into_iter().map(|image| check(image, &name)).collect();
    Ok(Package {
        path: display,
        name,
        identity,
        bundles,
        images,
        findings,
        problems,
        source: spaces,
    })
}

/// What one pass over a package finds.
struct Pass {
    scope: Scope,
    spaces: Spaces,
    modified: u64,
    links: Vec<(String, String)>,
}

fn pass(
    path: &Path,
    file_name: &str,
    is_folder: bool,
    options: &OpenOptions,
) -> Result<Option<Pass>> {
    let mut walk = Walk::new(options);
    let scope = if is_folder { Some(walk.directory(path)?) } else { walk.file(path, file_name)? };
    if options.cancel.is_cancelled() {
        return Err(Error::new(ErrorKind::Cancelled, "cancelled while reading the package"));
    }
    let Walk { spaces, modified, links, .. } = walk;
    Ok(scope.map(|scope| Pass { scope, spaces, modified, links }))
}

fn take(error: &mut Error) -> Error {
    std::mem::replace(error, Error::new(ErrorKind::Malformed, ""))
}

/// Notes what is odd about an image: another architecture than declared, missing platforms.
fn check_image(
    mut image: PackageImage,
    package: &str,
    origin: &PackageName,
    findings: &mut Vec<Finding>,
) -> PackageImage {
    image.origin = origin.clone();
    let name = image
        .references
        .first()
        .cloned()
        .unwrap_or_else(|| image.incoming.document().digest().to_string());
    if !image.absent.is_empty() {
        findings.push(Finding::Incomplete {
            package: package.into(),
            image: name.clone(),
            absent: image.absent.clone(),
        });
    }
    if let (Some(declared), [only]) = (origin.architecture.as_deref(), image.incoming.images())
        && only.platform().key().architecture() != declared
    {
        findings.push(Finding::Mislabelled {
            package: package.into(),
            image: name,
            declared: declared.into(),
            actual: only.platform().to_string(),
        });
        image.incoming = image.incoming.mislabelled(true);
    }
    image
}

fn identity(metadata: &std::fs::Metadata, scope: &Scope, modified: u64) -> Identity {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let size = scope.fingerprint(&mut hasher);
    let size = if metadata.is_dir() { size } else { metadata.len() };
    Identity { size, modified, listing: hasher.finish() }
}
