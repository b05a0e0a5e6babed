//! The address of a registry.

use std::{fmt, net::IpAddr, str::FromStr};

use crate::{
    error::{Detail, Error, ErrorKind, Result},
    image::{Reference, has_usable_port, is_repository},
};

/// A registry's host and port, the scheme if one was given, and a path that precedes the name of every
/// repository: `docker://host[:port][/path]`, `https://…`, `http://…`, or `host[:port][/path]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    host: String,
    path: String,
    scheme: Option<Scheme>,
}

/// HTTP, with or without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl Address {
    /// Host, and port if one was given.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The path that precedes all names; it may be empty.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Host and path, which precede the name in a reference.
    pub(crate) fn registry(&self) -> String {
        let path = if self.path.is_empty() { String::new() } else { format!("/{}", self.path) };
        format!("{}{path}", self.host)
    }

    /// The repository for a name below this address.
    pub(crate) fn repository(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }

    /// The name of a repository below this address; `None` if it is not below it.
    pub(super) fn name<'a>(&self, repository: &'a str) -> Option<&'a str> {
        if self.path.is_empty() {
            return Some(repository);
        }
        repository.strip_prefix(&self.path)?.strip_prefix('/')
    }

    pub(super) fn scheme(&self) -> Option<Scheme> {
        self.scheme
    }

    /// True for this machine itself: `localhost`, 127.0.0.0/8, `[::1]`.
    pub(super) fn is_loopback(&self) -> bool {
        match self.host.strip_prefix('[') {
            Some(rest) => is_loopback(rest.split(']').next().unwrap_or_default()),
            None => is_loopback(self.host.split(':').next().unwrap_or_default()),
        }
    }
}

/// True for the name or address of this machine itself.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (scheme, rest) = match text.split_once("://") {
            None | Some(("docker", _)) => (None, text.strip_prefix("docker://").unwrap_or(text)),
            Some(("http", rest)) => (Some(Scheme::Http), rest),
            Some(("https", rest)) => (Some(Scheme::Https), rest),
            Some((other, _)) => {
                let message = format!("{other}:// is not the scheme of a registry");
                return Err(
                    Error::new(ErrorKind::Usage, message).with_detail(Detail::TargetAddress)
                );
            }
        };
        // Messages do not repeat the address: there may be a password in it.
        let bad = |detail: Detail, why: &str| {
            let error = Error::new(ErrorKind::Usage, format!("the target {why}"));
            Err(error.with_detail(detail))
        };
        if rest.contains('@') {
            return bad(Detail::CredentialsInAddress, "has an @ in it");
        }
        let rest = rest.trim_end_matches('/');
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.is_empty() {
            return bad(Detail::TargetAddress, "names no host");
        }
        // A host is what the grammar of references takes for one.
        let probe = format!("{host}/x").parse::<Reference>();
        let is_host = probe.is_ok_and(|reference| {
            reference.to_string() == format!("{host}/x") && reference.path() == "x"
        });
        let named = text.contains("://") || host == "localhost" || host.contains(['.', ':']);
        if !(is_host || scheme.is_some() || text.starts_with("docker://")) || !named {
            return bad(Detail::TargetAddress, "is not a host");
        }
        if !has_usable_port(host) {
            return bad(Detail::TargetAddress, "has a port that is not between 1 and 65535");
        }
        if !path.is_empty() && !is_repository(path) {
            let why = "has a path that is not a repository name: lower-case components and slashes";
            return bad(Detail::TargetAddress, why);
        }
        Ok(Self { host: host.into(), path: path.into(), scheme })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.scheme.map_or("docker", Scheme::name);
        write!(f, "{scheme}://{}", self.registry())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form() {
        for (text, host, repository, shown) in [
            ("docker://h.io:5000/a/b", "h.io:5000", "a/b/x", "docker://h.io:5000/a/b"),
            ("h.io", "h.io", "x", "docker://h.io"),
            ("localhost:5000/", "localhost:5000", "x", "docker://localhost:5000"),
            ("http://h.io/p", "h.io", "p/x", "http://h.io/p"),
            ("https://[::1]:5000", "[::1]:5000", "x", "https://[::1]:5000"),
            ("docker://registry", "registry", "x", "docker://registry"),
        ] {
            let address: Address = text.parse().expect(text);
            assert_eq!((address.host(), address.repository("x").as_str()), (host, repository));
            assert_eq!(address.to_string(), shown);
            assert_eq!(address.name(repository), Some("x"));
        }
        for text in ["", "nowhere", "ftp://h.io", "docker://", "h.io/UPPER", "h.io/a//b", "a b.c"] {
            assert_eq!(text.parse::<Address>().expect_err(text).kind(), ErrorKind::Usage);
        }
        let secret = "docker://user:secret@h.io".parse::<Address>().expect_err("credentials");
        assert!(!secret.to_string().contains("secret"), "{secret}");
    }

    #[test]
    fn loopback() {
        for text in ["localhost:1", "127.0.0.1:5000", "127.1.2.3:1", "[::1]:5000"] {
            assert!(text.parse::<Address>().expect(text).is_loopback(), "{text}");
        }
        for text in ["10.0.0.1:5000", "localhost.example.com", "[fe80::1]:5000"] {
            assert!(!text.parse::<Address>().expect(text).is_loopback(), "{text}");
        }
    }
}
