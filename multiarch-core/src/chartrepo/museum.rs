//! ChartMuseum, and the chart repository of Harbor before 2.8, which is a ChartMuseum, too.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::index::RepoIndex;
use crate::{
    chart::{PackedChart, file_name},
    error::{Detail, Error, ErrorKind, Result},
    limit,
    registry::{Address, Connector, Web, WebAnswer},
    store::{ChartRepo, chart_exists_error},
};

pub(super) struct Museum {
    web: Web,
    /// Path of the repository, without slashes at its ends.
    path: String,
    /// Where charts are uploaded to; found by the first request.
    api: OnceLock<String>,
    /// Read once, and after an upload only where it is needed again.
    index: Mutex<Option<Arc<RepoIndex>>>,
}

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
        let (path, web) = (path.into(), Web::new(address, connector)?);
        let (api, index) = Default::default();
        Ok(Self { web, path, api, index })
    }

    /// A path below that of the repository.
    fn below(&self, after: &str) -> String {
        joined([&self.path, after])
    }

    /// Where the API may be: a part of the path may be the context path of the server, or of a proxy
    /// before it, and the rest names a tenant. The index is at the same place in all cases.
    fn possible_apis(&self) -> impl Iterator<Item = String> + '_ {
        let ends = self.path.match_indices('/').map(|(at, _)| at);
        let ends = std::iter::once(0).chain(ends).chain([self.path.len()]);
        ends.map(|end| {
            joined([&self.path[..end], "api", self.path[end..].trim_matches('/'), "charts"])
        })
    }

    /// Finds where charts are uploaded to. Fails where the server takes no uploads.
    fn find_api(&self) -> Result<String> {
        let mut seen = Vec::new();
        for api in self.possible_apis() {
            if seen.contains(&api) {
                continue;
            }
            let answer = self.web.get(&format!("{api}?limit=1"), limit::REPO_INDEX.length())?;
            if answer.status == 200 && answer.media_type.starts_with("application/json") {
                return Ok(api);
            }
            seen.push(api);
        }
        let message = "it lists charts, but takes no uploads: it is neither a ChartMuseum nor a Harbor's chart repository, its API is disabled, or it has tenants and the address lacks one";
        let error = Error::new(ErrorKind::NoChartRepository, message).at_host(self.web.host());
        Err(error.asking(format!("GET {}", seen.join(", "))))
    }

    /// Where charts are uploaded to. The index, which is large, is not read for it again.
    fn api(&self) -> Result<String> {
        if self.api.get().is_none() {
            self.index()?;
        }
        Ok(self.api.get().cloned().unwrap_or_else(|| joined(["api", &self.path, "charts"])))
    }

    /// The index. Fails unless this is a chart repository that takes uploads.
    fn index(&self) -> Result<Arc<RepoIndex>> {
        let mut cached = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = &*cached {
            return Ok(index.clone());
        }
        let index = self.read_index()?;
        // An index that names its server, at the root, is that of a ChartMuseum whose API is there, too.
        if self.api.get().is_none() {
            let is_known = index.is_of_museum() && self.path.is_empty();
            let api = if is_known { joined(["api", "charts"]) } else { self.find_api()? };
            let _ = self.api.set(api);
        }
        Ok(cached.insert(Arc::new(index)).clone())
    }

    /// Reads the index. The portal of Harbor answers every path with 200 and an HTML page, which is not an index.
    fn read_index(&self) -> Result<RepoIndex> {
        let answer = self.web.get(&self.below("index.yaml"), limit::REPO_INDEX.length())?;
        let index = match answer.status {
            200 if !answer.is_html() => RepoIndex::parse(&answer.body).map_err(Some),
            200 | 404 => Err(None),
            _ => return Err(answer.unexpected("the index cannot be read")),
        };
        index.map_err(|error| match error {
            Some(error) if error.kind() == ErrorKind::TooLarge => answer.place(error),
            _ => {
                let message =
                    format!("there is no chart repository: no index.yaml at /{}", self.path);
                answer.error(ErrorKind::NoChartRepository, message)
            }
        })
    }

    /// The project, if the server is a Harbor. A Harbor without an index keeps charts as OCI
    /// artifacts.
    pub(super) fn harbor_project(&self) -> Result<Option<&str>> {
        let ping = self.web.get("/api/v2.0/ping", limit::CHART_REPO_ANSWER.length())?;
        let text = String::from_utf8_lossy(&ping.body).to_ascii_lowercase();
        let is_harbor = ping.status == 200 && !ping.is_html() && text.contains("pong");
        let project = self.path.strip_prefix("chartrepo/").unwrap_or(&self.path);
        Ok(Some(project).filter(|_| is_harbor))
    }

    fn forget_index(&self) {
        *self.index.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The path of a chart that the index lists.
    fn path_of(&self, name: &str, version: &str) -> Result<Option<String>> {
        let index = self.index()?;
        let Some(url) = index.url(name, version) else { return Ok(None) };
        Ok(Some(match url.split_once("://") {
            None => self.below(url),
            // Behind a proxy the server may list itself under another host. The path below is where a
            // ChartMuseum keeps its files.
            Some((_, rest)) => match rest.split_once('/') {
                Some((host, path)) if host == self.web.host() => format!("/{path}"),
                _ => self.below(&format!("charts/{}", file_name(name, version))),
            },
        }))
    }

    /// Whether the repository has a chart, without a look at what is in it.
    fn has(&self, api: &str, chart: &PackedChart) -> Result<bool> {
        let path = format!("{api}/{}/{}", chart.name(), chart.version());
        let answer = self.web.get(&path, limit::CHART_REPO_ANSWER.length())?;
        if answer.status == 200 && answer.media_type.starts_with("application/json") {
            return Ok(true);
        }
        // Not every server that takes charts has this part of the API.
        Ok(self.index()?.has(chart.name(), chart.version()))
    }
}

