//! What is fused into a tag: one image, or several that one source lists.

use std::{collections::BTreeSet, sync::Arc};

use super::upstream::Upstream;
use crate::{
    error::{Error, ErrorKind, Result},
    image::{Digest, Document, Entry, ImageConfig, Index, Manifest, Platform, layer_is_rootfs},
};

/// One incoming image.
#[derive(Clone, Debug)]
pub struct IncomingImage {
    pub(super) document: Document,
    pub(super) config: Arc<ImageConfig>,
    pub(super) entry: Entry,
    pub(super) platform: Platform,
    /// Its sources disagree about its platform, so it never replaces another image.
    pub(super) is_doubtful: bool,
}

impl IncomingImage {
    /// An image, with its entry if it came in an index.
    ///
    /// The platform is the one that the entry states, as it is at a tag; the config fills in what the
    /// entry leaves out, and decides where the entry states none. Where both state a platform and
    /// disagree, the image never replaces another one.
    pub fn new(document: Document, config: Arc<ImageConfig>, entry: Option<Entry>) -> Self {
        let stated = entry.as_ref().and_then(|entry| entry.descriptor().platform.clone());
        let (own, stated) = (config.platform(), stated.filter(|stated| !stated.is_unknown()));
        let (platform, is_doubtful) = match &stated {
            Some(stated) => (stated.completed_by(own), stated.contradicts(own)),
            None => (own.clone(), false),
        };
        let entry = match entry {
            Some(entry) if stated.is_some() || platform.is_unknown() => entry,
            Some(entry) => entry.with_platform(&platform),
            None => listed(&document, &platform),
        };
        Self { document, config, entry, platform, is_doubtful }
    }

    /// The same image as one of another platform, because there is evidence that its config is wrong.
    #[must_use]
    pub fn of_platform(mut self, platform: Platform) -> Self {
        self.entry = self.entry.with_platform(&platform);
        self.platform = platform;
        self
    }

    /// The manifest.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The config.
    pub fn config(&self) -> &Arc<ImageConfig> {
        &self.config
    }

    /// The platform.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// True where its sources disagree about its platform, so that it never replaces another image.
    pub fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// True where the manifest alone shows the platform, as a tag without an index needs.
    pub(super) fn speaks_for_itself(&self) -> bool {
        self.platform.is_unknown() || self.config.platform().key() == self.platform.key()
    }
}

/// The entry of an index for a manifest.
fn listed(document: &Document, platform: &Platform) -> Entry {
    let mut descriptor = document.descriptor();
    descriptor.platform = (!platform.is_unknown()).then(|| platform.clone());
    Entry::new(descriptor)
}

/// What one source brings for one tag. Its images are one statement: they are compared with what the tag
/// held before, and never with each other.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The document as it came; the first manifest where the source lists several without an index.
    pub(super) document: Document,
    pub(super) upstream: Option<Upstream>,
    pub(super) images: Vec<IncomingImage>,
    /// Attestations, artifacts and all other entries of an index that are not images.
    pub(super) others: Vec<Entry>,
}

impl Incoming {
    /// A single image, from the bytes of its manifest and of its config.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] where they cannot be parsed, the manifest names another config, or it does
    /// not have as many layers as the config says; [`ErrorKind::Unsupported`] for an index or an artifact.
    pub fn parse(manifest: &[u8], config: &[u8]) -> Result<Self> {
        let document = Document::new(manifest, None)?;
        if document.kind().is_index() {
            return Err(Error::new(ErrorKind::Unsupported, "an index, not a manifest"));
        }
        let (manifest, config) = (Manifest::parse(&document)?, ImageConfig::parse(config)?);
        if manifest.config.digest != *config.digest() {
            let message = format!("the manifest names the config {}", manifest.config.digest);
            return Err(Error::new(ErrorKind::Malformed, message).with_digest(config.digest()));
        }
        if !is_image(&manifest, &config) {
            return Err(Error::new(ErrorKind::Unsupported, "an artifact, not an image"));
        }
        manifest.check_fit(&config)?;
        Ok(Self::image(document, Arc::new(config)))
    }

    /// A single image.
    pub fn image(document: Document, config: Arc<ImageConfig>) -> Self {
        let images = vec![IncomingImage::new(document.clone(), config, None)];
        Self { document, upstream: None, images, others: Vec::new() }
    }

