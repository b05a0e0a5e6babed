//! What a chart's values mention: images of a registry, and digests.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{TargetName, Values};
use crate::image::{Digest, Reference};

/// What values mention, as far as that can be seen without the chart's templates.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mentions {
    /// Images in the registry, which a template may render or not.
    pub(crate) names: BTreeSet<TargetName>,
    /// Digests, each with the path of its value.
    pub(crate) digests: Vec<(String, Digest)>,
}

impl Mentions {
    /// What the values of a chart mention that pulls from this registry.
    pub(crate) fn find(values: &Values, registry: &str) -> Self {
        let mut mentions = Self::default();
        mentions.table(values, registry, "");
        mentions
    }

    fn table(&mut self, table: &Values, registry: &str, path: &str) {
        let text =
            |key: &str| table.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        if let (Some(repository), Some(tag)) = (text("repository"), text("tag")) {
            let host = text("registry").map(|registry| format!("{registry}/")).unwrap_or_default();
            self.reference(&format!("{host}{repository}:{tag}"), registry);
        }
        for (key, value) in table {
            self.value(value, registry, &format!("{path}.{key}"));
        }
    }

    fn value(&mut self, value: &Value, registry: &str, path: &str) {
        match value {
            Value::Object(table) => self.table(table, registry, path),
            Value::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    self.value(item, registry, &format!("{path}[{number}]"));
                }
            }
            Value::String(text) => {
                if text.starts_with(registry) {
                    self.reference(text, registry);
                }
                if let Some(at) = text.find("sha256:")
                    && let Some(digest) = text.get(at..at + 71).and_then(|text| text.parse().ok())
                {
                    self.digests.push((path.to_owned(), digest));
                }
            }
            _ => {}
        }
    }

    fn reference(&mut self, text: &str, registry: &str) {
        let reference = text.parse::<Reference>().ok().filter(|r| r.tag().is_some());
        self.names.extend(reference.and_then(|reference| TargetName::below(registry, &reference)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_and_digests() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let values = serde_json::json!({
            "image": {"registry": "r.example.com", "repository": "a/b", "tag": "1"},
            "list": [{"repository": "r.example.com/c", "tag": "2"}, "r.example.com/d:3"],
            "elsewhere": {"registry": "quay.io", "repository": "e", "tag": "4"},
            "untagged": {"registry": "r.example.com", "repository": "f"},
            "pin": {"digest": format!("sha256:{hex}")},
            "long": format!("r.example.com/g@sha256:{hex}"),
            "short": "sha256:abc",
        });
        let mentions = Mentions::find(values.as_object().expect("a table"), "r.example.com");
        let names: Vec<String> = mentions.names.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a/b:1", "c:2", "d:3"]);
        let paths: Vec<&str> = mentions.digests.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, [".pin.digest", ".long"]);
    }
}
