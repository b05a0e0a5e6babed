//! Which charts, images and platforms are meant.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use multiarch_core::{Result, Selection};

use crate::saved;

/// The same words in every verb that looks at packages or at a target.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Selection")]
pub(crate) struct SelectionArgs {
    /// Only charts whose name, or name-version, fits a glob; with ! in front, all but those. May be given several
    /// times, or with commas between
    #[arg(long, value_name = "GLOB")]
    pub(crate) charts: Vec<String>,
    /// Only images whose reference fits, with or without its registry and its tag
    #[arg(long, value_name = "GLOB")]
    pub(crate) images: Vec<String>,
    /// Only these platforms, such as linux/arm64
    #[arg(long, value_name = "GLOB")]
    pub(crate) platforms: Vec<String>,
    /// Only charts in folders of the package that fit
    #[arg(long, value_name = "GLOB")]
    pub(crate) folders: Vec<String>,
    /// A file with the same lists, in YAML: charts, images, platforms, folders
    #[arg(long, value_name = "FILE")]
    pub(crate) select: Option<PathBuf>,
}

impl SelectionArgs {
    pub(crate) fn selection(&self) -> Result<Selection> {
        let of_flags = Selection::new(
            &separate(&self.charts),
            &separate(&self.images),
            &separate(&self.platforms),
            &separate(&self.folders),
        )?;
        let Some(path) = &self.select else { return Ok(of_flags) };
        let text = saved::text(path, "the selection")?;
        let of_file = Selection::parse(&text).map_err(|e| e.at_path(path.display()))?;
        Ok(of_file.and(of_flags))
    }
}

/// The globs between commas; a comma in braces or brackets is a glob's own.
fn separate(texts: &[String]) -> Vec<String> {
    let mut globs = Vec::new();
    for text in texts {
        let (mut depth, mut glob) = (0usize, String::new());
        for character in text.chars() {
            match character {
                '{' | '[' => depth += 1,
                '}' | ']' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    globs.push(std::mem::take(&mut glob));
                    continue;
                }
                _ => {}
            }
            glob.push(character);
        }
        globs.push(glob);
    }
    // After a comma people write a blank.
    globs.iter().map(|glob| glob.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_separate_globs() {
        let all = separate(&["a, !b".into(), "c{d,e}f,g[h,i]".into()]);
        assert_eq!(all, ["a", "!b", "c{d,e}f", "g[h,i]"]);
    }
}
