//! Puts tags back to what they held.

use super::write_tag::{Attempt, Attempts, Tags};
use crate::{
    error::{Detail, Error, ErrorKind, Result},
    report::{Rollback, RollbackState, RollbackTag},
    run::workers,
};

/// Carries a rollback out. A failure of one tag does not stop the others; what concerns the whole target does.
pub(crate) fn roll_back(rollback: &Rollback) -> Rollback {
    let (store, context) = (&*rollback.live.images, &rollback.live.context);
    let there = rollback.tags.iter().filter(|tag| tag.now.is_some());
    let tags = Tags::new(store, &context.cancel, there.map(|tag| tag.name.clone()).collect());
    let done =
        workers::map(store.jobs(), &rollback.tags, |tag| match put_back(&tags, rollback, tag) {
            Ok(state) => (state, None),
            Err(error) => (RollbackState::Failed, Some(error.of_image(&tag.name))),
        });
    let flushed = store.flush();
    let mut all = rollback.tags.clone();
    for (tag, (state, error)) in all.iter_mut().zip(done) {
        let is_written = matches!(state, RollbackState::PutBack | RollbackState::Removed);
        (tag.state, tag.error) = (state, error.or(tag.error.take()));
        match &flushed {
            Err(error) if is_written => {
                (tag.state, tag.error) = (RollbackState::Failed, Some(error.clone()));
            }
            Ok(contended) if is_written && contended.contains(&tag.name) => {
                tag.state = RollbackState::ChangedSince;
            }
            _ if is_written => tag.now.clone_from(&tag.before),
            _ => {}
        }
    }
    let (target, charts) = (rollback.target.clone(), rollback.charts.clone());
    Rollback::new(target, charts, all, rollback.live.clone())
}

/// Puts one tag back, and looks at it afterwards. Where another writer changes it meanwhile, theirs stays.
fn put_back(tags: &Tags<'_>, rollback: &Rollback, tag: &RollbackTag) -> Result<RollbackState> {
    let (store, cancel) = (&*rollback.live.images, &rollback.live.context.cancel);
    if tag.state == RollbackState::ToRemove {
        let Some(now) = &tag.now else { return Ok(RollbackState::Removed) };
        return match store.remove_tag(&tag.name, now) {
            Ok(true) => Ok(RollbackState::Removed),
            Ok(false) => {
                let message = "the target removes no tags by their names, so the tag stays";
                Err(Error::new(ErrorKind::Unsupported, message).with_detail(Detail::TagRemoval))
            }
            Err(error) if error.kind() == ErrorKind::Contended => Ok(RollbackState::ChangedSince),
            Err(error) => Err(error),
        };
    }
    let (RollbackState::ToPutBack, Some(document)) = (tag.state, &tag.document) else {
        return Ok(tag.state);
    };
    cancel.check()?;
    let mut attempts = Attempts::new(cancel);
    loop {
        match tags.write(&tag.name, tag.now.as_ref(), document)? {
            Attempt::Written { .. } | Attempt::Needless => break,
            Attempt::Stale => return Ok(RollbackState::ChangedSince),
            Attempt::Unclear { error, .. } => {
                if tags.digest(&tag.name)?.as_ref() == Some(document.digest()) {
                    break;
                }
                attempts.after_failure(error)?;
            }
        }
    }
    // A store that writes later compares then.
    if store.compares_and_sets_tags() {
        return Ok(RollbackState::PutBack);
    }
    let wanted = Some(document.digest());
    let now = tags.digest_after(&tag.name, tag.now.as_ref(), wanted)?;
    match now.as_ref() == wanted {
        true => Ok(RollbackState::PutBack),
        false => {
            let message = "the tag was written, and holds something else again";
            Err(Error::new(ErrorKind::Contended, message))
        }
    }
}
