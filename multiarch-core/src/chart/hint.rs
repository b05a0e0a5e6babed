//! Hints: templates that say which of a chart's values make up an image reference.
//!
//! A hint file is a YAML list of strings such as
//! `{{ .image.registry }}/{{ .image.repository }}:{{ .image.tag }}`. A placeholder after a colon is
//! the tag, after an `@` the digest. The others are one fragment (registry and repository in one value)
//! or two (registry, repository). Literal text may be anywhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde_json::Value;

use super::{Values, go, yaml};
use crate::{
    error::{Error, ErrorKind, Result},
    image::Reference,
    limit,
};

/// The template of one image reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Placeholder { path: Vec<String>, role: Role },
}

/// The part of the reference that a placeholder gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The only fragment: registry and repository, perhaps with the tag.
    Whole,
    Registry,
    Repository,
    Tag,
    Digest,
}

/// Reads a hint file; an empty one has no hints.
///
/// # Errors
/// [`ErrorKind::Malformed`] where it is not a list, [`ErrorKind::Hint`] for an item that is not a
/// template.
pub(crate) fn parse_hints(text: &[u8]) -> Result<Vec<Hint>> {
    match yaml::parse(text)? {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) => {
            let mut known = BTreeSet::new();
            let hints = list.iter().map(|item| match item {
                Value::String(text) => Ok(text),
                other => {
                    let message = format!("a hint is no text: {}", go::format(other));
                    Err(Error::new(ErrorKind::Hint, message))
                }
            });
            // One that is repeated says nothing new.
            let hints = hints.filter(|text| text.as_ref().map_or(true, |text| known.insert(*text)));
            let hints: Vec<&String> = hints.collect::<Result<_>>()?;
            limit::HINTS.check(hints.len())?;
            hints.into_iter().map(|text| text.parse()).collect()
        }
        _ => Err(Error::new(ErrorKind::Malformed, "the hints are no list")),
    }
}

impl FromStr for Hint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        limit::HINT.check(text.len())?;
        let bad = |why: &str| Error::new(ErrorKind::Hint, format!("hint {text:?}: {why}"));
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once("{{") {
            let (inner, after) =
                after.split_once("}}").ok_or_else(|| bad("a placeholder does not end"))?;
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.into()));
            }
            let path = inner
                .trim()
                .strip_prefix('.')
                .ok_or_else(|| bad("a placeholder does not begin with a dot"))?;
            let path: Vec<String> = path.split('.').map(Into::into).collect();
            if path.iter().any(|key| key.is_empty() || key.contains(char::is_whitespace)) {
                return Err(bad("a placeholder is no path of values"));
            }
            let role = match literal.chars().last() {
                Some(':') => Role::Tag,
                Some('@') => Role::Digest,
                _ => Role::Whole,
            };
            parts.push(Part::Placeholder { path, role });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.into()));
        }
        let mut hint = Self { text: text.into(), parts };
        hint.settle_roles().map_err(bad)?;
        Ok(hint)
    }
}

