//! `multiarch doctor`

use multiarch_core::{Cancel, DamageKind, Diagnosis, DiagnosisOptions, Result, Severity};

use super::{Completion, import, setup};
use crate::{args::Doctor, output, progress};

pub(crate) fn run(args: &Doctor, cancel: &Cancel) -> Result<Completion> {
    let options = args.work.options()?;
    let show = &args.work.show;
    let look = |shown: &progress::Shown| {
        setup::look(&args.packages, &args.work.to, options.clone(), show, shown, cancel)
    };
    let mut repair = None;
    if args.repair {
        let shown = progress::shown(show.style());
        let plan = look(&shown)?.as_repair().plan()?;
        repair = Some(import::write(&plan, shown, &args.keep)?);
    }
    let shown = progress::shown(show.style());
    let mut how = DiagnosisOptions::default();
    how.read_programs = args.elf;
    let mut diagnosis = look(&shown)?.diagnose(how)?;
    drop(shown);
    match &repair {
        Some(report) if !show.json => {
            import::show(report, show);
            output::print("");
        }
        _ => {}
    }
    diagnosis.repair = repair;
    output::result(&diagnosis, show);
    output::remarks(diagnosis.problems.iter(), std::iter::empty());
    advise(&diagnosis, args);
    let is_strict = args.strict && diagnosis.of(Severity::Warning).next().is_some();
    let is_empty = diagnosis.tags == 0 && diagnosis.charts == 0;
    if is_empty {
        output::note("the target holds no tags: look whether it is named as in the imports");
    }
    let is_repaired = diagnosis.repair.as_ref().is_none_or(|report| report.complete);
    Ok(Completion::from(diagnosis.complete && is_repaired && !is_strict && !is_empty))
}

/// What the user can do about each kind of damage.
fn advise(diagnosis: &Diagnosis, args: &Doctor) {
    let has = |kind| diagnosis.damages.iter().any(|damage| damage.kind == kind);
    let failed = diagnosis.repair.as_ref().is_some_and(|report| report.errors().next().is_some());
    if diagnosis.of(Severity::Error).next().is_some() {
        output::note(match (args.repair, args.packages.is_empty()) {
            (true, _) if failed => "some of it could not be put back, as the errors above say",
            (true, _) => "what is still wrong is nothing that these packages hold",
            (false, true) => {
                "to put back what is missing: the same command with the packages that held it, and --repair"
            }
            (false, false) => {
                "to put back what these packages hold: the same command with --repair"
            }
        });
    }
    if args.packages.is_empty() && args.work.to.charts_to.is_empty() {
        output::note(
            "whether a tag has all its architectures shows only beside packages, charts (--charts-to) or other tags",
        );
    }
    if has(DamageKind::OtherImage) {
        output::note("an import of the packages puts their images in place of the others");
    }
    if has(DamageKind::OtherPrograms) || has(DamageKind::OtherPlatform) {
        output::note(
            "an image of another architecture than it states is replaced by importing a package that holds the right one",
        );
    }
    if has(DamageKind::HelperTag) {
        output::note(
            "tags for one architecture may be deleted, by the tag and not by the digest, unless `garbage-collect -m` runs there",
        );
    }
}
