//! Images out of anything that keeps documents and blobs by digest: a layout, or a target.

use std::sync::Arc;

use super::{Blob, Locator, PackageImage, PackageName, Part};
use crate::{
    error::{Error, ErrorKind, Result},
    fuse::{Incoming, IncomingImage, is_image},
    image::{Descriptor, Digest, Document, Entry, ImageConfig, Index, Manifest},
};

/// Indexes in indexes; real ones are nested once.
const MAX_NESTING: usize = 4;

/// A place that keeps documents and blobs by digest.
pub(crate) trait Shelf {
    /// A manifest or index; `None` where it is not there.
    fn document(&self, descriptor: &Descriptor) -> Result<Option<Document>>;

    /// The text of a config.
    fn config(&self, digest: &Digest) -> Result<Arc<[u8]>>;

    /// Where a blob's bytes are; `None` for a foreign layer.
    fn place(&self, descriptor: &Descriptor) -> Result<Option<Locator>>;
}

/// What an index leads to, gathered.
#[derive(Default)]
struct Gathered {
    images: Vec<IncomingImage>,
    others: Vec<Entry>,
    parts: Vec<Part>,
    absent: Vec<Digest>,
}

/// The image that a document is, or the images of an index, with all that they need.
pub(crate) fn read_image(shelf: &dyn Shelf, document: Document) -> Result<PackageImage> {
    let mut gathered = Gathered::default();
    let incoming = if document.kind().is_index() {
        gather(shelf, &document, &mut gathered, 0)?;
        gathered.parts.push(Part { document: document.clone(), blobs: Vec::new() });
        let complete = gathered.absent.is_empty();
        if gathered.images.is_empty() && !complete {
            let message = "none of the images that the index lists is there";
            return Err(Error::new(ErrorKind::Missing, message).with_digest(document.digest()));
        }
        let Gathered { images, others, .. } = &gathered;
        Incoming::index(document, images.clone(), others.clone(), complete)
    } else {
        let (part, config) = manifest(shelf, &document)?;
        gathered.parts.push(part);
        match config {
            Some(config) if !config.platform().is_unknown() => Incoming::image(document, config),
            _ => Incoming::artifact(document),
        }
    };
    let Gathered { parts, absent, .. } = gathered;
    let (references, origin) = (Vec::new(), PackageName::default());
    Ok(PackageImage { references, incoming, parts, is_placed: false, origin, absent })
}

fn gather(shelf: &dyn Shelf, index: &Document, into: &mut Gathered, depth: usize) -> Result<()> {
    if depth > MAX_NESTING {
        let message = "indexes nested deeper than 4 levels";
        return Err(Error::new(ErrorKind::TooLarge, message).with_digest(index.digest()));
    }
    for entry in Index::of(index)?.entries() {
        let Some(document) = shelf.document(entry.descriptor())? else {
            into.absent.push(entry.digest().clone());
            continue;
        };
        let known = into.parts.iter().any(|part| part.document.digest() == entry.digest());
        if document.kind().is_index() {
            gather(shelf, &document, into, depth + 1)?;
            if !known {
                into.parts.push(Part { document, blobs: Vec::new() });
            }
            continue;
        }
        let (part, config) = manifest(shelf, &document)?;
        if !known {
            into.parts.push(part);
        }
        let image = config
            .filter(|_| entry.attests().is_none() && !entry.descriptor().is_artifact())
            .map(|config| IncomingImage::new(document, config, Some(entry.clone())))
            .filter(|image| !image.platform().is_unknown());
        match image {
            Some(image) => into.images.push(image),
            None => into.others.push(entry.clone()),
        }
    }
    Ok(())
}

/// A manifest with its blobs, and its config where it is an image's.
fn manifest(shelf: &dyn Shelf, document: &Document) -> Result<(Part, Option<Arc<ImageConfig>>)> {
    let manifest = Manifest::of(document)?;
    let blob = |descriptor: &Descriptor| {
        let locator = shelf.place(descriptor)?;
        Ok(Blob { descriptor: descriptor.clone(), locator })
    };
    let blobs = manifest.blobs().map(blob).collect::<Result<Vec<_>>>()?;
    let part = Part { document: document.clone(), blobs };
    if !manifest.has_image_config() {
        return Ok((part, None));
    }
    let text = shelf.config(&manifest.config.digest)?;
    let config = ImageConfig::parse(&text).map_err(|e| e.with_digest(&manifest.config.digest))?;
    Ok((part, is_image(&manifest, &config).then(|| Arc::new(config))))
}
