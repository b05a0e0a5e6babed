//! Asking a target what it holds.

use super::questions::ask_all;
use crate::{
    apply::{Cancel, Progress},
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    fuse::{Child, is_image},
    image::{Digest, ImageConfig, Index, MAX_CONFIG_SIZE, Manifest},
    plan::{Answer, Observed, Options, Question, Want, Wanted},
    target::{ImageStore, Target},
};

impl Target {
    /// Asks everything that a plan for these images needs to know.
    ///
    /// # Errors
    /// Where the target as a whole cannot be asked; what concerns one tag is kept with that tag.
    pub fn observe(
        &self,
        wanted: &Wanted<'_>,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Observed> {
        let store = self.store();
        let mut observed = Observed::new(store.shares_blobs());
        for package in wanted.earlier() {
            for (digest, repository) in super::earlier::repositories(package) {
                observed.leads_to(repository, digest);
            }
        }
        loop {
            let questions = observed.questions(wanted);
            if questions.is_empty() {
                return Ok(observed);
            }
            let asked = |question: &Question| ask(store, question);
            let answers = ask_all(store.jobs(), &questions, progress, cancel, asked)?;
            for (question, answer) in questions.into_iter().zip(answers) {
                observed.answer(question, answer)?;
            }
        }
    }
}

/// Asks again what one tag holds, and all that follows from it.
pub(crate) fn observe_image(
    store: &dyn ImageStore,
    observed: &mut Observed,
    name: &TargetName,
    wants: &[Want<'_>],
    options: &Options,
) -> Result<()> {
    observed.forget(name);
    loop {
        let questions = observed.image_questions(name, wants, options);
        if questions.is_empty() {
            return Ok(());
        }
        for question in questions {
            let answer = ask(store, &question);
            observed.answer(question, answer)?;
        }
    }
}

fn ask(store: &dyn ImageStore, question: &Question) -> Result<Answer> {
    Ok(match question {
        Question::Tag(name) => Answer::Tag(store.get_tag(name)?),
        Question::Child(name, digest) => Answer::Child(child(store, name.repository(), digest)?),
        Question::Blob(repository, digest, size) => {
            Answer::Blob(store.has_blob(repository, digest, *size)?)
        }
        Question::Referrers(name, digest) => Answer::Referrers(referrers(store, name, digest)?),
    })
}

fn child(store: &dyn ImageStore, repository: &str, digest: &Digest) -> Result<Child> {
    let Some(document) = store.get_manifest(repository, digest)? else { return Ok(Child::Gone) };
    if document.kind().is_index() {
        return Ok(Child::Index(Index::of(&document)?));
    }
    let manifest = Manifest::of(&document)?;
    if !manifest.has_image_config() {
        return Ok(Child::Artifact);
    }
    let config = &manifest.config.digest;
    let text = store.get_blob(repository, config, MAX_CONFIG_SIZE)?.ok_or_else(|| {
        let message = "the config of an image at the tag is not there";
        Error::new(ErrorKind::Missing, message).with_digest(config)
    })?;
    let config = ImageConfig::parse(&text)?;
    Ok(if is_image(&manifest, &config) { Child::from(config) } else { Child::Artifact })
}

/// Tags by which signatures and attestations refer to a digest: cosign's, and the referrers
/// fallback of the distribution specification.
fn referrers(store: &dyn ImageStore, name: &TargetName, digest: &Digest) -> Result<Vec<String>> {
    let stem = format!("{}-{}", digest.algorithm().name(), digest.hex());
    let tags = store.tags_of(name.repository())?;
    let mut found = Vec::new();
    for ending in ["", ".sig", ".att", ".sbom"] {
        let tag = format!("{stem}{ending}");
        let there = match (&tags, TargetName::new(name.repository(), &tag)) {
            (Some(tags), _) => tags.contains(&tag),
            (None, Ok(tag)) => store.get_tag(&tag)?.is_some(),
            // A name too long for a tag, as with sha512, is nobody's.
            (None, Err(_)) => false,
        };
        if there {
            found.push(tag);
        }
    }
    Ok(found)
}
