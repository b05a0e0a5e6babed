//! What a Harbor adds to a registry: projects, rights, quotas, rules, and the REST interface.
//!
//! The answers are those of a Harbor core v2.15.2, in status, headers and text.

use std::collections::{BTreeMap, BTreeSet};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use super::{Registered, route::Route};
use crate::{Answer, Request, log::lock};

/// The state of a Harbor. The user `admin` may do everything.
#[derive(Clone, Debug, Default)]
pub struct Harbor {
    /// By name.
    pub projects: BTreeMap<String, Project>,
    /// It takes no writes.
    pub read_only: bool,
    /// Only `admin` creates projects.
    pub admin_only: bool,
}

/// A project of a Harbor.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// Everyone may pull.
    pub public: bool,
    /// Users who may pull and push.
    pub developers: Vec<String>,
    /// Users who may pull.
    pub guests: Vec<String>,
    /// The most bytes of blobs.
    pub quota: Option<u64>,
    /// Tags that begin so are immutable.
    pub immutable: Vec<String>,
}

impl Harbor {
    /// One with these projects, in which `user` is a developer.
    #[must_use]
    pub fn new(projects: &[&str], user: &str) -> Self {
        let project = Project { developers: vec![user.into()], ..Project::default() };
        let projects = projects.iter().map(|name| ((*name).to_owned(), project.clone()));
        Self { projects: projects.collect(), ..Self::default() }
    }

    fn actions(&self, user: Option<&str>, project: &str) -> Vec<&'static str> {
        let Some(project) = self.projects.get(project) else { return Vec::new() };
        let is_in = |users: &[String]| user.is_some_and(|user| users.iter().any(|u| u == user));
        match user {
            Some("admin") => vec!["pull", "push", "delete"],
            _ if is_in(&project.developers) => vec!["pull", "push"],
            _ if is_in(&project.guests) || project.public => vec!["pull"],
            _ => Vec::new(),
        }
    }
}

fn unauthorized(message: &str, challenge: &str) -> Answer {
    let message = format!("{message}: {message}");
    Answer::error(401, "UNAUTHORIZED", &message).header("Www-Authenticate", challenge)
}

fn project_of(repository: &str) -> &str {
    repository.split('/').next().unwrap_or_default()
}

