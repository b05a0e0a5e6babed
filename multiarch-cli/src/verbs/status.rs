//! `multiarch status`

use multiarch_core::{Result, apply::Cancel, plan::Options, plan::Wanted, report};

use super::{Outcome, open};
use crate::{args::Status, output, progress};

pub(crate) fn run(args: &Status, cancel: &Cancel) -> Result<Outcome> {
    let progress = progress::shown(&args.show);
    let target = args.to.open(cancel)?;
    let opened = open(&args.packages, &progress, cancel)?;
    drop(progress);
    let wanted = Wanted::new(&opened.packages, &Options::default());
    let wanted = (!opened.packages.is_empty()).then_some(&wanted);
    let status = report::Status::of(&target, wanted, cancel)?;
    if args.show.json {
        output::json(&status);
    } else {
        output::print(&status.to_string());
    }
    let problems = wanted.iter().flat_map(|wanted| wanted.problems()).chain(&opened.problems);
    output::remarks(problems, std::iter::empty());
    let unreadable = status.tags.iter().any(|tag| tag.error.is_some());
    Ok(Outcome::from(!unreadable && opened.problems.is_empty()))
}
