//! Where charts go.

mod directory;
mod index;
#[cfg(feature = "registry")]
mod museum;
mod oci;
#[cfg(feature = "registry")]
mod recognised;

use std::{fmt, str::FromStr, sync::Arc};

use self::{directory::Directory, oci::OciCharts};
use crate::{
    chart::PackedChart,
    error::{Error, ErrorKind, Result},
    target::ImageStore,
};

/// A place that charts can be read from and written to. `None` means that a chart is not there;
/// every other failure is an error.
pub trait ChartRepo: Send + Sync {
    /// Asks what can be asked before anything is known of charts: that somebody is there, and takes
    /// them.
    ///
    /// # Errors
    /// What is wrong with the repository as a whole.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Makes ready for charts to come; called once, before anything is sent.
    ///
    /// # Errors
    /// Where nothing can be written.
    fn prepare(&self) -> Result<()> {
        Ok(())
    }

    /// A packed chart.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn get(&self, name: &str, version: &str) -> Result<Option<Vec<u8>>>;

    /// Stores a chart; one of the same name and version is replaced only where that is asked for.
    ///
    /// # Errors
    /// Where it cannot be written; [`ErrorKind::ChartConflict`] where one is there that was not to be
    /// replaced, or that the server does not let replace.
    fn put(&self, chart: &PackedChart, replace: bool) -> Result<()>;

    /// Name and version of every chart.
    ///
    /// # Errors
    /// Where they cannot be read.
    fn list(&self) -> Result<Vec<(String, String)>>;

    /// How many requests at once are of use.
    fn jobs(&self) -> usize {
        1
    }
}

/// A chart repository: how the user named it, and what speaks to it.
#[derive(Clone)]
pub struct ChartTarget {
    name: String,
    repo: Arc<dyn ChartRepo>,
}

impl ChartTarget {
    /// A chart repository of one's own.
    pub fn new(name: impl Into<String>, repo: Arc<dyn ChartRepo>) -> Self {
        Self { name: name.into(), repo }
    }

    /// Charts as OCI artifacts in an image store, each in a repository of its name.
    pub fn in_store(name: impl Into<String>, store: Arc<dyn ImageStore>) -> Self {
        Self::new(name, Arc::new(OciCharts::new(store)))
    }

    /// What speaks to it.
    pub fn repo(&self) -> &dyn ChartRepo {
        &*self.repo
    }
}

impl FromStr for ChartTarget {
    type Err = Error;

    /// Reads `dir:DIR`, a directory with an `index.yaml`.
    fn from_str(text: &str) -> Result<Self> {
        match text.strip_prefix("dir:") {
            Some(path) if !path.is_empty() => Ok(Self::new(text, Arc::new(Directory::new(path)))),
            _ => Err(Error::new(ErrorKind::Usage, EXPECTED)),
        }
    }
}

const EXPECTED: &str =
    "the chart repository is none: expected oci://host/path, http(s)://host/path or dir:DIR";

#[cfg(feature = "registry")]
impl ChartTarget {
    /// Reads `dir:DIR`, `oci://host[:port][/path]`, or the address of a ChartMuseum or a Harbor,
    /// `http(s)://host[:port][/path]`. Which of them it is is found out by the first request.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for anything else.
    pub fn open(text: &str, options: super::registry::RegistryOptions) -> Result<Self> {
        if let Some(rest) = text.strip_prefix("oci://") {
            // As for images, loopback and insecure hosts may speak plain HTTP.
            let address: super::registry::Address = format!("docker://{rest}").parse()?;
            let store = Arc::new(super::registry::Registry::new(address, options)?);
            return Ok(Self::in_store(text.trim_end_matches('/'), store));
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            let repo = recognised::Recognised::new(text, options)?;
            return Ok(Self::new(text.trim_end_matches('/'), Arc::new(repo)));
        }
        text.parse()
    }
}

impl fmt::Display for ChartTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for ChartTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChartTarget({})", self.name)
    }
}

fn exists(chart: &PackedChart) -> Error {
    let message = format!("{} is there already", chart.file_name());
    Error::new(ErrorKind::ChartConflict, message)
}