/// Whether an answer to an upload says that the chart is stored: 201, or `{"saved": true}`. Something else
/// that stands before the server may answer 200 for itself.
fn is_stored(answer: &WebAnswer) -> bool {
    let saved =
        || serde_json::from_slice::<serde_json::Value>(&answer.body).ok()?.get("saved")?.as_bool();
    answer.status == 201 || (200..300).contains(&answer.status) && saved() == Some(true)
}

/// Why a chart was not stored.
fn upload_refusal(chart: &PackedChart, answer: &WebAnswer) -> Error {
    let said = || answer.unexpected("the chart was not stored");
    match answer.status {
        409 => answer.place(chart_exists_error(chart)),
        413 => {
            let (size, said) = (chart.bytes().len(), said());
            let message =
                format!("the chart repository takes no chart of {size} bytes: {}", said.message());
            answer.error(ErrorKind::TooLarge, message).with_detail(Detail::ChartLimit)
        }
        404 | 405 => {
            let message = format!(
                "the chart repository takes no uploads at this path, as its API is disabled, or it has tenants and the path lacks one: {}",
                said().message()
            );
            answer.error(ErrorKind::NoChartRepository, message)
        }
        _ => said(),
    }
}

/// A path of these parts, without the empty ones.
fn joined<const N: usize>(parts: [&str; N]) -> String {
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("/{}", parts.join("/"))
}

impl ChartRepo for Museum {
    fn check(&self) -> Result<()> {
        self.index().map(drop)
    }

    fn get(&self, name: &str, version: &str) -> Result<Option<Vec<u8>>> {
        let Some(path) = self.path_of(name, version)? else { return Ok(None) };
        let answer = self.web.get(&path, limit::PACKED_CHART.length())?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            // The index may still list a chart that was removed.
            404 => Ok(None),
            _ => Err(answer.unexpected("the chart cannot be read")),
        }
    }

    fn place(&self, error: Error, name: &str, version: &str) -> Error {
        let path = self.path_of(name, version).ok().flatten().unwrap_or_else(|| self.below(""));
        error.at_host(self.web.host()).asking(format!("GET {path}"))
    }

    /// Uploads a chart, and asks for it: it counts when it is there.
    fn put(&self, chart: &PackedChart, replace: bool) -> Result<()> {
        let api = self.api()?;
        let path = if replace { format!("{api}?force") } else { api.clone() };
        let answer = self.web.post(&path, chart.bytes(), limit::CHART_REPO_ANSWER.length())?;
        self.forget_index();
        if !is_stored(&answer) {
            return Err(upload_refusal(chart, &answer));
        }
        if self.has(&api, chart)? {
            return Ok(());
        }
        let message = "the server says that the chart is stored, but does not have it";
        Err(answer.error(ErrorKind::Server, message).with_detail(Detail::NotStored))
    }

    fn list(&self) -> Result<Vec<(String, String)>> {
        Ok(self.index()?.list())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_context_a_tenant_or_both() {
        let options = crate::plan::Options::default();
        let connector = Connector::new(&options, &crate::run::Context::default());
        let apis = |url: &str| -> Vec<String> {
            Museum::new(url, connector.clone()).expect(url).possible_apis().collect()
        };
        assert_eq!(apis("http://h:1/")[0], "/api/charts");
        assert_eq!(apis("http://h:1/x"), ["/api/x/charts", "/x/api/charts"]);
        let three = ["/api/a/b/charts", "/a/api/b/charts", "/a/b/api/charts"];
        assert_eq!(apis("http://h:1/a/b/index.yaml"), three);
        // An older Harbor.
        assert_eq!(apis("http://h:1/chartrepo/p")[0], "/api/chartrepo/p/charts");
    }
}
