//! Requests to a token server ([token authentication], [OAuth2]).
//!
//! [token authentication]: https://distribution.github.io/distribution/spec/auth/token/
//! [OAuth2]: https://distribution.github.io/distribution/spec/auth/oauth/

use std::collections::BTreeSet;

use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header};

use super::{
    Auth, basic_of,
    challenge::Bearer,
    token::{Token, TokenAnswer},
};
use crate::{
    config::Credentials,
    error::{Detail, Error, ErrorKind, Result},
    limit,
    registry::{
        credentials::Login,
        redirect, refusal, response, retry,
        transport::{Transport, authority},
    },
};

const CLIENT_ID: &str = "multiarch";

/// How a login is put into a request.
enum LoginForm<'l> {
    /// A GET with the user and password, or without any.
    Get(Option<String>),
    /// A POST with a token that stands for the login.
    Post(&'l str),
}

/// Fetches a token for these scopes.
pub(super) async fn fetch(
    auth: &Auth,
    from: &Bearer,
    login: Option<&Login>,
    scopes: BTreeSet<String>,
) -> Result<Token> {
    let realm = protected(from, &auth.origin, login)?;
    let place = |error: Error, method: &str| {
        error.at_host(authority(&realm)).asking(format!("{method} {}", realm.path()))
    };
    let (mut form, mut method) = match login.map(|login| &login.credentials) {
        Some(Credentials::Basic { user, password }) => {
            (LoginForm::Get(Some(basic_of(user, password))), "GET")
        }
        Some(Credentials::IdentityToken(token)) => (LoginForm::Post(token), "POST"),
        Some(Credentials::AccessToken(_) | Credentials::Anonymous) | None => {
            (LoginForm::Get(None), "GET")
        }
    };
    let mut tries = retry::Retries::default();
    loop {
        let ask = || request(&auth.transport, &realm, from, &form, &scopes);
        let response =
            retry::with_retries(Some(&auth.throttle), ask).await.map_err(|e| place(e, method))?;
        let status = response.status();
        let has_no_post = matches!(status.as_u16(), 404 | 405 | 501);
        if let (LoginForm::Post(token), true) = (&form, has_no_post) {
            // Some servers take the token as the password of a user without a name.
            let beside = login.and_then(|login| login.password.as_ref());
            let basic = match beside {
                Some((user, password)) => basic_of(user, password),
                None => basic_of("<token>", token),
            };
            (form, method) = (LoginForm::Get(Some(basic)), "GET");
            continue;
        }
        match read(response, scopes.clone()).await {
            Err(error) if retry::may_read_again(&auth.throttle, &error, &mut tries).await => {}
            token => return token.map_err(|e| place(e, method)),
        }
    }
}

async fn read(response: Response, scopes: BTreeSet<String>) -> Result<Token> {
    let status = response.status();
    if !status.is_success() {
        let refusal = refusal::read(response).await;
        let message = format!("the token server gives no token: {}", refusal.message());
        let says = |text: &str| message.to_ascii_lowercase().contains(text);
        // OAuth2 (RFC 6749, section 5.2) says so with status 400.
        let has_expired = says("invalid_grant") || says("expired");
        return Err(match (status, refusal.case()) {
            (StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _)
                if has_expired =>
            {
                Error::new(ErrorKind::Unauthorized, message).with_detail(Detail::LoginExpired)
            }
            (StatusCode::UNAUTHORIZED, _) => Error::new(ErrorKind::Unauthorized, message),
            (_, Some(case)) => Error::new(refusal.kind(), message).with_detail(case),
            (_, None) => Error::new(refusal.kind(), message),
        });
    }
    let text = response::body(response, limit::TOKEN_ANSWER.length()).await?;
    let answer: TokenAnswer = serde_json::from_slice(&text).map_err(|_| {
        // Without the cause, which might quote the token.
        let message = "the answer of the token server is not the JSON of a token";
        Error::new(ErrorKind::Server, message)
    })?;
    if answer.is_empty() {
        // Some say with status 200 that the password is wrong.
        let said = refusal::explain(status, None, &text);
        let message = format!("the token server gives no token: {}", said.message());
        return Err(Error::new(ErrorKind::Unauthorized, message));
    }
    answer.into_token(scopes)
}

