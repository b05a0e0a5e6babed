//! Compares what tags hold with what they held before an import.

use crate::{
    error::{Error, ErrorKind, Result},
    image::{Digest, Index},
    report::{Return, Rollback, RollbackOptions, RollbackState, RollbackTag, SavedTag, Snapshot},
    run::{Context, workers},
    store::{ImageStore, OpenTarget},
};

/// What is to be done for the tags to hold what they held.
///
/// # Errors
/// Where the target as a whole cannot be read.
pub(crate) fn rollback(
    target: &OpenTarget,
    snapshot: &Snapshot,
    options: RollbackOptions,
    context: &Context,
) -> Result<Rollback> {
    let store = &*target.images;
    let writes: Vec<(&str, bool)> =
        snapshot.tags.iter().map(|tag| (tag.name.repository(), true)).collect();
    store.prepare(&writes);
    let tags = workers::ask(store.jobs(), &snapshot.tags, context, |saved| {
        match look_at(store, saved, options) {
            Err(error) if error.concerns_whole_run() => Err(error),
            looked => Ok(looked.unwrap_or_else(|error| RollbackTag {
                error: Some(error.of_image(&saved.name)),
                ..tag(saved, None, RollbackState::Failed)
            })),
        }
    })?;
    let tags: Result<Vec<RollbackTag>> = tags.into_iter().collect();
    let live = Return { images: target.images.clone(), context: context.clone() };
    Ok(Rollback::new(target.name.clone(), snapshot.charts.clone(), tags?, live))
}

fn tag(saved: &SavedTag, now: Option<Digest>, state: RollbackState) -> RollbackTag {
    let (name, before) = (saved.name.clone(), saved.before.clone());
    RollbackTag { name, before, now, state, missing: Vec::new(), error: None, document: None }
}

fn look_at(
    store: &dyn ImageStore,
    saved: &SavedTag,
    options: RollbackOptions,
) -> Result<RollbackTag> {
    let now = match store.get_tag(&saved.name) {
        Ok(now) => now.map(|document| document.digest().clone()),
        // What a tag lists and does not have is no reason to leave it so.
        Err(error) if error.kind() == ErrorKind::Missing => None,
        Err(error) => return Err(error),
    };
    if now == saved.before {
        return Ok(tag(saved, now, RollbackState::AsBefore));
    }
    if now.as_ref() != Some(&saved.after) && !options.even_changed {
        return Ok(tag(saved, now, RollbackState::ChangedSince));
    }
    let Some(before) = &saved.before else {
        let state = if options.remove_new { RollbackState::ToRemove } else { RollbackState::New };
        return Ok(tag(saved, now, state));
    };
    let repository = saved.name.repository();
    let gone = |missing| RollbackTag { missing, ..tag(saved, now.clone(), RollbackState::Gone) };
    let Some(document) = store.get_manifest(repository, before)? else {
        return Ok(gone(vec![before.clone()]));
    };
    if document.kind().is_index() {
        let mut missing = Vec::new();
        for entry in Index::from_document(&document).map_err(Error::of_target)?.entries() {
            if !store.has_manifest(repository, entry.digest())? {
                missing.push(entry.digest().clone());
            }
        }
        if !missing.is_empty() {
            return Ok(gone(missing));
        }
    }
    let document = Some(document);
    Ok(RollbackTag { document, ..tag(saved, now, RollbackState::ToPutBack) })
}
