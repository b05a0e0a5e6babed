//! Redirects, followed as [RFC 9110, section 15.4] has them, but never so that one method becomes
//! another: an upload that turns into a GET is answered 200, and nothing was stored.
//!
//! [RFC 9110, section 15.4]: https://www.rfc-editor.org/rfc/rfc9110.html#section-15.4

use reqwest::{Method, Response, StatusCode, Url, header};

use crate::{
    error::{Detail, Error, ErrorKind, Result},
    limit,
};

/// Where an answer sends this request; `None` where it is no redirect.
///
/// # Errors
/// [`ErrorKind::Server`] where the redirect would change the method, or lead from TLS to plain text.
pub(super) fn target(
    method: &Method,
    from: &Url,
    status: StatusCode,
    to: Option<Result<Url>>,
) -> Result<Option<Url>> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let keeps_method = matches!(status.as_u16(), 307 | 308);
    if !(keeps_method || matches!(status.as_u16(), 301..=303)) {
        return Ok(None);
    }
    let Some(to) = to else { return Ok(None) };
    let to = to?;
    let refuse = |why: &str| {
        let message = format!("the server answers {status}, which sends to {}: {why}", shown(&to));
        Err(Error::new(ErrorKind::Server, message).with_detail(Detail::Redirected))
    };
    if !(reads || keeps_method) {
        return refuse(&format!("a {method} would become a GET there"));
    }
    if !matches!(to.scheme(), "http" | "https") {
        return refuse("that is no address of a web server");
    }
    // Blobs are verified by their digest. A tag that anyone on the way may change is not believed.
    if from.scheme() == "https" && to.scheme() == "http" && !from.path().contains("/blobs/") {
        return refuse("that is not encrypted, and this request was");
    }
    Ok(Some(to))
}

/// The `Location` of an answer.
pub(super) fn location(response: &Response) -> Option<String> {
    Some(response.headers().get(header::LOCATION)?.to_str().ok()?.to_owned())
}

pub(super) fn too_many() -> Error {
    let message = limit::REDIRECTS.to_string();
    Error::new(ErrorKind::Server, message).with_detail(Detail::Redirected)
}

/// An address for messages: a query may hold a secret.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_and_protocols_stay() {
        let url = |text: &str| Url::parse(text).expect(text);
        for (method, from, status, to, followed) in [
            (Method::GET, "https://a/v2/x/manifests/1", 302, "https://b/y", Some(true)),
            (Method::HEAD, "https://a/v2/x/manifests/1", 303, "https://b/y", Some(true)),
            (Method::GET, "https://a/v2/x/manifests/1", 302, "http://b/y", Some(false)),
            (Method::GET, "https://a/v2/x/blobs/d", 307, "http://b/y", Some(true)),
            (Method::GET, "http://a/v2/x/blobs/d", 307, "ftp://b/y", Some(false)),
            (Method::POST, "http://a/api/charts", 301, "https://a/api/charts", Some(false)),
            (Method::POST, "http://a/api/charts", 308, "https://a/api/charts", Some(true)),
            (Method::PUT, "http://a/v2/x/manifests/1", 302, "http://a/login", Some(false)),
            (Method::PUT, "http://a/v2/x/manifests/1", 307, "http://b/x", Some(true)),
            (Method::GET, "http://a/v2/", 304, "http://b/x", None),
            (Method::GET, "http://a/v2/", 200, "http://b/x", None),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            let target = target(&method, &url(from), status, Some(Ok(url(to))));
            let found = match &target {
                Ok(None) => None,
                Ok(Some(_)) => Some(true),
                Err(_) => Some(false),
            };
            assert_eq!(found, followed, "{method} {from} {status} {to}: {target:?}");
        }
        let asked = target(&Method::GET, &url("http://a/"), StatusCode::FOUND, None);
        assert_eq!(asked.expect("no Location, no redirect"), None);
    }

    #[test]
    fn addresses_are_shown_without_secrets() {
        let url = Url::parse("https://u:secret@h/p?signature=secret").expect("an address");
        assert_eq!(shown(&url), "https://h/p");
    }
}
