//! What Harbor says beyond the distribution specification, through its REST interface ([Harbor API]).
//!
//! [Harbor API]: https://github.com/goharbor/harbor/blob/v2.15.2/api/v2.0/swagger.yaml

use bytes::Bytes;
use reqwest::{Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    auth::Scope,
    client::{Admission, Client, PreparedRequest},
    refusal, response,
};
use crate::{error::Result, limit, store::Project};

/// The service that a Harbor's challenge names.
const SERVICE: &str = "harbor-registry";

/// What a Harbor says of itself. The version is for those who are logged in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SystemInfo {
    pub(super) harbor_version: Option<String>,
    pub(super) read_only: Option<bool>,
    pub(super) project_creation_restriction: Option<String>,
}

#[derive(Deserialize)]
struct Summary {
    quota: Option<Quota>,
}

#[derive(Deserialize)]
struct Quota {
    hard: Storage,
    used: Storage,
}

/// -1 is no limit.
#[derive(Deserialize)]
struct Storage {
    storage: i64,
}

impl Client {
    /// True where the server is a Harbor.
    pub(super) fn is_harbor(&self) -> bool {
        self.auth.service().as_deref() == Some(SERVICE)
    }

    /// A request of the REST interface with the login, if that is a user with a password: it takes no token.
    fn rest(
        &self,
        method: Method,
        path_and_query: &str,
        body: Option<&Value>,
    ) -> Result<PreparedRequest> {
        let scope = Scope::none(self.address.path(), false);
        let mut request = self.request_at(method, path_and_query, scope)?;
        // Without it a project with a name of digits is looked up by its number.
        let by_name = header::HeaderName::from_static("x-is-resource-name");
        request.headers.push((by_name, "true".into()));
        if let Some(body) = body {
            request.headers.push((header::CONTENT_TYPE, "application/json".into()));
            request.body = Some(Bytes::from(body.to_string()));
        }
        Ok(request)
    }

    /// Asks once. What the interface does not answer is unknown, and no sign that the registry is in trouble.
    async fn ask(&self, request: &PreparedRequest) -> Result<(StatusCode, Vec<u8>)> {
        let _permit = self.throttle.enter().await?;
        self.sent(request, Admission::Permitted).await
    }

    async fn sent(
        &self,
        request: &PreparedRequest,
        admission: Admission,
    ) -> Result<(StatusCode, Vec<u8>)> {
        let place = |e| self.place(e, &request.method, &request.url);
        let login = self.auth.password(self.address.path());
        let answer = self.send_admitted(request, login.as_deref(), admission).await;
        let answer = answer.map_err(place)?;
        let status = answer.status();
        let body =
            response::body(answer, limit::ADMINISTRATION_ANSWER.length()).await.map_err(place)?;
        Ok((status, body))
    }

    /// The answer to a question, where the login may ask it, and it is answered as expected.
    async fn told<T: for<'de> Deserialize<'de>>(&self, path_and_query: &str) -> Result<Option<T>> {
        let (status, body) = self.ask(&self.rest(Method::GET, path_and_query, None)?).await?;
        let body = (status == StatusCode::OK).then_some(body);
        Ok(body.and_then(|body| serde_json::from_slice(&body).ok()))
    }

    pub(super) async fn system_info(&self) -> Result<Option<SystemInfo>> {
        self.told("/api/v2.0/systeminfo").await
    }

    /// What is known of a project. Who may not ask for it gets no answer, and one that is only for members is not
    /// there for others.
    pub(super) async fn project(&self, name: &str) -> Result<Project> {
        let path = format!("/api/v2.0/projects?project_name={name}");
        let (status, _) = self.ask(&self.rest(Method::HEAD, &path, None)?).await?;
        let exists = match status {
            StatusCode::OK => Some(true),
            StatusCode::NOT_FOUND => Some(false),
            _ => None,
        };
        if exists != Some(true) {
            return Ok(Project { exists, ..Project::default() });
        }
        let summary = self.told::<Summary>(&format!("/api/v2.0/projects/{name}/summary")).await?;
        let hides_quota = summary.is_none();
        let quota = summary.and_then(|summary| summary.quota).and_then(|quota| {
            let bytes = |storage: Storage| u64::try_from(storage.storage).ok();
            Some((bytes(quota.hard)?, bytes(quota.used)?))
        });
        Ok(Project { exists, quota, hides_quota })
    }

    /// Makes a project. One that is there already is as good.
    pub(super) async fn create_project(&self, name: &str, public: bool) -> Result<()> {
        // Its values are texts.
        let body = json!({"project_name": name, "metadata": {"public": public.to_string()}});
        let request = self.rest(Method::POST, "/api/v2.0/projects", Some(&body))?;
        let (status, text) = self.sent(&request, Admission::Queue).await?;
        if status == StatusCode::CREATED || status == StatusCode::CONFLICT {
            // A token from before knows nothing of the project.
            self.auth.forget_tokens();
            return Ok(());
        }
        let error = refusal::explain(status, None, &text);
        let error = error.saying(format!("the project {name} cannot be created"));
        Err(self.place(error, &request.method, &request.url))
    }

    /// Whether a project has rules that keep tags as they are; `None` where the login may not ask.
    pub(super) async fn has_immutable_rules(&self, project: &str) -> Result<Option<bool>> {
        #[derive(Deserialize)]
        struct Rule {
            #[serde(default)]
            disabled: bool,
        }
        let path = format!("/api/v2.0/projects/{project}/immutabletagrules");
        let rules = self.told::<Vec<Rule>>(&path).await?;
        Ok(rules.map(|rules| rules.iter().any(|rule| !rule.disabled)))
    }

    /// Whether a rule keeps a tag as it is; `None` where the login may not ask.
    pub(super) async fn is_immutable(&self, repository: &str, tag: &str) -> Result<Option<bool>> {
        #[derive(Deserialize)]
        struct Artifact {
            #[serde(default)]
            tags: Vec<Tag>,
        }
        #[derive(Deserialize)]
        struct Tag {
            name: String,
            #[serde(default)]
            immutable: bool,
        }
        let Some((project, name)) = repository.split_once('/') else { return Ok(None) };
        // A slash in the name is written so that a proxy in front leaves it alone.
        let name = name.replace('/', "%252F");
        let path = format!(
            "/api/v2.0/projects/{project}/repositories/{name}/artifacts/{tag}?with_tag=true&with_immutable_status=true"
        );
        let artifact = self.told::<Artifact>(&path).await?;
        Ok(artifact.map(|artifact| artifact.tags.iter().any(|t| t.name == tag && t.immutable)))
    }
}
