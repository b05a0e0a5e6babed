//! Image manifests, parsed.

use serde::Deserialize;

use super::{Descriptor, Document, ImageConfig, descriptor::or_default, is_image_config};
use crate::error::{Error, ErrorKind};

/// A parsed manifest ([OCI manifest], or Docker image manifest v2 schema 2).
///
/// [OCI manifest]: https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    /// The config.
    pub config: Descriptor,
    /// The layers, the lowest one first.
    #[serde(default, deserialize_with = "or_default")]
    pub layers: Vec<Descriptor>,
    /// Type of the artifact, where the manifest is an artifact.
    #[serde(default)]
    pub artifact_type: Option<String>,
    /// The document that this one refers to, as a signature refers to an image.
    #[serde(default)]
    pub subject: Option<Descriptor>,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] where the document is not a manifest.
    pub(crate) fn parse(document: &Document) -> Result<Self, Error> {
        serde_json::from_slice(document.raw()).map_err(|e| {
            Error::caused_by(ErrorKind::Malformed, "not an image manifest", e)
                .with_digest(document.digest())
        })
    }

    /// True where the config is an image config: only then can the manifest be an image of a platform
    /// rather than an artifact.
    pub(crate) fn has_image_config(&self) -> bool {
        let artifact = self.artifact_type.as_deref();
        artifact.is_none_or(|t| t.is_empty() || is_image_config(t))
            && is_image_config(&self.config.media_type)
    }

    /// Fails where the manifest does not have as many layers as its config has diff IDs ([OCI config,
    /// `rootfs`]): no node can run such an image.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`].
    ///
    /// [OCI config, `rootfs`]: https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties
    pub(crate) fn check_fit(&self, config: &ImageConfig) -> Result<(), Error> {
        let (layers, diff_ids) = (self.layers.len(), config.diff_ids().unwrap_or_default().len());
        if layers == diff_ids {
            return Ok(());
        }
        let message =
            format!("the manifest has {layers} layers, but its config has {diff_ids} diff IDs");
        Err(Error::new(ErrorKind::Malformed, message))
    }

    /// Config and layers: all blobs that must be in a registry before the manifest.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        std::iter::once(&self.config).chain(&self.layers)
    }
}
