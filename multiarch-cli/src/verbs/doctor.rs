//! `multiarch doctor`

use multiarch_core::{Cancel, DamageKind, Diagnosis, DiagnosisOptions, Result, Severity};

use super::{Completion, setup};
use crate::{args::Doctor, output, progress, signals};

pub(crate) fn run(args: &Doctor, cancel: &Cancel) -> Result<Completion> {
    let shown = progress::shown(args.work.show.style());
    let options = args.work.options()?;
    let show = &args.work.show;
    let import = setup::look(&args.packages, &args.work.to, options, show, &shown, cancel)?;
    let mut how = DiagnosisOptions::default();
    how.read_programs = args.elf;
    let diagnosis = if args.repair {
        signals::writing_begins();
        let repaired = import.repair(how);
        signals::writing_ends();
        repaired?
    } else {
        import.diagnose(how)?
    };
    drop(shown);
    if show.json {
        output::json(&diagnosis);
    } else {
        if let Some(report) = &diagnosis.repair {
            output::table(report, show);
            output::print("\n");
        }
        output::table(&diagnosis, show);
    }
    let repair = diagnosis.repair.iter();
    let errors = repair.clone().flat_map(|report| report.errors());
    let findings = repair.flat_map(|report| &report.findings);
    output::remarks(diagnosis.problems.iter().chain(errors), findings);
    advise(&diagnosis, args);
    let is_strict = args.strict && diagnosis.of(Severity::Warning).next().is_some();
    let is_empty = diagnosis.tags == 0 && diagnosis.charts == 0;
    if is_empty {
        output::note("the target holds no tags: look whether it is named as in the imports");
    }
    let is_repaired = diagnosis.repair.as_ref().is_none_or(|report| report.complete);
    Ok(Completion::from(diagnosis.is_sound() && is_repaired && !is_strict && !is_empty))
}

/// What the user can do about each kind of damage.
fn advise(diagnosis: &Diagnosis, args: &Doctor) {
    let has = |kind| diagnosis.damages.iter().any(|damage| damage.kind == kind);
    let lost = [
        DamageKind::Unreadable,
        DamageKind::MissingManifest,
        DamageKind::MissingBlob,
        DamageKind::Misfit,
        DamageKind::Collapsed,
        DamageKind::DanglingName,
        DamageKind::DanglingPin,
    ];
    if lost.into_iter().any(has) {
        output::note(match (args.repair, args.packages.is_empty()) {
            (true, _) => "what is still missing is in none of these packages",
            (false, true) => {
                "to put back what is missing: the same command with the packages that held it, and --repair"
            }
            (false, false) => {
                "to put back what these packages hold: the same command with --repair"
            }
        });
    }
    if has(DamageKind::OtherPrograms) || has(DamageKind::OtherPlatform) {
        output::note(
            "an image of another architecture than it states is replaced by importing a package that holds the right one",
        );
    }
    if has(DamageKind::HelperTag) {
        output::note(
            "helper tags may be deleted, by the tag and not by the digest, when no pod runs them any more",
        );
    }
}
