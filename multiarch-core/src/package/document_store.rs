//! Reads images from anything that holds documents and blobs by digest: a layout, or a target.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Blob, BlobPlace, IncompleteImage, PackageImage, StoredDocument};
use crate::{
    error::{Error, ErrorKind, Result},
    fuse::{Incoming, IncomingImage, is_image},
    image::{Descriptor, Digest, Document, Entry, ImageConfig, Index, Manifest, Platform},
    limit,
};

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
    /// The digests of `documents`, and of nested indexes that are being read.
    known: BTreeSet<Digest>,
    /// The manifests that were read, so that each is read once however often it is listed.
    manifests: BTreeMap<Digest, ManifestParts>,
    entries: usize,
    nested: Vec<Document>,
    incomplete: Vec<IncompleteImage>,
}

/// A manifest with its blobs, and its config where it is an image's.
type ManifestParts = (StoredDocument, Option<Arc<ImageConfig>>);

/// Reads the image of a manifest, or all images of an index, with every document and blob they need.
/// `entry` is what lists it, which may state its platform.
pub(crate) fn read_image(
    store: &dyn DocumentStore,
    document: Document,
    entry: Option<Entry>,
) -> Result<PackageImage> {
    if document.kind().is_index() {
        return read_index(store, document);
    }
    let (stored, config) = manifest(store, &document)?;
    let incoming = match config {
        Some(config) => {
            let image = IncomingImage::new(document.clone(), config, entry);
            Incoming::images_of_one_name(vec![image])
        }
        None => None,
    };
    let incoming = incoming.unwrap_or_else(|| Incoming::artifact(document));
    Ok(PackageImage::new(incoming, vec![stored]))
}

fn read_index(store: &dyn DocumentStore, document: Document) -> Result<PackageImage> {
    let mut gathered = Gathered::default();
    gather(store, &document, &mut gathered, 0)?;
    let Gathered { images, others, mut documents, nested, mut incomplete, .. } = gathered;
    if images.is_empty() {
        // Nothing that can be run is there: that is a loss, unless another source or the target has it.
        for image in incomplete.iter_mut().filter(|image| image.platform.is_some()) {
            let message = "none of the images that the index lists is there as a whole";
            let error = || Error::new(ErrorKind::Missing, message).with_digest(document.digest());
            image.error.get_or_insert_with(error);
        }
    }
    documents.push(StoredDocument { document: document.clone(), blobs: Vec::new() });
    let incoming = Incoming::index(document, images, others, &nested)?;
    Ok(PackageImage { incomplete, ..PackageImage::new(incoming, documents) })
}

fn gather(
    store: &dyn DocumentStore,
    index: &Document,
    into: &mut Gathered,
    depth: usize,
) -> Result<()> {
    limit::INDEX_DEPTH.check(depth).map_err(|e| e.with_digest(index.digest()))?;
    for entry in Index::from_document(index)?.entries() {
        into.entries += 1;
        limit::INDEX_ENTRIES.check(into.entries).map_err(|e| e.with_digest(index.digest()))?;
        match part(store, entry, &mut into.manifests) {
            Ok(Some(IndexPart::Index(document))) => {
                if !into.known.insert(document.digest().clone()) {
                    continue;
                }
                gather(store, &document, into, depth + 1)?;
                into.documents
                    .push(StoredDocument { document: document.clone(), blobs: Vec::new() });
                into.nested.push(document);
            }
            Ok(Some(IndexPart::Manifest(stored, image))) => {
                into.add(stored);
                match image {
                    Some(image) => into.images.push(*image),
                    None => into.others.push(entry.clone()),
                }
            }
            Ok(None) => into.lack(entry, None),
            Err(error) if is_of_content(&error) => into.lack(entry, Some(error)),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Gathered {
    fn add(&mut self, stored: StoredDocument) {
        if self.known.insert(stored.document.digest().clone()) {
            self.documents.push(stored);
        }
    }

    /// Notes an entry that is not there as a whole. What is wrong with an attestation keeps nothing back.
    fn lack(&mut self, entry: &Entry, error: Option<Error>) {
        let stated = entry.descriptor().platform.as_ref();
        let stated = stated.filter(|platform| !platform.is_unknown() && entry.attests().is_none());
        let platform = stated.map(Platform::key);
        let error = error.filter(|_| platform.is_some());
        self.incomplete.push(IncompleteImage { digest: entry.digest().clone(), platform, error });
    }
}

/// True for an error in what a source holds, rather than in reaching it.
fn is_of_content(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Missing
            | ErrorKind::Malformed
            | ErrorKind::Truncated
            | ErrorKind::TooLarge
            | ErrorKind::UnsafePath
            | ErrorKind::DigestMismatch
            | ErrorKind::Unsupported
    )
}

/// What an entry of an index leads to.
enum IndexPart {
    Index(Document),
    /// A manifest, with its image where it is one of a platform.
    Manifest(StoredDocument, Option<Box<IncomingImage>>),
}

/// Reads one entry of an index; `None` where the source does not have it.
fn part(
    store: &dyn DocumentStore,
    entry: &Entry,
    known: &mut BTreeMap<Digest, ManifestParts>,
) -> Result<Option<IndexPart>> {
    let descriptor = entry.descriptor();
    let Some(document) = store.document(descriptor)? else { return Ok(None) };
    if document.size() != descriptor.size {
        let (listed, actual) = (descriptor.size, document.size());
        let message = format!("the index lists it with {listed} bytes, but it has {actual}");
        return Err(Error::new(ErrorKind::DigestMismatch, message).with_digest(&descriptor.digest));
    }
    if document.kind().is_index() {
        return Ok(Some(IndexPart::Index(document)));
    }
    let (stored, config) = match known.get(&descriptor.digest) {
        Some(known) => known.clone(),
        None => {
            let parts = manifest(store, &document)?;
            known.insert(descriptor.digest.clone(), parts.clone());
            parts
        }
    };
    let image = config
        .filter(|_| entry.attests().is_none() && !descriptor.is_artifact())
        .map(|config| IncomingImage::new(document, config, Some(entry.clone())))
        .filter(|image| !image.platform().is_unknown());
    Ok(Some(IndexPart::Manifest(stored, image.map(Box::new))))
}

/// Reads a manifest. Fails where any of its parts is not there, or does not fit.
fn manifest(store: &dyn DocumentStore, document: &Document) -> Result<ManifestParts> {
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
    if !is_image(&manifest, &config) {
        return Ok((stored, None));
    }
    manifest.check_fit(&config).map_err(|e| e.with_digest(document.digest()))?;
    Ok((stored, Some(Arc::new(config))))
}
