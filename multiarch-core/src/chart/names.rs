//! Names in the target.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Hint, Values, hint::Role};
use crate::{
    error::{Error, ErrorKind, Result},
    image::{Reference, is_repository, is_tag},
};

/// How an image's name in the target follows from its original one: the modes of charts-syncer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NameMode {
    /// The host is replaced. With a registry value of its own that value is replaced whole, so that
    /// a path in it goes, too.
    #[default]
    Registry,
}

/// The name of an image in the target: repository and tag, without the target's host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetName {
    repository: String,
    tag: String,
}

/// Stands for the target's host while a hint is rendered.
const HOST: &str = "target.invalid:1";

impl NameMode {
    /// The name that the chart will render for this hint once its values are relocated.
    ///
    /// # Errors
    /// [`ErrorKind::Hint`] where a value is missing or what is rendered is no reference.
    pub fn of_hint(self, hint: &Hint, values: &Values) -> Result<TargetName> {
        let rendered = hint.render(values)?;
        let bad = |text: &str| {
            Error::new(
                ErrorKind::Hint,
                format!("hint {hint:?} renders {text:?}", hint = hint.to_string()),
            )
        };
        let original: Reference = rendered.parse().map_err(|_| bad(&rendered))?;
        let whole = format!("{HOST}/{}", original.repository());
        let tagless = !hint.has(Role::Tag) && !hint.has(Role::Digest);
        let renamed = hint.render_with(values, |role, value| match role {
            Role::Whole if tagless => with_version(&whole, &original),
            Role::Whole => whole.clone(),
            Role::Registry => HOST.into(),
            _ => value,
        })?;
        let renamed: Reference = renamed.parse().map_err(|_| bad(&renamed))?;
        if renamed.host() != HOST {
            return Err(bad(&renamed.to_string()));
        }
        TargetName::new(renamed.path(), &tag_of(&renamed))
    }

    /// The name of an image that no hint speaks of.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] where the name is none that a registry can hold.
    pub fn of_reference(self, reference: &Reference) -> Result<TargetName> {
        TargetName::new(&reference.repository(), &tag_of(reference))
    }
}

/// What a single value with everything in it says behind the repository.
fn with_version(name: &str, original: &Reference) -> String {
    let tag = original.tag().map(|tag| format!(":{tag}")).unwrap_or_default();
    let digest = original.digest().map(|digest| format!("@{digest}")).unwrap_or_default();
    format!("{name}{tag}{digest}")
}

/// The tag that holds an image; one that is named by digest alone gets a tag that says so, because
/// a registry collects what no tag holds.
fn tag_of(reference: &Reference) -> String {
    match (reference.tag(), reference.digest()) {
        (Some(tag), _) => tag.into(),
        (None, Some(digest)) => format!("pinned-{}", &digest.hex()[..12]),
        (None, None) => "latest".into(),
    }
}

impl TargetName {
    /// A name of repository and tag.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] where one of them breaks the grammar of references.
    pub fn new(repository: &str, tag: &str) -> Result<Self> {
        if !is_repository(repository) || !is_tag(tag) || repository.len() > 255 {
            let message = format!("{repository}:{tag} is no name a registry can hold");
            return Err(Error::new(ErrorKind::Malformed, message));
        }
        Ok(Self { repository: repository.into(), tag: tag.into() })
    }

    /// The repository.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag.
    pub fn tag(&self) -> &str {
        &self.tag
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.repository, self.tag)
    }
}

impl FromStr for TargetName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (repository, tag) = text.rsplit_once(':').unwrap_or((text, ""));
        Self::new(repository, tag)
    }
}

impl Serialize for TargetName {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TargetName {
    fn deserialize<D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|e: Error| serde::de::Error::custom(e.message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    // Names that charts-syncer v0.0.23 left in a registry for hints of these shapes.
    #[test]
    fn mode_registry() {
        let Value::Object(values) = json!({
            "r": "docker.m.daocloud.io", "hub": "docker.m.daocloud.io/istio", "bare": "fluxcd", "t": "v1",
            "one": "redis", "two": "a/b", "whole": "quay.m.daocloud.io/jetstack/x", "hubone": "nginx",
            "all": "m.daocloud.io/gcr.io/k/m:v2", "dot": "docker.io",
            "pinned": format!("gcr.io/k/m@sha256:{}", "5b".repeat(32)),
        }) else {
            unreachable!()
        };
        for (hint, name) in [
            ("{{ .r }}/{{ .two }}:{{ .t }}", "a/b:v1"),
            ("{{ .r }}/{{ .one }}:{{ .t }}", "redis:v1"),
            ("{{ .dot }}/{{ .one }}:{{ .t }}", "redis:v1"),
            ("{{ .hub }}/{{ .one }}:{{ .t }}", "redis:v1"),
            ("{{ .bare }}/{{ .one }}:{{ .t }}", "redis:v1"),
            ("{{ .r }}/{{ .two }}/core:{{ .t }}-x", "a/b/core:v1-x"),
            ("{{ .whole }}:{{ .t }}", "jetstack/x:v1"),
            ("{{ .hubone }}:{{ .t }}", "library/nginx:v1"),
            ("{{ .r }}/baizeai/agent:{{ .t }}", "baizeai/agent/baizeai/agent:v1"),
            ("{{ .all }}", "gcr.io/k/m:v2"),
            ("{{ .hubone }}", "library/nginx:latest"),
            ("{{ .pinned }}", "k/m:pinned-5b5b5b5b5b5b"),
        ] {
            let hint: Hint = hint.parse().expect(hint);
            let named = NameMode::Registry.of_hint(&hint, &values).expect("a name");
            assert_eq!(named.to_string(), name, "{hint}");
        }
        for hint in ["quay.io/{{ .r }}/{{ .two }}:{{ .t }}", "{{ .r }}/{{ .two }}:{{ .two }}"] {
            let hint: Hint = hint.parse().expect(hint);
            assert!(NameMode::Registry.of_hint(&hint, &values).is_err(), "{hint}");
        }
    }
}
