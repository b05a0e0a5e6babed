//! OCI layouts: `index.json` and `blobs/` ([OCI image layout]).
//!
//! [OCI image layout]: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md

use std::sync::Arc;

use super::{
    BlobPlace, BlobSource, DocumentStore, Listing, PackageImage, Unused,
    layout_entries::{LayoutEntry, listed, reference_of, sort_out},
    leftover::UnreadImage,
    read_image,
};
use crate::{
    error::{Error, ErrorKind, Result},
    image::{Descriptor, Digest, Document, Entry, Index, Manifest, layer_is_foreign},
    limit,
};

/// Annotation of `index.json`: its names are names in a target.
pub(crate) const LAYOUT_NAMES: &str = "io.multiarch.names";

/// What a layout holds.
pub(super) struct LayoutImages {
    pub(super) images: Vec<PackageImage>,
    pub(super) failed: Vec<UnreadImage>,
    pub(super) unused: Vec<Unused>,
}

/// Reads all images of the layout at `prefix`.
pub(super) fn read(
    listing: &Listing,
    prefix: &str,
    source: &dyn BlobSource,
) -> Result<LayoutImages> {
    let path = format!("{prefix}index.json");
    let text = listing.read(&path, limit::LAYOUT_INDEX, source)?;
    let index = Index::parse(&text).map_err(|e| e.at_path(&path))?;
    let mut left = limit::IMAGES.budget();
    left.spend(index.entries().len()).map_err(|e| e.at_path(&path))?;
    let layout = Layout { listing, prefix, source };
    let has_target_names =
        index.members().get("annotations")?.is_some_and(|a| a.contains(LAYOUT_NAMES));
    let (mut parts, mut failed) = (Vec::new(), Vec::new());
    for entry in index.entries() {
        let image = layout.image(entry);
        let image =
            image.and_then(|image| left.spend(image.incoming.images().len()).map(|()| image));
        match image {
            Ok(mut image) => {
                image.has_target_names = has_target_names;
                parts.push(LayoutEntry::new(entry, image));
            }
            Err(error) => {
                let name = reference_of(entry).unwrap_or_else(|| entry.digest().to_string());
                let config = layout.config_of(entry.descriptor());
                failed.push((entry, UnreadImage { error: error.of_image(name), config }));
            }
        }
    }
    // An entry without a name that an index lists is part of that: what is lost of it is reported there.
    let listed = listed(&parts);
    failed.retain(|(entry, _)| entry.has_name() || !listed.contains(entry.digest()));
    let failed = failed.into_iter().map(|(_, unread)| unread).collect();
    let (images, unused) = sort_out(parts);
    Ok(LayoutImages { images, failed, unused })
}

struct Layout<'a> {
    listing: &'a Listing,
    prefix: &'a str,
    source: &'a dyn BlobSource,
}

impl Layout<'_> {
    fn path(&self, digest: &Digest) -> String {
        format!("{}blobs/{}/{}", self.prefix, digest.algorithm().name(), digest.hex())
    }

    fn image(&self, entry: &Entry) -> Result<PackageImage> {
        let descriptor = entry.descriptor();
        match self.document(descriptor)? {
            Some(document) => read_image(self, document, Some(entry.without_names())),
            None => {
                let error = Error::new(ErrorKind::Missing, "the archive has no such file");
                Err(error.at_path(self.path(&descriptor.digest)))
            }
        }
    }

    /// The digest of a manifest's config, as far as it can be read.
    fn config_of(&self, descriptor: &Descriptor) -> Option<Digest> {
        let document = self.document(descriptor).ok()??;
        Manifest::parse(&document).ok().map(|manifest| manifest.config.digest)
    }
}

impl DocumentStore for Layout<'_> {
    fn document(&self, descriptor: &Descriptor) -> Result<Option<Document>> {
        let path = self.path(&descriptor.digest);
        if !self.listing.has(&path) {
            return Ok(None);
        }
        let text = self.listing.read(&path, limit::MANIFEST, self.source)?;
        self.source.keep(text.len() as u64).map_err(|e| e.at_path(&path))?;
        Document::verified(text, Some(&descriptor.media_type), &descriptor.digest)
            .map(Some)
            .map_err(|e| e.at_path(path))
    }

    fn config(&self, digest: &Digest) -> Result<Arc<[u8]>> {
        let path = self.path(digest);
        let text = self.listing.read(&path, limit::CONFIG, self.source)?;
        digest.verify(&text).map_err(|e| e.at_path(&path))?;
        self.source.keep_config(&text).map_err(|e| e.at_path(&path))?;
        Ok(text)
    }

    fn place(&self, descriptor: &Descriptor) -> Result<BlobPlace> {
        let path = self.path(&descriptor.digest);
        match self.listing.file(&path) {
            Ok((locator, _)) if locator.size != descriptor.size => {
                let message = format!("{} bytes, not {}", locator.size, descriptor.size);
                let error = Error::new(ErrorKind::DigestMismatch, message);
                Err(error.with_digest(&descriptor.digest).at_path(path))
            }
            Ok((locator, _)) => Ok(BlobPlace::Package(locator)),
            Err(_) if layer_is_foreign(&descriptor.media_type) => Ok(BlobPlace::Foreign),
            Err(error) => Err(error.with_digest(&descriptor.digest)),
        }
    }
}