impl Hint {
    /// Makes two fragments the registry and the repository, and refuses impossible combinations.
    fn settle_roles(&mut self) -> std::result::Result<(), &'static str> {
        let mut fragments = Vec::new();
        let (mut tags, mut digests) = (0, 0);
        for part in &mut self.parts {
            if let Part::Placeholder { role, .. } = part {
                match role {
                    Role::Tag => tags += 1,
                    Role::Digest => digests += 1,
                    _ => fragments.push(role),
                }
            }
        }
        if tags > 1 || digests > 1 {
            return Err("it has more than one tag or digest");
        }
        match fragments.as_mut_slice() {
            [_] => Ok(()),
            [registry, repository] => {
                **registry = Role::Registry;
                **repository = Role::Repository;
                Ok(())
            }
            [] => Err("it has no registry and no repository"),
            _ => Err("it has more than two values besides tag and digest"),
        }
    }

    /// The text that this hint renders with these values.
    ///
    /// # Errors
    /// [`ErrorKind::Hint`] where a value is missing or null.
    pub(crate) fn render(&self, values: &Values) -> Result<String> {
        self.render_with(values, &Overrides::default())
    }

    /// The same, with some values replaced.
    pub(super) fn render_with(&self, values: &Values, overrides: &Overrides) -> Result<String> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Placeholder { path, .. } => match overrides.get(path) {
                    Some(value) => out.push_str(value),
                    None => out.push_str(&self.value(values, path)?),
                },
            }
        }
        Ok(out)
    }

    /// The reference that this hint renders with these values.
    ///
    /// # Errors
    /// [`ErrorKind::Hint`] where a value is missing, or the rendered text is not a reference.
    pub(crate) fn reference(&self, values: &Values) -> Result<Reference> {
        self.parse(&self.render(values)?)
    }

    pub(super) fn parse(&self, rendered: &str) -> Result<Reference> {
        rendered.parse().map_err(|_| {
            let message = format!("hint {:?} renders {rendered:?}, which is no image", self.text);
            Error::new(ErrorKind::Hint, message)
        })
    }

    /// The value at a placeholder's path, as Go's templates print it.
    pub(super) fn value(&self, values: &Values, path: &[String]) -> Result<String> {
        let missing = || {
            let message = format!("hint {:?}: the value .{} is not set", self.text, path.join("."));
            Error::new(ErrorKind::Hint, message)
        };
        let (first, rest) = path.split_first().ok_or_else(missing)?;
        let value =
            rest.iter().try_fold(values.get(first).ok_or_else(missing)?, |value, key| {
                value.as_object().and_then(|map| map.get(key)).ok_or_else(missing)
            })?;
        if value.is_null() { Err(missing()) } else { Ok(go::format(value)) }
    }

    /// The placeholders, each with its role and path.
    pub(super) fn placeholders(&self) -> impl Iterator<Item = (Role, &[String])> {
        self.parts.iter().filter_map(|part| match part {
            Part::Placeholder { path, role } => Some((*role, path.as_slice())),
            Part::Literal(_) => None,
        })
    }

    /// The values that an edit may change.
    pub(super) fn edited_paths(&self) -> impl Iterator<Item = &[String]> {
        let edited = |role| matches!(role, Role::Whole | Role::Registry | Role::Repository);
        self.placeholders().filter(move |(role, _)| edited(*role)).map(|(_, path)| path)
    }

    /// True where the template has no tag and no digest: they can only be in the repository's value.
    pub(super) fn is_tagless(&self) -> bool {
        let own = self.placeholders().any(|(role, _)| matches!(role, Role::Tag | Role::Digest));
        let literal = match self.parts.last() {
            Some(Part::Literal(text)) => text.contains([':', '@']),
            _ => false,
        };
        !own && !literal
    }
}

/// New values for a chart, by path.
pub(crate) type Overrides = BTreeMap<Vec<String>, String>;

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_shape_renders() {
        let Value::Object(values) = json!({
            "i": {"registry": "quay.io", "repository": "a/b", "tag": "v1", "whole": "quay.io/a/b", "none": null, "empty": ""},
            "a-b": {"x/y": "ghcr.io/z:1", "n": 1.10, "big": 20240101.0},
        }) else {
            unreachable!()
        };
        for (hint, expected) in [
            ("{{ .i.registry }}/{{ .i.repository }}:{{ .i.tag }}", Ok("quay.io/a/b:v1")),
            ("{{.i.registry}}/{{ .i.repository}}:{{.i.tag }}-ubuntu", Ok("quay.io/a/b:v1-ubuntu")),
            ("{{ .i.registry }}/{{ .i.repository }}:{{ .i.empty }}v2", Ok("quay.io/a/b:v2")),
            ("{{ .i.registry }}/{{ .i.repository }}/core:{{ .i.tag }}", Ok("quay.io/a/b/core:v1")),
            ("{{ .i.whole }}:{{ .i.tag }}", Ok("quay.io/a/b:v1")),
            ("{{ .i.registry }}/lit/eral:{{ .i.tag }}", Ok("quay.io/lit/eral:v1")),
            ("{{ .a-b.x/y }}", Ok("ghcr.io/z:1")),
            ("{{ .i.whole }}:{{ .a-b.n }}", Ok("quay.io/a/b:1.1")),
            ("{{ .i.whole }}:{{ .a-b.big }}", Ok("quay.io/a/b:2.0240101e+07")),
            ("{{ .i.whole }}:{{ .i.none }}", Err(())),
            ("{{ .i.whole }}:{{ .i.absent }}", Err(())),
            ("{{ .i.tag.deeper }}", Err(())),
        ] {
            let rendered = hint.parse::<Hint>().expect(hint).render(&values);
            assert_eq!(rendered.as_deref().map_err(|_| ()), expected, "{hint}");
        }
    }

    #[test]
    fn refuses_malformed_hints() {
        for text in [
            "",
            "nginx:1.2",
            "{{ .a }}{{ .b }}{{ .c }}",
            "{{ .a }}:{{ .b }}:{{ .c }}",
            "{{ .a",
            "{{ a }}",
            "{{ . }}",
            "{{ .a b }}",
        ] {
            assert!(text.parse::<Hint>().is_err(), "{text}");
        }
        assert_eq!(parse_hints(b"").expect("empty"), []);
        assert_eq!(parse_hints(b"---\n# none\n").expect("empty"), []);
        assert!(parse_hints(b"a: b").is_err());
        assert!(parse_hints(b"- {a: b}").is_err());
        let twice = "- '{{ .a }}'\n".repeat(10_000);
        assert_eq!(parse_hints(twice.as_bytes()).expect("one").len(), 1);
    }
}
