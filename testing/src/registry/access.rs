//! Who has access to a registry: Basic authentication, and tokens ([token authentication]).
//!
//! [token authentication]: https://distribution.github.io/distribution/spec/auth/token/

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Instant,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{
    route::Route,
    setup::{Demand, Setup},
};
use crate::{Answer, Request, log::lock};

const SERVICE: &str = "multiarch-testing";

/// Who has access to a registry, and the tokens it has issued.
#[derive(Debug, Default)]
pub(super) struct Access {
    tokens: Mutex<BTreeMap<String, Token>>,
}

#[derive(Debug)]
struct Token {
    /// `repository:name:action`, one entry for each action.
    rights: BTreeSet<String>,
    uses_left: usize,
    ends: Instant,
}

impl Access {
    /// The answer that refuses a request, if it is refused.
    pub(super) fn refusal(
        &self,
        setup: &Setup,
        request: &Request,
        route: &Route,
    ) -> Option<Answer> {
        match &setup.demand {
            Demand::Nothing => None,
            Demand::Basic if user(setup, request).is_some() => None,
            Demand::Basic => {
                let challenge = format!("Basic realm=\"{SERVICE}\"");
                Some(unauthorized().header("WWW-Authenticate", challenge))
            }
            Demand::Token { .. } => {
                let needed = rights(request, route);
                let why =
                    match request.header("authorization").and_then(|v| v.strip_prefix("Bearer ")) {
                        Some(text) => self.use_up(text, &needed)?,
                        None => "",
                    };
                Some(unauthorized().header("WWW-Authenticate", challenge(request, &needed, why)))
            }
        }
    }

    /// True if the request's token allows reading another repository, which a mount from there
    /// needs.
    pub(super) fn may_read(&self, setup: &Setup, request: &Request, repository: &str) -> bool {
        if !matches!(setup.demand, Demand::Token { .. }) {
            return true;
        }
        let text = request.header("authorization").and_then(|v| v.strip_prefix("Bearer "));
        let tokens = lock(&self.tokens);
        let token = text.and_then(|text| tokens.get(text));
        token.is_some_and(|token| token.rights.contains(&format!("repository:{repository}:pull")))
    }

    /// Uses a token once. Returns the reason if it is not sufficient.
    fn use_up(&self, text: &str, needed: &[String]) -> Option<&'static str> {
        let mut tokens = lock(&self.tokens);
        let token = match tokens.get_mut(text) {
            Some(token) if token.uses_left > 0 && token.ends > Instant::now() => token,
            _ => return Some("invalid_token"),
        };
        token.uses_left -= 1;
        let enough = needed.iter().all(|right| token.rights.contains(right));
        (!enough).then_some("insufficient_scope")
    }

    /// Issues a token for the requested scopes.
    pub(super) fn token(&self, setup: &Setup, request: &Request) -> Answer {
        let Demand::Token { lifetime, uses } = setup.demand else { return Answer::new(404) };
        if !setup.users.is_empty() && user(setup, request).is_none() {
            return unauthorized();
        }
        let scopes = request.parameters("scope");
        let rights = scopes.iter().flat_map(|scope| scope.split(' ')).flat_map(|scope| {
            let (resource, actions) = scope.rsplit_once(':').unwrap_or((scope, ""));
            actions.split(',').map(move |action| format!("{resource}:{action}"))
        });
        let mut tokens = lock(&self.tokens);
        let text = format!("token-{}", tokens.len());
        let ends = Instant::now() + lifetime;
        tokens.insert(text.clone(), Token { rights: rights.collect(), uses_left: uses, ends });
        Answer::json(200, &json!({"token": text, "expires_in": lifetime.as_secs()}))
    }

    /// Ends every token.
    pub(super) fn revoke(&self) {
        for token in lock(&self.tokens).values_mut() {
            token.uses_left = 0;
        }
    }
}

fn unauthorized() -> Answer {
    Answer::error(401, "UNAUTHORIZED", "authentication required")
}

/// The user that a request names, if the password is right.
fn user<'s>(setup: &'s Setup, request: &Request) -> Option<&'s str> {
    let given = request.header("authorization")?.strip_prefix("Basic ")?;
    let is = |(name, password): &&(String, String)| {
        STANDARD.encode(format!("{name}:{password}")) == given
    };
    setup.users.iter().find(is).map(|(name, _)| name.as_str())
}

/// The rights that a request needs.
fn rights(request: &Request, route: &Route) -> Vec<String> {
    let actions: &[&str] = match request.method.as_str() {
        "GET" | "HEAD" => &["pull"],
        "DELETE" => &["delete"],
        _ => &["pull", "push"],
    };
    match route {
        Route::Root => Vec::new(),
        Route::Catalog => vec!["registry:catalog:*".into()],
        other => {
            let repository = other.repository();
            actions.iter().map(|action| format!("repository:{repository}:{action}")).collect()
        }
    }
}

fn challenge(request: &Request, needed: &[String], why: &str) -> String {
    let host = request.header("host").unwrap_or_default();
    let mut challenge = format!("Bearer realm=\"http://{host}/token\",service=\"{SERVICE}\"");
    if let Some((resource, _)) = needed.first().and_then(|right| right.rsplit_once(':')) {
        let actions: Vec<&str> =
            needed.iter().filter_map(|r| Some(r.rsplit_once(':')?.1)).collect();
        challenge.push_str(&format!(",scope=\"{resource}:{}\"", actions.join(",")));
    }
    if !why.is_empty() {
        challenge.push_str(&format!(",error=\"{why}\""));
    }
    challenge
}
