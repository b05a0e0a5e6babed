//! Image indexes and manifest lists, parsed with their raw text kept.

use serde_json::value::RawValue;

use super::{Descriptor, Digest, Document, DocumentType, RawObject};
use crate::error::{Error, ErrorKind};

/// Annotation that BuildKit sets on an attestation: the digest of the image that it attests.
pub(crate) const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";
/// Annotation that names an entry of an OCI layout's index.
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// One entry of an index: its original text, and the parsed descriptor.
#[derive(Clone, Debug)]
pub struct Entry {
    raw: Box<RawValue>,
    descriptor: Descriptor,
}

impl Entry {
    /// A new entry, in the form that this library writes.
    pub(crate) fn new(descriptor: Descriptor) -> Self {
        let raw = serde_json::value::to_raw_value(&descriptor).expect("a descriptor is JSON");
        Self { raw, descriptor }
    }

    /// The original text.
    pub fn raw(&self) -> &str {
        self.raw.get()
    }

    /// The parsed descriptor.
    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The digest it points at.
    pub fn digest(&self) -> &Digest {
        &self.descriptor.digest
    }

    /// The digest of the image that this entry attests; `None` where it is not an attestation.
    pub fn attests(&self) -> Option<Digest> {
        self.descriptor.annotations.get(REFERENCE_DIGEST)?.parse().ok()
    }

    /// True for a nested index.
    pub fn is_index(&self) -> bool {
        DocumentType::from_media_type(&self.descriptor.media_type)
            .is_some_and(DocumentType::is_index)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.raw() == other.raw()
    }
}

/// An index: its members as raw text, its entries in their order.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    members: RawObject,
    entries: Vec<Entry>,
}

impl Index {
    /// Reads an index or manifest list.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] where the document is not an index, or an entry is not a descriptor.
    pub(crate) fn from_document(document: &Document) -> Result<Self, Error> {
        Self::parse(document.raw()).map_err(|e| e.with_digest(document.digest()))
    }

    /// Reads an index from its text, which may be an OCI layout's `index.json`.
    ///
    /// # Errors
    /// As [`Index::from_document`].
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Error> {
        let malformed =
            |e| Error::caused_by(ErrorKind::Malformed, "an entry of the index is malformed", e);
        let members = RawObject::parse(text)?;
        let Some(list) = members.get("manifests")? else {
            return Err(Error::new(ErrorKind::Malformed, "not an index: it has no manifests"));
        };
        let list: Option<Vec<Box<RawValue>>> = serde_json::from_str(list).map_err(malformed)?;
        let entries = list
            .unwrap_or_default()
            .into_iter()
            .map(|raw| {
                let descriptor = serde_json::from_str(raw.get()).map_err(malformed)?;
                Ok(Entry { raw, descriptor })
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self { members, entries })
    }

    /// The entries, in their order.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// All members of the document as raw text.
    pub(crate) fn members(&self) -> &RawObject {
        &self.members
    }
}

/// Joins entries to the text of a `manifests` member.
pub(crate) fn entries_text<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> String {
    let list: Vec<&str> = entries.into_iter().map(Entry::raw).collect();
    format!("[{}]", list.join(","))
}
