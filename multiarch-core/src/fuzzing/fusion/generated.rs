//! What a tag holds and what sources bring, made of bytes: real documents, with the lies and gaps of real ones.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use super::world::{ATTESTATIONS, PLATFORMS, world};
use crate::{
    error::{Error, ErrorKind, Result},
    fuse::{Incoming, TagChild, TagState},
    image::{Descriptor, Digest, Document, types},
    package::{BlobPlace, DocumentStore, read_image},
};

/// Decisions that are taken from bytes; 0 where there are no more.
pub(super) struct Choices<'a>(std::slice::Iter<'a, u8>);

impl<'a> Choices<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self(data.iter())
    }

    fn below(&mut self, count: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % count
    }

    pub(super) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 1
    }
}

/// One document, and what is known about what it lists.
#[derive(Debug, Default)]
pub(super) struct Side {
    document: Option<Document>,
    nested: Vec<Document>,
    /// What the source does not have, and the target has lost.
    gone: BTreeSet<Digest>,
    /// What has not the layers that its config says.
    misfits: BTreeSet<Digest>,
    lists_artifacts: bool,
}

impl Side {
    pub(super) fn new(choices: &mut Choices<'_>) -> Self {
        let mut side = Self::default();
        match choices.below(4) {
            0 => {}
            1 => side.document = Some(choices.image().clone()),
            _ => side.document = Some(side.index(choices, 0)),
        }
        side
    }

    /// An index of up to six entries, with indexes in it.
    fn index(&mut self, choices: &mut Choices<'_>, depth: usize) -> Document {
        let mut entries = Vec::new();
        for _ in 0..choices.below(7) {
            entries.push(match choices.below(8) {
                0 if depth < 2 => self.nested(choices, depth),
                1 => {
                    let mut entry = listed(&world().artifacts[choices.below(ATTESTATIONS)]);
                    let subject = choices.image().digest();
                    entry["annotations"] = json!({"vnd.docker.reference.digest": subject});
                    entry["platform"] = json!({"architecture": "unknown", "os": "unknown"});
                    entry
                }
                2 => {
                    self.lists_artifacts = true;
                    let mut entry = listed(&world().artifacts[ATTESTATIONS]);
                    if choices.one_in(3) {
                        entry["artifactType"] = "application/example".into();
                    }
                    if choices.one_in(3) {
                        entry["platform"] = choices.platform();
                    }
                    entry
                }
                _ => self.image(choices),
            });
        }
        let kind = if choices.one_in(3) { types::DOCKER_LIST } else { types::OCI_INDEX };
        let mut index = json!({"schemaVersion": 2, "mediaType": kind, "manifests": entries});
        if choices.one_in(4) {
            index["annotations"] = json!({"a": "b"});
        }
        Document::new(index.to_string().into_bytes(), None).expect("an index")
    }

    fn nested(&mut self, choices: &mut Choices<'_>, depth: usize) -> Value {
        let nested = self.index(choices, depth + 1);
        let mut entry = listed(&nested);
        if choices.one_in(4) {
            entry["platform"] = choices.platform();
        }
        self.nested.push(nested);
        entry
    }

    /// An entry that states the platform of its config, another one, or none.
    fn image(&mut self, choices: &mut Choices<'_>) -> Value {
        let number = choices.below(world().images.len());
        let document = &world().images[number].0;
        let mut entry = listed(document);
        match choices.below(6) {
            1 => entry["platform"] = choices.platform(),
            2 => {}
            _ => {
                let own = PLATFORMS[number % PLATFORMS.len()];
                entry["platform"] = serde_json::from_str(own).expect("JSON");
            }
        }
        if choices.one_in(16) {
            entry["size"] = 1.into();
        }
        if choices.one_in(8) {
            entry["annotations"] = json!({"kind": "one of several"});
        }
        match choices.below(10) {
            1 => drop(self.gone.insert(document.digest().clone())),
            2 => drop(self.misfits.insert(document.digest().clone())),
            _ => {}
        }
        entry
    }

    /// True where everything that an index lists is an image, an index, or an attestation.
    pub(super) fn lists_images_alone(&self) -> bool {
        !self.lists_artifacts
    }

    /// The tag that holds this, with everything that a target answers about it.
    pub(super) fn tag(&self) -> TagState {
        let mut tag = self.document.clone().map_or_else(TagState::absent, TagState::new);
        self.nested.iter().for_each(|index| tag.add_nested_index(index).expect("an index"));
        for digest in tag.listed() {
            self.answer(&digest, &mut tag);
        }
        self.gone.iter().for_each(|digest| tag.add_missing(digest.clone()));
        tag
    }

    /// Answers what one manifest is.
    fn answer(&self, digest: &Digest, tag: &mut TagState) {
        let image = world().images.iter().find(|(document, _)| document.digest() == digest);
        match image {
            Some((_, config)) if self.misfits.contains(digest) => {
                tag.add_child(digest.clone(), TagChild::Misfit(config.clone()));
            }
            Some((_, config)) => tag.add_image(digest.clone(), config.clone()),
            None if world().documents.contains_key(digest) => tag.add_artifact(digest.clone()),
            None => {}
        }
    }

    /// Answers what fusion asks about a tag into which others were fused.
    pub(super) fn answer_all(&self, incoming: &Incoming, tag: &mut TagState) {
        let asked = tag.unknown_children(std::slice::from_ref(incoming)).expect("an index");
        asked.iter().for_each(|digest| self.answer(digest, tag));
    }

    /// What a package brings that has this; `None` where it has nothing.
    pub(super) fn incoming(&self) -> Option<Incoming> {
        read_image(self, self.document.clone()?, None).ok().map(|image| image.incoming)
    }
}

impl DocumentStore for Side {
    fn document(&self, descriptor: &Descriptor) -> Result<Option<Document>> {
        let digest = &descriptor.digest;
        if self.gone.contains(digest) {
            return Ok(None);
        }
        let nested = self.nested.iter().find(|index| index.digest() == digest);
        Ok(nested.or_else(|| world().documents.get(digest)).cloned())
    }

    fn config(&self, digest: &Digest) -> Result<Arc<[u8]>> {
        let config = world().configs.get(digest).cloned();
        config.ok_or_else(|| Error::new(ErrorKind::Missing, "no such config"))
    }

    fn place(&self, _: &Descriptor) -> Result<BlobPlace> {
        Ok(BlobPlace::Foreign)
    }
}

impl Choices<'_> {
    fn image(&mut self) -> &'static Document {
        &world().images[self.below(world().images.len())].0
    }

    fn platform(&mut self) -> Value {
        serde_json::from_str(PLATFORMS[self.below(PLATFORMS.len())]).expect("JSON")
    }
}

/// The entry of a document, without a platform.
fn listed(document: &Document) -> Value {
    json!({"mediaType": document.media_type(), "digest": document.digest(), "size": document.size()})
}
