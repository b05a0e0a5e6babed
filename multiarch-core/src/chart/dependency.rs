//! A chart and the charts it depends on.

use serde_json::Value;

use super::{ChartFiles, Values, values, version::version_fits, yaml};
use crate::error::{Error, ErrorKind, Result};

/// The parts of a chart that are read: metadata, values, subcharts.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    name: String,
    version: String,
    values: Values,
    /// Each with the keys of its values in this chart: its name, or its aliases.
    subcharts: Vec<(Vec<String>, Chart)>,
}

/// How deep subcharts may be nested: deeper than in any real chart.
const MAX_DEPTH: usize = 16;

impl Chart {
    /// Reads a chart from its files.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] without a `Chart.yaml`, [`ErrorKind::Malformed`] where it or
    /// `values.yaml` cannot be read.
    pub(crate) fn load(files: &ChartFiles) -> Result<Self> {
        Self::load_below(files, 0)
    }

    fn load_below(files: &ChartFiles, depth: usize) -> Result<Self> {
        if depth > MAX_DEPTH {
            return Err(Error::new(ErrorKind::TooLarge, "charts nested deeper than 16 levels"));
        }
        let metadata = files
            .get("Chart.yaml")
            .ok_or_else(|| Error::new(ErrorKind::Missing, "the chart has no Chart.yaml"))?;
        let metadata = yaml::parse(metadata).map_err(|e| e.at_path("Chart.yaml"))?;
        let text = |key: &str| match &metadata[key] {
            Value::String(text) if !text.is_empty() => Ok(text.clone()),
            // `version: 90` without quotes is a number in YAML, and still a version.
            Value::Number(number) => Ok(super::go::as_text(number)),
            _ => Err(Error::new(ErrorKind::Malformed, format!("the chart has no {key}"))
                .at_path("Chart.yaml")),
        };
        let values = match files.get("values.yaml").map(yaml::parse).transpose() {
            Ok(None | Some(Value::Null)) => Values::new(),
            Ok(Some(Value::Object(values))) => values,
            Ok(Some(_)) => {
                let message = "the values are no mapping";
                return Err(Error::new(ErrorKind::Malformed, message).at_path("values.yaml"));
            }
            Err(error) => return Err(error.at_path("values.yaml")),
        };
        let mut subcharts = Vec::new();
        // Charts of apiVersion v1 list their dependencies in a file of their own.
        let requirements = files.get("requirements.yaml").map(yaml::parse).transpose();
        let requirements = requirements.map_err(|e| e.at_path("requirements.yaml"))?;
        let listed = requirements.as_ref().unwrap_or(&metadata);
        for files in files.subcharts()? {
            let chart = Self::load_below(&files, depth + 1)?;
            subcharts.push((aliases(listed, &chart), chart));
        }
        Ok(Self { name: text("name")?, version: text("version")?, values, subcharts })
    }

    /// The chart's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The chart's version, an opaque string.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// The values merged with those of all subcharts, as Helm hands them to templates.
    pub(crate) fn merged_values(&self) -> Values {
        self.coalesce_onto(&self.values)
    }

    pub(super) fn own_values(&self) -> &Values {
        &self.values
    }

    pub(super) fn coalesce_onto(&self, values: &Values) -> Values {
        let subcharts: Vec<_> = self
            .subcharts
            .iter()
            .flat_map(|(names, chart)| {
                names.iter().map(move |name| values::Subchart { name, chart })
            })
            .collect();
        values::coalesce(values, &subcharts)
    }
}

