//! The files of a chart, kept in memory because charts are small.

use std::{collections::BTreeMap, io::Read, sync::Arc};

use crate::{
    error::{Error, ErrorKind, Result},
    limit::{Budget, CHART, CHART_HEADERS},
};

/// A chart's files by their path below the chart's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChartFiles(BTreeMap<String, Arc<[u8]>>);

const SUBCHARTS: &str = "charts/";

/// True for a file of a subchart. Helm passes over names that begin with a dot or an underscore, and over
/// signatures.
fn is_in_subchart(path: &str) -> bool {
    let signature = path.rsplit('.').next() == Some("prov");
    path.strip_prefix(SUBCHARTS).is_some_and(|below| !below.starts_with(['.', '_']) && !signature)
}

impl ChartFiles {
    /// Adds a file.
    pub(crate) fn insert(&mut self, path: impl Into<String>, content: impl Into<Arc<[u8]>>) {
        self.0.insert(path.into(), content.into());
    }

    pub(super) fn remove(&mut self, path: &str) {
        self.0.remove(path);
    }

    /// A file's content.
    pub(crate) fn get(&self, path: &str) -> Option<&[u8]> {
        self.0.get(path).map(AsRef::as_ref)
    }

    /// All paths with their content.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(path, content)| (path.as_str(), content.as_ref()))
    }

    /// The files of each subchart, unpacked or packed, directly below `charts/`. What is unpacked for a whole
    /// tree of charts counts against one `budget`.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] for what is no chart there: Helm refuses it. [`ErrorKind::TooLarge`] beyond the
    /// budget.
    pub(super) fn subcharts(&self, budget: &mut Budget) -> Result<Vec<Self>> {
        let mut unpacked: BTreeMap<&str, Self> = BTreeMap::new();
        let mut subcharts = Vec::new();
        for (path, content) in self.0.iter().filter(|(path, _)| is_in_subchart(path)) {
            let below = &path[SUBCHARTS.len()..];
            match below.split_once('/') {
                Some((name, file)) => {
                    unpacked.entry(name).or_default().insert(file, content.clone());
                }
                None if below.ends_with(".tgz") => {
                    let files = Self::unpack_within(content, budget);
                    subcharts.push(files.map_err(|e| e.at_path(path))?);
                }
                None => {
                    let message =
                        "no chart, although it is in charts/, so that Helm refuses the whole chart";
                    return Err(Error::new(ErrorKind::Malformed, message).at_path(path));
                }
            }
        }
        subcharts.extend(unpacked.into_values());
        Ok(subcharts)
    }

    /// The chart's own files, without those of subcharts.
    pub(super) fn own(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter().filter(|(path, _)| !is_in_subchart(path))
    }

    /// Unpacks a packed chart in memory.
    ///
    /// # Errors
    /// Where it is not a tar archive in gzip, or larger than 64 MiB.
    pub(crate) fn unpack(packed: &[u8]) -> Result<Self> {
        Self::unpack_within(packed, &mut CHART.budget())
    }

    fn unpack_within(packed: &[u8], budget: &mut Budget) -> Result<Self> {
        let failed = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::UnexpectedEof => Error::from_io("reading a packed chart", e),
            _ => Error::caused_by(ErrorKind::Malformed, "not a packed chart", e),
        };
        let limited =
            flate2::read::MultiGzDecoder::new(packed).take(budget.left() + CHART_HEADERS.max);
        let mut archive = tar::Archive::new(limited);
        let mut files = Self::default();
        for entry in archive.entries().map_err(failed)? {
            let mut entry = entry.map_err(failed)?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            budget.spend(entry.size())?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(failed)?;
            if content.len() as u64 != entry.size() {
                return Err(Error::new(ErrorKind::Truncated, "the packed chart is cut"));
            }
            // The first component is the chart's folder.
            if let Some((_, below)) = path.trim_start_matches("./").split_once('/') {
                files.insert(below, content);
            }
        }
        // An archive that ends where no more is read would look like a whole one.
        if archive.into_inner().limit() == 0 {
            return Err(CHART_HEADERS.error());
        }
        Ok(files)
    }
}
