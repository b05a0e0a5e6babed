//! What is known about the target, from the questions it was asked.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Inventory, NamedImage, Options, PlannedImage,
    image::{is_list_of_referrers, plan_referrers, referrer_documents},
    plan_image,
};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    fuse::{TagChild, TagState},
    image::{Descriptor, Digest, Document},
    package::{Blob, BlobPlace, StoredDocument},
};

/// A question to the target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Question {
    /// What does this tag hold?
    Tag(TargetName),
    /// What is this manifest or index, which the tag holds or lists?
    Child(TargetName, Digest),
    /// Is this manifest or index in this repository? The tag lists it, or something in the repository
    /// refers to it.
    Manifest(String, Digest),
    /// Is this blob, of this size, in this repository?
    Blob(String, Digest, u64),
    /// Does the registry list the documents that refer to a digest of this repository?
    ReferrersApi(String),
    /// Which tags refer to this digest (signatures, referrers)?
    Referrers(TargetName, Digest),
}

/// The target's answer to a [`Question`].
#[derive(Debug)]
pub(crate) enum Answer {
    /// The tag holds this document, or does not exist.
    Tag(Option<Document>),
    /// The tag is for this document, which the target has lost.
    LostTag(Document),
    /// What the manifest or index is.
    Child(TagChild),
    /// The manifest is there, or not.
    Manifest(bool),
    /// The blob is there, or not.
    Blob(bool),
    /// The registry lists referrers, or not.
    ReferrersApi(bool),
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
    /// The tags whose own document the target has lost.
    lost_tags: BTreeSet<TargetName>,
    failed: BTreeMap<TargetName, Error>,
    /// Errors of questions about a repository, which concern all of its tags.
    failed_repositories: BTreeMap<String, Error>,
    /// What each tag that this run has written listed before.
    known: BTreeMap<TargetName, BTreeSet<Digest>>,
    /// What each tag was seen to hold earlier in this run.
    earlier: BTreeMap<TargetName, Vec<TagState>>,
    manifests: BTreeMap<(String, Digest), bool>,
    blobs: BTreeMap<(String, Digest), bool>,
    referrers_api: BTreeMap<String, bool>,
    referrers: BTreeMap<(TargetName, Digest), Vec<String>>,
    /// The repositories that are known to have a blob.
    sources: BTreeMap<Digest, BTreeSet<String>>,
    /// All repositories of the target share their blobs, so one question per blob is enough.
    shares_blobs: bool,
    /// The blobs of listed manifests are asked for, too.
    verifies: bool,
}

impl Observed {
    /// Knows nothing yet. With `verifies`, the blobs of listed manifests are asked for, too.
    pub(crate) fn new(shares_blobs: bool, verifies: bool) -> Self {
        Self { shares_blobs, verifies, ..Self::default() }
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
        if self.failed.contains_key(name)
            || self.failed_repositories.contains_key(name.repository())
        {
            return Vec::new();
        }
        let repository = name.repository();
        if let Some(questions) = self.referrer_questions(repository, named) {
            return questions;
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
        // A listing is not trusted: what the tag lists may have been deleted since.
        let listed = self.listed_documents(named, state);
        let unknown = listed.iter().map(|stored| stored.document.digest());
        let mut questions = self.manifest_questions(repository, unknown);
        questions.extend(self.incomplete_questions(name, named, state));
        if self.verifies {
            questions.extend(self.blob_questions(repository, listed.iter().flat_map(|s| &s.blobs)));
        }
        if !questions.is_empty() {
            return questions;
        }
        let planned = plan_image(name, named, self, options);
        let mut questions = self.push_questions(repository, &planned);
        if let (Some(before), Some(_)) = (&planned.before, &planned.after)
            && !self.referrers.contains_key(&(name.clone(), before.clone()))
        {
            questions.push(Question::Referrers(name.clone(), before.clone()));
        }
        questions
    }

    /// The questions for documents that are only to be found by what they refer to; `None` where they are
    /// written to a tag like others.
    fn referrer_questions(&self, repository: &str, named: &[NamedImage]) -> Option<Vec<Question>> {
        if !is_list_of_referrers(named) {
            return None;
        }
        match self.referrers_api.get(repository) {
            None => Some(vec![Question::ReferrersApi(repository.to_owned())]),
            Some(false) => None,
            Some(true) => {
                let documents = referrer_documents(named).map(|stored| stored.document.digest());
                let questions = self.manifest_questions(repository, documents);
                if !questions.is_empty() {
                    return Some(questions);
                }
                let planned = plan_referrers(repository, named, self);
                Some(self.push_questions(repository, &planned))
            }
        }
    }

    fn manifest_questions<'a>(
        &self,
        repository: &str,
        digests: impl Iterator<Item = &'a Digest>,
    ) -> Vec<Question> {
        let unknown = digests.filter(|digest| self.has_manifest(repository, digest).is_none());
        unknown.map(|digest| Question::Manifest(repository.to_owned(), digest.clone())).collect()
    }

