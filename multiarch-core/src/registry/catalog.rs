//! Lists the repositories and tags of a registry.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::{Method, StatusCode, header};
use serde::Deserialize;

use super::{
    auth::Scope,
    client::{Admission, Client, PreparedRequest},
    concurrency::DEFAULT_BOUND,
    refusal, response,
    retry::{Retries, may_read_again},
};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    header::next_link,
    image::is_repository,
    limit::{self, SharedBudget},
};

/// What a name takes in memory besides its bytes.
const NAME_OVERHEAD: usize = 64;
/// What a page counts at least after which another one comes.
const MIN_PAGE: usize = 32 << 10;

#[derive(Default, Deserialize)]
struct Page {
    #[serde(default)]
    repositories: Option<Vec<String>>,
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Client {
    /// All tags of all repositories below the target's path.
    pub(super) async fn list(self: Arc<Self>) -> Result<Vec<TargetName>> {
        // One budget for all: a few thousand repositories with a list of the greatest size each would fill the
        // memory.
        let left = limit::LIST.budget().shared();
        let catalog = self.request(Method::GET, "_catalog", Scope::catalog());
        let pages = self.pages(catalog, &left).await?;
        let repositories = pages.into_iter().flat_map(|page| page.repositories.unwrap_or_default());
        // What no registry can hold, such as `../x`, would become the path of another request.
        let repositories = repositories.filter(|repository| is_repository(repository));
        let lists = repositories.map(|repository| self.list_one(repository, &left));
        let lists: Vec<Vec<TargetName>> =
            stream::iter(lists).buffer_unordered(DEFAULT_BOUND).try_collect().await?;
        let mut names: Vec<TargetName> = lists.into_iter().flatten().collect();
        names.sort();
        Ok(names)
    }

    /// All tags of one repository, if it is below the target's path.
    async fn list_one(&self, repository: String, left: &SharedBudget) -> Result<Vec<TargetName>> {
        let Some(name) = self.address.name(&repository) else { return Ok(Vec::new()) };
        let path = format!("{repository}/tags/list");
        let tags = self.request(Method::GET, &path, Scope::pull(&repository));
        let pages = self.pages(tags, left).await?;
        let tags = pages.into_iter().flat_map(|page| page.tags.unwrap_or_default());
        Ok(tags.filter_map(|tag| TargetName::new(name, &tag).ok()).collect())
    }

    /// The tags of one repository. `None` if the list has several pages or cannot be read; the caller
    /// then asks for single tags.
    pub(super) async fn tags_at_once(&self, repository: &str) -> Result<Option<Vec<String>>> {
        match self.tag_list(repository, Admission::Queue).await {
            // An account without the right to list may still read single tags.
            Err(error) if !error.concerns_whole_run() => Ok(None),
            list => list,
        }
    }

    /// The tags of one repository; `None` if the list has several pages.
    pub(super) async fn tag_list(
        &self,
        repository: &str,
        admission: Admission,
    ) -> Result<Option<Vec<String>>> {
        let path = format!("{repository}/tags/list");
        let request = self.request(Method::GET, &path, Scope::pull(repository));
        Ok(match self.page(&request, admission).await? {
            None => Some(Vec::new()),
            Some((page, None)) => Some(page.tags.unwrap_or_default()),
            Some((_, Some(_))) => None,
        })
    }

    /// True where the registry's own list of tags says that it does not have a tag.
    pub(super) async fn is_unlisted(
        &self,
        repository: &str,
        tag: &str,
        admission: Admission,
    ) -> bool {
        let list = self.tag_list(repository, admission).await;
        list.is_ok_and(|list| list.is_some_and(|tags| tags.iter().all(|listed| listed != tag)))
    }

    async fn pages(&self, mut request: PreparedRequest, left: &SharedBudget) -> Result<Vec<Page>> {
        let mut tries = Retries::default();
        let mut pages = Vec::new();
        let mut seen = BTreeSet::new();
        let place =
            |e: Error, request: &PreparedRequest| self.place(e, &request.method, &request.url);
        loop {
            seen.insert(request.url.clone());
            let answer = match self.page(&request, Admission::Queue).await {
                Err(error) if may_read_again(&self.throttle, &error, &mut tries).await => continue,
                answer => answer?,
            };
            let Some((page, next)) = answer else { return Ok(pages) };
            // A page without names counts, too: a listing of such pages would have no end.
            let names = [&page.repositories, &page.tags].into_iter().flatten().flatten();
            let size = names.map(|name| name.len() + NAME_OVERHEAD).sum::<usize>();
            let size = size + if next.is_some() { MIN_PAGE } else { 0 };
            left.spend(size).map_err(|e| place(e, &request))?;
            pages.push(page);
            let Some(next) = next else { return Ok(pages) };
            let next = self.resolve(&request.url, &next).map_err(|e| place(e, &request))?;
            let wrong =
                |message: &str| Err(place(Error::new(ErrorKind::Server, message), &request));
            if !self.is_origin(&next) {
                return wrong("the server's list goes on at another server");
            }
            if seen.contains(&next) {
                return wrong("the server's list leads in a circle");
            }
            request.url = next;
        }
    }

    /// One page of a listing and the link to the next; `None` for a tag list that does not exist
    /// (404).
    async fn page(
        &self,
        request: &PreparedRequest,
        admission: Admission,
    ) -> Result<Option<(Page, Option<String>)>> {
        let response = self.authorised(request, admission).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND if request.url.path().ends_with("/tags/list") => {
                let headers = response.headers().clone();
                let text =
                    response::body(response, limit::REFUSAL.length()).await.unwrap_or_default();
                return refusal::check_absence(&headers, &text)
                    .map(|()| None)
                    .map_err(|e| self.place_refusal(e, request));
            }
            _ => {
                return Err(self.place_refusal(refusal::read(response).await, request));
            }
        }
        let links = response.headers().get_all(header::LINK).iter();
        let next = links.filter_map(|value| value.to_str().ok()).find_map(next_link);
        let place = |e| self.place(e, &request.method, &request.url);
        // A long page takes a multiple of its size while it is parsed, so that it is done one at a time.
        let _permit = self.page_permit.acquire().await;
        let text = response::body(response, limit::LIST_PAGE.length()).await.map_err(place)?;
        let page = serde_json::from_slice(&text).map_err(|e| {
            place(Error::caused_by(ErrorKind::Server, "the server's list cannot be read", e))
        })?;
        Ok(Some((page, next)))
    }
}
