//! A chart repository whose kind is detected from its first answers.

use std::sync::{Arc, OnceLock};

use super::{museum::Museum, oci::OciCharts};
use crate::{
    chart::PackedChart,
    error::{Error, ErrorKind, Result},
    registry::{Address, Connector, Registry},
    store::ChartRepo,
};

/// ChartMuseum, an older Harbor's chart repository, or a newer Harbor, which keeps charts as OCI
/// artifacts.
pub(super) struct Recognised {
    museum: Museum,
    url: String,
    connector: Connector,
    /// Unset before the first answers; `None` for a ChartMuseum.
    artifacts: OnceLock<Option<OciCharts>>,
}

impl Recognised {
    pub(super) fn new(url: &str, connector: Connector) -> Result<Self> {
        let museum = Museum::new(url, connector.clone())?;
        Ok(Self { museum, url: url.into(), connector, artifacts: OnceLock::new() })
    }

    fn repo(&self) -> Result<&dyn ChartRepo> {
        if self.artifacts.get().is_none() {
            let artifacts = match self.project_for_artifacts()? {
                Some(project) => {
                    let (scheme, rest) = self.url.split_once("://").unwrap_or(("https", &self.url));
                    let host = rest.split('/').next().unwrap_or_default();
                    let address: Address = format!("{scheme}://{host}/{project}").parse()?;
                    let registry = Registry::new(address, self.connector.clone())?;
                    Some(OciCharts::new(Arc::new(registry)))
                }
                None => None,
            };
            // If another thread has set it meanwhile, it got the same answers.
            let _ = self.artifacts.set(artifacts);
        }
        Ok(match self.artifacts.get() {
            Some(Some(artifacts)) => artifacts,
            _ => &self.museum,
        })
    }
}

impl Recognised {
    /// The project of a Harbor that keeps charts as OCI artifacts; `None` for a ChartMuseum.
    fn project_for_artifacts(&self) -> Result<Option<&str>> {
        match self.museum.check() {
            Ok(()) => Ok(None),
            Err(error) if error.kind() == ErrorKind::NoChartRepository => {
                self.museum.harbor_project()?.map(Some).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }
}

impl ChartRepo for Recognised {
    fn check(&self) -> Result<()> {
        self.repo()?.check()
    }

    fn get(&self, name: &str, version: &str) -> Result<Option<Vec<u8>>> {
        self.repo()?.get(name, version)
    }

    fn place(&self, error: Error, name: &str, version: &str) -> Error {
        match self.repo() {
            Ok(repo) => repo.place(error, name, version),
            Err(_) => error,
        }
    }

    fn put(&self, chart: &PackedChart, replace: bool) -> Result<()> {
        self.repo()?.put(chart, replace)
    }

    fn list(&self) -> Result<Vec<(String, String)>> {
        self.repo()?.list()
    }

    fn jobs(&self) -> usize {
        self.connector.max_requests()
    }
}
