//! `index.yaml`, the listing of a chart repository.
//!
//! Format: <https://helm.sh/docs/topics/chart_repository/#the-index-file>

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use crate::{
    chart::{PackedChart, compare_versions, parse_yaml_index},
    error::{Error, ErrorKind, Result},
};

/// The listing of a chart repository. Entries of other charts stay as they are.
#[derive(Clone, Debug)]
pub(super) struct RepoIndex(Map<String, Value>);

impl Default for RepoIndex {
    fn default() -> Self {
        let Value::Object(members) = json!({"apiVersion": "v1", "entries": {}}) else {
            return Self(Map::new());
        };
        Self(members)
    }
}

impl RepoIndex {
    pub(super) fn parse(text: &[u8]) -> Result<Self> {
        match parse_yaml_index(text)? {
            Value::Object(members) if members.get("entries").is_some_and(Value::is_object) => {
                Ok(Self(members))
            }
            _ => Err(Error::new(ErrorKind::Malformed, "not the index of a chart repository")),
        }
    }

    /// True if a ChartMuseum wrote it: only ChartMuseum adds `serverInfo`.
    #[cfg(feature = "registry")]
    pub(super) fn is_of_museum(&self) -> bool {
        self.0.contains_key("serverInfo")
    }

    fn versions(&self, name: &str) -> &[Value] {
        self.0["entries"][name].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a chart is listed.
    pub(super) fn has(&self, name: &str, version: &str) -> bool {
        self.versions(name).iter().any(|entry| version_of(entry) == version)
    }

    /// The URL of a chart's file, absolute or relative to the repository.
    #[cfg(feature = "registry")]
    pub(super) fn url(&self, name: &str, version: &str) -> Option<&str> {
        let entry = self.versions(name).iter().find(|entry| version_of(entry) == version)?;
        entry["urls"].as_array()?.first()?.as_str()
    }

    /// Name and version of every chart.
    pub(super) fn list(&self) -> Vec<(String, String)> {
        self.charts(|_| true).map(|(name, version)| (name.to_owned(), version)).collect()
    }

    /// Name and version of the charts with such names.
    pub(super) fn charts(
        &self,
        is_wanted: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = (&str, String)> {
        let entries = self.0["entries"].as_object().into_iter().flatten();
        entries.filter(move |(name, _)| is_wanted(name)).flat_map(|(name, versions)| {
            let versions = versions.as_array().into_iter().flatten();
            versions.map(|entry| (name.as_str(), version_of(entry)))
        })
    }

    /// Adds a chart to the listing, and replaces an entry of the same version.
    pub(super) fn add(&mut self, chart: &PackedChart, url: &str) {
        let mut entry = chart.metadata().clone();
        entry.insert("urls".into(), json!([url]));
        entry.insert("digest".into(), chart.digest().hex().into());
        let Some(Value::Object(entries)) = self.0.get_mut("entries") else { return };
        let versions = entries.entry(chart.name()).or_insert_with(|| json!([]));
        let Value::Array(versions) = versions else { return };
        versions.retain(|entry| version_of(entry) != chart.version());
        versions.push(Value::Object(entry));
        // The latest version first, as Helm writes it.
        versions.sort_by(|a, b| {
            let (a, b) = (version_of(a), version_of(b));
            compare_versions(&b, &a).filter(|o| *o != Ordering::Equal).unwrap_or_else(|| b.cmp(&a))
        });
        entries.sort_keys();
    }

    /// The text of the file: JSON, which is also valid YAML.
    pub(super) fn to_text(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(&self.0).unwrap_or_default();
        text.push(b'\n');
        text
    }
}

fn version_of(entry: &Value) -> String {
    match &entry["version"] {
        Value::String(text) => text.clone(),
        other => other.to_string().trim_end_matches(".0").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_of_repo_index_values() {
        let index = |values: usize| {
            RepoIndex::parse(format!("{{entries: {{a: [{}1]}}}}", "1,".repeat(values)).as_bytes())
        };
        assert!(index(1_499_000).is_ok());
        assert_eq!(index(1_500_000).expect_err("too many").kind(), ErrorKind::TooLarge);
    }
}
