//! `multiarch rollback`

use std::path::Path;

use multiarch_core::{
    Cancel, Error, ErrorKind, Import, Result, RollbackOptions, RollbackState, Snapshot, Target,
};

use super::{Completion, setup};
use crate::{args::Rollback, output, progress, saved, signals};

pub(crate) fn run(args: &Rollback, cancel: &Cancel) -> Result<Completion> {
    let snapshot: Snapshot = saved::read(&args.snapshot, "a snapshot of an import")?;
    let mut options = RollbackOptions::default();
    options.even_changed = args.even_changed;
    options.remove_new = args.remove_new;
    let shown = progress::shown(args.show.style());
    if let Some(folder) =
        snapshot.target.strip_prefix("oci:").filter(|folder| !Path::new(folder).exists())
    {
        let message = "the snapshot is of this layout, which is not there";
        return Err(Error::new(ErrorKind::Usage, message).at_path(folder));
    }
    let import = Import::into(Target::open(&snapshot.target)?);
    let config = args.config.as_deref();
    let import = setup::reaching(import, config, &args.connection, &args.show, &shown, cancel)?;
    let mut rollback = import.rollback(&snapshot, options)?;
    if !args.dry_run {
        signals::writing_begins();
        rollback = rollback.apply();
        signals::writing_ends();
    }
    drop(shown);
    output::result(&rollback, &args.show);
    output::remarks(rollback.errors(), std::iter::empty());
    remark(&rollback);
    Ok(Completion::from(rollback.complete))
}

/// What the user can do about tags that stay as they are.
fn remark(rollback: &multiarch_core::Rollback) {
    let any = |state| rollback.tags.iter().any(|tag| tag.state == state);
    if any(RollbackState::ChangedSince) {
        output::note(
            "some tags were changed since the import, and stay; --even-changed puts them back, too",
        );
    }
    if any(RollbackState::Gone) {
        output::note(
            "some tags stay as they are, because the target no longer has what they held: import the packages again that brought it",
        );
    }
    if any(RollbackState::New) {
        output::note(
            "tags that the import made stay; --remove-new removes them, where the target removes tags by name",
        );
    }
    if !rollback.charts.is_empty() {
        output::note(&format!(
            "charts stay where the import put them: {}",
            rollback.charts.join(", ")
        ));
    }
}
