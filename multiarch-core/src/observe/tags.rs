//! Reads what the tags of a target hold.

use std::sync::Arc;

use super::referrers::referrers;
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    fuse::{Incoming, TagChild, TagState, is_image},
    image::{Digest, Document, ImageConfig, Index, Manifest},
    limit::{self, SharedBudget},
    plan::{Answer, NamedImage, Observed, Options, Question},
    store::ImageStore,
};

/// What a tag holds that holds this document, with all of its children that must be known before
/// `incoming` can be fused in.
pub(crate) fn tag_state(
    store: &dyn ImageStore,
    (name, now): (&TargetName, Option<Document>),
    incoming: &[Incoming],
) -> Result<TagState> {
    let mut state = now.map_or_else(TagState::absent, TagState::new);
    loop {
        let unknown = state.unknown_children(incoming)?;
        if unknown.is_empty() {
            return Ok(state);
        }
        for digest in unknown {
            let child = child(store, name.repository(), &digest)?;
            state.add_child(digest, child);
        }
    }
}

/// Notes what a tag holds now, and asks for everything else that a plan for it needs to know.
pub(crate) fn observe_image(
    store: &dyn ImageStore,
    observed: &mut Observed,
    (name, now): (&TargetName, Option<Document>),
    named: &[NamedImage],
    options: &Options,
) -> Result<()> {
    observed.forget(name);
    observed.answer(Question::Tag(name.clone()), Ok(Answer::Tag(now)))?;
    loop {
        let questions = observed.image_questions(name, named, options);
        if questions.is_empty() {
            return Ok(());
        }
        for question in questions {
            let answer = ask(store, &question);
            observed.answer(question, answer)?;
        }
    }
}

/// Asks as one of many whose answers are kept.
pub(super) fn ask_one_of_many(
    store: &dyn ImageStore,
    question: &Question,
    memory: &SharedBudget,
) -> Result<Answer> {
    let answer = ask(store, question)?;
    memory.attempt(|left| left.spend(answer.memory()))?;
    Ok(answer)
}

fn ask(store: &dyn ImageStore, question: &Question) -> Result<Answer> {
    Ok(match question {
        Question::Tag(name) => Answer::Tag(store.get_tag(name)?),
        Question::Child(name, digest) => Answer::Child(child(store, name.repository(), digest)?),
        Question::Blob(repository, digest, size) => {
            Answer::Blob(store.has_blob(repository, digest, *size)?)
        }
        Question::Manifest(repository, digest) => {
            Answer::Manifest(store.has_manifest(repository, digest)?)
        }
        Question::ReferrersApi(repository) => {
            Answer::ReferrersApi(store.lists_referrers(repository)?)
        }
        Question::Referrers(name, digest) => Answer::Referrers(referrers(store, name, digest)?),
    })
}

fn child(store: &dyn ImageStore, repository: &str, digest: &Digest) -> Result<TagChild> {
    let document = match store.get_manifest(repository, digest) {
        Ok(Some(document)) => document,
        Ok(None) => return Ok(TagChild::Missing),
        // A file with other content than its name says is not what the tag lists.
        Err(error) if store.is_local() && error.kind() == ErrorKind::DigestMismatch => {
            return Ok(TagChild::Missing);
        }
        Err(error) => return Err(error),
    };
    if document.kind().is_index() {
        return Index::from_document(&document).map(TagChild::Index).map_err(Error::of_target);
    }
    let manifest = Manifest::parse(&document).map_err(Error::of_target)?;
    if !manifest.has_image_config() {
        return Ok(TagChild::Artifact);
    }
    let config = &manifest.config.digest;
    let text = store.get_blob(repository, config, limit::CONFIG.max)?;
    // A manifest without its config is of no more use than one that is gone.
    let Some(text) = text else { return Ok(TagChild::Missing) };
    let config = ImageConfig::parse(&text).map_err(Error::of_target)?;
    Ok(match is_image(&manifest, &config) {
        true if manifest.check_fit(&config).is_err() => TagChild::Misfit(Arc::new(config)),
        true => TagChild::Image(Arc::new(config)),
        false => TagChild::Artifact,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryStore;

    #[test]
    fn limit_of_held_documents() {
        let (store, name) = (MemoryStore::new(), TargetName::new("a", "b").expect("a name"));
        let padding = " ".repeat(4_000_000);
        let index = format!(r#"{{"schemaVersion": 2, "manifests": [], "x": "{padding}"}}"#);
        let index = Document::new(index.into_bytes(), None).expect("an index");
        store.put_tag(&name, None, &index).expect("written");
        let memory = limit::HELD_DOCUMENTS.budget().shared();
        let ask = || ask_one_of_many(&store, &Question::Tag(name.clone()), &memory);
        assert!((0..16).all(|_| ask().is_ok()));
        assert_eq!(ask().expect_err("too much").kind(), ErrorKind::TooLarge);
    }
}
