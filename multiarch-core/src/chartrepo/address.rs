//! The address of a chart repository.

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

use super::directory::Directory;
#[cfg(feature = "registry")]
use super::{oci::OciCharts, recognised::Recognised};
#[cfg(feature = "registry")]
use crate::registry::{Address, Connector, Registry};
#[cfg(not(feature = "registry"))]
use crate::run::Cancel;
use crate::{
    error::{Detail, Error, ErrorKind, Result},
    store::{ChartRepo, OpenCharts},
};

/// The address of a chart repository: `dir:DIR`, a directory with an `index.yaml`;
/// `oci://host[:port][/path]`; or `http(s)://host[:port][/path]`, a ChartMuseum or a Harbor. The first
/// requests show which of them.
#[derive(Clone, Debug)]
pub(crate) struct ChartAddress {
    text: String,
    kind: ChartRepoKind,
}

#[derive(Clone, Debug)]
enum ChartRepoKind {
    Directory(PathBuf),
    #[cfg(test)]
    Repo(RepoOfTest),
    #[cfg(feature = "registry")]
    Oci(Address),
    #[cfg(feature = "registry")]
    Web,
}

/// A repository that a test implements.
#[cfg(test)]
#[derive(Clone)]
struct RepoOfTest(Arc<dyn ChartRepo>);

#[cfg(test)]
impl fmt::Debug for RepoOfTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RepoOfTest")
    }
}

#[cfg(test)]
impl ChartAddress {
    pub(crate) fn of_repo(name: &str, repo: Arc<dyn ChartRepo>) -> Self {
        Self { text: name.into(), kind: ChartRepoKind::Repo(RepoOfTest(repo)) }
    }
}

impl FromStr for ChartAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(path) = text.strip_prefix("dir:").filter(|path| !path.is_empty()) {
            return Ok(Self { text: text.into(), kind: ChartRepoKind::Directory(path.into()) });
        }
        #[cfg(feature = "registry")]
        if let Some(rest) = text.strip_prefix("oci://") {
            // As for images, loopback and insecure hosts may speak plain HTTP.
            let address: Address = format!("docker://{rest}").parse()?;
            return Ok(Self {
                text: text.trim_end_matches('/').into(),
                kind: ChartRepoKind::Oci(address),
            });
        }
        #[cfg(feature = "registry")]
        if text.starts_with("http://") || text.starts_with("https://") {
            super::museum::check_address(text)?;
            return Ok(Self { text: text.trim_end_matches('/').into(), kind: ChartRepoKind::Web });
        }
        let message = "the chart repository's address is not one";
        Err(Error::new(ErrorKind::Usage, message).with_detail(Detail::ChartRepositoryAddress))
    }
}

impl ChartAddress {
    /// The chart repository at this address. No request is sent yet.
    #[cfg(feature = "registry")]
    pub(crate) fn open(&self, connector: &Connector) -> Result<OpenCharts> {
        let repo: Arc<dyn ChartRepo> = match &self.kind {
            ChartRepoKind::Directory(path) => {
                Arc::new(Directory::new(path, &connector.context.cancel))
            }
            #[cfg(test)]
            ChartRepoKind::Repo(RepoOfTest(repo)) => repo.clone(),
            ChartRepoKind::Oci(address) => {
                let registry = Registry::new(address.clone(), connector.clone())?;
                Arc::new(OciCharts::new(Arc::new(registry)))
            }
            ChartRepoKind::Web => Arc::new(Recognised::new(&self.text, connector.clone())?),
        };
        Ok(OpenCharts { name: self.text.clone(), repo })
    }

    /// The chart repository at this address. No request is sent yet.
    #[cfg(not(feature = "registry"))]
    pub(crate) fn open(&self, cancel: &Cancel) -> OpenCharts {
        let ChartRepoKind::Directory(path) = &self.kind;
        let repo: Arc<dyn ChartRepo> = Arc::new(Directory::new(path, cancel));
        OpenCharts { name: self.text.clone(), repo }
    }
}

impl fmt::Display for ChartAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
