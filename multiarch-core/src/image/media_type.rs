//! Media types of Docker and of OCI.

use oci_spec::image::MediaType;

/// The media types that this library names or writes.
pub(crate) mod types {
    /// Docker image manifest, version 2, schema 2.
    pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// Docker manifest list.
    pub(crate) const DOCKER_LIST: &str =
        "application/vnd.docker.distribution.manifest.list.v2+json";
    /// Docker image config.
    pub(crate) const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
    /// Docker layer, gzip.
    pub(crate) const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    /// OCI image manifest.
    pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// OCI image index.
    pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// OCI image config.
    pub(crate) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
}

/// Who defined a document's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Docker's image manifest version 2, schema 2.
    Docker,
    /// The OCI image specification.
    Oci,
}

/// The kinds of documents that a tag can hold, by media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DocumentType {
    /// One image, or an artifact that is stored as a manifest.
    Manifest(Family),
    /// A list of images.
    Index(Family),
}

impl DocumentType {
    /// Recognises a media type; parameters after a semicolon are ignored.
    pub(crate) fn from_media_type(media_type: &str) -> Option<Self> {
        let name = media_type.split(';').next().unwrap_or_default().trim();
        Some(match name {
            types::DOCKER_MANIFEST => Self::Manifest(Family::Docker),
            types::DOCKER_LIST => Self::Index(Family::Docker),
            _ => match MediaType::from(name) {
                MediaType::ImageManifest => Self::Manifest(Family::Oci),
                MediaType::ImageIndex => Self::Index(Family::Oci),
                _ => return None,
            },
        })
    }

    /// The media type's name.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Manifest(Family::Docker) => types::DOCKER_MANIFEST,
            Self::Manifest(Family::Oci) => types::OCI_MANIFEST,
            Self::Index(Family::Docker) => types::DOCKER_LIST,
            Self::Index(Family::Oci) => types::OCI_INDEX,
        }
    }

    /// True for an index or a manifest list.
    pub(crate) fn is_index(self) -> bool {
        matches!(self, Self::Index(_))
    }
}

/// True for the media type of an image's config. An `artifactType` of this type does not make an
/// artifact: go-containerregistry writes it for ordinary images.
pub(crate) fn is_image_config(media_type: &str) -> bool {
    [types::DOCKER_CONFIG, types::OCI_CONFIG].contains(&media_type)
}

/// True for layers that may not be stored in a registry, and are fetched from elsewhere.
pub(crate) fn layer_is_foreign(media_type: &str) -> bool {
    media_type.contains(".foreign.") || media_type.contains(".nondistributable.")
}

/// True for layers of a file system. Signatures and attestations have layers of other types.
pub(crate) fn layer_is_rootfs(media_type: &str) -> bool {
    media_type.contains(".tar") || media_type.contains(".nydus.")
}

/// How a blob's bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Compression {
    /// Not compressed, or in an unknown way.
    None,
    /// gzip, RFC 1952.
    Gzip,
    /// Zstandard, RFC 8878, possibly after a skippable frame.
    Zstd,
}

impl Compression {
    /// Recognises the compression by a blob's first bytes.
    pub(crate) fn sniff(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    /// The true media type of an OCI layer compressed like this.
    pub(crate) fn oci_layer(self) -> String {
        match self {
            Self::None => MediaType::ImageLayer,
            Self::Gzip => MediaType::ImageLayerGzip,
            Self::Zstd => MediaType::ImageLayerZstd,
        }
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_inverse() {
        for family in [Family::Docker, Family::Oci] {
            for kind in [DocumentType::Manifest(family), DocumentType::Index(family)] {
                assert_eq!(DocumentType::from_media_type(kind.media_type()), Some(kind));
            }
        }
        assert_eq!(
            DocumentType::from_media_type("application/vnd.oci.image.index.v1+json; charset=utf-8"),
            Some(DocumentType::Index(Family::Oci))
        );
        assert_eq!(
            DocumentType::from_media_type(
                "application/vnd.docker.distribution.manifest.v1+prettyjws"
            ),
            None
        );
        assert_eq!(Compression::Zstd.oci_layer(), "application/vnd.oci.image.layer.v1.tar+zstd");
    }
}
