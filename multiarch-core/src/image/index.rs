//! Image indexes and manifest lists, parsed with their raw text kept.

use serde_json::value::RawValue;

use super::{Descriptor, Digest, Document, DocumentType, Platform, RawObject};
use crate::{
    error::{Error, ErrorKind},
    limit,
};

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

    /// The same entry for this platform; its other members stay as they are.
    pub(crate) fn with_platform(&self, platform: &Platform) -> Self {
        let mut descriptor = self.descriptor.clone();
        descriptor.platform = Some(platform.clone());
        let value = serde_json::value::to_raw_value(platform).ok();
        self.with_member("platform", value, descriptor)
    }

    /// The same entry without these annotations; its other members stay as they are.
    pub(crate) fn without_annotations(&self, names: &[&str]) -> Self {
        let mut descriptor = self.descriptor.clone();
        descriptor.annotations.retain(|name, _| !names.contains(&name.as_str()));
        if descriptor.annotations.len() == self.descriptor.annotations.len() {
            return self.clone();
        }
        let annotations = serde_json::value::to_raw_value(&descriptor.annotations);
        let annotations = annotations.ok().filter(|_| !descriptor.annotations.is_empty());
        self.with_member("annotations", annotations, descriptor)
    }

    /// The same entry with another text of one member, or without it.
    fn with_member(
        &self,
        name: &str,
        value: Option<Box<RawValue>>,
        descriptor: Descriptor,
    ) -> Self {
        let members = RawObject::parse(self.raw.get().as_bytes());
        let text = members.ok().and_then(|mut members| {
            members.set(name, value);
            String::from_utf8(members.write(|_| None)).ok()
        });
        match text.and_then(|text| RawValue::from_string(text).ok()) {
            Some(raw) => Self { raw, descriptor },
            None => Self::new(descriptor),
        }
    }

    /// The entry of a list of referrers for this document ([OCI distribution, "Listing Referrers"]).
    ///
    /// [OCI distribution, "Listing Referrers"]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
    pub(crate) fn of_referrer(document: &Document) -> Self {
        #[derive(Default, serde::Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        struct ReferrerMembers {
            artifact_type: Option<String>,
            config: Option<Descriptor>,
            annotations: Option<std::collections::BTreeMap<String, String>>,
        }
        let members: ReferrerMembers = serde_json::from_slice(document.raw()).unwrap_or_default();
        let mut descriptor = document.descriptor();
        descriptor.artifact_type = members
            .artifact_type
            .filter(|name| !name.is_empty())
            .or_else(|| members.config.map(|config| config.media_type));
        descriptor.annotations = members.annotations.unwrap_or_default();
        Self::new(descriptor)
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
        limit::check_json(text, limit::LAYOUT_INDEX_VALUES)?;
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
