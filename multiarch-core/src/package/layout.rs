//! OCI layouts: `index.json` and `blobs/` ([OCI image layout]).
//!
//! [OCI image layout]: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md

use std::sync::Arc;

use super::{Blob, Contents, PackageImage, PackageName, Part, Scope};
use crate::{
    error::{Error, ErrorKind, Result},
    fuse::{Incoming, IncomingImage, is_image},
    image::{
        Descriptor, Digest, Document, Entry, ImageConfig, Index, MAX_CONFIG_SIZE,
        MAX_DOCUMENT_SIZE, Manifest, REF_NAME, layer_is_foreign,
    },
};

/// containerd and docker put the full reference here, and only the tag into `ref.name`.
const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// Annotation of `index.json` that says that its names are names in a target.
pub(crate) const LAYOUT_NAMES: &str = "io.multiarch.names";
/// Indexes in indexes; real ones are nested once.
const MAX_NESTING: usize = 4;

/// Reads all images of the layout at `prefix`.
pub(super) fn read(
    scope: &Scope,
    prefix: &str,
    contents: &dyn Contents,
) -> Result<(Vec<PackageImage>, Vec<Error>)> {
    let path = format!("{prefix}index.json");
    let text = scope.read(&path, MAX_DOCUMENT_SIZE, contents)?;
    let index = Index::parse(&text).map_err(|e| e.at_path(&path))?;
    let layout = Layout { scope, prefix, contents };
    let is_placed = index.members().get("annotations")?.is_some_and(|a| a.contains(LAYOUT_NAMES));
    let (mut images, mut problems) = (Vec::new(), Vec::new());
    for entry in index.entries() {
        let reference = reference_of(entry);
        match layout.image(entry) {
            Ok(mut image) => {
                image.references.extend(reference);
                image.is_placed = is_placed;
                images.push(image);
            }
            Err(error) => {
                let name = reference.unwrap_or_else(|| entry.digest().to_string());
                problems.push(error.of_image(name));
            }
        }
    }
    Ok((images, problems))
}

/// A name that is a tag alone names no image.
fn reference_of(entry: &Entry) -> Option<String> {
    let annotations = &entry.descriptor().annotations;
    let name = annotations
        .get(CONTAINERD_NAME)
        .or_else(|| annotations.get(REF_NAME).filter(|name| name.contains(['/', ':'])))?;
    Some(name.clone())
}

struct Layout<'a> {
    scope: &'a Scope,
    prefix: &'a str,
    contents: &'a dyn Contents,
}

/// What an index leads to, gathered.
#[derive(Default)]
struct Gathered {
    images: Vec<IncomingImage>,
    others: Vec<Entry>,
    parts: Vec<Part>,
    absent: Vec<Digest>,
}

impl Layout<'_> {
    fn path(&self, digest: &Digest) -> String {
        format!("{}blobs/{}/{}", self.prefix, digest.algorithm().name(), digest.hex())
    }

    fn document(&self, descriptor: &Descriptor) -> Result<Document> {
        let path = self.path(&descriptor.digest);
        let text = self.scope.read(&path, MAX_DOCUMENT_SIZE, self.contents)?;
        Document::verified(text, Some(&descriptor.media_type), &descriptor.digest)
            .map_err(|e| e.at_path(path))
    }

    fn image(&self, entry: &Entry) -> Result<PackageImage> {
        let document = self.document(entry.descriptor())?;
        let mut gathered = Gathered::default();
        let incoming = if document.kind().is_index() {
            self.gather(&document, &mut gathered, 0)?;
            gathered.parts.push(Part { document: document.clone(), blobs: Vec::new() });
            let complete = gathered.absent.is_empty();
            if gathered.images.is_empty() && !complete {
                let message = "the layout holds none of the images that the index lists";
                return Err(Error::new(ErrorKind::Missing, message).with_digest(document.digest()));
            }
            let Gathered { images, others, .. } = &gathered;
            Incoming::index(document, images.clone(), others.clone(), complete)
        } else {
            let (part, config) = self.manifest(&document)?;
            gathered.parts.push(part);
            match config {
                Some(config) if !config.platform().is_unknown() => {
                    Incoming::image(document, config)
                }
                _ => Incoming::artifact(document),
            }
        };
        let Gathered { parts, absent, .. } = gathered;
        let origin = PackageName::default();
        let references = Vec::new();
        Ok(PackageImage { references, incoming, parts, is_placed: false, origin, absent })
    }

    fn gather(&self, index: &Document, into: &mut Gathered, depth: usize) -> Result<()> {
        if depth > MAX_NESTING {
            let message = "indexes nested deeper than 4 levels";
            return Err(Error::new(ErrorKind::TooLarge, message).with_digest(index.digest()));
        }
        for entry in Index::of(index)?.entries() {
            if !self.scope.has(&self.path(entry.digest())) {
                into.absent.push(entry.digest().clone());
                continue;
            }
            let known = into.parts.iter().any(|part| part.document.digest() == entry.digest());
            let document = self.document(entry.descriptor())?;
            if document.kind().is_index() {
                self.gather(&document, into, depth + 1)?;
                if !known {
                    into.parts.push(Part { document, blobs: Vec::new() });
                }
                continue;
            }
            let (part, config) = self.manifest(&document)?;
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
    fn manifest(&self, document: &Document) -> Result<(Part, Option<Arc<ImageConfig>>)> {
        let manifest = Manifest::of(document)?;
        let blobs = manifest.blobs().map(|blob| self.blob(blob)).collect::<Result<Vec<_>>>()?;
        let part = Part { document: document.clone(), blobs };
        if !manifest.has_image_config() {
            return Ok((part, None));
        }
        let path = self.path(&manifest.config.digest);
        let text = self.scope.read(&path, MAX_CONFIG_SIZE, self.contents)?;
        manifest.config.digest.verify(&text).map_err(|e| e.at_path(&path))?;
        let config = ImageConfig::parse(&text).map_err(|e| e.at_path(&path))?;
        Ok((part, is_image(&manifest, &config).then(|| Arc::new(config))))
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Blob> {
        let path = self.path(&descriptor.digest);
        let locator = match self.scope.file(&path) {
            Ok((locator, _)) if locator.size != descriptor.size => {
                let message = format!("{} bytes, not {}", locator.size, descriptor.size);
                let error = Error::new(ErrorKind::DigestMismatch, message);
                return Err(error.with_digest(&descriptor.digest).at_path(path));
            }
            Ok((locator, _)) => Some(locator),
            Err(_) if layer_is_foreign(&descriptor.media_type) => None,
            Err(error) => return Err(error.with_digest(&descriptor.digest)),
        };
        Ok(Blob { descriptor: descriptor.clone(), locator })
    }
}
