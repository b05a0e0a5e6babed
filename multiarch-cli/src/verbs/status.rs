//! `multiarch status`

use multiarch_core::{Cancel, Options, Result};

use super::{Completion, setup};
use crate::{args::Status, output, progress};

pub(crate) fn run(args: &Status, cancel: &Cancel) -> Result<Completion> {
    let mut options = Options::default();
    options.names = args.naming.naming()?;
    options.registry.clone_from(&args.naming.registry);
    options.images_of_blocked_charts = args.naming.images_of_blocked_charts;
    options.rewrite_unhinted = args.naming.rewrite_unhinted;
    options.image_names.clone_from(&args.naming.image_names);
    options.verify = args.verify;
    options.select = args.select.selection()?;
    let shown = progress::shown(args.show.style());
    let import = setup::look(&args.packages, &args.to, options, &args.show, &shown, cancel)?;
    let status = import.status()?;
    drop(shown);
    output::result(&status, &args.show);
    output::remarks(status.errors(), std::iter::empty());
    if status.tags.iter().flat_map(|tag| &tag.platforms).any(|platform| platform.missing) {
        output::note(
            "some images are listed, and missing in the target: importing their packages again with --verify sends them",
        );
    }
    Ok(Completion::from(status.is_sound()))
}
