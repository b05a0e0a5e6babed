//! One file a verb: parse, one call into the library, print.

pub(crate) mod apply;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod plan;
pub(crate) mod setup;
pub(crate) mod status;

use std::path::PathBuf;

use multiarch_core::{
    Error, Result,
    apply::Cancel,
    package::Package,
    plan::{Learned, Options, Plan, Wanted},
    source::OpenOptions,
    target::Target,
};

use crate::{args::Show, progress::Shown};

/// How a verb ended, where it did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Complete,
    Incomplete,
}

impl From<bool> for Outcome {
    fn from(complete: bool) -> Self {
        if complete { Self::Complete } else { Self::Incomplete }
    }
}

/// Packages that were opened, and why others could not be.
pub(crate) struct Opened {
    pub(crate) packages: Vec<Package>,
    pub(crate) problems: Vec<Error>,
    /// What an earlier import left.
    pub(crate) learned: Learned,
}

/// Opens all packages before anything is written. A path that cannot be read is wrong use; a file
/// that is no package leaves the others alone.
pub(crate) fn open(
    paths: &[PathBuf],
    show: &Show,
    shown: &Shown,
    cancel: &Cancel,
) -> Result<Opened> {
    let mut options = OpenOptions::default();
    options.cache = show.cache();
    options.cancel = cancel.clone();
    options.progress = Some(shown.progress().clone());
    let mut opened =
        Opened { packages: Vec::new(), problems: Vec::new(), learned: Learned::default() };
    for package in Package::open_all(paths, &options)? {
        match package {
            Ok(package) => opened.packages.push(package),
            Err(error) => opened.problems.push(error),
        }
    }
    Ok(opened)
}

/// Looks at the target, and plans.
pub(crate) fn make_plan<'a>(
    opened: &'a mut Opened,
    target: &Target,
    options: &Options,
    shown: &Shown,
    cancel: &Cancel,
) -> Result<Plan<'a>> {
    opened.learned = target.learn(&opened.packages, options, &**shown.progress(), cancel)?;
    let mut wanted = Wanted::with(&opened.packages, options, &opened.learned);
    for problem in opened.problems.drain(..) {
        wanted.add_problem(problem);
    }
    let observed = target.observe(&wanted, &**shown.progress(), cancel)?;
    Ok(Plan::new(target, wanted, observed))
}
