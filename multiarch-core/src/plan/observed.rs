//! What is known about the target, from the questions it was asked.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, NamedImage, Question};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    fuse::TagState,
    image::{Digest, Document},
    package::{Blob, StoredDocument},
};

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
    pub(super) tags: BTreeMap<TargetName, TagState>,
    /// The tags whose own document the target has lost.
    lost_tags: BTreeSet<TargetName>,
    pub(super) failed: BTreeMap<TargetName, Error>,
    /// Errors of questions about a repository, which concern all of its tags.
    pub(super) failed_repositories: BTreeMap<String, Error>,
    /// What each tag that this run has written listed before.
    known: BTreeMap<TargetName, BTreeSet<Digest>>,
    /// What each tag was seen to hold earlier in this run.
    earlier: BTreeMap<TargetName, Vec<TagState>>,
    manifests: BTreeMap<(String, Digest), bool>,
    blobs: BTreeMap<(String, Digest), bool>,
    pub(super) referrers_api: BTreeMap<String, bool>,
    pub(super) referrers: BTreeMap<(TargetName, Digest), Vec<String>>,
    /// The repositories that are known to have a blob.
    sources: BTreeMap<Digest, BTreeSet<String>>,
    /// All repositories of the target share their blobs, so one question per blob is enough.
    shares_blobs: bool,
    /// The blobs of listed manifests are asked for, too.
    pub(super) verifies: bool,
}

impl Observed {
    /// Knows nothing yet. With `verifies`, the blobs of listed manifests are asked for, too.
    pub(crate) fn new(shares_blobs: bool, verifies: bool) -> Self {
        Self { shares_blobs, verifies, ..Self::default() }
    }

    /// The documents of these images that the tag lists: all that the packages could send again.
    pub(super) fn listed_documents<'a>(
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
                if error.concerns_whole_run() {
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
                if error.concerns_whole_run() || repository.is_empty() {
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

    /// Notes that this run has written a tag: what the tag lists from now on, and was not seen before, is newer.
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

    /// All repositories that are known to have this blob.
    pub(super) fn sources(&self, digest: &Digest) -> impl Iterator<Item = &String> {
        self.sources.get(digest).into_iter().flatten()
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

    pub(super) fn blob_key(&self, repository: &str, digest: &Digest) -> (String, Digest) {
        let repository = if self.shares_blobs { "" } else { repository };
        (repository.to_owned(), digest.clone())
    }
}
