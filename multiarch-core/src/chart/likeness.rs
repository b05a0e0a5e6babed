//! Whether two charts are the same but for the images they name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Chart, ChartFiles, Hint, Values, go,
    hint::Role,
    pin::Pins,
    values::{get_value, leaves},
    yaml,
};
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
/// Chart.lock, the repositories of dependencies, how subcharts are packed, how metadata and values are
/// spelled, the registries, repositories and digests that make up the hints' references, and the values at
/// the paths `also`. `merged` are the values of the original that its hints read.
///
/// Each values file is compared by itself. In merged values, one edit may show in several places.
pub(crate) fn compare(
    stored: (&ChartFiles, &Chart),
    original: (&ChartFiles, &Chart),
    (hints, merged): (&[Hint], &Values),
    also: &[Vec<String>],
) -> Result<Likeness> {
    let read = hints.iter().flat_map(Hint::placeholders);
    let mut image_values: Vec<ImageValue> = read
        .map(|(role, path)| {
            let text = get_value(merged, path).filter(|_| role == Role::Tag).map(tag_text);
            ImageValue { path: path.to_vec(), tag: text }
        })
        .collect();
    let others = Pins::find(hints, merged).certain.into_iter().chain(also.iter().cloned());
    image_values.extend(others.map(|path| ImageValue { path, tag: None }));
    let mut comparison = Comparison { different: BTreeSet::new() };
    comparison.charts(stored, original, "", &image_values)?;
    Ok(match comparison.different.is_empty() {
        true => Likeness::Same,
        false => Likeness::Different(comparison.different.into_iter().collect()),
    })
}

/// A value that may differ, because it is a part of an image's reference.
#[derive(Clone)]
struct ImageValue {
    path: Vec<String>,
    /// A tag is the chart's own content; relocation only removes the digest after it.
    tag: Option<String>,
}

impl ImageValue {
    /// True for the value's own path, and for that of a global of a chart above, which overrules it.
    fn is_at(&self, path: &[String]) -> bool {
        let global = self.path.iter().position(|key| key == "global").unwrap_or(0);
        (0..=global).any(|above| self.path[..above].iter().chain(&self.path[global..]).eq(path))
    }

    fn may_be(&self, value: &Value) -> bool {
        self.tag.as_ref().is_none_or(|tag| *tag == tag_text(value))
    }
}

fn tag_text(value: &Value) -> String {
    let text = go::format(value);
    text.split('@').next().unwrap_or_default().to_owned()
}

struct Comparison {
    /// The paths of files that differ.
    different: BTreeSet<String>,
}

impl Comparison {
    /// Compares two charts in the same folder; the paths of `image_values` are relative to the charts'.
    fn charts(
        &mut self,
        (stored, stored_chart): (&ChartFiles, &Chart),
        (original, chart): (&ChartFiles, &Chart),
        folder: &str,
        image_values: &[ImageValue],
    ) -> Result<()> {
        let (ours, theirs) = (contents(original)?, contents(stored)?);
        for path in ours.keys().chain(theirs.keys()) {
            if ours.get(path) != theirs.get(path) {
                self.different.insert(format!("{folder}{path}"));
            }
        }
        if !values_agree(&stored_chart.values, &chart.values, image_values) {
            self.different.insert(format!("{folder}values.yaml"));
        }
        let keys = keys_of_subcharts(chart);
        let mut ours = subcharts(original, chart)?;
        let theirs = subcharts(stored, stored_chart)?;
        for (identity, stored) in theirs {
            let folder = format!("{folder}charts/{}/", identity.0);
            match ours.remove(&identity) {
                Some(original) if stored.len() == original.len() => {
                    let name = identity.0.as_str();
                    let is_key =
                        |key: &str| keys.get(name).map_or(key == name, |keys| keys.contains(key));
                    let below = image_values.iter().filter_map(|value| {
                        let (key, path) = value.path.split_first()?;
                        is_key(key).then(|| ImageValue { path: path.to_vec(), ..value.clone() })
                    });
                    let below: Vec<ImageValue> = below.collect();
                    for (stored, original) in stored.iter().zip(&original) {
                        let (stored, original) = ((&stored.1, stored.0), (&original.1, original.0));
                        self.charts(stored, original, &folder, &below)?;
                    }
                }
                _ => drop(self.different.insert(format!("{folder}Chart.yaml"))),
            }
        }
        let missing = ours.keys().map(|(name, _)| format!("{folder}charts/{name}/Chart.yaml"));
        self.different.extend(missing);
        Ok(())
    }
}

/// Charts with their files, by name and version.
type Subcharts<'c> = BTreeMap<(String, String), Vec<(&'c Chart, ChartFiles)>>;

/// The subcharts by name and version. Two of one name and version are in the order of their contents.
fn subcharts<'c>(files: &ChartFiles, chart: &'c Chart) -> Result<Subcharts<'c>> {
    let mut subcharts = Subcharts::new();
    for (chart, files) in chart.subcharts_in(files)? {
        let identity = (chart.name().to_owned(), chart.version().to_owned());
        let same = subcharts.entry(identity).or_default();
        same.push((chart, files));
        same.sort_by(|(_, a), (_, b)| a.iter().cmp(b.iter()));
    }
    Ok(subcharts)
}

/// The names under which a chart's values hold those of its subcharts, by the name of the subchart.
fn keys_of_subcharts(chart: &Chart) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut keys: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for dependency in chart.metadata.dependencies.iter().flatten() {
        let of_name = keys.entry(dependency.name.as_str()).or_default();
        of_name.extend([dependency.name.as_str(), dependency.key()]);
    }
    keys
}

/// True where two values files differ only in what may differ.
fn values_agree(stored: &Values, original: &Values, image_values: &[ImageValue]) -> bool {
    let (stored, original) = (leaves(stored), leaves(original));
    let paths: BTreeSet<&Vec<String>> = stored.keys().chain(original.keys()).collect();
    paths.into_iter().all(|path| {
        let (stored, original) = (stored.get(path), original.get(path));
        let may_differ = || {
            let mut fitting = image_values.iter().filter(|value| value.is_at(path));
            fitting.any(|value| stored.into_iter().chain(original).all(|v| value.may_be(v)))
        };
        stored == original || may_differ()
    })
}

#[derive(PartialEq)]
enum Content {
    Bytes(Vec<u8>),
    Metadata(Value),
}

/// The content to compare of each of a chart's own files, by path.
fn contents(files: &ChartFiles) -> Result<BTreeMap<&str, Content>> {
    let mut contents = BTreeMap::new();
    for (path, content) in files.own() {
        let content = match path {
            "Chart.lock" | "requirements.lock" | "values.yaml" => continue,
            "Chart.yaml" | "requirements.yaml" => {
                let mut metadata = yaml::parse(content).map_err(|e| e.at_path(path))?;
                normalise(&mut metadata);
                Content::Metadata(metadata)
            }
            // Helm's loader drops a byte order mark.
            _ => Content::Bytes(content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content).to_vec()),
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

    fn load(files: &ChartFiles) -> Chart {
        Chart::load(files).expect("a chart")
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
            {
                let chart = load(&original);
                let merged = chart.values_for_hints().expect("values");
                let charts = ((&stored, &load(&stored)), (&original, &chart));
                super::compare(charts.0, charts.1, (&hints, &merged), &[])
            }
            .expect("comparable")
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
