//! A target that can be read and written.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{Administration, ChartRepo, ImageStore};
use crate::error::Result;

/// Where images go, and where charts go.
#[derive(Clone)]
pub(crate) struct OpenTarget {
    /// As the user named it.
    pub(crate) name: String,
    /// True for a store of a program's own, which has no address.
    pub(crate) is_own_store: bool,
    pub(crate) images: Arc<dyn ImageStore>,
    /// What the target says of itself; `None` for a store of a program's own.
    pub(crate) administration: Option<Arc<dyn Administration>>,
    /// Where the cluster pulls images from, as charts name it: a host and perhaps a path. `None` for a
    /// directory, unless the options set it.
    pub(crate) registry: Option<String>,
    pub(crate) charts: ChartRepos,
}

/// The chart repositories, and which of them the charts of each folder go to.
#[derive(Clone, Default)]
pub(crate) struct ChartRepos {
    text: String,
    repos: Vec<OpenCharts>,
    by_folder: BTreeMap<String, usize>,
    /// Folders that have a chart repository of their own and that no package has, where charts of other folders
    /// have one, too.
    unknown: Vec<String>,
    /// How many of them the folders of the packages need; the others are only looked into.
    needed: usize,
}

/// A chart repository.
#[derive(Clone)]
pub(crate) struct OpenCharts {
    /// As the user named it.
    pub(crate) name: String,
    pub(crate) repo: Arc<dyn ChartRepo>,
}

impl ChartRepos {
    /// None yet; `text` is how the user named them.
    pub(crate) fn new(text: String) -> Self {
        Self { text, ..Self::default() }
    }

    /// Adds the chart repository of a folder, which is opened where no other folder has the same.
    pub(crate) fn add(
        &mut self,
        folder: &str,
        name: &str,
        open: impl FnOnce() -> Result<OpenCharts>,
    ) -> Result<()> {
        let known = self.repos.iter().position(|charts| charts.name == name);
        let number = match known {
            Some(number) => number,
            None => {
                self.repos.push(open()?);
                self.repos.len() - 1
            }
        };
        self.by_folder.insert(folder.to_owned(), number);
        Ok(())
    }

    /// All that the folders of the packages need were added.
    pub(crate) fn end_of_folders(&mut self) {
        self.needed = self.repos.len();
    }

    /// Notes a folder that no package has.
    pub(crate) fn note_unknown(&mut self, folder: &str) {
        self.unknown.push(folder.to_owned());
    }

    /// The folders that no package has, although the user names them beside a repository for all others.
    pub(crate) fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// The chart repositories that charts may be written to.
    pub(crate) fn needed(&self) -> &[OpenCharts] {
        &self.repos[..self.needed]
    }

    /// How the user named them; `None` where charts stay where they are.
    pub(crate) fn text(&self) -> Option<&str> {
        (!self.text.is_empty()).then_some(self.text.as_str())
    }

    /// The chart repositories by number.
    pub(crate) fn repos(&self) -> &[OpenCharts] {
        &self.repos
    }

    /// The number of the chart repository of each folder.
    pub(crate) fn by_folder(&self) -> &BTreeMap<String, usize> {
        &self.by_folder
    }
}

impl fmt::Debug for OpenTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenTarget({})", self.name)
    }
}
