//! What a tag holds, and what is known about the manifests that it lists.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Incoming, slot::Slot};
use crate::{
    error::Result,
    image::{Digest, Document, ImageConfig, Index, PlatformKey},
    limit,
};

/// What a manifest or index is that a tag holds or lists.
#[derive(Clone, Debug)]
pub(crate) enum TagChild {
    /// An image with this config.
    Image(Arc<ImageConfig>),
    /// An image with this config, but not with the layers that the config says: no node can run it.
    Misfit(Arc<ImageConfig>),
    /// A manifest that is not an image.
    Artifact,
    /// A nested index.
    Index(Index),
    /// It is listed, but the target no longer has it.
    Missing,
}

impl TagChild {
    pub(super) fn config(&self) -> Option<&Arc<ImageConfig>> {
        match self {
            Self::Image(config) | Self::Misfit(config) => Some(config),
            Self::Artifact | Self::Index(_) | Self::Missing => None,
        }
    }
}

/// What a tag holds.
#[derive(Clone, Debug, Default)]
pub struct TagState {
    pub(super) document: Option<Document>,
    pub(super) children: BTreeMap<Digest, TagChild>,
    /// What the tag lists and the target does not have, or not as a whole.
    missing: BTreeSet<Digest>,
}

impl TagState {
    /// The tag does not exist.
    pub fn absent() -> Self {
        Self::default()
    }

    /// The tag holds this document.
    pub fn new(document: Document) -> Self {
        Self { document: Some(document), ..Self::default() }
    }

    /// The document, if the tag exists.
    pub fn document(&self) -> Option<&Document> {
        self.document.as_ref()
    }

    /// Notes that a manifest that the tag holds or lists is an image with this config.
    pub fn add_image(&mut self, manifest: Digest, config: Arc<ImageConfig>) {
        self.add_child(manifest, TagChild::Image(config));
    }

    /// Notes that a manifest that the tag holds or lists is not an image of a platform.
    pub fn add_artifact(&mut self, manifest: Digest) {
        self.add_child(manifest, TagChild::Artifact);
    }

    /// Adds an index that is nested in the tag's index.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn add_nested_index(&mut self, index: &Document) -> Result<()> {
        let parsed = Index::from_document(index)?;
        self.add_child(index.digest().clone(), TagChild::Index(parsed));
        Ok(())
    }

    /// Notes that a digest is listed, but the target does not have it, or lacks parts of it.
    pub fn add_missing(&mut self, digest: Digest) {
        self.missing.insert(digest);
    }

    /// The digest of the tag's document, and every digest that it lists, in nested indexes, too.
    pub(crate) fn listed(&self) -> BTreeSet<Digest> {
        let Some(document) = &self.document else { return BTreeSet::new() };
        let mut listed = BTreeSet::from([document.digest().clone()]);
        if let (true, Ok(index)) = (document.kind().is_index(), Index::from_document(document)) {
            listed.extend(self.all_slots(&index).iter().map(|slot| slot.digest().clone()));
        }
        listed
    }

    /// True where a digest is listed, but known not to be there as a whole.
    pub(crate) fn is_missing(&self, digest: &Digest) -> bool {
        self.missing.contains(digest)
            || matches!(self.children.get(digest), Some(TagChild::Missing))
    }

    /// True where a manifest is known to be of no use: it is not there, or no node can run it.
    pub(super) fn is_lost(&self, digest: &Digest) -> bool {
        self.is_missing(digest) || matches!(self.children.get(digest), Some(TagChild::Misfit(_)))
    }

    /// Notes what a manifest or index is that the tag holds or lists.
    pub(crate) fn add_child(&mut self, digest: Digest, child: TagChild) {
        if let TagChild::Missing = child {
            self.missing.insert(digest.clone());
        }
        self.children.insert(digest, child);
    }

    /// Notes the configs of incoming images and the nested indexes, so that they need not be read from the
    /// target.
    pub(crate) fn add_incoming(&mut self, incoming: &Incoming) {
        for (digest, index) in incoming.nested() {
            self.add_child(digest.clone(), TagChild::Index(index.clone()));
        }
        for image in incoming.images() {
            self.add_child(
                image.document().digest().clone(),
                TagChild::Image(image.config().clone()),
            );
        }
    }

    /// The digests of manifests and nested indexes that must be added before `incoming` can be fused
    /// in: those whose entry names no platform, and those that may be the same image as an incoming one.
    /// Call again after adding them, since a nested index lists more, until nothing is left.
    ///
    /// # Errors
    /// Where the tag's document cannot be read.
    pub fn unknown_children(&self, incoming: &[Incoming]) -> Result<Vec<Digest>> {
        let Some(document) = &self.document else { return Ok(Vec::new()) };
        let images: Vec<_> = incoming.iter().flat_map(Incoming::images).collect();
        if !document.kind().is_index() {
            let known = self.children.contains_key(document.digest())
                || images.iter().any(|image| image.document.digest() == document.digest());
            return Ok(if known { Vec::new() } else { vec![document.digest().clone()] });
        }
        let slots = self.all_slots(&Index::from_document(document)?);
        // A manifest that a source itself states is not compared with that source's images.
        let sources: Vec<(BTreeSet<PlatformKey>, BTreeSet<&Digest>)> = incoming
            .iter()
            .map(|source| {
                let images = source.images().iter();
                (images.map(|image| image.platform.key()).collect(), source.stated())
            })
            .collect();
        let may_be_compared = |slot: &Slot| {
            sources.iter().any(|(platforms, stated)| {
                !stated.contains(slot.digest()) && platforms.iter().any(|p| slot.may_provide(p))
            })
        };
        let mut unknown: Vec<Digest> = slots
            .iter()
            .filter(|slot| !self.children.contains_key(slot.digest()))
            .filter(|slot| slot.must_be_read() || may_be_compared(slot))
            .map(|slot| slot.digest().clone())
            .collect();
        unknown.sort();
        unknown.dedup();
        Ok(unknown)
    }

    /// The platforms the tag holds, each with its manifest; those in nested indexes included.
    ///
    /// # Errors
    /// Where the tag's document cannot be read.
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

    /// The entries of an index and of the nested indexes that were added.
    fn all_slots(&self, index: &Index) -> Vec<Slot> {
        let mut all: Vec<Slot> =
            index.entries().iter().map(|e| Slot::of_entry(e.clone(), &self.children)).collect();
        all.extend(self.nested_slots(index));
        all
    }

    /// The entries of the nested indexes that were added.
    pub(super) fn nested_slots(&self, index: &Index) -> Vec<Slot> {
        // Each index once: of several that list each other several times, each level would multiply them.
        let (mut all, mut seen, mut level) = (Vec::new(), BTreeSet::new(), vec![index]);
        for _ in 0..limit::INDEX_DEPTH.max {
            let entries = level.iter().flat_map(|index| index.entries());
            let nested = entries.filter_map(|entry| match self.children.get(entry.digest()) {
                Some(TagChild::Index(nested)) if seen.insert(entry.digest()) => Some(nested),
                _ => None,
            });
            level = nested.collect();
            let slots = level.iter().flat_map(|index| index.entries());
            all.extend(slots.map(|entry| Slot::of_entry(entry.clone(), &self.children)));
        }
        all
    }

    pub(super) fn config(&self, digest: &Digest) -> Option<&Arc<ImageConfig>> {
        self.children.get(digest)?.config()
    }
}
