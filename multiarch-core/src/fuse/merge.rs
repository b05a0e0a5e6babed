//! The algorithm of fusion.

use std::collections::BTreeSet;

use super::{
    Change, ConflictPolicy, Decision, FuseOptions, Fusion, Incoming, IncomingImage, IndexMode,
    Reason, TagChild, TagState,
    slot::{self, Slot},
};
use crate::{
    error::{Error, ErrorKind, Result},
    image::{Digest, Document, Index},
};

/// Fuses the incoming images into the document that a tag holds.
///
/// # Errors
/// - [`ErrorKind::Conflict`] under [`ConflictPolicy::Fail`].
/// - [`ErrorKind::Unsupported`] where one side is an artifact, which has no platform to fuse by.
/// - [`ErrorKind::UnreadableTag`] where `tag` lacks a child that [`TagState::unknown_children`] lists.
pub fn fuse(tag: &TagState, incoming: &Incoming, options: &FuseOptions) -> Result<Fusion> {
    let mut after = tag.clone();
    after.add_incoming(incoming);
    let Some(document) = tag.document() else {
        return Ok(onto_absent(incoming, options, after));
    };
    if document.digest() == incoming.document.digest() {
        let decisions = incoming.images.iter().map(|i| decision(i, Change::Present)).collect();
        return Ok(Fusion { document: None, decisions, state: after });
    }
    if incoming.is_artifact() {
        let message = "an artifact cannot be fused into a tag that holds something else";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    let mut merge = Merge::onto(&after, document)?;
    let mut decisions = Vec::new();
    for image in &incoming.images {
        let change = merge.add(&after, image, options.on_conflict, incoming.mislabelled)?;
        decisions.push(decision(image, change));
    }
    merge.add_others(&incoming.others);
    let written = merge.changed.then(|| merge.write(document, incoming));
    if let Some(written) = &written {
        after.document = Some(written.clone());
    }
    Ok(Fusion { document: written, decisions, state: after })
}

fn decision(image: &IncomingImage, change: Change) -> Decision {
    Decision { platform: image.platform.key(), digest: image.document.digest().clone(), change }
}

/// An absent tag gets the incoming document unchanged, if the source has all of its parts.
fn onto_absent(incoming: &Incoming, options: &FuseOptions, mut after: TagState) -> Fusion {
    let mut merge = Merge::default();
    merge.slots.extend(incoming.images.iter().map(Slot::of_image));
    merge.add_others(&incoming.others);
    let as_index = options.index == IndexMode::Always && incoming.images.len() == 1;
    let document = match merge.slots.as_slice() {
        [_] if as_index && !incoming.document.kind().is_index() => {
            slot::write(None, &slot::in_order(merge.slots))
        }
        _ if incoming.complete => incoming.document.clone(),
        [_] if incoming.images.len() == 1 => incoming.images[0].document.clone(),
        _ => slot::write(None, &slot::in_order(merge.slots)),
    };
    after.document = Some(document.clone());
    let decisions = incoming.images.iter().map(|i| decision(i, Change::Added)).collect();
    Fusion { document: Some(document), decisions, state: after }
}

#[derive(Default)]
struct Merge {
    slots: Vec<Slot>,
    /// Entries of nested indexes: the tag has their platforms, but they are never changed.
    nested: Vec<Slot>,
    index: Option<Index>,
    changed: bool,
}

impl Merge {
    fn onto(tag: &TagState, document: &Document) -> Result<Self> {
        if !document.kind().is_index() {
            let slot = match tag.children.get(document.digest()) {
                Some(TagChild::Artifact) => {
                    let message = "the tag holds an artifact, which has no platform to fuse by";
                    return Err(Error::new(ErrorKind::Unsupported, message));
                }
                _ => Slot::of_manifest(document, &tag.children),
            };
            let message = "the platform of the image at the tag could not be read";
            let slot = slot
                .filter(|slot| slot.key.is_some())
                .ok_or_else(|| Error::new(ErrorKind::UnreadableTag, message))?;
            return Ok(Self { slots: vec![slot], nested: Vec::new(), index: None, changed: false });
        }
        let index = Index::from_document(document)?;
        let slots: Vec<Slot> =
            index.entries().iter().map(|e| Slot::of_entry(e.clone(), &tag.children)).collect();
        let nested = tag.nested_slots(&index, 0);
        // An entry that was not read may be for an incoming platform, which would then be listed twice.
        let unread = slots
            .iter()
            .chain(&nested)
            .find(|slot| slot.must_be_read() && !tag.children.contains_key(slot.digest()));
        if let Some(slot) = unread {
            let message = "an entry of the index at the tag could not be read";
            return Err(Error::new(ErrorKind::UnreadableTag, message).with_digest(slot.digest()));
        }
        Ok(Self { slots, nested, index: Some(index), changed: false })
    }

    fn add(
        &mut self,
        tag: &TagState,
        image: &IncomingImage,
        policy: ConflictPolicy,
        mislabelled: bool,
    ) -> Result<Change> {
        let digest = image.document.digest();
        let key = Some(image.platform.key());
        // The platform is compared, too: one manifest may be listed for several platforms.
        let mut all = self.slots.iter().chain(&self.nested);
        if all.any(|slot| slot.digest() == digest && slot.key == key) {
            return Ok(Change::Present);
        }
        let holds = |slot: &&Slot| slot.key == key;
        let here: Vec<Digest> =
            self.slots.iter().filter(holds).map(|s| s.digest().clone()).collect();
        let nested = self.nested.iter().filter(holds).map(|s| s.digest().clone());
        let there: Vec<Digest> = here.iter().cloned().chain(nested).collect();
        let Some(first) = there.first() else {
            self.slots.push(Slot::of_image(image));
            self.changed = true;
            return Ok(Change::Added);
        };
        let same = |digest: &&Digest| {
            tag.config(digest).is_some_and(|config| config.is_same_image(&image.config))
        };
        if let Some(stays) = there.iter().find(same) {
            return Ok(Change::Same { stays: stays.clone() });
        }
        let not_taken = |because| Ok(Change::NotTaken { stays: first.clone(), because });
        match policy {
            _ if mislabelled => not_taken(Reason::Mislabelled),
            ConflictPolicy::Existing => not_taken(Reason::Policy),
            ConflictPolicy::Fail => {
                let message = format!(
                    "the tag holds another image for {}: {first}, not {digest}",
                    image.platform.key()
                );
                Err(Error::new(ErrorKind::Conflict, message))
            }
            ConflictPolicy::Incoming if here.is_empty() => not_taken(Reason::Nested),
            ConflictPolicy::Incoming => {
                self.slots.retain(|slot| {
                    let replaced = slot.key == key;
                    let orphaned = slot.attests.as_ref().is_some_and(|s| here.contains(s));
                    !replaced && !orphaned
                });
                self.slots.push(Slot::of_image(image));
                self.changed = true;
                Ok(Change::Replaced { from: here })
            }
        }
    }

    /// Adds attestations whose subject is listed, and entries that are neither images nor attestations,
    /// unless they are listed already.
    fn add_others(&mut self, others: &[crate::image::Entry]) {
        let images: BTreeSet<Digest> = self
            .slots
            .iter()
            .filter(|slot| slot.attests.is_none())
            .map(|slot| slot.digest().clone())
            .collect();
        for entry in others {
            let subject = entry.attests();
            let follows = subject.as_ref().is_none_or(|subject| images.contains(subject));
            let there = |slot: &Slot| slot.digest() == entry.digest() && slot.attests == subject;
            if follows && !self.slots.iter().chain(&self.nested).any(there) {
                self.slots.push(Slot::of_entry(entry.clone(), &Default::default()));
                self.changed = true;
            }
        }
    }

    fn write(self, before: &Document, incoming: &Incoming) -> Document {
        let single = self.index.is_none() && self.slots.len() == 1;
        if let (true, [image]) = (single, incoming.images.as_slice()) {
            return image.document.clone();
        }
        let slots = slot::in_order(self.slots);
        slot::write(self.index.as_ref().map(|index| (before, index.members())), &slots)
    }
}
