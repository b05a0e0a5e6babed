//! What is known about the target, from the questions it was asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Inventory, NamedImage, Options, plan_image};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    fuse::{TagChild, TagState},
    image::{Digest, Document, ImageConfig},
};

/// A question to the target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Question {
    /// What does this tag hold?
    Tag(TargetName),
    /// What is this manifest or index, which the tag holds or lists?
    Child(TargetName, Digest),
    /// Is this blob, of this size, in this repository?
    Blob(String, Digest, u64),
    /// Which tags refer to this digest (signatures, referrers)?
    Referrers(TargetName, Digest),
}

/// The target's answer to a [`Question`].
#[derive(Debug)]
pub(crate) enum Answer {
    /// The tag holds this document, or does not exist.
    Tag(Option<Document>),
    /// What the manifest or index is.
    Child(TagChild),
    /// The blob is there, or not.
    Blob(bool),
    /// These tags refer to the digest.
    Referrers(Vec<String>),
}

/// Whether a blob is in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Present,
    Absent,
    /// The target was not asked.
    Unknown,
}

/// What is known about the target, from the questions it was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    tags: BTreeMap<TargetName, TagState>,
    failed: BTreeMap<TargetName, Error>,
    blobs: BTreeMap<(String, Digest), bool>,
    referrers: BTreeMap<(TargetName, Digest), Vec<String>>,
    /// The repositories that are known to have a blob.
    sources: BTreeMap<Digest, BTreeSet<String>>,
    /// All repositories of the target share their blobs, so one question per blob is enough.
    shares_blobs: bool,
}

impl Observed {
    /// Knows nothing yet.
    pub(crate) fn new(shares_blobs: bool) -> Self {
        Self { shares_blobs, ..Self::default() }
    }

    /// The questions to ask next. Call again after answering them, until there are no more.
    pub(crate) fn questions(&self, inventory: &Inventory) -> Vec<Question> {
        let mut questions = BTreeSet::new();
        for (name, named) in inventory.images() {
            questions.extend(self.image_questions(name, named, &inventory.options));
        }
        for name in inventory.needed() {
            questions.extend(self.image_questions(name, &[], &inventory.options));
        }
        questions.into_iter().collect()
    }

    /// The same for one name.
    pub(crate) fn image_questions(
        &self,
        name: &TargetName,
        named: &[NamedImage],
        options: &Options,
    ) -> Vec<Question> {
        if self.failed.contains_key(name) {
            return Vec::new();
        }
        let Some(state) = self.tags.get(name) else {
            return vec![Question::Tag(name.clone())];
        };
        let incoming: Vec<_> = named.iter().map(|image| image.incoming.clone()).collect();
        match state.unknown_children(&incoming) {
            Ok(unknown) if unknown.is_empty() => {}
            Ok(unknown) => {
                return unknown.into_iter().map(|d| Question::Child(name.clone(), d)).collect();
            }
            Err(_) => return Vec::new(),
        }
        let planned = plan_image(name, named, self, options);
        let mut questions: Vec<_> = planned
            .pushes
            .iter()
            .flat_map(|push| &push.blobs)
            .filter(|blob| self.has_blob(name.repository(), &blob.digest) == Presence::Unknown)
            .map(|blob| {
                let repository = self.blob_key(name.repository(), &blob.digest).0;
                Question::Blob(repository, blob.digest.clone(), blob.size)
            })
            .collect();
        if let (Some(before), Some(_)) = (&planned.before, &planned.after)
            && !self.referrers.contains_key(&(name.clone(), before.clone()))
        {
            questions.push(Question::Referrers(name.clone(), before.clone()));
        }
        questions
    }

