//! What is fused into a tag: one image, or an index of several.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    error::{Error, ErrorKind, Result},
    image::{Digest, Document, Entry, ImageConfig, Manifest, Platform},
};

/// One incoming image.
#[derive(Clone, Debug)]
pub struct IncomingImage {
    pub(super) document: Document,
    pub(super) config: Arc<ImageConfig>,
    pub(super) entry: Entry,
    pub(super) platform: Platform,
}

impl IncomingImage {
    /// An image, with its entry if it came in an index.
    ///
    /// The platform is the config's. Where the config names no platform, the entry's is taken. Where
    /// the entry names the same os and architecture, it fills in the variant, os.version and
    /// os.features that the config leaves out.
    pub fn new(document: Document, config: Arc<ImageConfig>, entry: Option<Entry>) -> Self {
        let described = entry.as_ref().and_then(|e| e.descriptor().platform.clone());
        let platform = complete(config.platform().clone(), described.as_ref());
        let entry = match (entry, described) {
            (Some(entry), Some(described)) if described.key() == platform.key() => entry,
            (entry, _) => {
                let mut descriptor = document.descriptor();
                if let Some(entry) = entry {
                    descriptor.annotations = entry.descriptor().annotations.clone();
                }
                descriptor.platform = Some(platform.clone());
                Entry::new(descriptor)
            }
        };
        Self { document, config, entry, platform }
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
}

fn complete(mut platform: Platform, described: Option<&Platform>) -> Platform {
    let Some(described) = described else { return platform };
    if platform.is_unknown() {
        return described.clone();
    }
    let (mine, theirs) = (platform.key(), described.key());
    if (mine.os(), mine.architecture()) == (theirs.os(), theirs.architecture()) {
        if platform.variant.is_empty() {
            platform.variant.clone_from(&described.variant);
        }
        if platform.os_version.is_empty() {
            platform.os_version.clone_from(&described.os_version);
        }
        if platform.os_features.is_empty() {
            platform.os_features.clone_from(&described.os_features);
        }
    }
    platform
}

/// What one source brings for one tag.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The document as it came. An absent tag gets it unchanged if it is `complete`.
    pub(super) document: Document,
    /// The source has everything that the document lists.
    pub(super) complete: bool,
    pub(super) images: Vec<IncomingImage>,
    /// Attestations, artifacts and all other entries of an index that are not images.
    pub(super) others: Vec<Entry>,
    pub(super) mislabelled: bool,
}

impl Incoming {
    /// A single image, from the bytes of its manifest and of its config.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] where they cannot be parsed, or the manifest names another config;
    /// [`ErrorKind::Unsupported`] for an index or an artifact.
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
        Ok(Self::image(document, Arc::new(config)))
    }

    /// A single image.
    pub fn image(document: Document, config: Arc<ImageConfig>) -> Self {
        let image = IncomingImage::new(document.clone(), config, None);
        Self {
            document,
            complete: true,
            images: vec![image],
            others: Vec::new(),
            mislabelled: false,
        }
    }

    /// A single manifest that is not an image: only an absent tag can take it.
    pub fn artifact(document: Document) -> Self {
        Self {
            document,
            complete: true,
            images: Vec::new(),
            others: Vec::new(),
            mislabelled: false,
        }
    }

    /// An index with its images and its other entries, nested indexes flattened. `complete` says
    /// whether the source has everything that the document lists.
    pub fn index(
        document: Document,
        images: Vec<IncomingImage>,
        others: Vec<Entry>,
        complete: bool,
    ) -> Self {
        Self { document, complete, images, others, mislabelled: false }
    }

    /// The same without these images and their attestations; `None` where no image is left.
    #[must_use]
    pub fn without(&self, digests: &BTreeSet<Digest>) -> Option<Self> {
        let mut rest = self.clone();
        rest.images.retain(|image| !digests.contains(image.document.digest()));
        rest.others.retain(|entry| entry.attests().is_none_or(|s| !digests.contains(&s)));
        rest.complete = self.complete && rest.images.len() == self.images.len();
        (!rest.images.is_empty()).then_some(rest)
    }

    /// Sets whether the source declared another platform than the config. Such an image is used, but
    /// never wins a conflict.
    #[must_use]
    pub fn mislabelled(mut self, mislabelled: bool) -> Self {
        self.mislabelled = mislabelled;
        self
    }

    /// The document as it came.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The images.
    pub fn images(&self) -> &[IncomingImage] {
        &self.images
    }

    /// True where the source declared another platform than the config.
    pub fn is_mislabelled(&self) -> bool {
        self.mislabelled
    }

    pub(super) fn is_artifact(&self) -> bool {
        self.images.is_empty() && !self.document.kind().is_index()
    }
}

/// True where a manifest with this config is an image of a platform, not an artifact.
pub(crate) fn is_image(manifest: &Manifest, config: &ImageConfig) -> bool {
    manifest.has_image_config() && config.diff_ids().is_some()
}
