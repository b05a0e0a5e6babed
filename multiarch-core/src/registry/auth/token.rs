//! The answers of a token server, and what they grant.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};

/// A token, and the scopes that it was asked for.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) scopes: BTreeSet<String>,
    pub(super) expires: Instant,
}

/// Lifetime of a token whose answer has no `expires_in`, as in the specification.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);
/// No token is used longer than a day.
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// A token is not used in the last seconds of its lifetime.
const MARGIN: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
    /// Seconds. Nothing depends on it but how soon the next token is fetched, so that any value is read.
    #[serde(default)]
    expires_in: Value,
}

impl TokenAnswer {
    /// The first of `token` and `access_token` that is not empty: Harbor sends an empty `access_token`
    /// together with the `token`.
    pub(super) fn into_token(self, scopes: BTreeSet<String>) -> Result<Token> {
        let lifetime = self.lifetime();
        let text = [self.token, self.access_token].into_iter().flatten().find(|t| !t.is_empty());
        let none =
            || Error::new(ErrorKind::Server, "the answer of the token server holds no token");
        // It may become part of a header.
        let text =
            text.filter(|text| text.chars().all(|c| c.is_ascii_graphic())).ok_or_else(none)?;
        let usable = lifetime.saturating_sub(MARGIN).max(lifetime / 2);
        Ok(Token { text, scopes, expires: Instant::now() + usable })
    }

    /// True where the server answered, but not with a token.
    pub(super) fn is_empty(&self) -> bool {
        self.token.is_none() && self.access_token.is_none()
    }

    fn lifetime(&self) -> Duration {
        let seconds = match &self.expires_in {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let seconds = seconds.filter(|seconds| *seconds > 0.0 && seconds.is_finite());
        seconds.map_or(DEFAULT_LIFETIME, |seconds| {
            Duration::from_secs_f64(seconds.min(LONGEST_LIFETIME.as_secs_f64()))
        })
    }
}

impl Token {
    /// Whether a token that was asked for several scopes says that it is for all of them. One that cannot
    /// be read is believed until it is refused.
    pub(super) fn covers_all(&self) -> bool {
        let Some(access) = granted(&self.text) else { return true };
        self.scopes.iter().all(|scope| match scope.rsplit_once(':') {
            Some((resource, _)) => access.contains(resource),
            None => true,
        })
    }
}

#[derive(Deserialize)]
struct Claims {
    access: Option<Vec<Access>>,
}

#[derive(Deserialize)]
struct Access {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    actions: Vec<String>,
}

/// The resources that a token names, whatever it allows there ([JWT, "Bearer token"]). Its signature is
/// for the registry to verify.
///
/// [JWT, "Bearer token"]: https://distribution.github.io/distribution/spec/auth/jwt/
fn granted(token: &str) -> Option<BTreeSet<String>> {
    let access = access(token)?.into_iter();
    Some(access.map(|access| format!("{}:{}", access.kind, access.name)).collect())
}

fn access(token: &str) -> Option<Vec<Access>> {
    let claims = token.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    claims.access
}

/// Whether a token that was asked for says that it allows a push to this repository. `None` where it cannot be
/// read, or does not speak of the repository.
pub(super) fn allows_push(token: &str, repository: &str) -> Option<bool> {
    let access = access(token)?;
    let of_repository = |access: &&Access| access.kind == "repository" && access.name == repository;
    let access = access.iter().find(of_repository)?;
    Some(access.actions.iter().any(|action| action == "push" || action == "*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Token> {
        let answer: TokenAnswer = serde_json::from_str(text).expect("JSON");
        answer.into_token(["repository:a:pull".into(), "repository:b:pull".into()].into())
    }

    #[test]
    fn token_answers() {
        let begin = Instant::now();
        for (text, token, seconds) in [
            (r#"{"token":"a","access_token":""}"#, "a", 55.0),
            (r#"{"token":null,"access_token":"b","expires_in":300}"#, "b", 295.0),
            (r#"{"token":"a","expires_in":3600.5}"#, "a", 3595.5),
            (r#"{"token":"a","expires_in":"300"}"#, "a", 295.0),
            (r#"{"token":"a","expires_in":-1}"#, "a", 55.0),
            (r#"{"token":"a","expires_in":0}"#, "a", 55.0),
            (r#"{"token":"a","expires_in":null}"#, "a", 55.0),
            (r#"{"token":"a","expires_in":{}}"#, "a", 55.0),
            (r#"{"token":"a","expires_in":1e300}"#, "a", 86395.0),
            (r#"{"token":"a","expires_in":4}"#, "a", 2.0),
        ] {
            let found = read(text).expect(text);
            assert_eq!(found.text, token);
            let lifetime = (found.expires - begin).as_secs_f64();
            assert!((seconds..seconds + 1.0).contains(&lifetime), "{text}: {lifetime}");
        }
        for text in [r#"{"token":""}"#, "{}", r#"{"token":"a\nb"}"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_says_what_it_is_for() {
        let with = |claims: &str| {
            let text = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims));
            read(&format!(r#"{{"token":"{text}"}}"#)).expect("a token").covers_all()
        };
        let (a, b) = (
            r#"{"type":"repository","name":"a","actions":[]}"#,
            r#"{"type":"repository","name":"b"}"#,
        );
        assert!(with(&format!(r#"{{"access":[{a},{b}]}}"#)));
        assert!(!with(&format!(r#"{{"access":[{a}]}}"#)));
        assert!(!with(r#"{"access":[]}"#));
        assert!(with(r#"{"access":null}"#) && with("{}") && with("no JSON"));
        assert!(read(r#"{"token":"opaque"}"#).expect("a token").covers_all());
    }
}
