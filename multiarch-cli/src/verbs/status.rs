//! `multiarch status`

use multiarch_core::{Result, apply::Cancel, plan::Options, plan::Wanted, report};

use super::{Outcome, open, setup::target_of};
use crate::{args::Status, output, progress};

pub(crate) fn run(args: &Status, cancel: &Cancel) -> Result<Outcome> {
    let mut options = Options::default();
    options.names = args.naming.naming()?;
    options.registry.clone_from(&args.naming.registry);
    let shown = progress::shown(&args.show);
    let target = target_of(&args.to, &shown, cancel)?;
    let opened = open(&args.packages, &args.show, &shown, cancel)?;
    let progress = &**shown.progress();
    let learned = target.learn(&opened.packages, &options, progress, cancel)?;
    let wanted = Wanted::with(&opened.packages, &options, &learned);
    let wanted = (!opened.packages.is_empty()).then_some(&wanted);
    let status = report::Status::of(&target, wanted, &options, progress, cancel)?;
    drop(shown);
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
