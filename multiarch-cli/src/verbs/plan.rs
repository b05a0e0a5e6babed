//! `multiarch plan`

use std::{
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use multiarch_core::{Cancel, Error, Result};

use super::{Completion, setup};
use crate::{args::Plan, output, progress};

pub(crate) fn run(args: &Plan, cancel: &Cancel) -> Result<Completion> {
    let shown = progress::shown(args.work.show.style());
    let import = match &args.output {
        // A saved plan has absolute paths, so that it can be applied from any folder.
        Some(_) => setup::absolute_import(&args.packages, &args.work, &shown, cancel)?,
        None => setup::import(&args.packages, &args.work, &shown, cancel)?,
    };
    let plan = import.plan()?;
    drop(shown);
    if let Some(path) = &args.output {
        save(&plan, path)?;
    }
    if args.work.show.json {
        output::json(&plan);
    } else {
        output::print(&plan.to_string());
    }
    let charts = plan.charts.iter().flat_map(|chart| &chart.problems);
    let images = plan.images.iter().filter_map(|image| image.error.as_ref());
    output::remarks(plan.problems.iter().chain(charts).chain(images), plan.findings.iter());
    Ok(Completion::from(plan.complete))
}

/// How the names of temporary files begin.
const TEMPORARY: &str = ".multiarch-plan-";

/// Removes what killed runs have left: temporary files that no run has locked.
fn tidy(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_temporary = entry.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes());
        if is_temporary
            && std::fs::File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok())
        {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn save(plan: &multiarch_core::Plan, path: &PathBuf) -> Result<()> {
    let write = || {
        let text = serde_json::to_vec_pretty(plan)?;
        // A link stays a link, and a device or a pipe is written to.
        let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        if path.exists() && !path.is_file() {
            return std::fs::write(path, text);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        tidy(folder)?;
        // An older plan stays where this one cannot be written whole.
        let mut file = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)?;
        file.as_file().lock()?;
        file.write_all(&text)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write()
        .map_err(|e: std::io::Error| Error::from_io("saving the plan", e).at_path(path.display()))
}
