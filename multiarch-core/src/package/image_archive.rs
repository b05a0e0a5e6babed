//! Archives and folders of images: docker-archives, OCI layouts, and files that are both at once, as
//! `docker save` writes them.

use super::{BlobSource, Listing, PackageImage, Unused, docker_archive, layout};
use crate::{
    error::Error,
    image::{Digest, same_reference},
    limit,
};

/// What an archive of images holds.
#[derive(Debug, Default)]
pub(super) struct ArchivedImages {
    pub(super) images: Vec<PackageImage>,
    pub(super) problems: Vec<Error>,
    pub(super) unused: Vec<Unused>,
}

/// True where there is an OCI layout at `prefix`.
pub(super) fn is_layout(listing: &Listing, prefix: &str) -> bool {
    let has = |path: &str| listing.has(&format!("{prefix}{path}"));
    has("index.json")
        && (has("oci-layout") || listing.below(&format!("{prefix}blobs/")).next().is_some())
}

/// True where there is a docker-archive at `prefix`.
pub(super) fn is_docker_archive(listing: &Listing, prefix: &str, source: &dyn BlobSource) -> bool {
    let path = format!("{prefix}manifest.json");
    if !listing.has(&path) {
        return false;
    }
    match listing.read(&path, limit::MANIFEST, source) {
        // A broken list means a broken docker-archive, which is to be reported. Anything else is another
        // program's `manifest.json`.
        Ok(text) => text.trim_ascii_start().starts_with(b"[") || docker_archive::is_list(&text),
        Err(_) => true,
    }
}

/// Reads all images at `prefix`, by both lists where there are two.
pub(super) fn read(listing: &Listing, prefix: &str, source: &dyn BlobSource) -> ArchivedImages {
    let mut found = ArchivedImages::default();
    let mut failed = Vec::new();
    let is_docker_archive = is_docker_archive(listing, prefix, source);
    if is_layout(listing, prefix) {
        match layout::read(listing, prefix, source) {
            Ok(layout) => {
                (found.images, found.unused) = (layout.images, layout.unused);
                failed.extend(layout.failed);
            }
            Err(error) => found.problems.push(error),
        }
    }
    if is_docker_archive {
        match docker_archive::read(listing, prefix, source) {
            Ok((images, unread)) => {
                let of_layout = found.images.len();
                images.into_iter().for_each(|image| found.unite(image, of_layout));
                failed.extend(unread);
            }
            Err(error) => found.problems.push(error),
        }
    }
    // What one list does not give is no loss where the other one gives the same image.
    failed.retain(|unread| !unread.config.as_ref().is_some_and(|c| found.has_config(c)));
    found.problems.extend(failed.into_iter().map(|unread| unread.error));
    found
}

impl ArchivedImages {
    fn has_config(&self, config: &Digest) -> bool {
        self.images.iter().any(|image| has_config(image, config))
    }

    /// Adds an image of the docker-archive's list. Where the layout, whose images are the first ones, has
    /// the same image, it only adds the names that the layout does not give.
    fn unite(&mut self, listed: PackageImage, of_layout: usize) {
        let configs: Vec<&Digest> =
            listed.incoming.images().iter().map(|image| image.config().digest()).collect();
        let same = |image: &&mut PackageImage| configs.iter().all(|c| has_config(image, c));
        let mut holders: Vec<&mut PackageImage> =
            self.images[..of_layout].iter_mut().filter(same).collect();
        if holders.is_empty() {
            self.images.push(listed);
            return;
        }
        for name in listed.references {
            let known = holders.iter().any(|holder| {
                holder.references.iter().any(|reference| same_reference(reference, &name))
            });
            if !known {
                holders[0].references.push(name);
            }
        }
    }
}

fn has_config(image: &PackageImage, config: &Digest) -> bool {
    image.incoming.images().iter().any(|image| image.config().digest() == config)
}
