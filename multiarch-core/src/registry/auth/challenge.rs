//! The `WWW-Authenticate` challenge of a registry.

use reqwest::{
    Url,
    header::{HeaderMap, WWW_AUTHENTICATE},
};

use crate::{
    error::{Error, ErrorKind, Result},
    header::{self, ParsedChallenge},
};

/// How the registry wants requests to be authenticated.
#[derive(Clone, Debug)]
pub(super) enum Challenge {
    Basic,
    Bearer(Bearer),
}

/// Where tokens are given, and for what.
#[derive(Clone, Debug)]
pub(super) struct Bearer {
    pub(super) realm: Url,
    pub(super) service: Option<String>,
    pub(super) scopes: Vec<String>,
}

impl Challenge {
    /// The challenge to answer, of all that an answer has, in one header or in several: tokens are
    /// preferred, as docker does. `None` where we can answer none of them.
    ///
    /// # Errors
    /// [`ErrorKind::Server`] where tokens are wanted from something that is no address.
    pub(super) fn choose(headers: &HeaderMap, origin: &Url) -> Result<Option<Self>> {
        let mut chosen = None;
        for value in headers.get_all(WWW_AUTHENTICATE) {
            for challenge in header::challenges(&String::from_utf8_lossy(value.as_bytes())) {
                match challenge.scheme.as_str() {
                    "bearer" => return bearer(&challenge, origin).map(Some),
                    "basic" => chosen = Some(Self::Basic),
                    _ => {}
                }
            }
        }
        Ok(chosen)
    }
}

fn bearer(challenge: &ParsedChallenge, origin: &Url) -> Result<Challenge> {
    let parameter = |name: &str| challenge.parameters.get(name).cloned();
    let realm = parameter("realm").unwrap_or_default();
    // A relative realm is one on the registry itself.
    let url = origin.join(&realm).ok().filter(|url| {
        !realm.is_empty() && matches!(url.scheme(), "http" | "https") && url.has_host()
    });
    let Some(realm) = url else {
        let message =
            format!("the registry wants tokens from {realm:?}, a realm that is no address");
        return Err(Error::new(ErrorKind::Server, message));
    };
    let scopes = parameter("scope").unwrap_or_default();
    let scopes = scopes.split_whitespace().map(ToOwned::to_owned).collect();
    let service = parameter("service").filter(|service| !service.is_empty());
    Ok(Challenge::Bearer(Bearer { realm, service, scopes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(values: &[&str]) -> Result<Option<Challenge>> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().expect("a value"));
        }
        Challenge::choose(&headers, &"https://h:1/v2/".parse().expect("an address"))
    }

    #[test]
    fn basic() {
        for values in [
            &["basic realm=x"][..],
            &["Basic realm=\"x\", charset=\"UTF-8\""],
            &["Negotiate, Basic realm=\"x\""],
            &["Negotiate", "Basic realm=\"x\""],
            &["Digest realm=\"x\", nonce=\"y\", qop=\"auth,auth-int\", Basic realm=\"z\""],
        ] {
            let chosen = choose(values).expect("readable");
            assert!(matches!(chosen, Some(Challenge::Basic)), "{values:?}: {chosen:?}");
        }
        for values in [&[][..], &["Negotiate"], &["", "NTLM"]] {
            assert!(choose(values).expect("readable").is_none(), "{values:?}");
        }
    }

    #[test]
    fn bearer() {
        for (values, realm, service, scopes) in [
            (
                &[
                    r#"Bearer realm="https://a.io/token?x=1,2",service="s \"q\"",scope="repository:a:pull,push""#,
                ][..],
                "https://a.io/token?x=1,2",
                Some("s \"q\""),
                &["repository:a:pull,push"][..],
            ),
            (&["Basic realm=\"x\", Bearer realm=\"https://a/t\""], "https://a/t", None, &[]),
            (&["Basic realm=\"x\"", "Bearer realm=\"https://a/t\""], "https://a/t", None, &[]),
            (&["bearer\trealm=\"/token\" ,\tservice=\"\""], "https://h:1/token", None, &[]),
            (
                &["Negotiate oYG=, Basic realm=\"é\", Bearer realm=https://a/t?x=1"],
                "https://a/t?x=1",
                None,
                &[],
            ),
            (&["Bearer   realm = \"https://a/t\""], "https://a/t", None, &[]),
            (&["Bearer realm=\"https://a/t\", scope=\"x y\""], "https://a/t", None, &["x", "y"]),
        ] {
            let Ok(Some(Challenge::Bearer(bearer))) = choose(values) else { panic!("{values:?}") };
            assert_eq!(bearer.realm.as_str(), realm);
            assert_eq!(
                (bearer.service.as_deref(), bearer.scopes.as_slice()),
                (service, &scopes.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..])
            );
        }
        for value in ["Bearer service=\"x\"", "Bearer realm=\"\"", "Bearer realm=\"mailto:x\""] {
            let error = choose(&[value]).expect_err(value);
            assert!(error.to_string().contains("realm"), "{error}");
        }
    }

    proptest::proptest! {
        /// Tokens are fetched from addresses alone, whatever the server calls its realm.
        #[test]
        fn a_realm_is_an_address(realm in "([a-z]{0,6}:)?/{0,3}[ -~\u{e0}-\u{ff}]{0,20}") {
            if let Ok(Some(Challenge::Bearer(bearer))) = choose(&[&format!("Bearer realm={realm:?}")]) {
                let realm = bearer.realm;
                assert!(["http", "https"].contains(&realm.scheme()) && realm.has_host(), "{realm}");
            }
        }
    }
}