/// The realm, encrypted where the registry is: a registry that does not know about the TLS before it puts
/// `http://` into its own address.
///
/// # Errors
/// [`ErrorKind::Untrusted`] where a login would be sent without encryption from a registry with it.
fn protected(from: &Bearer, origin: &Url, login: Option<&Login>) -> Result<Url> {
    let mut realm = from.realm.clone();
    if origin.scheme() != "https" || realm.scheme() == "https" {
        return Ok(realm);
    }
    if realm.host_str() == origin.host_str() && realm.port() == origin.port() {
        let _ = realm.set_scheme("https");
        return Ok(realm);
    }
    if login.is_none() {
        return Ok(realm);
    }
    let shown = redirect::shown(&realm);
    let message = format!("the registry wants the login sent to {shown}, without encryption");
    Err(Error::new(ErrorKind::Untrusted, message).with_detail(Detail::LoginUnprotected))
}

/// Sends the request once. A redirect is followed on the same server; a login goes nowhere else.
async fn request(
    transport: &Transport,
    realm: &Url,
    from: &Bearer,
    form: &LoginForm<'_>,
    scopes: &BTreeSet<String>,
) -> Result<Response> {
    let method = match form {
        LoginForm::Get(_) => Method::GET,
        LoginForm::Post(_) => Method::POST,
    };
    let mut url = realm.clone();
    if let LoginForm::Get(_) = form {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(from.service.iter().map(|service| ("service", service)));
        query.extend_pairs(scopes.iter().map(|scope| ("scope", scope)));
    }
    for _ in 0..=limit::REDIRECTS.max {
        let server = transport.server(&url)?;
        let request = with_login(server.request(method.clone(), url.clone()), from, form, scopes);
        let response = server.send(response::TIMEOUT, request).await?;
        let to = redirect::location(&response).map(|to| {
            url.join(&to).map_err(|e| {
                Error::caused_by(ErrorKind::Server, "the Location of a token server", e)
            })
        });
        let Some(next) = redirect::target(&method, &url, response.status(), to)? else {
            return Ok(response);
        };
        let has_login = !matches!(form, LoginForm::Get(None));
        if has_login && next.origin() != url.origin() {
            let to = redirect::shown(&next);
            let message =
                format!("the token server sends the login on to {to}: it is not sent there");
            return Err(
                Error::new(ErrorKind::Untrusted, message).with_detail(Detail::LoginUnprotected)
            );
        }
        response::discard_body(response).await;
        url = next;
    }
    Err(redirect::too_many())
}

fn with_login(
    request: RequestBuilder,
    from: &Bearer,
    form: &LoginForm<'_>,
    scopes: &BTreeSet<String>,
) -> RequestBuilder {
    let token = match form {
        LoginForm::Get(Some(basic)) => return request.header(header::AUTHORIZATION, basic),
        LoginForm::Get(None) => return request,
        LoginForm::Post(token) => token,
    };
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let scopes = scopes.join(" ");
    let mut body = Url::parse("form:").expect("a constant");
    body.query_pairs_mut()
        .append_pair("grant_type", "refresh_token")
        .append_pair("client_id", CLIENT_ID)
        .append_pair("refresh_token", token)
        .extend_pairs(from.service.iter().map(|service| ("service", service)))
        .extend_pairs((!scopes.is_empty()).then_some(("scope", &scopes)));
    request
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(body.query().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::credentials::Logins;

    /// A login for a registry with TLS is not sent in clear, whatever the registry names.
    #[test]
    fn a_login_stays_encrypted() {
        let logins = Logins::one(Credentials::basic("u", "p"), "a test");
        for (origin, realm, used) in [
            ("https://h:5000/v2/", "https://h:5000/token", Some("https://h:5000/token")),
            ("https://h:5000/v2/", "https://auth/token", Some("https://auth/token")),
            // It does not know about the TLS before it.
            ("https://h:5000/v2/", "http://h:5000/token", Some("https://h:5000/token")),
            ("https://h/v2/", "http://h/token", Some("https://h/token")),
            ("https://h:5000/v2/", "http://h:5001/token", None),
            ("https://h:5000/v2/", "http://auth/token", None),
            ("http://h:5000/v2/", "http://auth/token", Some("http://auth/token")),
        ] {
            let url = |text: &str| Url::parse(text).expect(text);
            let from = Bearer { realm: url(realm), service: None, scopes: Vec::new() };
            let found = protected(&from, &url(origin), logins.of("x"));
            match (found, used) {
                (Ok(found), Some(used)) => assert_eq!(found.as_str(), used),
                (Err(error), None) => assert_eq!(error.kind(), ErrorKind::Untrusted),
                (found, used) => panic!("{origin} {realm}: {found:?}, {used:?}"),
            }
            let anonymous = protected(&from, &url(origin), None);
            assert!(anonymous.is_ok(), "{origin} {realm}");
        }
    }
}
