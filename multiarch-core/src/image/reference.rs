//! Image references: the grammar of docker's `distribution/reference`, with IPv6 hosts.

use std::{fmt, str::FromStr};

use super::Digest;
use crate::{
    error::{Error, ErrorKind},
    limit,
};

/// `[host/]path[:tag][@digest]`, kept as it was written.
///
/// Grammar: [distribution/reference]. [`host`](Reference::host) and
/// [`repository`](Reference::repository) fill in what the text leaves out (Docker Hub for a missing
/// host, `library/` for one-component names there); printing gives the original text.
///
/// [distribution/reference]: https://github.com/distribution/reference/blob/v0.6.0/reference.go
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Reference {
    host: Option<String>,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

const DOCKER_HUB: &str = "docker.io";
impl Reference {
    /// The registry's host and port; `docker.io` for every name of Docker Hub, and where none was
    /// written.
    pub(crate) fn host(&self) -> &str {
        match self.host.as_deref() {
            None | Some("index.docker.io" | "registry-1.docker.io") => DOCKER_HUB,
            Some(host) => host,
        }
    }

    /// The repository path in its registry, with Docker Hub's implied `library/`.
    pub(crate) fn repository(&self) -> String {
        if self.host() == DOCKER_HUB && !self.path.contains('/') {
            return format!("library/{}", self.path);
        }
        self.path.clone()
    }

    /// True where a host was written.
    pub(crate) fn has_host(&self) -> bool {
        self.host.is_some()
    }

    /// The host as it was written; empty where none was.
    pub(crate) fn written_host(&self) -> &str {
        self.host.as_deref().unwrap_or_default()
    }

    /// The repository path as it was written.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The tag, if one was written.
    pub(crate) fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if one was written.
    pub(crate) fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |why: &str| {
            Error::new(ErrorKind::Malformed, format!("{text:?} is no image reference: {why}"))
        };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                (rest, Some(digest.parse().map_err(|e: Error| bad(e.message()))?))
            }
            None => (text, None),
        };
        let (name, tag) = split_tag(rest);
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(bad("the tag is not [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"));
        }
        let (host, path) = split_host(name);
        if host.is_some_and(|host| !is_host(host)) {
            return Err(bad("the host is malformed"));
        }
        if !is_repository(path) {
            return Err(bad(
                "the repository is not lower-case components joined by single slashes",
            ));
        }
        if limit::REFERENCE.check(name.len()).is_err() {
            return Err(bad("the name is longer than 255 characters"));
        }
        Ok(Self { host: host.map(Into::into), path: path.into(), tag: tag.map(Into::into), digest })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = &self.host {
            write!(f, "{host}/")?;
        }
        f.write_str(&self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// The tag is what follows the last colon, if that colon comes after the last slash; otherwise the
/// colon belongs to the host.
fn split_tag(text: &str) -> (&str, Option<&str>) {
    match text.rfind(':') {
        Some(colon) if !text[colon..].contains(['/', ']']) => {
            (&text[..colon], Some(&text[colon + 1..]))
        }
        _ => (text, None),
    }
}

/// The first component is a host if it has a dot, a colon, a bracket or an upper-case letter, or is
/// `localhost`; otherwise it is the first part of the path.
fn split_host(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((first, rest))
            if first == "localhost"
                || first.contains(['.', ':', '['])
                || first.contains(|c: char| c.is_ascii_uppercase()) =>
        {
            (Some(first), rest)
        }
        _ => (None, name),
    }
}

fn is_host(host: &str) -> bool {
    let port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    if let Some(rest) = host.strip_prefix('[') {
        let Some((address, after)) = rest.split_once(']') else { return false };
        let hex = |b: u8| b.is_ascii_hexdigit() || b == b':';
        return !address.is_empty()
            && address.bytes().all(hex)
            && (after.is_empty() || after.strip_prefix(':').is_some_and(port));
    }
    let (name, after) = host.split_once(':').map_or((host, None), |(n, p)| (n, Some(p)));
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.split('.').all(label) && after.is_none_or(port)
}

/// True unless a host ends in a port that no server can have. The grammar of references allows any digits.
pub(crate) fn has_usable_port(host: &str) -> bool {
    let port = host.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
    port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0))
}