impl Registered {
    /// The user of a request with a password, or with a token; `Err` where they are wrong.
    fn harbor_user(&self, request: &Request) -> Result<Option<String>, ()> {
        let Some(given) = request.header("authorization") else { return Ok(None) };
        if let Some(basic) = given.strip_prefix("Basic ") {
            let text = STANDARD.decode(basic).map_err(drop)?;
            let text = String::from_utf8(text).map_err(drop)?;
            let known = self.setup.users.iter().find(|(name, pw)| format!("{name}:{pw}") == text);
            return known.map(|(name, _)| Some(name.clone())).ok_or(());
        }
        let claims = given.strip_prefix("Bearer ").and_then(|token| token.split('.').nth(1));
        let claims = claims.and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok()).ok_or(())?;
        let claims: Value = serde_json::from_slice(&claims).map_err(drop)?;
        Ok(claims["sub"].as_str().map(ToOwned::to_owned))
    }

    /// The token server. A wrong password gets a token that allows nothing.
    fn harbor_token(&self, request: &Request) -> Answer {
        if request.method != "GET" {
            return Answer::new(405);
        }
        let user = self.harbor_user(request);
        let scopes = request.parameters("scope");
        if scopes.is_empty() && !matches!(user, Ok(Some(_))) {
            return Answer::new(401);
        }
        let user = user.ok().flatten();
        let harbor = lock(&self.harbor);
        let access: Vec<Value> = scopes
            .iter()
            .flat_map(|scope| scope.split(' '))
            .filter_map(|scope| {
                let mut parts = scope.splitn(3, ':');
                let (kind, name) = (parts.next()?, parts.next().unwrap_or_default());
                let actions = harbor.actions(user.as_deref(), project_of(name));
                Some(json!({"type": kind, "name": name, "actions": actions}))
            })
            .collect();
        let mut claims = json!({"iss": "harbor-token-issuer", "access": access});
        if let Some(user) = &user {
            claims["sub"] = json!(user);
        }
        let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
        let token = format!("eyJhbGciOiJub25lIn0.{claims}.c2ln");
        Answer::json(200, &json!({"token": token, "access_token": "", "expires_in": 1800}))
    }

    /// The actions that a request's token or password gives for a repository.
    fn harbor_rights(&self, request: &Request, repository: &str) -> Result<BTreeSet<String>, ()> {
        let user = self.harbor_user(request)?;
        let given = request.header("authorization").unwrap_or_default();
        let now = lock(&self.harbor).actions(user.as_deref(), project_of(repository));
        let now = now.into_iter().map(ToOwned::to_owned).collect();
        let Some(token) = given.strip_prefix("Bearer ") else { return Ok(now) };
        let claims = token.split('.').nth(1).and_then(|c| URL_SAFE_NO_PAD.decode(c).ok());
        let claims: Value = serde_json::from_slice(&claims.ok_or(())?).map_err(drop)?;
        // Rights are a project's, whichever of its repositories the token names.
        let of_project = |access: &&Value| {
            access["name"].as_str().is_some_and(|n| project_of(n) == project_of(repository))
        };
        let access = claims["access"].as_array().into_iter().flatten().filter(of_project);
        let actions = access.flat_map(|access| access["actions"].as_array().into_iter().flatten());
        Ok(actions.filter_map(|action| action.as_str().map(ToOwned::to_owned)).collect())
    }

    /// What a Harbor answers before its registry is asked; `None` where the registry answers.
    pub(super) fn harbor_answer(&self, request: &Request) -> Option<Answer> {
        let path = request.local_path();
        if path == "/service/token" {
            return Some(self.harbor_token(request));
        }
        if let Some(path) = path.strip_prefix("/api/v2.0/") {
            return Some(self.harbor_rest(request, path));
        }
        let realm = format!(
            "Bearer realm=\"http://{}/service/token\",service=\"harbor-registry\"",
            request.header("host").unwrap_or_default()
        );
        if path == "/v2/" {
            return match self.harbor_user(request) {
                Ok(Some(_)) => None,
                Ok(None) => Some(unauthorized("unauthorized", &realm)),
                Err(()) => Some(unauthorized("unauthorized", "Basic realm=\"harbor\"")),
            };
        }
        let route = Route::of(request)?;
        if matches!(route, Route::Catalog) {
            let message = "unauthorized to list catalog";
            return Some(unauthorized(message, "Basic realm=\"harbor\""));
        }
        self.harbor_refusal(request, &route, &realm)
    }

    fn harbor_refusal(&self, request: &Request, route: &Route, realm: &str) -> Option<Answer> {
        let (repository, writes) = (route.repository(), !request.reads());
        let project = project_of(repository).to_owned();
        if project == repository {
            let message = format!("bad request: invalid repository name: {repository}");
            return Some(Answer::error(400, "BAD_REQUEST", &message));
        }
        if writes && lock(&self.harbor).read_only {
            let message = "The system is in read only mode. Any modification is prohibited.";
            return Some(Answer::error(403, "DENIED", message));
        }
        let is_there = lock(&self.harbor).projects.contains_key(&project);
        if !is_there && (writes || request.is_authorized()) {
            return Some(unauthorized(&format!("project {project} not found"), ""));
        }
        let action = if writes { "push" } else { "pull" };
        let may = self.harbor_rights(request, repository);
        if !request.is_authorized() {
            let challenge = format!("{realm},scope=\"repository:{repository}:pull,push\"");
            return Some(unauthorized("unauthorized", &challenge));
        }
        if !may.is_ok_and(|actions| actions.contains(action)) {
            let message =
                format!("unauthorized to access repository: {repository}, action: {action}");
            return Some(unauthorized(&message, "Basic realm=\"harbor\""));
        }
        match route {
            Route::Manifest(_, reference) if request.method == "PUT" => {
                self.harbor_immutable(&project, repository, reference)
            }
            Route::Session(..) if request.method == "PUT" => {
                self.harbor_quota(&project, request.length)
            }
            _ => None,
        }
    }

    fn harbor_immutable(&self, project: &str, repository: &str, tag: &str) -> Option<Answer> {
        let is_kept = self.is_immutable(project, repository, tag);
        let (_, name) = repository.split_once('/')?;
        let message =
            format!("Failed to process request due to '{name}:{tag}' configured as immutable.");
        is_kept.then(|| Answer::error(412, "PRECONDITION", &message))
    }

    fn is_immutable(&self, project: &str, repository: &str, tag: &str) -> bool {
        let is_there =
            self.store().repositories.get(repository).is_some_and(|r| r.tags.contains_key(tag));
        let harbor = lock(&self.harbor);
        let rules = harbor.projects.get(project).map(|project| &project.immutable);
        is_there && rules.into_iter().flatten().any(|rule| tag.starts_with(rule))
    }

    /// The bytes of the distinct blobs of a project.
    fn used(&self, project: &str) -> u64 {
        let store = self.store();
        let of_project = store.repositories.iter().filter(|(name, _)| project_of(name) == project);
        let blobs: BTreeMap<&String, usize> = of_project
            .flat_map(|(_, repository)| repository.blobs.iter().map(|(d, b)| (d, b.len())))
            .collect();
        blobs.values().sum::<usize>() as u64
    }

    fn harbor_quota(&self, project: &str, more: u64) -> Option<Answer> {
        let quota = lock(&self.harbor).projects.get(project)?.quota?;
        let message = format!(
            "adding {more} B of storage resource, which when updated to current usage of {} B will exceed the configured upper limit of {quota} B.",
            self.used(project)
        );
        (self.used(project) + more > quota).then(|| Answer::error(403, "DENIED", &message))
    }

    /// The REST interface, as far as an import uses it.
    fn harbor_rest(&self, request: &Request, path: &str) -> Answer {
        let Ok(user) = self.harbor_user(request) else { return unauthorized("unauthorized", "") };
        let is_admin = user.as_deref() == Some("admin");
        let parts: Vec<&str> = path.split('/').collect();
        let not_found = || Answer::error(404, "NOT_FOUND", "not found");
        let forbidden = || Answer::error(403, "FORBIDDEN", "forbidden");
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["systeminfo"]) => {
                let harbor = lock(&self.harbor);
                let mut info = json!({"auth_mode": "db_auth"});
                if user.is_some() {
                    let who = if harbor.admin_only { "adminonly" } else { "everyone" };
                    info["harbor_version"] = json!("v2.15.2-080b0220");
                    info["read_only"] = json!(harbor.read_only);
                    info["project_creation_restriction"] = json!(who);
                }
                Answer::json(200, &info)
            }
            (_, ["projects"]) if user.is_none() => unauthorized("unauthorized", ""),
            ("HEAD", ["projects"]) => {
                let name = request.parameter("project_name").unwrap_or_default();
                let is_there = lock(&self.harbor).projects.contains_key(&name);
                Answer::new(if is_there { 200 } else { 404 })
            }
            ("GET", ["projects", name, "summary"]) => {
                let (hard, is_member) = {
                    let harbor = lock(&self.harbor);
                    let Some(project) = harbor.projects.get(*name) else { return forbidden() };
                    let member = !harbor.actions(user.as_deref(), name).is_empty();
                    (
                        project.quota.map_or(-1, |quota| quota.cast_signed()),
                        member && user.is_some(),
                    )
                };
                if !is_member {
                    return forbidden();
                }
                let used = self.used(name);
                let quota = json!({"hard": {"storage": hard}, "used": {"storage": used}});
                Answer::json(200, &json!({"repo_count": 1, "quota": quota}))
            }
            ("GET", ["projects", name, "immutabletagrules"]) if is_admin => {
                let harbor = lock(&self.harbor);
                let Some(project) = harbor.projects.get(*name) else { return not_found() };
                let rules = project.immutable.iter().map(|rule| json!({"id": 1, "template": rule}));
                Answer::json(200, &rules.collect())
            }
            ("GET", ["projects", project, "repositories", name, "artifacts", tag]) => {
                let repository = format!("{project}/{}", name.replace("%252F", "/"));
                if lock(&self.harbor).actions(user.as_deref(), project).is_empty() {
                    return forbidden();
                }
                let immutable = self.is_immutable(project, &repository, tag);
                Answer::json(200, &json!({"tags": [{"name": tag, "immutable": immutable}]}))
            }
            (_, [_, _, ..]) => forbidden(),
            _ => not_found(),
        }
    }

    /// Makes a project as the body of a request says.
    pub(super) fn harbor_create(&self, request: &Request, body: &[u8]) -> Answer {
        let user = match self.harbor_user(request) {
            Ok(Some(user)) => user,
            _ => return unauthorized("unauthorized", ""),
        };
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(name) = body["project_name"].as_str() else {
            return Answer::error(422, "UNPROCESSABLE_ENTITY", "project_name is required");
        };
        let mut harbor = lock(&self.harbor);
        if harbor.read_only {
            let message = "The system is in read only mode. Any modification is prohibited.";
            return Answer::error(403, "DENIED", message);
        }
        if harbor.admin_only && user != "admin" {
            return Answer::error(403, "FORBIDDEN", "Only system admin can create project");
        }
        if harbor.projects.contains_key(name) {
            let message = format!("The project named {name} already exists");
            return Answer::error(409, "CONFLICT", &message);
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let is_name =
            name.split(['.', '_', '-']).all(|part| !part.is_empty() && part.chars().all(plain));
        if !is_name {
            let message = "project name is not in lower case or contains illegal characters";
            return Answer::error(400, "BAD_REQUEST", message);
        }
        let public = body["metadata"]["public"] == "true";
        let project = Project { public, developers: vec![user], ..Project::default() };
        harbor.projects.insert(name.to_owned(), project);
        Answer::new(201).header("Location", "/api/v2.0/projects/7")
    }
}
