//! Keeps what tags held before an import.

use std::path::{Path, PathBuf};

use multiarch_core::{Plan, Report, Result, Snapshot};

use super::setup::absolute_folder;
use crate::{
    args::{Keep, folder},
    output, saved,
};

/// How many snapshots are kept in the user's state folder.
const KEPT: usize = 20;

/// A snapshot in its file.
pub(super) struct Kept {
    snapshot: Snapshot,
    /// What the file held before.
    earlier: Option<Snapshot>,
    path: PathBuf,
}

/// Keeps what the tags hold that this plan will write.
///
/// # Errors
/// Where the user names a file, and it cannot be written.
pub(super) fn keep(plan: &Plan, keep: &Keep) -> Result<Option<Kept>> {
    let mut snapshot = plan.snapshot();
    let own = || own_folder().map(|folder| folder.join(name(&plan.target)));
    let Some(path) = keep.snapshot.clone().or_else(own).filter(|_| !keep.no_snapshot) else {
        return Ok(None);
    };
    if snapshot.is_empty() {
        // A run that was killed while it completed its snapshot has left no more than a temporary file.
        let _ = saved::tidy(&path);
        return Ok(None);
    }
    // It may be used from another folder.
    snapshot.target = absolute_folder(&snapshot.target, "oci:")?;
    const DOING: &str = "keeping what the tags hold";
    if keep.snapshot.is_some() {
        // The same command again goes on with what it has kept before.
        let earlier = match path.exists() {
            true => Some(saved::read::<Snapshot>(
                &path,
                "a snapshot of an import, so that it is not replaced",
            )?),
            false => None,
        };
        let kept = Kept { snapshot, earlier, path };
        saved::write(&kept.whole()?, &kept.path, DOING)?;
        return Ok(Some(kept));
    }
    // Without it the import works as well, and cannot be taken back by one command.
    let _ = path.parent().map(std::fs::create_dir_all);
    match saved::write(&snapshot, &path, DOING) {
        Ok(()) => Ok(Some(Kept { snapshot, earlier: None, path })),
        Err(error) => {
            output::note(&format!("note: this import cannot be taken back: {error}"));
            Ok(None)
        }
    }
}

/// The folder of the snapshots for which the user names no file.
fn own_folder() -> Option<PathBuf> {
    folder("XDG_STATE_HOME", ".local/state").map(|folder| folder.join("snapshots"))
}

/// The name of a new file: the target, and the seconds since 1970.
fn name(target: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let target: String = target.chars().take(80).map(plain).collect();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let (now, run) = (now.map(|now| now.as_secs()).unwrap_or_default(), std::process::id());
    format!("{}-{now}-{run}.json", target.trim_matches(['-', '.']))
}

impl Kept {
    /// This run's snapshot, with what the file held before.
    fn whole(&self) -> Result<Snapshot> {
        match &self.earlier {
            Some(earlier) => {
                let whole = self.snapshot.clone().after(earlier.clone());
                whole.map_err(|e| e.at_path(self.path.display()))
            }
            None => Ok(self.snapshot.clone()),
        }
    }

    /// Completes the snapshot with what was really written. Gives its file, which is gone where nothing was.
    pub(super) fn complete(self, report: &Report) -> Option<String> {
        let kept = Self { snapshot: self.snapshot.completed(report), ..self };
        let (snapshot, path) = (kept.whole().ok()?, &kept.path);
        if snapshot.is_empty() {
            let _ = std::fs::remove_file(path);
            return None;
        }
        // What was written before is good, too.
        let _ = saved::write(&snapshot, path, "completing the snapshot");
        forget_old(path.parent()?);
        Some(path.display().to_string())
    }
}

/// Removes the oldest snapshots of the user's state folder.
fn forget_old(in_folder: &Path) {
    if own_folder().as_deref() != Some(in_folder) {
        return;
    }
    let files = std::fs::read_dir(in_folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = files
        .filter(|file| file.path().extension().is_some_and(|ending| ending == "json"))
        .filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file.path())))
        .collect();
    files.sort();
    for (_, path) in files.iter().rev().skip(KEPT) {
        let _ = std::fs::remove_file(path);
    }
}
