//! What a tag holds, and what was learnt about it.

use std::{collections::BTreeMap, sync::Arc};

use super::{Incoming, slot::Slot};
use crate::{
    error::Result,
    image::{Digest, Document, ImageConfig, Index, PlatformKey},
};

/// What was learnt about a manifest or index that a tag leads to.
#[derive(Clone, Debug)]
pub(crate) enum Child {
    /// An image with this config.
    Image(Arc<ImageConfig>),
    /// A manifest that is no image.
    Artifact,
    /// A nested index.
    Index(Index),
    /// The target lists it, but no longer has it.
    Gone,
}

/// What a tag holds.
#[derive(Clone, Debug, Default)]
pub struct TagState {
    pub(super) document: Option<Document>,
    pub(super) children: BTreeMap<Digest, Child>,
}

impl TagState {
    /// The tag does not exist.
    pub fn absent() -> Self {
        Self::default()
    }

    /// The tag holds this document.
    pub fn new(document: Document) -> Self {
        Self { document: Some(document), children: BTreeMap::new() }
    }

    /// The document, if the tag exists.
    pub fn document(&self) -> Option<&Document> {
        self.document.as_ref()
    }

    /// Says that a manifest which the tag leads to, or holds, is an image with this config.
    pub fn add_image(&mut self, manifest: Digest, config: Arc<ImageConfig>) {
        self.add_child(manifest, Child::Image(config));
    }

    /// Says that a manifest which the tag leads to, or holds, is no image of a platform.
    pub fn add_artifact(&mut self, manifest: Digest) {
        self.add_child(manifest, Child::Artifact);
    }

    /// Adds an index that the tag's index lists.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn add_nested_index(&mut self, index: &Document) -> Result<()> {
        let parsed = Index::from_document(index)?;
        self.add_child(index.digest().clone(), Child::Index(parsed));
        Ok(())
    }

    /// Says that the target lists a digest, but no longer has it.
    pub fn add_missing(&mut self, digest: Digest) {
        self.add_child(digest, Child::Gone);
    }

    /// Adds what a manifest or index that the tag leads to is.
    pub(crate) fn add_child(&mut self, digest: Digest, child: Child) {
        self.children.insert(digest, child);
    }

    /// Learns from incoming images: what comes in need not be read from the target.
    pub(crate) fn add_incoming(&mut self, incoming: &Incoming) {
        for image in incoming.images() {
            self.add_child(image.document().digest().clone(), Child::Image(image.config().clone()));
        }
    }

    /// The digests of manifests and nested indexes that must be added before these
    /// can be fused in: what has no platform of its own to trust, and what may be the same image
    /// as an incoming one. Ask again after adding them, until nothing is left.
    ///
    /// # Errors
    /// Where the document that is held cannot be read.
    pub fn unknown_children(&self, incoming: &[Incoming]) -> Result<Vec<Digest>> {
        let Some(document) = &self.document else { return Ok(Vec::new()) };
        let images: Vec<_> = incoming.iter().flat_map(Incoming::images).collect();
        if !document.kind().is_index() {
            let known = self.children.contains_key(document.digest())
                || images.iter().any(|image| image.document.digest() == document.digest());
            return Ok(if known { Vec::new() } else { vec![document.digest().clone()] });
        }
        let slots = self.all_slots(&Index::from_document(document)?);
        let mut needs: Vec<Digest> = slots
            .iter()
            .filter(|slot| !self.children.contains_key(slot.digest()))
            .filter(|slot| {
                slot.is_open()
                    || images.iter().any(|image| {
                        slot.key.as_ref() == Some(&image.platform.key())
                            && slot.digest() != image.document.digest()
                    })
            })
            .map(|slot| slot.digest().clone())
            .collect();
        needs.sort();
        needs.dedup();
        Ok(needs)
    }

    /// The platforms the tag holds, each with its manifest, nested ones included.
    ///
    /// # Errors
    /// Where the document that is held cannot be read.
    pub fn platforms(&self) -> Result<Vec<(PlatformKey, Digest)>> {
        let slots = match &self.document {
            None => Vec::new(),
            Some(document) if document.kind().is_index() => {
                self.all_slots(&Index::from_document(document)?)
            }
            Some(document) => Slot::of_manifest(document, &self.children).into_iter().collect(),
        };
        let mut platforms: Vec<_> =
            slots.into_iter().filter_map(|s| Some((s.key.clone()?, s.digest().clone()))).collect();
        platforms.sort();
        Ok(platforms)
    }

    /// The entries of an index and of those nested in it, as far as they are known.
    fn all_slots(&self, index: &Index) -> Vec<Slot> {
        let mut all: Vec<Slot> =
            index.entries().iter().map(|e| Slot::of_entry(e.clone(), &self.children)).collect();
        all.extend(self.nested_slots(index, 0));
        all
    }

    /// The entries of the nested indexes that are known.
    pub(super) fn nested_slots(&self, index: &Index, depth: usize) -> Vec<Slot> {
        let mut all = Vec::new();
        for entry in index.entries() {
            if let Some(Child::Index(nested)) = self.children.get(entry.digest())
                && depth < MAX_NESTING
            {
                let slots =
                    nested.entries().iter().map(|e| Slot::of_entry(e.clone(), &self.children));
                all.extend(slots);
                all.extend(self.nested_slots(nested, depth + 1));
            }
        }
        all
    }

    pub(super) fn config(&self, digest: &Digest) -> Option<&ImageConfig> {
        match self.children.get(digest)? {
            Child::Image(config) => Some(config),
            _ => None,
        }
    }
}

/// How deep indexes may be nested; real ones are nested once at most.
const MAX_NESTING: usize = 4;
