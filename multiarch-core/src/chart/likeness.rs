//! Whether two charts are the same but for the images they name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Chart, ChartFiles, Hint, Values, go, hint::Role, yaml};
use crate::error::Result;

/// How a stored chart relates to the one in a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// Equal, but for the names of images.
    Same,
    /// These files differ.
    Different(Vec<String>),
}

/// Compares a stored chart with the original that it may come from. These differences do not count:
/// Chart.lock, the repositories of dependencies, how subcharts are packed, how metadata is spelled, and
/// the registries, repositories and digests that hints read.
pub(crate) fn compare(
    stored: &ChartFiles,
    original: &ChartFiles,
    hints: &[Hint],
) -> Result<Likeness> {
    let (ours, theirs) = (contents(original)?, contents(stored)?);
    let paths: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let mut different: Vec<String> =
        paths.into_iter().filter(|path| ours.get(*path) != theirs.get(*path)).cloned().collect();
    if masked(stored, hints)? != masked(original, hints)? {
        different.push("values.yaml".into());
    }
    Ok(if different.is_empty() { Likeness::Same } else { Likeness::Different(different) })
}

#[derive(PartialEq)]
enum Content {
    Bytes(Vec<u8>),
    Metadata(Value),
}

/// The content to compare of each file, by path.
fn contents(files: &ChartFiles) -> Result<BTreeMap<String, Content>> {
    let mut contents = BTreeMap::new();
    for (path, content) in files.flat()? {
        let name = path.rsplit('/').next().unwrap_or_default();
        // These names are special only in a chart's own folder: at the top, or in `charts/<name>/`.
        let of_chart = path == name
            || path.strip_suffix(name).is_some_and(|folder| {
                let mut parts = folder.trim_end_matches('/').rsplit('/');
                parts.next().is_some() && parts.next() == Some("charts")
            });
        let content = match name {
            "Chart.lock" | "requirements.lock" | "values.yaml" if of_chart => continue,
            "Chart.yaml" | "requirements.yaml" if of_chart => {
                let mut metadata = yaml::parse(&content).map_err(|e| e.at_path(&path))?;
                normalise(&mut metadata);
                Content::Metadata(metadata)
            }
            _ => {
                // Helm's loader drops a byte order mark.
                let text = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
                Content::Bytes(text.to_vec())
            }
        };
        contents.insert(path, content);
    }
    Ok(contents)
}

/// Brings metadata into one form, because Helm and other tools spell it differently: scalars become
/// text, empty members and the repositories of dependencies are dropped.
fn normalise(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Array(dependencies)) = members.get_mut("dependencies") {
                for dependency in dependencies.iter_mut().filter_map(Value::as_object_mut) {
                    dependency.shift_remove("repository");
                }
            }
            members.values_mut().for_each(normalise);
            members.retain(|_, value| !is_empty(value));
            members.sort_keys();
        }
        Value::Array(items) => items.iter_mut().for_each(normalise),
        Value::Null | Value::String(_) => {}
        Value::Number(number) => *value = Value::String(go::as_text(number)),
        Value::Bool(truth) => *value = Value::String(truth.to_string()),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty() || text == "false",
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// All values, with those that hints read blanked out.
fn masked(files: &ChartFiles, hints: &[Hint]) -> Result<Values> {
    let mut values = Value::Object(Chart::load(files)?.merged_values());
    for (role, path) in hints.iter().flat_map(Hint::placeholders) {
        let pointer: String = path
            .iter()
            .map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1")))
            .collect();
        let Some(value) = values.pointer_mut(&pointer) else { continue };
        *value = match (role, &*value) {
            // A tag is the chart's own content; relocation only removes the digest after it.
            (Role::Tag, Value::String(tag)) => {
                tag.split('@').next().map_or(Value::Null, Into::into)
            }
            (Role::Tag, other) => other.clone(),
            _ => Value::Null,
        };
    }
    let Value::Object(values) = values else { return Ok(Values::new()) };
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(files: &[(&str, &str)]) -> ChartFiles {
        let mut all = ChartFiles::default();
        for (path, text) in files {
            all.insert(*path, text.as_bytes());
        }
        all
    }

    #[test]
    fn only_relevant_differences_count() {
        let hints = ["{{ .s.i.r }}/{{ .s.i.p }}:{{ .s.i.t }}".parse().expect("a hint")];
        let original = chart(&[
            (
                "Chart.yaml",
                "name: c\nversion: 90\ndependencies: [{name: s, version: 1.0.0, repository: 'https://x'}]\n",
            ),
            ("Chart.lock", "digest: x\n"),
            ("values.yaml", "# c\ns: {i: {r: quay.io}}\n"),
            ("templates/a.yaml", "a"),
            ("charts/s/Chart.yaml", "name: s\nversion: 1.0.0\n"),
            ("charts/s/values.yaml", "i: {p: a/b, t: v1}\nx: 1\n"),
        ]);
        let compare = |files: &[(&str, &str)]| {
            let mut stored = original.clone();
            for (path, text) in files {
                stored.insert(*path, text.as_bytes());
            }
            super::compare(&stored, &original, &hints).expect("comparable")
        };
        assert_eq!(compare(&[]), Likeness::Same);
        for same in [
            (
                "Chart.yaml",
                "dependencies:\n- name: s\n  repository: ''\n  version: 1.0.0\nname: c\nversion: \"90\"\n",
            ),
            ("Chart.lock", "digest: y\n"),
            ("values.yaml", "s:\n  i: {r: h:5000, t: 'v1@sha256:x'}\n"),
            ("charts/s/values.yaml", "i: {p: x/b, t: v1}\nx: 1\n"),
        ] {
            assert_eq!(compare(&[same]), Likeness::Same, "{same:?}");
        }
        for (path, text) in [
            ("templates/a.yaml", "b"),
            ("templates/Chart.lock", "b"),
            ("values.yaml", "s: {i: {r: quay.io}}\ny: 1\n"),
            ("values.yaml", "s:\n  i: {r: h:5000, t: v2}\n"),
            ("Chart.yaml", "name: c\nversion: 90\n"),
        ] {
            assert_eq!(compare(&[(path, text)]), Likeness::Different(vec![path.into()]));
        }
    }
}