    /// Records an answer. An error about a tag or its manifests is recorded for that tag, which then
    /// stays untouched.
    ///
    /// # Errors
    /// Errors about blobs, and about the target as a whole, which end the run.
    pub(crate) fn answer(&mut self, question: Question, answer: Result<Answer>) -> Result<()> {
        match (question, answer) {
            (Question::Tag(name), Ok(Answer::Tag(document))) => {
                let state = document.map_or_else(TagState::absent, TagState::new);
                self.tags.insert(name, state);
            }
            (Question::Child(name, digest), Ok(Answer::Child(child))) => {
                if let Some(state) = self.tags.get_mut(&name) {
                    state.add_child(digest, child);
                }
            }
            (Question::Blob(repository, digest, _), Ok(Answer::Blob(there))) => {
                if there {
                    self.sources.entry(digest.clone()).or_default().insert(repository.clone());
                }
                self.blobs.insert((repository, digest), there);
            }
            (Question::Referrers(name, digest), Ok(Answer::Referrers(by))) => {
                self.referrers.insert((name, digest), by);
            }
            (
                Question::Tag(name) | Question::Child(name, _) | Question::Referrers(name, _),
                Err(error),
            ) => {
                // An error of the target as a whole would come for every tag.
                if error.kind().concerns_whole_run() {
                    return Err(error);
                }
                let error = error.of_image(&name);
                self.failed.insert(name, error);
            }
            (Question::Blob(..), Err(error)) => return Err(error),
            (_, Ok(_)) => {
                return Err(Error::new(ErrorKind::Usage, "an answer to another question"));
            }
        }
        Ok(())
    }

    /// Forgets what a tag holds, so that it is asked again.
    pub(crate) fn forget(&mut self, name: &TargetName) {
        self.tags.remove(name);
        self.failed.remove(name);
    }

    /// Notes that a blob was sent to a repository.
    pub(crate) fn note_sent(&mut self, repository: &str, digest: &Digest) {
        let key = self.blob_key(repository, digest);
        self.sources.entry(digest.clone()).or_default().insert(repository.to_owned());
        self.blobs.insert(key, true);
    }

    /// Notes that a repository has a blob because a tag there needs it. The blob can be mounted from
    /// there, but still has to be asked for where it must be.
    pub(crate) fn add_source(&mut self, repository: &str, digest: &Digest) {
        self.sources.entry(digest.clone()).or_default().insert(repository.to_owned());
    }

    /// Forgets whether blobs are there, after the target refused a manifest because one is missing.
    pub(crate) fn forget_blobs<'a>(
        &mut self,
        repository: &str,
        digests: impl Iterator<Item = &'a Digest>,
    ) {
        for digest in digests {
            let key = self.blob_key(repository, digest);
            self.blobs.remove(&key);
        }
    }

    /// A repository that has this blob, other than this one.
    pub(crate) fn source_of(&self, digest: &Digest, repository: &str) -> Option<&str> {
        let sources = self.sources.get(digest)?;
        sources.iter().find(|source| *source != repository).map(String::as_str)
    }

    /// True where some repository is known to have this blob.
    pub(crate) fn has_source(&self, digest: &Digest) -> bool {
        self.sources.contains_key(digest)
    }

    /// What a tag holds; an error where it could not be read or was not asked.
    ///
    /// # Errors
    /// Why it could not be read.
    pub(crate) fn tag(&self, name: &TargetName) -> Result<&TagState> {
        if let Some(error) = self.failed.get(name) {
            return Err(error.clone());
        }
        let unasked = || Error::new(ErrorKind::UnreadableTag, "the tag was not looked at");
        self.tags.get(name).ok_or_else(|| unasked().of_image(name))
    }

    /// The tags that are known to exist.
    pub(crate) fn existing_tags(&self) -> BTreeSet<TargetName> {
        let there = self.tags.iter().filter(|(_, state)| state.document().is_some());
        there.map(|(name, _)| name.clone()).collect()
    }

    /// Whether a blob is there.
    pub(crate) fn has_blob(&self, repository: &str, digest: &Digest) -> Presence {
        match self.blobs.get(&self.blob_key(repository, digest)) {
            Some(true) => Presence::Present,
            Some(false) => Presence::Absent,
            None => Presence::Unknown,
        }
    }

    pub(crate) fn referrers(&self, name: &TargetName, digest: &Digest) -> &[String] {
        self.referrers.get(&(name.clone(), digest.clone())).map(Vec::as_slice).unwrap_or_default()
    }

    fn blob_key(&self, repository: &str, digest: &Digest) -> (String, Digest) {
        let repository = if self.shares_blobs { "" } else { repository };
        (repository.to_owned(), digest.clone())
    }
}

impl From<ImageConfig> for TagChild {
    fn from(config: ImageConfig) -> Self {
        Self::Image(Arc::new(config))
    }
}
