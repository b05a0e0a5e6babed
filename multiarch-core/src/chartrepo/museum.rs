//! ChartMuseum, and the chart repository of Harbor before 2.8, which is a ChartMuseum, too.

use std::sync::{Arc, Mutex, PoisonError};

use super::index::RepoIndex;
use crate::{
    chart::{MAX_CHART_SIZE, PackedChart, file_name},
    error::{Detail, Error, ErrorKind, Result},
    registry::{Address, Connector, Web, WebAnswer},
    store::{ChartRepo, chart_exists_error},
};

pub(super) struct Museum {
    web: Web,
    /// Path of the repository, without slashes at its ends.
    path: String,
    /// Read once, and again after each upload.
    index: Mutex<Option<Arc<RepoIndex>>>,
}

/// The largest index that is read, in bytes: enough for some 100 000 chart versions.
const MAX_INDEX: usize = 256 << 20;
const MAX_ANSWER: usize = 1 << 20;

/// Fails if this is not the address of a chart repository.
pub(super) fn check_address(url: &str) -> Result<()> {
    split(url).map(drop)
}

/// The server of a chart repository, and the path of the repository there.
fn split(url: &str) -> Result<(Address, &str)> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if host.contains('@') || path.contains(['?', '#']) {
        let message = "the chart repository's address has credentials or a query in it";
        return Err(Error::new(ErrorKind::Usage, message).with_detail(Detail::CredentialsInAddress));
    }
    let address: Address = format!("{scheme}://{host}").parse()?;
    Ok((address, path.trim_matches('/').trim_end_matches("index.yaml").trim_matches('/')))
}

impl Museum {
    pub(super) fn new(url: &str, connector: Connector) -> Result<Self> {
        let (address, path) = split(url)?;
        Ok(Self { web: Web::new(address, connector)?, path: path.into(), index: Mutex::default() })
    }

    /// The path of the repository with these parts before and after it.
    fn at(&self, before: &str, after: &str) -> String {
        let parts = [before, self.path.as_str(), after];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        format!("/{}", parts.join("/"))
    }

    /// The index. Fails unless this is a chart repository that takes uploads.
    fn index(&self) -> Result<Arc<RepoIndex>> {
        let mut cached = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = &*cached {
            return Ok(index.clone());
        }
        let Some(index) = self.read_index()? else {
            let message = format!("there is no chart repository: no index.yaml at /{}", self.path);
            return Err(Error::new(ErrorKind::NoChartRepository, message).at_host(self.web.host()));
        };
        if !index.is_of_museum() && !self.path.starts_with("chartrepo/") {
            // An older ChartMuseum does not identify itself in its index. The API shows that it is not
            // just a web server with an `index.yaml`.
            let api = self.web.get(&self.at("api", "charts"), MAX_INDEX)?;
            if !(api.status == 200 && api.media_type.starts_with("application/json")) {
                let message = "it lists charts, but takes no uploads: it is neither a ChartMuseum nor a Harbor's chart repository";
                return Err(
                    Error::new(ErrorKind::NoChartRepository, message).at_host(self.web.host())
                );
            }
        }
        Ok(cached.insert(Arc::new(index)).clone())
    }

    /// `None` if there is no index. The portal of Harbor answers every path with 200 and an HTML page,
    /// which is not an index.
    fn read_index(&self) -> Result<Option<RepoIndex>> {
        let answer = self.web.get(&self.at("", "index.yaml"), MAX_INDEX)?;
        match answer.status {
            200 if !answer.is_html() => Ok(RepoIndex::parse(&answer.body).ok()),
            200 | 404 => Ok(None),
            _ => Err(answer.refusal()),
        }
    }

    /// The project, if the server is a Harbor. A Harbor without an index keeps charts as OCI
    /// artifacts.
    pub(super) fn harbor_project(&self) -> Result<Option<&str>> {
        let ping = self.web.get("/api/v2.0/ping", MAX_ANSWER)?;
        let text = String::from_utf8_lossy(&ping.body).to_ascii_lowercase();
        let is_harbor = ping.status == 200 && !ping.is_html() && text.contains("pong");
        let project = self.path.strip_prefix("chartrepo/").unwrap_or(&self.path);
        Ok(Some(project).filter(|_| is_harbor))
    }

    fn forget_index(&self) {
        *self.index.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn upload_refusal(&self, chart: &PackedChart, answer: &WebAnswer) -> Error {
        match answer.status {
            409 => chart_exists_error(chart).at_host(self.web.host()),
            413 => {
                let size = chart.bytes().len();
                let message = format!("the chart repository takes no chart of {size} bytes");
                let error = Error::new(ErrorKind::TooLarge, message).at_host(self.web.host());
                error.with_detail(Detail::ChartLimit)
            }
            404 | 405 => {
                let message = "the chart repository takes no uploads at this path: its API is disabled, or it has tenants and the path lacks one";
                Error::new(ErrorKind::NoChartRepository, message).at_host(self.web.host())
            }
            _ => answer.refusal(),
        }
    }
}

impl ChartRepo for Museum {
    fn check(&self) -> Result<()> {
        self.index().map(drop)
    }

    fn get(&self, name: &str, version: &str) -> Result<Option<Vec<u8>>> {
        let index = self.index()?;
        let Some(url) = index.url(name, version) else { return Ok(None) };
        let path = match url.split_once("://") {
            None => self.at("", url),
            // Behind a proxy the server may list itself under another host. The path below is where a
            // ChartMuseum keeps its files.
            Some((_, rest)) => match rest.split_once('/') {
                Some((host, path)) if host == self.web.host() => format!("/{path}"),
                _ => self.at("charts", &file_name(name, version)),
            },
        };
        let limit = usize::try_from(MAX_CHART_SIZE).unwrap_or(usize::MAX);
        let answer = self.web.get(&path, limit)?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            // The index may still list a chart that was removed.
            404 => Ok(None),
            _ => Err(answer.refusal()),
        }
    }

    fn put(&self, chart: &PackedChart, replace: bool) -> Result<()> {
        self.index()?;
        let path = self.at("api", "charts") + if replace { "?force" } else { "" };
        let answer = self.web.post(&path, chart.bytes(), MAX_ANSWER)?;
        self.forget_index();
        match answer.status {
            200 | 201 => Ok(()),
            _ => Err(self.upload_refusal(chart, &answer)),
        }
    }

    fn list(&self) -> Result<Vec<(String, String)>> {
        Ok(self.index()?.list())
    }
}
