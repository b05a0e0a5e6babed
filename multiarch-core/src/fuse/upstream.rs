//! The index that a source's images come from, as its author wrote it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{TagChild, slot::Slot};
use crate::{
    error::Result,
    image::{Digest, Document, Entry, Index, RawObject},
};

/// An index as its author wrote it, with what it lists through nested indexes. The source may have only
/// parts of it.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    pub(super) document: Document,
    /// All entries that are not nested indexes.
    leaves: Vec<Entry>,
    /// The nested indexes that the source has.
    nested: BTreeSet<Digest>,
    /// The source has every nested index, so that `leaves` are all.
    is_known: bool,
}

impl Upstream {
    pub(super) fn new(document: &Document, nested: &[Document]) -> Result<Self> {
        let nested: BTreeMap<&Digest, &Document> =
            nested.iter().map(|document| (document.digest(), document)).collect();
        let mut upstream = Self {
            document: document.clone(),
            leaves: Vec::new(),
            nested: nested.keys().map(|digest| (*digest).clone()).collect(),
            is_known: true,
        };
        let (mut open, mut seen) = (vec![document], BTreeSet::new());
        while let Some(index) = open.pop() {
            if !seen.insert(index.digest()) {
                continue;
            }
            for entry in Index::from_document(index)?.entries() {
                match nested.get(entry.digest()) {
                    Some(below) => open.push(below),
                    None if entry.is_index() => upstream.is_known = false,
                    None => upstream.leaves.push(entry.clone()),
                }
            }
        }
        Ok(upstream)
    }

    /// The manifests that it lists.
    pub(super) fn listed(&self) -> impl Iterator<Item = &Digest> {
        self.leaves.iter().map(Entry::digest)
    }

    /// True where these are all the manifests that the index lists.
    pub(super) fn is_whole(&self, there: &BTreeSet<&Digest>) -> bool {
        self.is_known && self.leaves.iter().all(|entry| there.contains(entry.digest()))
    }

    /// True where these entries, with those of the tag's nested indexes, are exactly what the index lists,
    /// and nothing of theirs, or of the tag's document `before`, would be lost by writing the index itself.
    pub(super) fn is_all_of(
        &self,
        slots: &[Slot],
        in_nested: &[Slot],
        children: &BTreeMap<Digest, TagChild>,
        before: Option<&RawObject>,
    ) -> bool {
        if !self.is_known {
            return false;
        }
        let key = |slot: &Slot| (slot.digest().clone(), slot.key.clone(), slot.attests.clone());
        let ours: Vec<Slot> =
            self.leaves.iter().map(|entry| Slot::of_entry(entry.clone(), children)).collect();
        let entries: BTreeMap<_, &Entry> = ours.iter().map(|s| (key(s), &s.entry)).collect();
        let leaves = slots.iter().filter(|slot| !self.nested.contains(slot.digest()));
        let theirs: BTreeSet<_> = leaves.clone().chain(in_nested).map(key).collect();
        let kept = |slot: &Slot| {
            entries.get(&key(slot)).is_some_and(|entry| is_within(&slot.entry, entry))
        };
        leaves.clone().all(kept)
            && in_nested.iter().all(|slot| entries.contains_key(&key(slot)))
            && entries.keys().all(|entry| theirs.contains(entry))
            && before.is_none_or(|members| self.has_members(members))
    }

    /// True where the index has all of these members, but for those that fusion rewrites.
    fn has_members(&self, members: &RawObject) -> bool {
        let Ok(index) = Index::from_document(&self.document) else { return false };
        members.iter().all(|(name, value)| {
            ["schemaVersion", "mediaType", "manifests"].contains(&name.as_str())
                || matches!(index.members().get(&name), Ok(Some(own)) if own == value)
        })
    }
}

/// True where an entry says nothing that the other one does not say. Both have the same digest and the
/// same platform.
fn is_within(entry: &Entry, other: &Entry) -> bool {
    let members = |entry: &Entry| serde_json::from_str::<Map<String, Value>>(entry.raw());
    let (Ok(mine), Ok(theirs)) = (members(entry), members(other)) else { return false };
    mine.iter().all(|(name, value)| {
        name == "platform" || name == "mediaType" || theirs.get(name) == Some(value)
    })
}
