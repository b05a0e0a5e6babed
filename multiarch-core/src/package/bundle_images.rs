//! The images of one bundle, wherever they lie in it.

use super::{
    BlobSource, BundleName, Listing,
    bundle_folders::{IMAGES, folders, is_bundle},
    image_archive::{self, ArchivedImages},
};
use crate::error::{Error, ErrorKind};

/// True where an archive holds images, and is no bundle or package of its own.
pub(super) fn holds_images(archive: &Listing) -> bool {
    let is = |name: &str| archive.members.contains_key(name);
    let is_package =
        |listing: &Listing| folders(listing).iter().any(|f| is_bundle(listing, f, true));
    let any_bundle = is_package(archive)
        || archive.nested.iter().any(|(path, inner)| {
            is_package(inner)
                || BundleName::parse(path.rsplit('/').next().unwrap_or_default()).is_some()
        });
    let images = is("manifest.json") || is("index.json") || !archive.problems.is_empty();
    !any_bundle && (images || archive.path.contains(IMAGES))
}

/// The images of one bundle.
#[derive(Default)]
pub(super) struct BundleImages {
    pub(super) found: ArchivedImages,
    pub(super) is_there: bool,
}

impl BundleImages {
    pub(super) fn add(&mut self, listing: &Listing, folder: &str, source: &dyn BlobSource) {
        let read = image_archive::read(listing, folder, source);
        self.is_there = true;
        self.found.images.extend(read.images);
        self.found.problems.extend(read.problems);
        self.found.unused.extend(read.unused);
    }

    /// Adds everything in an archive, at any depth.
    pub(super) fn add_archive(&mut self, mut archive: Listing, source: &dyn BlobSource) {
        self.found.problems.append(&mut archive.problems);
        let folders = folders(&archive);
        let nested = std::mem::take(&mut archive.nested).into_values();
        let nested: Vec<Listing> = nested.filter(holds_images).collect();
        let is_list = |folder: &String| {
            image_archive::is_docker_archive(&archive, folder, source)
                || image_archive::is_layout(&archive, folder)
        };
        let lists: Vec<&String> = folders.iter().filter(|folder| is_list(folder)).collect();
        if lists.is_empty() && nested.is_empty() && !archive.is_incomplete {
            let has_list = archive.has("manifest.json");
            let kind = if has_list { ErrorKind::Malformed } else { ErrorKind::Missing };
            let message = "the archive is neither a docker-archive nor an OCI layout";
            self.found.problems.push(Error::new(kind, message).at_path(&archive.path));
        }
        self.is_there = true;
        lists.into_iter().for_each(|folder| self.add(&archive, folder, source));
        nested.into_iter().for_each(|archive| self.add_archive(archive, source));
    }
}
