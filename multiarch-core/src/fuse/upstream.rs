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
    pub(super) nested: BTreeMap<Digest, Index>,
    /// The source has every nested index, so that `leaves` are all.
    is_known: bool,
}

impl Upstream {
    pub(super) fn new(document: &Document, nested: &[Document]) -> Result<Self> {
        let index =
            |document: &Document| Ok((document.digest().clone(), Index::from_document(document)?));
        let nested = nested.iter().map(index).collect::<Result<BTreeMap<_, _>>>()?;
        let (mut leaves, mut is_known) = (Vec::new(), true);
        let root = Index::from_document(document)?;
        let (mut open, mut seen) = (vec![&root], BTreeSet::new());
        while let Some(index) = open.pop() {
            for entry in index.entries() {
                match nested.get(entry.digest()) {
                    Some(below) if seen.insert(entry.digest()) => open.push(below),
                    Some(_) => {}
                    None if entry.is_index() => is_known = false,
                    None => leaves.push(entry.clone()),
                }
            }
        }
        Ok(Self { document: document.clone(), leaves, nested, is_known })
    }

    /// The manifests that it lists.
    pub(super) fn listed(&self) -> impl Iterator<Item = &Digest> {
        self.leaves.iter().map(Entry::digest)
    }

    /// True where these are all the manifests that the index lists, each with its size: no node pulls what is listed
    /// with a wrong one.
    pub(super) fn is_whole(&self, there: &BTreeMap<&Digest, u64>) -> bool {
        let is_there = |entry: &Entry| there.get(entry.digest()) == Some(&entry.descriptor().size);
        self.is_known && self.leaves.iter().all(is_there)
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
        let mut entries: BTreeMap<_, Vec<&Entry>> = BTreeMap::new();
        for slot in &ours {
            entries.entry(key(slot)).or_default().push(&slot.entry);
        }
        let leaves = slots.iter().filter(|slot| !self.nested.contains_key(slot.digest()));
        let theirs: BTreeSet<_> = leaves.clone().chain(in_nested).map(key).collect();
        let kept = |slot: &Slot| {
            let same = entries.get(&key(slot)).into_iter().flatten();
            same.into_iter().any(|entry| is_within(&slot.entry, entry))
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
