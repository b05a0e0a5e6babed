//! What has to be asked before images can be planned. Pure: the answers come from other modules.

use std::collections::BTreeSet;

use super::{
    Inventory, NamedImage, Observed, Options, PlannedImage, Presence, Question, plan_image,
    referrer_list::{is_list_of_referrers, plan_referrers, referrer_documents},
};
use crate::{
    chart::TargetName,
    fuse::TagState,
    image::{Descriptor, Digest},
    package::{Blob, BlobPlace},
};

impl Observed {
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
}
