//! Documents: raw JSON with its digest.

use std::{fmt, sync::Arc};

use super::{Descriptor, Digest, DocumentType, Family, RawObject};
use crate::{
    error::{Error, ErrorKind},
    limit,
};

/// A manifest or an index: its bytes, their digest, and what kind it is.
///
/// Cloning is cheap, and the bytes never change.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    raw: Arc<[u8]>,
    digest: Digest,
    kind: DocumentType,
}

impl Document {
    /// Reads a document. `declared` is the media type that a descriptor or a server gives for it; the
    /// document's own `mediaType` must agree. Where there is neither, the members decide, because
    /// `mediaType` is optional ([OCI manifest]).
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`], [`ErrorKind::Malformed`], or [`ErrorKind::Unsupported`] for a
    /// media type that is neither a manifest nor an index.
    ///
    /// [OCI manifest]: https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
    pub fn new(raw: impl Into<Arc<[u8]>>, declared: Option<&str>) -> Result<Self, Error> {
        let raw = raw.into();
        let digest = Digest::sha256(&raw);
        let kind = Self::kind_of(&raw, declared).map_err(|e| e.with_digest(&digest))?;
        Ok(Self { raw, digest, kind })
    }

    /// Reads a document that must have this digest, which may be of any algorithm.
    ///
    /// # Errors
    /// [`ErrorKind::DigestMismatch`], and those of [`Document::new`].
    pub fn verified(
        raw: impl Into<Arc<[u8]>>,
        declared: Option<&str>,
        digest: &Digest,
    ) -> Result<Self, Error> {
        let raw = raw.into();
        digest.verify(&raw)?;
        let mut document = Self::new(raw, declared)?;
        document.digest = digest.clone();
        Ok(document)
    }

    /// A document that this library wrote, so that it need not be checked.
    pub(crate) fn written(raw: Vec<u8>, kind: DocumentType) -> Self {
        let digest = Digest::sha256(&raw);
        Self { raw: raw.into(), digest, kind }
    }

    /// The bytes.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Digest of the bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.raw.len() as u64
    }

    /// True for an index or a docker manifest list.
    pub fn is_index(&self) -> bool {
        self.kind.is_index()
    }

    /// Manifest or index, docker or OCI.
    pub(crate) fn kind(&self) -> DocumentType {
        self.kind
    }

    /// The media type.
    pub fn media_type(&self) -> &'static str {
        self.kind.media_type()
    }

    /// A descriptor that points here.
    pub(crate) fn descriptor(&self) -> Descriptor {
        Descriptor::new(self.media_type(), self.digest.clone(), self.size())
    }

    fn kind_of(raw: &[u8], declared: Option<&str>) -> Result<DocumentType, Error> {
        limit::MANIFEST.check(raw.len())?;
        limit::check_json(raw, limit::DOCUMENT_VALUES)?;
        let members = RawObject::parse(raw)?;
        let own: Option<String> = match members.get("mediaType")? {
            Some(text) => serde_json::from_str(text)
                .map_err(|e| Error::caused_by(ErrorKind::Malformed, "mediaType is no text", e))?,
            None => None,
        };
        let read = |name: &str| {
            DocumentType::from_media_type(name).ok_or_else(|| {
                let message = format!("media type {name:?} is neither an image nor an index");
                Error::new(ErrorKind::Unsupported, message)
            })
        };
        let own = own.filter(|name| !name.is_empty());
        let kind = match (own.as_deref(), declared.filter(|name| !name.is_empty())) {
            (Some(own), None) => read(own)?,
            (None, Some(declared)) => read(declared)?,
            (Some(own), Some(declared)) => {
                if read(own)? != read(declared)? {
                    let message = format!("declared as {declared:?}, but says {own:?} itself");
                    return Err(Error::new(ErrorKind::Malformed, message));
                }
                read(own)?
            }
            (None, None) => match (members.get("manifests")?, members.get("config")?) {
                (Some(_), None) => DocumentType::Index(Family::Oci),
                (None, Some(_)) => DocumentType::Manifest(Family::Oci),
                _ => {
                    let message = "neither mediaType nor members say what this document is";
                    return Err(Error::new(ErrorKind::Malformed, message));
                }
            },
        };
        // A document that can be read as both makes a scanner and a runtime see different images
        // (CVE-2021-41190).
        let manifests = members.get("manifests")?.is_some();
        let image = members.get("config")?.is_some() | members.get("layers")?.is_some();
        if (kind.is_index() && image) || (!kind.is_index() && manifests) {
            let message = "the document is an image and an index at once";
            return Err(Error::new(ErrorKind::Malformed, message));
        }
        Ok(kind)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({}, {}, {} bytes)", self.digest, self.media_type(), self.raw.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::types;

    fn kind(text: &str, declared: Option<&str>) -> Result<DocumentType, ErrorKind> {
        Document::new(text.as_bytes(), declared).map(|d| d.kind()).map_err(|e| e.kind())
    }

    #[test]
    fn recognises_index_and_manifest() {
        let index = Ok(DocumentType::Index(Family::Oci));
        assert_eq!(kind(r#"{"manifests":[]}"#, None), index);
        assert_eq!(kind(r#"{"manifests":[]}"#, Some(types::OCI_INDEX)), index);
        assert_eq!(
            kind(r#"{"config":{},"layers":[]}"#, None),
            Ok(DocumentType::Manifest(Family::Oci))
        );
    }

    #[test]
    fn refuses_ambiguous_documents() {
        let own = format!(r#"{{"mediaType":"{}","manifests":[]}}"#, types::OCI_INDEX);
        assert_eq!(kind(&own, Some(types::DOCKER_LIST)), Err(ErrorKind::Malformed));
        let both = format!(r#"{{"mediaType":"{}","manifests":[],"layers":[]}}"#, types::OCI_INDEX);
        assert_eq!(kind(&both, None), Err(ErrorKind::Malformed));
        let twice = r#"{"mediaType":"a","mediaType":"b"}"#;
        assert_eq!(kind(twice, None), Err(ErrorKind::Malformed));
        assert_eq!(kind(r#"{"mediaType":"text/plain"}"#, None), Err(ErrorKind::Unsupported));
        assert_eq!(kind("[]", None), Err(ErrorKind::Malformed));
        assert_eq!(kind("{}", None), Err(ErrorKind::Malformed));
        let large = format!(r#"{{"manifests":[{}]}}"#, " ".repeat(4 << 20));
        assert_eq!(kind(&large, None), Err(ErrorKind::TooLarge));
    }
}
