//! Reads images from anything that holds documents and blobs by digest: a layout, or a target.

use std::sync::Arc;

use super::{Blob, BlobPlace, PackageImage, PackageName, StoredDocument};
use crate::{
    error::{Error, ErrorKind, Result},
    fuse::{Incoming, IncomingImage, is_image},
    image::{Descriptor, Digest, Document, Entry, ImageConfig, Index, Manifest},
};

/// How deep indexes may be nested; real ones are nested once.
const MAX_NESTING: usize = 4;

/// A place that holds documents and blobs by digest.
pub(crate) trait DocumentStore {
    /// A manifest or index; `None` where it is not there.
    fn document(&self, descriptor: &Descriptor) -> Result<Option<Document>>;

    /// The text of a config.
    fn config(&self, digest: &Digest) -> Result<Arc<[u8]>>;

    /// Where a blob's bytes are.
    fn place(&self, descriptor: &Descriptor) -> Result<BlobPlace>;
}

/// Everything that an index lists, directly or through nested indexes.
#[derive(Default)]
struct Gathered {
    images: Vec<IncomingImage>,
    others: Vec<Entry>,
    documents: Vec<StoredDocument>,
    absent: Vec<Digest>,
}

/// Reads the image of a manifest, or all images of an index, with every document and blob they need.
pub(crate) fn read_image(store: &dyn DocumentStore, document: Document) -> Result<PackageImage> {
    let mut gathered = Gathered::default();
    let incoming = if document.kind().is_index() {
        gather(store, &document, &mut gathered, 0)?;
        gathered.documents.push(StoredDocument { document: document.clone(), blobs: Vec::new() });
        let complete = gathered.absent.is_empty();
        if gathered.images.is_empty() && !complete {
            let message = "none of the images that the index lists is there";
            return Err(Error::new(ErrorKind::Missing, message).with_digest(document.digest()));
        }
        let Gathered { images, others, .. } = &gathered;
        Incoming::index(document, images.clone(), others.clone(), complete)
    } else {
        let (stored, config) = manifest(store, &document)?;
        gathered.documents.push(stored);
        match config {
            Some(config) if !config.platform().is_unknown() => Incoming::image(document, config),
            _ => Incoming::artifact(document),
        }
    };
    let Gathered { documents, absent, .. } = gathered;
    let (references, origin) = (Vec::new(), PackageName::default());
    Ok(PackageImage { references, incoming, documents, has_target_names: false, origin, absent })
}

fn gather(
    store: &dyn DocumentStore,
    index: &Document,
    into: &mut Gathered,
    depth: usize,
) -> Result<()> {
    if depth > MAX_NESTING {
        let message = "indexes nested deeper than 4 levels";
        return Err(Error::new(ErrorKind::TooLarge, message).with_digest(index.digest()));
    }
    for entry in Index::from_document(index)?.entries() {
        let Some(document) = store.document(entry.descriptor())? else {
            into.absent.push(entry.digest().clone());
            continue;
        };
        let known = into.documents.iter().any(|stored| stored.document.digest() == entry.digest());
        if document.kind().is_index() {
            gather(store, &document, into, depth + 1)?;
            if !known {
                into.documents.push(StoredDocument { document, blobs: Vec::new() });
            }
            continue;
        }
        let (stored, config) = manifest(store, &document)?;
        if !known {
            into.documents.push(stored);
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
fn manifest(
    store: &dyn DocumentStore,
    document: &Document,
) -> Result<(StoredDocument, Option<Arc<ImageConfig>>)> {
    let manifest = Manifest::parse(document)?;
    let blob = |descriptor: &Descriptor| {
        Ok(Blob { descriptor: descriptor.clone(), place: store.place(descriptor)? })
    };
    let blobs = manifest.blobs().map(blob).collect::<Result<Vec<_>>>()?;
    let stored = StoredDocument { document: document.clone(), blobs };
    if !manifest.has_image_config() {
        return Ok((stored, None));
    }
    let text = store.config(&manifest.config.digest)?;
    let config = ImageConfig::parse(&text).map_err(|e| e.with_digest(&manifest.config.digest))?;
    Ok((stored, is_image(&manifest, &config).then(|| Arc::new(config))))
}