/// The keys of a subchart's values: its aliases in the list of dependencies, or its name.
fn aliases(listed: &Value, chart: &Chart) -> Vec<String> {
    let name = chart.name.as_str();
    let dependencies = listed["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ours: Vec<&Value> = dependencies.iter().filter(|d| d["name"] == name).collect();
    // Where one chart is listed several times, only the entries whose version fits are this one's.
    let fits = |dependency: &&Value| {
        dependency["version"].as_str().is_none_or(|range| version_fits(&chart.version, range))
    };
    let several = ours.len() > 1 && ours.iter().any(fits);
    let mut names: Vec<String> = ours
        .into_iter()
        .filter(|dependency| !several || fits(dependency))
        .map(|dependency| match &dependency["alias"] {
            Value::String(alias) if !alias.is_empty() => alias.clone(),
            _ => name.to_owned(),
        })
        .collect();
    if names.is_empty() {
        names.push(name.to_owned());
    }
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(files: &[(&str, &str)]) -> Chart {
        let mut all = ChartFiles::default();
        for (path, text) in files {
            all.insert(*path, text.as_bytes());
        }
        Chart::load(&all).expect("a chart")
    }

    // Expected values are those that `helm template` prints for `{{ .Values | toYaml }}`.
    #[test]
    fn merges_as_helm_does() {
        let chart = chart(&[
            (
                "Chart.yaml",
                "name: top\nversion: 90\ndependencies:\n- {name: sub, alias: first}\n- {name: sub}\n",
            ),
            (
                "values.yaml",
                "global: {hub: top.io, table: {a: 1}}\nsub: {image: {tag: top}, gone: null}\nscalar: x\n",
            ),
            ("charts/sub/Chart.yaml", "name: sub\nversion: 1.0.0\n"),
            (
                "charts/sub/values.yaml",
                "global: {hub: sub.io, own: s, table: {b: 2}}\nimage: {tag: sub, repository: r}\ngone: here\n",
            ),
            ("charts/sub/charts/leaf/Chart.yaml", "name: leaf\nversion: 1.0.0\n"),
            ("charts/sub/charts/leaf/values.yaml", "x: leaf\n"),
        ]);
        assert_eq!((chart.name(), chart.version()), ("top", "90"));
        let values = Value::Object(chart.merged_values());
        assert_eq!(values["sub"]["image"]["tag"], "top");
        assert_eq!(values["sub"]["image"]["repository"], "r");
        assert_eq!(values["sub"]["gone"], Value::Null);
        assert_eq!(values["sub"]["global"]["hub"], "top.io");
        assert_eq!(values["sub"]["global"]["own"], "s");
        assert_eq!(values["sub"]["global"]["table"]["a"], 1.0);
        assert_eq!(values["sub"]["global"]["table"]["b"], 2.0);
        assert_eq!(values["first"]["image"]["tag"], "sub");
        assert_eq!(values["sub"]["leaf"]["x"], "leaf");
        assert_eq!(values["sub"]["leaf"]["global"]["hub"], "top.io");
        assert_eq!(values["global"]["own"], Value::Null);
    }

    #[test]
    fn each_version_of_a_subchart_has_its_own_alias() {
        let chart = chart(&[
            (
                "Chart.yaml",
                "name: top\nversion: 1.0.0\ndependencies:\n\
                 - {name: redis, alias: old, version: 1.x.x}\n- {name: redis, alias: new, version: ^2.0.0}\n",
            ),
            ("charts/redis-1/Chart.yaml", "name: redis\nversion: 1.4.0\n"),
            ("charts/redis-1/values.yaml", "tag: one\n"),
            ("charts/redis-2/Chart.yaml", "name: redis\nversion: 2.1.0\n"),
            ("charts/redis-2/values.yaml", "tag: two\n"),
        ]);
        let values = Value::Object(chart.merged_values());
        assert_eq!((&values["old"]["tag"], &values["new"]["tag"]), (&"one".into(), &"two".into()));
    }

    #[test]
    fn requirements_of_old_charts() {
        let chart = chart(&[
            ("Chart.yaml", "name: top\nversion: 1.0.0\n"),
            ("requirements.yaml", "dependencies:\n- {name: sub, alias: foo, version: 1.0.0}\n"),
            ("charts/sub/Chart.yaml", "name: sub\nversion: 1.0.0\n"),
            ("charts/sub/values.yaml", "tag: one\n"),
        ]);
        assert_eq!(Value::Object(chart.merged_values())["foo"]["tag"], "one");
    }

    #[test]
    fn malformed_charts_are_refused_with_a_reason() {
        let load = |files: &[(&str, &str)]| {
            let mut all = ChartFiles::default();
            for (path, text) in files {
                all.insert(*path, text.as_bytes());
            }
            Chart::load(&all).map(|_| ()).map_err(|e| e.to_string())
        };
        assert_eq!(load(&[]), Err("the chart has no Chart.yaml".into()));
        assert_eq!(
            load(&[("Chart.yaml", "name: x\n")]),
            Err("path Chart.yaml: the chart has no version".into())
        );
        let values = load(&[("Chart.yaml", "name: x\nversion: 1\n"), ("values.yaml", "[]")]);
        assert_eq!(values, Err("path values.yaml: the values are no mapping".into()));
    }
}
