//! The algorithm of fusion.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Change, ConflictPolicy, Decision, FuseOptions, Fusion, Incoming, IncomingImage, IndexMode,
    TagChild, TagState,
    rivals::Rivals,
    slot::{self, Slot},
};
use crate::{
    error::{Error, ErrorKind, Result},
    image::{Digest, Document, Entry, Index},
};

/// Fuses the incoming images into the document that a tag holds.
///
/// # Errors
/// - [`ErrorKind::Conflict`] under [`ConflictPolicy::Fail`].
/// - [`ErrorKind::Unsupported`] where one side is an artifact, or an image whose platform nothing says:
///   there is no platform to fuse by.
/// - [`ErrorKind::UnreadableTag`] where `tag` lacks a child that [`TagState::unknown_children`] lists.
pub fn fuse(tag: &TagState, incoming: &Incoming, options: &FuseOptions) -> Result<Fusion> {
    fuse_again(tag, incoming, options, None)
}

/// Fuses into a tag that this run has written before. `known` are the manifests that the tag listed before
/// that: any other one at the tag is another writer's newer image, and stays.
///
/// # Errors
/// As [`fuse`].
pub(crate) fn fuse_again(
    tag: &TagState,
    incoming: &Incoming,
    options: &FuseOptions,
    known: Option<&BTreeSet<Digest>>,
) -> Result<Fusion> {
    let mut after = tag.clone();
    after.add_incoming(incoming);
    if incoming.is_artifact() {
        return onto_artifact(incoming, after, options.on_conflict);
    }
    let mut merge = match tag.document() {
        Some(document) => Merge::onto(&after, document, incoming)?,
        None => Merge::default(),
    };
    let changes = merge.add_images(&after, incoming, options.on_conflict, known)?;
    merge.add_others(&incoming.others);
    let decisions =
        incoming.images.iter().zip(changes).map(|(image, change)| decision(image, change));
    let decisions = decisions.collect();
    let is_written = merge.changed || (tag.document().is_none() && incoming.is_whole());
    let document = is_written.then(|| merge.write(&after, incoming, options.index));
    // An entry may be replaced by one with the same fault: that changes nothing.
    let document = document.filter(|written| tag.document() != Some(written));
    if let Some(document) = &document {
        after.document = Some(document.clone());
    }
    Ok(Fusion { document, decisions, state: after })
}

/// Adds the attestations of a source whose subjects came later, from another source; `None` where there are
/// none.
///
/// # Errors
/// As [`fuse`].
pub(crate) fn add_attestations(tag: &TagState, incoming: &Incoming) -> Result<Option<TagState>> {
    let Some(document) = tag.document().filter(|_| !incoming.others.is_empty()) else {
        return Ok(None);
    };
    if incoming.is_artifact() {
        return Ok(None);
    }
    let mut merge = Merge::onto(tag, document, incoming)?;
    merge.add_others(&incoming.others);
    if !merge.changed {
        return Ok(None);
    }
    let mut after = tag.clone();
    after.document = Some(merge.write(tag, incoming, IndexMode::WhenNeeded));
    Ok(Some(after))
}

/// Puts back what a tag held earlier in the same run, and lacks now: another writer has removed it, or a
/// replica of the registry answers with an older state. `None` where nothing is incomplete.
///
/// # Errors
/// As [`fuse`].
pub(crate) fn put_back(now: &TagState, earlier: &TagState) -> Result<Option<TagState>> {
    let (Some(document), Some(current)) = (earlier.document(), now.document()) else {
        return Ok(None);
    };
    let mut after = now.clone();
    earlier.children.iter().for_each(|(digest, child)| {
        after.children.entry(digest.clone()).or_insert_with(|| child.clone());
    });
    // Both are read with the same configs, so that one entry has one platform on both sides.
    let (Ok(lost), mut merge) = (Merge::of(&after, document), Merge::of(&after, current)?) else {
        return Ok(None);
    };
    let all = merge.slots.iter().chain(&merge.nested);
    let there: BTreeSet<_> = all.map(|slot| slot.key.clone()).collect();
    let (attestations, images): (Vec<_>, Vec<_>) =
        lost.slots.into_iter().partition(|slot| slot.attests.is_some());
    let absent = images.into_iter().filter(|slot| slot.key.is_some() && !there.contains(&slot.key));
    let before = merge.slots.len();
    merge.slots.extend(absent);
    if merge.slots.len() == before {
        return Ok(None);
    }
    let attestations: Vec<_> = attestations.into_iter().map(|slot| slot.entry).collect();
    merge.add_others(&attestations);
    after.document = Some(merge.write_new());
    Ok(Some(after))
}