    /// The questions for manifests that the packages hold only in parts: they are no loss where the
    /// target has them.
    fn incomplete_questions(
        &self,
        name: &TargetName,
        named: &[NamedImage],
        state: &TagState,
    ) -> Vec<Question> {
        let listed = state.listed();
        let incomplete = named.iter().flat_map(|named| &named.image.incomplete);
        let incomplete =
            incomplete.filter(|l| l.error.is_some()).map(|incomplete| &incomplete.digest);
        self.manifest_questions(
            name.repository(),
            incomplete.filter(|digest| listed.contains(*digest)),
        )
    }

    fn blob_questions<'a>(
        &self,
        repository: &str,
        blobs: impl Iterator<Item = &'a Blob>,
    ) -> Vec<Question> {
        let own = blobs.filter(|blob| !matches!(blob.place, BlobPlace::Foreign));
        own.filter_map(|blob| {
            let Descriptor { digest, size, .. } = &blob.descriptor;
            self.blob_question(repository, digest, *size)
        })
        .collect()
    }

    fn push_questions(&self, repository: &str, planned: &PlannedImage) -> Vec<Question> {
        let blobs = planned.pushes.iter().flat_map(|push| &push.blobs);
        blobs.filter_map(|blob| self.blob_question(repository, &blob.digest, blob.size)).collect()
    }

    fn blob_question(&self, repository: &str, digest: &Digest, size: u64) -> Option<Question> {
        let is_unknown = self.has_blob(repository, digest) == Presence::Unknown;
        let repository = self.blob_key(repository, digest).0;
        is_unknown.then(|| Question::Blob(repository, digest.clone(), size))
    }

    /// The documents of these images that the tag lists: all that the packages could send again.
    fn listed_documents<'a>(
        &self,
        named: &'a [NamedImage],
        state: &TagState,
    ) -> Vec<&'a StoredDocument> {
        let (listed, root) = (state.listed(), state.document().map(Document::digest));
        let documents = named.iter().flat_map(|named| &named.image.documents);
        let documents = documents.filter(|stored| listed.contains(stored.document.digest()));
        // The tag's own document was just read; only its blobs may be missing.
        let is_asked = |stored: &&StoredDocument| {
            Some(stored.document.digest()) != root || (self.verifies && !stored.blobs.is_empty())
        };
        documents.filter(is_asked).collect()
    }

    /// What a tag holds, with those of its manifests marked as missing that these images could bring back.
    pub(super) fn tag_with_missing(
        &self,
        name: &TargetName,
        named: &[NamedImage],
    ) -> Result<TagState> {
        let mut state = self.tag(name)?.clone();
        let repository = name.repository();
        let root = state.document().map(|document| document.digest().clone());
        if let Some(root) = root.filter(|_| self.lost_tags.contains(name)) {
            state.add_missing(root);
        }
        for stored in self.listed_documents(named, &state) {
            let digest = stored.document.digest();
            let lacks = |blob: &Blob| {
                self.has_blob(repository, &blob.descriptor.digest) == Presence::Absent
            };
            let is_gone = self.has_manifest(repository, digest) == Some(false);
            if is_gone || (self.verifies && stored.blobs.iter().any(lacks)) {
                state.add_missing(digest.clone());
            }
        }
        for incomplete in named.iter().flat_map(|named| &named.image.incomplete) {
            if self.has_manifest(repository, &incomplete.digest) == Some(false) {
                state.add_missing(incomplete.digest.clone());
            }
        }
        Ok(state)
    }

    /// What a tag was seen to hold earlier in this run.
    pub(super) fn earlier(&self, name: &TargetName) -> &[TagState] {
        self.earlier.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a manifest is in a repository, if that was asked.
    pub(super) fn has_manifest(&self, repository: &str, digest: &Digest) -> Option<bool> {
        self.manifests.get(&(repository.to_owned(), digest.clone())).copied()
    }

    /// True where the registry lists referrers, so that no tag has to stand in for such a list.
    pub(super) fn has_referrers_api(&self, repository: &str) -> bool {
        self.referrers_api.get(repository) == Some(&true)
    }

    /// Records an answer. An error about a tag or a repository is recorded for it, and its tags stay
    /// untouched.
    ///
    /// # Errors
    /// Errors about the target as a whole, which end the run.
    pub(crate) fn answer(&mut self, question: Question, answer: Result<Answer>) -> Result<()> {
        match (question, answer) {
            (Question::Tag(name), Ok(Answer::Tag(document))) => {
                let state = document.map_or_else(TagState::absent, TagState::new);
                self.tags.insert(name, state);
            }
            (Question::Tag(name), Ok(Answer::LostTag(document))) => {
                self.lost_tags.insert(name.clone());
                self.tags.insert(name, TagState::new(document));
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
            (Question::Manifest(repository, digest), Ok(Answer::Manifest(there))) => {
                self.manifests.insert((repository, digest), there);
            }
            (Question::ReferrersApi(repository), Ok(Answer::ReferrersApi(there))) => {
                self.referrers_api.insert(repository, there);
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
            (
                Question::Blob(repository, ..)
                | Question::Manifest(repository, _)
                | Question::ReferrersApi(repository),
                Err(error),
            ) => {
                if error.kind().concerns_whole_run() || repository.is_empty() {
                    return Err(error);
                }
                self.failed_repositories.entry(repository).or_insert(error);
            }
            (_, Ok(_)) => {
                return Err(Error::new(ErrorKind::Usage, "an answer to another question"));
            }
        }
        Ok(())
    }

    /// Forgets what a tag holds, so that it is asked again; what it held stays known as earlier.
    pub(crate) fn forget(&mut self, name: &TargetName) {
        if let Some(state) = self.tags.remove(name).filter(|state| state.document().is_some()) {
            let earlier = self.earlier.entry(name.clone()).or_default();
            earlier.retain(|known| known.document() != state.document());
            earlier.push(state);
        }
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

    /// Notes that this run writes a tag: what the tag lists that was not seen before is newer from now on.
    pub(crate) fn note_writing(&mut self, name: &TargetName) {
        let states = self.tags.get(name).into_iter().chain(self.earlier(name));
        let known = states.flat_map(TagState::listed).collect();
        self.known.entry(name.clone()).or_insert(known);
    }

    /// What a tag that this run has written listed before; `None` for one that it has not written.
    pub(super) fn known(&self, name: &TargetName) -> Option<&BTreeSet<Digest>> {
        self.known.get(name)
    }

    /// Takes over what is known of a tag and its repository, and what the tag was seen to hold.
    pub(crate) fn take_over(&mut self, name: &TargetName, other: &Self) {
        let here = |key: &(String, Digest)| key.0 == name.repository() || key.0.is_empty();
        let manifests = other.manifests.iter().filter(|(key, _)| here(key));
        self.manifests.extend(manifests.map(|(key, there)| (key.clone(), *there)));
        let blobs = other.blobs.iter().filter(|(key, _)| here(key));
        self.blobs.extend(blobs.map(|(key, there)| (key.clone(), *there)));
        if let Some(state) = other.tags.get(name) {
            self.tags.insert(name.clone(), state.clone());
        }
        if let Some(earlier) = other.earlier.get(name) {
            self.earlier.insert(name.clone(), earlier.clone());
        }
    }

    /// Notes that a manifest was sent to a repository.
    pub(crate) fn note_manifest(&mut self, repository: &str, digest: &Digest) {
        self.manifests.insert((repository.to_owned(), digest.clone()), true);
    }

    /// Forgets whether these blobs, and any manifests of the repository, are there, after the target
    /// refused a manifest because something is missing.
    pub(crate) fn forget_parts<'a>(
        &mut self,
        repository: &str,
        digests: impl Iterator<Item = &'a Digest>,
    ) {
        for digest in digests {
            let key = self.blob_key(repository, digest);
            self.blobs.remove(&key);
        }
        self.manifests.retain(|(known, _), _| known != repository);
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
        let failed = self.failed.get(name);
        if let Some(error) = failed.or_else(|| self.failed_repositories.get(name.repository())) {
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
