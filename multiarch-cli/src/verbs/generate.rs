//! `multiarch generate`

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use multiarch_core::{Error, Result};

use super::Completion;
use crate::{
    args::{Args, Generate, Generated},
    output,
};

pub(crate) fn run(args: &Generate) -> Result<Completion> {
    match &args.what {
        Generated::Man { folder } => {
            manual(folder).map_err(|e| {
                Error::from_io("writing the manual pages", e).at_path(folder.display())
            })?;
        }
        Generated::Bash => output::raw(&completions(Shell::Bash)),
        Generated::Zsh => output::raw(&completions(Shell::Zsh)),
        Generated::Fish => output::raw(&completions(Shell::Fish)),
    }
    Ok(Completion::Complete)
}

fn manual(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Args::command(), folder)
}

fn completions(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "multiarch", &mut text);
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

    /// The content of every file in a folder.
    fn files(folder: &Path) -> BTreeMap<String, String> {
        let files = std::fs::read_dir(folder).expect("a folder").map(|file| {
            let path = file.expect("a file").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a text"))
        });
        files.collect()
    }

    #[test]
    fn manual_pages_and_completions_are_as_committed() {
        let folder = tempfile::tempdir().expect("a folder");
        manual(folder.path()).expect("written");
        let differ = "`multiarch generate man docs/man` writes them";
        assert!(files(folder.path()) == files(&Path::new(COMMITTED).join("man")), "{differ}");
        for (shell, file) in [
            (Shell::Bash, "multiarch.bash"),
            (Shell::Zsh, "_multiarch"),
            (Shell::Fish, "multiarch.fish"),
        ] {
            let committed =
                std::fs::read_to_string(Path::new(COMMITTED).join("completions").join(file));
            let generated = String::from_utf8(completions(shell)).expect("a text");
            let committed = committed.expect("a text");
            assert!(
                generated.trim_end() == committed.trim_end(),
                "docs/completions/{file}: `multiarch generate`"
            );
        }
    }
}
