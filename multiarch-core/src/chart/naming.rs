//! How an image's name in the target is derived from its original reference.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Hint, TargetName, Values, hint::Role, target_name::tag_of};
use crate::{
    error::{Detail, Error, ErrorKind, Result},
    image::{Reference, is_repository},
};

/// The modes of charts-syncer. Each gives the name for `quay.io/a/b:1`; `p` is the path that some need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NameMode {
    /// `a/b:1`: the host is replaced. A separate registry value is replaced as a whole, including a path
    /// in it.
    #[default]
    Registry,
    /// `p/b:1`: only the last component of the repository is kept.
    Repository,
    /// `p/a/b:1`
    PrefixRepository,
    /// `quay.io/a/b:1`: the host becomes part of the repository; for Docker Hub, `index.docker.io`.
    PrefixRegistry,
    /// `quay.io/a/b:1`, too, but with the original host appended to the chart's registry value, so that
    /// a repository value stays as it was.
    AppendOrigin,
}

/// A mode, with the path that some modes need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Naming {
    mode: NameMode,
    #[serde(skip_serializing_if = "String::is_empty")]
    repository: String,
}

impl fmt::Display for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            NameMode::Registry => "registry",
            NameMode::Repository => "repository",
            NameMode::PrefixRepository => "prefix-repository",
            NameMode::PrefixRegistry => "prefix-registry",
            NameMode::AppendOrigin => "append-origin",
        };
        f.write_str(mode)?;
        if self.repository.is_empty() { Ok(()) } else { write!(f, " {}", self.repository) }
    }
}

/// New values for the paths that a hint reads.
pub(super) type Edits = Vec<(Vec<String>, String)>;

impl Naming {
    /// A mode, and the path for those that need one.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where the path is missing, not needed, or not a repository path.
    pub fn new(mode: NameMode, repository: Option<&str>) -> Result<Self> {
        let bad = |why: &str| Err(Error::new(ErrorKind::Usage, why).with_detail(Detail::NamesPath));
        let needed = matches!(mode, NameMode::Repository | NameMode::PrefixRepository);
        match (needed, repository) {
            (true, None) => bad("names of mode repository or prefix-repository need a repository"),
            (false, Some(_)) => {
                bad("a repository belongs to names of mode repository or prefix-repository")
            }
            (_, Some(path)) if !is_repository(path) => {
                bad("the repository is no path of lower-case components and slashes")
            }
            (_, path) => Ok(Self { mode, repository: path.unwrap_or_default().into() }),
        }
    }

    /// The mode.
    pub fn mode(&self) -> NameMode {
        self.mode
    }

    /// The new host and repository for an original reference.
    fn rename(&self, registry: &str, original: &Reference) -> (String, String) {
        let host = origin(original);
        let (repository, path) = (original.repository(), &self.repository);
        let last = repository.rsplit('/').next().unwrap_or_default();
        match self.mode {
            NameMode::Registry => (registry.into(), repository),
            NameMode::Repository => (registry.into(), format!("{path}/{last}")),
            NameMode::PrefixRepository => (registry.into(), format!("{path}/{repository}")),
            NameMode::PrefixRegistry => (registry.into(), format!("{host}/{repository}")),
            NameMode::AppendOrigin => (format!("{registry}/{host}"), repository),
        }
    }

    /// The edits that charts-syncer v0.0.23 makes for one hint, without regard to other hints.
    pub(super) fn edits(&self, hint: &Hint, values: &Values, registry: &str) -> Result<Edits> {
        let original = hint.reference(values)?;
        let (host, repository) = self.rename(registry, &original);
        let keeps_repository = matches!(self.mode, NameMode::Registry | NameMode::AppendOrigin);
        let mut edits = Edits::new();
        for (role, path) in hint.placeholders() {
            let value = match role {
                Role::Whole if hint.is_tagless() => {
                    with_version(&format!("{host}/{repository}"), &original)
                }
                Role::Whole => format!("{host}/{repository}"),
                Role::Registry => host.clone(),
                Role::Repository if !keeps_repository => repository.clone(),
                _ => continue,
            };
            edits.push((path.to_vec(), value));
        }
        edits.extend(unpinned(hint, values)?);
        Ok(edits)
    }

    /// Edits that change the registry value alone, so that several hints can share their other values:
    /// the new host, then what the mode adds, then what followed the old host.
    pub(super) fn edits_of_registry(
        &self,
        hint: &Hint,
        values: &Values,
        registry: &str,
    ) -> Result<Edits> {
        if hint.is_tagless() {
            return self.edits(hint, values, registry);
        }
        let original = hint.reference(values)?;
        let (host, _) = self.rename(registry, &original);
        let middle = match self.mode {
            NameMode::PrefixRegistry => origin(&original),
            NameMode::Registry | NameMode::AppendOrigin => "",
            NameMode::Repository | NameMode::PrefixRepository => self.repository.as_str(),
        };
        let mut edits = Edits::new();
        for (role, path) in hint.placeholders() {
            if !matches!(role, Role::Registry | Role::Whole) {
                continue;
            }
            let value = hint.value(values, path)?;
            let rest = match (original.has_host(), value.split_once('/')) {
                (true, None) => "",
                (true, Some((_, rest))) => rest,
                (false, _) => value.as_str(),
            };
            let parts = [host.as_str(), middle, rest].into_iter().filter(|part| !part.is_empty());
            edits.push((path.to_vec(), parts.collect::<Vec<_>>().join("/")));
        }
        edits.extend(unpinned(hint, values)?);
        Ok(edits)
    }

    /// The name of an image that no hint refers to.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] where no registry can hold the name.
    pub(crate) fn of_reference(&self, reference: &Reference) -> Result<TargetName> {
        let (host, repository) = self.rename("", reference);
        let repository = format!("{host}/{repository}");
        TargetName::new(repository.trim_start_matches('/'), &tag_of(reference))
    }
}

/// The original host, as charts-syncer writes it into names.
fn origin(original: &Reference) -> &str {
    match original.host() {
        "docker.io" => "index.docker.io",
        host => host,
    }
}

/// The new text of a value that holds the whole reference. A digest would pin the chart to one
/// architecture, so the tag that holds the image replaces it.
fn with_version(name: &str, original: &Reference) -> String {
    match (original.tag(), original.digest()) {
        (None, None) => name.into(),
        _ => format!("{name}:{}", tag_of(original)),
    }
}

/// Edits that remove a digest after an `@` from tag values: it would pin the chart to one architecture,
/// and be wrong once the next one arrives.
pub(super) fn unpinned(hint: &Hint, values: &Values) -> Result<Edits> {
    let mut edits = Edits::new();
    for (role, path) in hint.placeholders() {
        if role == Role::Tag
            && let Some((tag, _)) = hint.value(values, path)?.split_once('@')
        {
            edits.push((path.to_vec(), tag.to_owned()));
        }
    }
    Ok(edits)
}

impl<'de> Deserialize<'de> for Naming {
    fn deserialize<D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            #[serde(default)]
            mode: NameMode,
            repository: Option<String>,
        }
        let fields = Fields::deserialize(deserializer)?;
        Self::new(fields.mode, fields.repository.as_deref())
            .map_err(|e| serde::de::Error::custom(e.message()))
    }
}
