//! The paths of the distribution specification.

use crate::Request;

/// What a path refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/v2/`
    Root,
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/NAME/tags/list`
    Tags(String),
    /// `/v2/NAME/blobs/DIGEST`
    Blob(String, String),
    /// `/v2/NAME/blobs/uploads/`
    Uploads(String),
    /// `/v2/NAME/blobs/uploads/SESSION`
    Session(String, String),
    /// `/v2/NAME/manifests/REFERENCE`
    Manifest(String, String),
    /// `/v2/NAME/referrers/DIGEST`
    Referrers(String, String),
}

impl Route {
    /// `None` if the path is unknown, or its repository name is invalid.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let path = request.local_path().strip_prefix("/v2")?.strip_prefix('/').unwrap_or_default();
        let owned = |name: &str, rest: &str| (name.to_owned(), rest.to_owned());
        let route = match path {
            "" => return Some(Self::Root),
            "_catalog" => return Some(Self::Catalog),
            _ => {
                let mut parts = path.rsplitn(3, '/');
                let (last, kind) = (parts.next()?, parts.next()?);
                let before = parts.next()?;
                match (kind, before.strip_suffix("/blobs")) {
                    ("uploads", Some(name)) if last.is_empty() => Self::Uploads(name.to_owned()),
                    ("uploads", Some(name)) => {
                        let (name, session) = owned(name, last);
                        Self::Session(name, session)
                    }
                    // Clients may leave out the trailing slash.
                    ("blobs", _) if last == "uploads" => Self::Uploads(before.to_owned()),
                    ("tags", _) if last == "list" => Self::Tags(before.to_owned()),
                    ("blobs", _) => {
                        let (name, digest) = owned(before, last);
                        Self::Blob(name, digest)
                    }
                    ("manifests", _) => {
                        let (name, reference) = owned(before, last);
                        Self::Manifest(name, reference)
                    }
                    ("referrers", _) => {
                        let (name, digest) = owned(before, last);
                        Self::Referrers(name, digest)
                    }
                    _ => return None,
                }
            }
        };
        is_name(route.repository()).then_some(route)
    }

    pub(super) fn repository(&self) -> &str {
        match self {
            Self::Root | Self::Catalog => "",
            Self::Tags(name) | Self::Uploads(name) => name,
            Self::Blob(name, _)
            | Self::Session(name, _)
            | Self::Manifest(name, _)
            | Self::Referrers(name, _) => name,
        }
    }
}

/// A repository's name: components of lower-case letters and digits, with single separators between
/// them.
fn is_name(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_component = |part: &str| {
        let inside = part.chars().all(|c| is_word(c) || matches!(c, '.' | '_' | '-'));
        inside && part.starts_with(is_word) && part.ends_with(is_word) && !part.contains("..")
    };
    name.len() <= 255 && name.split('/').all(is_component)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path() {
        let route = |path: &str| Route::of(&Request { path: path.into(), ..Request::default() });
        let two = |name: &str, rest: &str| (name.to_owned(), rest.to_owned());
        let (name, rest) = two("a/b", "sha256:1");
        assert_eq!(route("/v2/"), Some(Route::Root));
        assert_eq!(route("/v2/_catalog?n=1"), Some(Route::Catalog));
        assert_eq!(route("/v2/a/b/tags/list"), Some(Route::Tags(name.clone())));
        assert_eq!(route("/v2/a/b/blobs/sha256:1"), Some(Route::Blob(name.clone(), rest.clone())));
        assert_eq!(route("/v2/a/b/blobs/uploads/?mount=x"), Some(Route::Uploads(name.clone())));
        assert_eq!(route("/v2/a/b/blobs/uploads"), Some(Route::Uploads(name.clone())));
        let session = Route::Session(name.clone(), "7".into());
        assert_eq!(route("http://h/v2/a/b/blobs/uploads/7?_state=1"), Some(session));
        assert_eq!(route("/v2/a/b/manifests/v1"), Some(Route::Manifest(name.clone(), "v1".into())));
        assert_eq!(route("/v2/a/b/referrers/sha256:1"), Some(Route::Referrers(name, rest)));
        for none in ["/", "/v1/", "/v2/a", "/v2/a/other/x", "/v2/A/tags/list", "/v2/a//tags/list"] {
            assert_eq!(route(none), None, "{none}");
        }
    }
}
