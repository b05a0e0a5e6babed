//! `index.json`: tags, and the entries of other tools.

use std::collections::BTreeMap;

use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    image::{Document, Entry, Index, REF_NAME, RawObject, entries_text, types},
    package::LAYOUT_NAMES,
};

/// The entries of an `index.json`: tags by name, everything else as it was.
#[derive(Clone, Debug)]
pub(super) struct TagIndex {
    members: Option<RawObject>,
    tags: BTreeMap<String, Vec<Entry>>,
    others: Vec<Entry>,
    changed: bool,
}

impl TagIndex {
    /// The index of a layout without an `index.json`.
    pub(super) fn empty() -> Self {
        Self { members: None, tags: BTreeMap::new(), others: Vec::new(), changed: false }
    }

    pub(super) fn parse(text: &[u8]) -> Result<Self> {
        let index = Index::parse(text)?;
        let mut this = Self { members: Some(index.members().clone()), ..Self::empty() };
        for entry in index.entries() {
            match entry.descriptor().annotations.get(REF_NAME) {
                Some(name) => this.tags.entry(name.clone()).or_default().push(entry.clone()),
                None => this.others.push(entry.clone()),
            }
        }
        Ok(this)
    }

    pub(super) fn get(&self, name: &TargetName) -> Result<Option<&Entry>> {
        match self.tags.get(&name.to_string()).map(Vec::as_slice) {
            None | Some([]) => Ok(None),
            Some([entry]) => Ok(Some(entry)),
            Some(several) => {
                let message = format!(
                    "index.json lists this name {} times: readers differ in which one they take",
                    several.len()
                );
                Err(Error::new(ErrorKind::UnreadableTag, message).of_image(name))
            }
        }
    }

    /// Points a tag at a document; annotations of other tools on the entry stay.
    pub(super) fn set(&mut self, name: &TargetName, document: &Document) {
        let entries = self.tags.entry(name.to_string()).or_default();
        let mut descriptor = document.descriptor();
        if let Some(entry) = entries.first() {
            descriptor.annotations.clone_from(&entry.descriptor().annotations);
        }
        descriptor.annotations.insert(REF_NAME.into(), name.to_string());
        *entries = vec![Entry::new(descriptor)];
        self.changed = true;
    }

    /// Removes a tag. What it pointed at stays.
    pub(super) fn remove(&mut self, name: &TargetName) {
        self.changed |= self.tags.remove(&name.to_string()).is_some();
    }

    pub(super) fn names(&self) -> Vec<TargetName> {
        self.tags.keys().filter_map(|name| name.parse().ok()).collect()
    }

    pub(super) fn is_changed(&self) -> bool {
        self.changed
    }

    /// The text of the file: tags by name, then the entries without a name in their old order.
    pub(super) fn text(&self) -> Vec<u8> {
        let manifests = entries_text(self.tags.values().flatten().chain(&self.others));
        match &self.members {
            Some(members) => members.write(|name| (name == "manifests").then(|| manifests.clone())),
            None => format!(
                r#"{{"schemaVersion":2,"mediaType":"{}","manifests":{manifests},"annotations":{{"{LAYOUT_NAMES}":"target"}}}}"#,
                types::OCI_INDEX
            )
            .into_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_kept() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let named = format!(
            r#"{{"mediaType":"x","digest":"sha256:{hex}","size":0,"n":1.0,"annotations":{{"{REF_NAME}":"z:1"}}}}"#
        );
        let bare = format!(r#"{{"digest":"sha256:{hex}","size":0}}"#);
        let text = format!(r#"{{"schemaVersion":2,"x":1e99,"manifests":[{bare},{named}]}}"#);
        let mut index = TagIndex::parse(text.as_bytes()).expect("an index");
        let name: TargetName = "a/b:1".parse().expect("a name");
        let document = Document::new(br#"{"manifests":[]}"#.as_slice(), None).expect("an index");
        index.set(&name, &document);
        let written = String::from_utf8(index.text()).expect("text");
        let (first, rest) = written.split_once(&format!(r#"}},{named},{bare}]}}"#)).expect("kept");
        assert!(first.starts_with(r#"{"schemaVersion":2,"x":1e99,"manifests":[{"mediaType""#));
        assert!(rest.is_empty());
        assert_eq!(index.names().len(), 2);

        let twice = format!(r#"{{"manifests":[{named},{named}]}}"#);
        let index = TagIndex::parse(twice.as_bytes()).expect("an index");
        let error = index.get(&"z:1".parse().expect("a name")).expect_err("ambiguous");
        assert_eq!(error.kind(), ErrorKind::UnreadableTag);
    }
}