fn decision(image: &IncomingImage, change: Change) -> Decision {
    Decision { platform: image.platform.key(), digest: image.document.digest().clone(), change }
}

/// An artifact has no platform to fuse by: an absent tag takes it, and a tag that holds another artifact by
/// the policy.
fn onto_artifact(
    incoming: &Incoming,
    mut after: TagState,
    policy: ConflictPolicy,
) -> Result<Fusion> {
    let is_artifact =
        |there: &Document| matches!(after.children.get(there.digest()), Some(TagChild::Artifact));
    let document = match after.document() {
        None => Some(incoming.document.clone()),
        Some(there) if there.digest() == incoming.document.digest() => None,
        Some(there) if is_artifact(there) => match policy {
            ConflictPolicy::Incoming => Some(incoming.document.clone()),
            ConflictPolicy::Existing => None,
            ConflictPolicy::Fail => {
                let message = format!("the tag holds another artifact: {}", there.digest());
                return Err(Error::new(ErrorKind::Conflict, message));
            }
        },
        Some(_) => {
            let message = "an artifact cannot be fused into a tag that holds something else";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
    };
    after.document = document.clone().or(after.document);
    Ok(Fusion { document, decisions: Vec::new(), state: after })
}

#[derive(Default)]
struct Merge {
    slots: Vec<Slot>,
    /// Entries of nested indexes: the tag has their platforms, but they are never changed.
    nested: Vec<Slot>,
    before: Option<(Document, Index)>,
    changed: bool,
}

impl Merge {
    /// What a tag holds. Where its single manifest does not say its platform, the incoming source may.
    fn onto(tag: &TagState, document: &Document, incoming: &Incoming) -> Result<Self> {
        let of_tag = Self::of(tag, document);
        if document.kind().is_index() || of_tag.is_ok() {
            return of_tag;
        }
        let stated = incoming.images.iter().find(|i| i.document.digest() == document.digest());
        // An image without a platform is alone at a tag, and comes again with a rerun.
        let is_alone = incoming.images.len() == 1;
        match stated.map(Slot::of_image).filter(|slot| slot.key.is_some() || is_alone) {
            // Only an index can say the platform for the image.
            Some(slot) => {
                let changed = slot.key.is_some();
                Ok(Self { slots: vec![slot], changed, ..Self::default() })
            }
            None => of_tag,
        }
    }

    fn of(tag: &TagState, document: &Document) -> Result<Self> {
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
            return Ok(Self { slots: vec![slot], ..Self::default() });
        }
        let index = Index::from_document(document)?;
        let slots: Vec<Slot> =
            index.entries().iter().map(|e| Slot::of_entry(e.clone(), &tag.children)).collect();
        let nested = tag.nested_slots(&index);
        // An entry that was not read may be for an incoming platform, which would then be listed twice.
        let unread = slots
            .iter()
            .chain(&nested)
            .find(|slot| slot.must_be_read() && !tag.children.contains_key(slot.digest()));
        if let Some(slot) = unread {
            let message = "an entry of the index at the tag could not be read";
            return Err(Error::new(ErrorKind::UnreadableTag, message).with_digest(slot.digest()));
        }
        Ok(Self { slots, nested, before: Some((document.clone(), index)), changed: false })
    }

    /// Adds the images of one source. All of them are compared with what the tag held before.
    fn add_images(
        &mut self,
        tag: &TagState,
        incoming: &Incoming,
        policy: ConflictPolicy,
        known: Option<&BTreeSet<Digest>>,
    ) -> Result<Vec<Change>> {
        let rivals = Rivals { tag, slots: &self.slots, nested: &self.nested, policy, known };
        let changes = rivals.decide(incoming)?;
        let (mut added, mut replaced) = (Vec::new(), BTreeSet::new());
        for (image, change) in incoming.images.iter().zip(&changes) {
            if let Change::Replaced { from } = change {
                replaced.extend(from.iter().map(|digest| (digest.clone(), image.platform.key())));
            }
            if change.is_written() {
                added.push(Slot::of_image(image));
            }
        }
        self.changed |= !added.is_empty();
        self.slots.retain(|slot| {
            let key = slot.key.clone().map(|key| (slot.digest().clone(), key));
            key.is_none_or(|key| !replaced.contains(&key))
        });
        self.slots.extend(added);
        let stays: BTreeSet<Digest> =
            self.slots.iter().filter(|s| s.attests.is_none()).map(|s| s.digest().clone()).collect();
        let gone = |subject: &Digest| {
            replaced.iter().any(|(digest, _)| digest == subject) && !stays.contains(subject)
        };
        self.slots.retain(|slot| !slot.attests.as_ref().is_some_and(gone));
        Ok(changes)
    }

    /// Adds attestations whose subject is listed, and entries that are neither images nor attestations,
    /// unless they are listed already.
    fn add_others(&mut self, others: &[Entry]) {
        let images: BTreeSet<Digest> = self
            .slots
            .iter()
            .filter(|slot| slot.attests.is_none())
            .map(|slot| slot.digest().clone())
            .collect();
        let all = self.slots.iter().chain(&self.nested);
        let mut there: BTreeSet<(Digest, Option<Digest>)> =
            all.map(|slot| (slot.digest().clone(), slot.attests.clone())).collect();
        for entry in others {
            let subject = entry.attests();
            let follows = subject.as_ref().is_none_or(|subject| images.contains(subject));
            let slot = Slot::of_entry(entry.clone(), &BTreeMap::new());
            if follows && there.insert((entry.digest().clone(), subject)) {
                self.slots.push(slot);
                self.changed = true;
            } else if slot.key.is_some() && slot.attests.is_none() {
                self.add_platform_of(slot);
            }
        }
    }

    /// Adds an artifact that is listed already, and for which this source states a platform, or another one. The
    /// entry without a platform gives way to it, so that the order of sources does not matter.
    fn add_platform_of(&mut self, slot: Slot) {
        let is_twin = |there: &Slot| there.digest() == slot.digest() && there.attests.is_none();
        let mut twins = self.slots.iter().chain(&self.nested).filter(|there| is_twin(there));
        if twins.any(|there| there.key == slot.key) {
            return;
        }
        self.slots.retain(|there| there.key.is_some() || !is_twin(there));
        self.slots.push(slot);
        self.changed = true;
    }

    /// The document of the tag: the source's own index where the tag then holds just what that lists, the
    /// manifest where one image is all, otherwise a new index.
    fn write(self, tag: &TagState, incoming: &Incoming, mode: IndexMode) -> Document {
        let is_absent = tag.document().is_none();
        let members = self.before.as_ref().map(|(_, index)| index.members());
        if let Some(upstream) = &incoming.upstream
            && ((is_absent && incoming.is_whole())
                || upstream.is_all_of(&self.slots, &self.nested, &tag.children, members))
        {
            return upstream.document.clone();
        }
        let as_index = is_absent && mode == IndexMode::Always;
        if let (None, [_], [image], false) =
            (&self.before, self.slots.as_slice(), incoming.images.as_slice(), as_index)
            && self.slots[0].digest() == image.document.digest()
            && image.speaks_for_itself()
        {
            return image.document.clone();
        }
        self.write_new()
    }

    fn write_new(self) -> Document {
        let slots = slot::in_order(self.slots);
        slot::write(self.before.as_ref().map(|(before, index)| (before, index.members())), &slots)
    }
}
