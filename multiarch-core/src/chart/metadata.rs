//! `Chart.yaml`, and `requirements.yaml` of older charts.
//!
//! Format: <https://helm.sh/docs/topics/charts/#the-chartyaml-file>

use std::collections::BTreeSet;

use serde_json::Value;

use super::{ChartFiles, go, values::memory_of_value, version::helm_version, yaml};
use crate::{
    error::{Error, ErrorKind, Result},
    limit::Budget,
};

const CHART: &str = "Chart.yaml";
const REQUIREMENTS: &str = "requirements.yaml";

/// What is read of a chart's metadata.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ChartMetadata {
    pub(super) name: String,
    pub(super) version: String,
    /// `None` where the chart has no such list, which is not the same for Helm as an empty one.
    pub(super) dependencies: Option<Vec<Dependency>>,
}

/// An entry of the list of dependencies.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// A range; without one, no chart fits.
    pub(super) version: String,
    pub(super) alias: Option<String>,
    /// Paths of values that switch it on or off, separated by commas.
    pub(super) condition: String,
    pub(super) tags: Vec<String>,
    pub(super) imports: Vec<ValueImport>,
}

/// Values of a subchart that its parent gets.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ValueImport {
    /// The path of a table in the subchart.
    pub(super) child: String,
    /// The path of the table in the parent; `.` for all of its values.
    pub(super) parent: String,
}

impl ChartMetadata {
    /// Reads a chart's metadata, and fails for a chart that Helm does not load.
    pub(super) fn parse(files: &ChartFiles, memory: &mut Budget) -> Result<Self> {
        let text = files
            .get(CHART)
            .ok_or_else(|| Error::new(ErrorKind::Missing, "the chart has no Chart.yaml"))?;
        let mut metadata = yaml::parse(text).map_err(|e| e.at_path(CHART))?;
        // Helm reads the older file over the newer one.
        if let Some(text) = files.get(REQUIREMENTS) {
            let older = yaml::parse(text).map_err(|e| e.at_path(REQUIREMENTS))?;
            if let (Value::Object(metadata), Value::Object(older)) = (&mut metadata, older) {
                metadata.extend(older);
            }
        }
        memory.spend(memory_of_value(&metadata))?;
        Self::from_value(&metadata).map_err(|error| error.at_path(CHART))
    }

    fn from_value(metadata: &Value) -> Result<Self> {
        let missing = |key: &str| malformed(format!("the chart has no {key}"));
        let name = text(metadata, "name")?.ok_or_else(|| missing("name"))?;
        let version = text(metadata, "version")?.ok_or_else(|| missing("version"))?;
        // It becomes a part of file names and addresses. Helm takes other names, and makes none of them.
        let is_word = |c: char| c.is_alphanumeric() || "-_.+ ".contains(c);
        if !name.chars().all(is_word) || name.starts_with('.') {
            return Err(malformed(format!("{name:?} is no name of a chart")));
        }
        if helm_version(&version).is_none() {
            let message = format!("Helm does not take {version:?} as the version of a chart");
            return Err(malformed(message));
        }
        if let Some(kind) = text(metadata, "type")?
            && !["application", "library"].contains(&kind.as_str())
        {
            return Err(malformed(format!("Helm knows no charts of type {kind:?}")));
        }
        let dependencies = match &metadata["dependencies"] {
            Value::Null => None,
            Value::Array(list) => {
                Some(list.iter().map(Dependency::from_value).collect::<Result<Vec<_>>>()?)
            }
            _ => return Err(malformed("the dependencies are no list")),
        };
        let mut taken = BTreeSet::new();
        let twice = dependencies.iter().flatten().find(|one| !taken.insert(one.key()));
        if let Some(dependency) = twice {
            let key = dependency.key();
            let message = format!("more than one dependency has the name or alias {key:?}");
            return Err(malformed(message));
        }
        Ok(Self { name, version, dependencies })
    }
}

impl Dependency {
    fn from_value(entry: &Value) -> Result<Self> {
        if !entry.is_object() {
            return Err(malformed("a dependency is no mapping"));
        }
        let word = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        let alias = text(entry, "alias")?;
        if let Some(alias) = alias.as_ref().filter(|alias| !alias.chars().all(word)) {
            return Err(malformed(format!("Helm does not take {alias:?} as an alias")));
        }
        let list = |key: &str| match &entry[key] {
            Value::Null => Ok(&[][..]),
            Value::Array(list) => Ok(list.as_slice()),
            _ => Err(malformed(format!("the {key} of a dependency are no list"))),
        };
        Ok(Self {
            name: text(entry, "name")?.unwrap_or_default(),
            version: text(entry, "version")?.unwrap_or_default(),
            alias,
            condition: text(entry, "condition")?.unwrap_or_default(),
            tags: list("tags")?.iter().map(go::format).collect(),
            imports: list("import-values")?.iter().filter_map(ValueImport::from_value).collect(),
        })
    }

    /// The key of the subchart's values in its parent.
    pub(super) fn key(&self) -> &str {
        self.alias.as_ref().unwrap_or(&self.name)
    }
}

impl ValueImport {
    /// Reads an import; Helm passes over what is neither a name nor a mapping.
    fn from_value(import: &Value) -> Option<Self> {
        match import {
            Value::String(name) => {
                Some(Self { child: format!("exports.{name}"), parent: ".".into() })
            }
            Value::Object(_) => {
                let path = |key: &str| go::format(&import[key]);
                Some(Self { child: path("child"), parent: path("parent") })
            }
            _ => None,
        }
    }
}

/// The text of a member, which may be written as a number: `version: 90`. An empty one counts as missing.
fn text(members: &Value, key: &str) -> Result<Option<String>> {
    Ok(match &members[key] {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(go::as_text(number)),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => return Err(malformed(format!("the chart's {key} is no text"))),
    })
}

fn malformed(message: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Malformed, message)
}
