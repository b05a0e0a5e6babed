//! `multiarch status`

use multiarch_core::{Cancel, Options, Result};

use super::{Completion, setup};
use crate::{args::Status, output, progress};

pub(crate) fn run(args: &Status, cancel: &Cancel) -> Result<Completion> {
    let mut options = Options::default();
    options.names = args.naming.naming()?;
    options.registry.clone_from(&args.naming.registry);
    let shown = progress::shown(&args.show);
    let import = setup::look(&args.packages, &args.to, options, &args.show, &shown, cancel)?;
    let status = import.status()?;
    drop(shown);
    if args.show.json {
        output::json(&status);
    } else {
        output::print(&status.to_string());
    }
    output::remarks(status.errors(), std::iter::empty());
    Ok(Completion::from(status.is_readable()))
}
