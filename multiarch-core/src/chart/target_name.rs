//! The name of an image in the target.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::OwnTag;
use crate::{
    error::{Error, ErrorKind, Result},
    image::{Reference, is_repository, is_tag},
};

/// The name of an image in the target: repository and tag, without the target's host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetName {
    repository: String,
    tag: String,
}

impl TargetName {
    /// A name from a repository and a tag.
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

    /// The name of a reference relative to `registry`, a host and perhaps a path; `None` where the
    /// reference is not below it.
    pub(crate) fn below(registry: &str, reference: &Reference) -> Option<Self> {
        let whole = format!("{}/{}", reference.written_host(), reference.path());
        let repository = whole.strip_prefix(registry)?.strip_prefix('/')?;
        Self::new(repository, &tag_of(reference)).ok()
    }

    /// The tag that an image of this reference gets.
    pub(crate) fn tag_of(reference: &Reference) -> String {
        tag_of(reference)
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

/// The tag that holds an image.
pub(super) fn tag_of(reference: &Reference) -> String {
    match (reference.tag(), reference.digest()) {
        (Some(tag), _) => tag.into(),
        (None, Some(digest)) => OwnTag::Pinned.of(digest),
        (None, None) => "latest".into(),
    }
}
