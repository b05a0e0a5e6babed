//! Tokens, and the answers of a token server.

use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};

#[derive(Clone)]
pub(super) struct Token {
    pub(super) text: String,
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
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

impl TokenAnswer {
    /// The first of `token` and `access_token` that is not empty: Harbor sends an empty `access_token`
    /// together with the `token`.
    pub(super) fn into_token(self) -> Result<Token> {
        let text = [self.token, self.access_token].into_iter().flatten().find(|t| !t.is_empty());
        let none = || Error::new(ErrorKind::Server, "the answer holds no token");
        let lifetime = self.expires_in.map_or(DEFAULT_LIFETIME, Duration::from_secs);
        let lifetime = lifetime.min(LONGEST_LIFETIME);
        let usable = lifetime.saturating_sub(MARGIN).max(lifetime / 2);
        Ok(Token { text: text.ok_or_else(none)?, expires: Instant::now() + usable })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_answers() {
        let read =
            |text: &str| serde_json::from_str::<TokenAnswer>(text).expect("JSON").into_token();
        assert_eq!(read(r#"{"token":"a","access_token":""}"#).expect("a token").text, "a");
        assert_eq!(read(r#"{"access_token":"b","expires_in":300}"#).expect("a token").text, "b");
        assert!(read(r#"{"token":""}"#).is_err());
    }
}
