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
            // Helm takes everything for a file that is no folder.
            if entry.header().entry_type().is_dir()
                || entry.header().entry_type().is_pax_global_extensions()
            {
                continue;
            }
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let Some(path) = path_below(&path)? else { continue };
            budget.spend(entry.size())?;
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(failed)?;
            if content.len() as u64 != entry.size() {
                return Err(Error::new(ErrorKind::Truncated, "the packed chart is cut"));
            }
            files.insert(path, content);
        }
        // An archive that ends where no more is read would look like a whole one.
        if archive.into_inner().limit() == 0 {
            return Err(CHART_HEADERS.error());
        }
        Ok(files)
    }
}

/// The path of a packed chart's file below the chart's folder, which is the first component; `None` for that
/// folder itself. As Helm reads it, with backslashes for Windows.
///
/// # Errors
/// [`ErrorKind::UnsafePath`] for a path that makes Helm refuse the chart.
fn path_below(path: &str) -> Result<Option<String>> {
    let unsafe_path = |why: &str| {
        let message = format!("Helm refuses a packed chart with a file that {why}");
        Error::new(ErrorKind::UnsafePath, message).at_path(path)
    };
    let slashes = path.replace('\\', "/");
    let mut components = slashes.trim_start_matches("./").split('/');
    let folder = components.next().unwrap_or_default();
    let below: Vec<&str> = components.collect();
    if below.is_empty() {
        return match folder {
            "Chart.yaml" => Err(unsafe_path("is beside the chart's folder")),
            _ => Ok(None),
        };
    }
    if below.contains(&"..") {
        return Err(unsafe_path("is outside the chart's folder"));
    }
    let first = below[0];
    if first.is_empty() && below.len() > 1 {
        return Err(unsafe_path("has an absolute path"));
    }
    if first.len() > 1 && first.as_bytes()[1] == b':' {
        return Err(unsafe_path("is on a drive of Windows"));
    }
    let below: Vec<&str> = below.into_iter().filter(|part| !matches!(*part, "" | ".")).collect();
    Ok((!below.is_empty()).then(|| below.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    // By `helm template` of a chart with such files.
    #[test]
    fn paths_as_helm_reads_them() {
        for (path, below) in [
            ("c/Chart.yaml", Ok(Some("Chart.yaml"))),
            ("./c/a//b/./c", Ok(Some("a/b/c"))),
            ("c\\templates\\x.yaml", Ok(Some("templates/x.yaml"))),
            ("c", Ok(None)),
            ("Chart.yaml", Err(())),
            ("c/../../x", Err(())),
            ("c//etc/x", Err(())),
            ("c/c:/x", Err(())),
        ] {
            let read = path_below(path).map_err(|_| ());
            assert_eq!(read.as_ref().map(Option::as_deref), below.as_ref().map(|b| *b), "{path}");
        }
    }
}