    /// Several images that a source lists under one name without an index of their own; `None` for no
    /// image.
    pub(crate) fn images_of_one_name(images: Vec<IncomingImage>) -> Option<Self> {
        let document = images.first()?.document.clone();
        Some(Self { document, upstream: None, images, others: Vec::new() })
    }

    /// Adds an attestation of one of the images.
    pub(crate) fn add_other(&mut self, entry: Entry) {
        self.others.push(entry);
    }

    /// A single manifest that is not an image: only an absent tag can take it.
    pub fn artifact(document: Document) -> Self {
        Self { document, upstream: None, images: Vec::new(), others: Vec::new() }
    }

    /// An index with those of its images and other entries that the source has as a whole. `nested` are
    /// the nested indexes that it has; their entries are among the images and others.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] where the document or a nested one is not an index.
    pub fn index(
        document: Document,
        images: Vec<IncomingImage>,
        others: Vec<Entry>,
        nested: &[Document],
    ) -> Result<Self> {
        let upstream = Some(Upstream::new(&document, nested)?);
        Ok(Self { document, upstream, images, others })
    }

    /// The same without these images and their attestations; `None` where no image is left.
    #[must_use]
    pub fn without(&self, digests: &BTreeSet<Digest>) -> Option<Self> {
        let mut rest = self.clone();
        rest.images.retain(|image| !digests.contains(image.document.digest()));
        rest.others.retain(|entry| entry.attests().is_none_or(|s| !digests.contains(&s)));
        (!rest.images.is_empty()).then_some(rest)
    }

    /// Notes that the source declares another platform than the config of its only image, without
    /// evidence for either. Such an image is used, but never replaces another one.
    #[must_use]
    pub fn doubtful(mut self) -> Self {
        self.images.iter_mut().for_each(|image| image.is_doubtful = true);
        self
    }

    /// The same with the platform of its only image decided by evidence.
    #[must_use]
    pub(crate) fn of_platform(mut self, platform: &Platform) -> Self {
        let images = self.images.into_iter().map(|image| image.of_platform(platform.clone()));
        self.images = images.collect();
        self
    }

    /// The document as it came; the first manifest where the source lists several without an index.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The images.
    pub fn images(&self) -> &[IncomingImage] {
        &self.images
    }

    /// The other entries that the source has.
    pub(crate) fn others(&self) -> &[Entry] {
        &self.others
    }

    /// True where an image's sources disagree about its platform.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.images.iter().any(IncomingImage::is_doubtful)
    }

    /// The manifests that the source's index lists, whether the source has them or not, or its images: all
    /// of them are one statement.
    pub(crate) fn stated(&self) -> BTreeSet<&Digest> {
        let images = self.images.iter().map(|image| image.document.digest());
        images.chain(self.upstream.iter().flat_map(Upstream::listed)).collect()
    }

    /// The nested indexes that the source has.
    pub(super) fn nested(&self) -> impl Iterator<Item = (&Digest, &Index)> {
        self.upstream.iter().flat_map(|upstream| &upstream.nested)
    }

    /// True where the source has everything that its index lists.
    pub(super) fn is_whole(&self) -> bool {
        let others = self.others.iter().map(|entry| (entry.digest(), entry.descriptor().size));
        let images =
            self.images.iter().map(|image| (image.document.digest(), image.document.size()));
        let there = others.chain(images).collect();
        self.upstream.as_ref().is_some_and(|upstream| upstream.is_whole(&there))
    }

    /// True where the source lists its images in an index.
    pub(crate) fn is_index(&self) -> bool {
        self.upstream.is_some()
    }

    pub(super) fn is_artifact(&self) -> bool {
        self.images.is_empty() && self.upstream.is_none()
    }
}

/// True where a manifest with this config is an image, not an artifact. An image whose config names no
/// platform is one as well, unless none of its layers belongs to a file system: signatures and
/// attestations have configs of images, too.
pub(crate) fn is_image(manifest: &Manifest, config: &ImageConfig) -> bool {
    let is_rootfs = manifest.layers.iter().any(|layer| layer_is_rootfs(&layer.media_type));
    manifest.has_image_config()
        && config.diff_ids().is_some()
        && (!config.platform().is_unknown() || manifest.layers.is_empty() || is_rootfs)
}