/// True for a host with an optional port, followed by an optional repository path.
pub(crate) fn is_registry(text: &str) -> bool {
    let (host, path) = text.split_once('/').map_or((text, None), |(h, p)| (h, Some(p)));
    is_host(host) && has_usable_port(host) && path.is_none_or(is_repository)
}

/// True for a repository path: components joined by single slashes, each of lower-case letters and
/// digits joined by `.`, `_`, `__` or dashes.
pub(crate) fn is_repository(path: &str) -> bool {
    let component = |component: &str| {
        let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let bytes = component.as_bytes();
        let separators = component
            .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            .filter(|s| !s.is_empty())
            .all(|s| matches!(s, "." | "_" | "__") || s.bytes().all(|b| b == b'-'));
        edge(bytes.first()) && edge(bytes.last()) && separators
    };
    path.split('/').all(component)
}

/// True for a tag: up to 128 word characters, dots and dashes, the first one a word character.
pub(crate) fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

/// True where two texts mean the same image: the defaults of docker are filled in, so that all spellings
/// of one reference are equal.
pub(crate) fn same_reference(a: &str, b: &str) -> bool {
    a == b || canonical_reference(a) == canonical_reference(b)
}

/// One spelling for all texts that mean the same image; a text that is no reference stays as it is.
pub(crate) fn canonical_reference(text: &str) -> String {
    let Ok(reference) = text.parse::<Reference>() else { return text.to_owned() };
    let name = format!("{}/{}", reference.host(), reference.repository());
    match (reference.tag(), reference.digest()) {
        (Some(tag), Some(digest)) => format!("{name}:{tag}@{digest}"),
        (None, Some(digest)) => format!("{name}@{digest}"),
        (tag, None) => format!("{name}:{}", tag.unwrap_or("latest")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    // The expected parts are those that distribution/reference v0.6.0 gives.
    #[test]
    fn parts() {
        let pinned = format!("quay.io/a/b:1@sha256:{HEX}");
        for (text, host, repository, tag, digest) in [
            ("nginx", "docker.io", "library/nginx", None, false),
            ("nginx:1.2", "docker.io", "library/nginx", Some("1.2"), false),
            ("index.docker.io/nginx", "docker.io", "library/nginx", None, false),
            ("docker.io/library/nginx", "docker.io", "library/nginx", None, false),
            ("fluxcd/kustomize:v0.13.1", "docker.io", "fluxcd/kustomize", Some("v0.13.1"), false),
            ("localhost/x", "localhost", "x", None, false),
            ("localhost:5000/x", "localhost:5000", "x", None, false),
            ("host:5000/a/b:c", "host:5000", "a/b", Some("c"), false),
            ("Upper/x", "Upper", "x", None, false),
            ("[::1]:5000/a:b", "[::1]:5000", "a", Some("b"), false),
            ("[fe80::1]/a", "[fe80::1]", "a", None, false),
            ("docker.m.daocloud.io/redis", "docker.m.daocloud.io", "redis", None, false),
            ("a.b/c__d/e-f--g/h.i", "a.b", "c__d/e-f--g/h.i", None, false),
            (pinned.as_str(), "quay.io", "a/b", Some("1"), true),
        ] {
            let reference: Reference = text.parse().expect(text);
            assert_eq!(reference.to_string(), text);
            assert_eq!(reference.host(), host, "{text}");
            assert_eq!(reference.repository(), repository, "{text}");
            assert_eq!(reference.tag(), tag, "{text}");
            assert_eq!(reference.digest().is_some(), digest, "{text}");
        }
    }

    #[test]
    fn refuses_malformed_references() {
        let long = format!("a.b/{}", "a".repeat(252));
        let tag = format!("a:{}", "t".repeat(129));
        for text in [
            "",
            ":tag",
            "a/",
            "/a",
            "a//b",
            "a:",
            "a:-x",
            "Uppercase",
            "a/B",
            "a..b/c/..",
            "a@sha256:ab",
            "a___b",
            "-a",
            "a-",
            "host:port/a",
            "[::1/a",
            "a b",
            "REG/x/<no value>",
            &long,
            &tag,
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }
}
