//! Writes a relocation into a chart's files.

use super::{Chart, ChartFiles, Hint, TargetName, edit::set_values, hint::Overrides, yaml};
use crate::error::{Error, ErrorKind, Result};

const VALUES: &str = "values.yaml";

impl ChartFiles {
    /// The same chart, of which `chart` was read, with these values. All are set in the chart's own `values.yaml`, because a chart's
    /// values for a subchart win over the subchart's own. The rest stays the same to the byte.
    ///
    /// Every hint is then rendered again, and must give its name of `names` below `registry`.
    ///
    /// # Errors
    /// [`ErrorKind::Hint`] where a value cannot be set, or a hint renders another name.
    pub(crate) fn relocated(
        &self,
        chart: &Chart,
        edits: &Overrides,
        hints: &[Hint],
        names: &[TargetName],
        registry: &str,
    ) -> Result<Self> {
        let values = self.get(VALUES).unwrap_or_default();
        let mut failure = None;
        for edits in placements(edits, values)? {
            match self.with_values(chart, &edits, hints, names, registry) {
                Ok(files) => return Ok(files),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(ErrorKind::Hint, "no value can be set")))
    }

    fn with_values(
        &self,
        chart: &Chart,
        edits: &Overrides,
        hints: &[Hint],
        names: &[TargetName],
        registry: &str,
    ) -> Result<Self> {
        let mut files = self.clone();
        if !edits.is_empty() {
            let values = self.get(VALUES).unwrap_or_default();
            let edited = set_values(values, edits).map_err(|e| e.at_path(VALUES))?;
            files.insert(VALUES, edited);
        }
        // Helm refuses a chart with a lock that it cannot read, so such a lock is dropped.
        for lock in ["Chart.lock", "requirements.lock"] {
            let broken =
                |text: &[u8]| !yaml::parse(text).is_ok_and(|v| v.is_object() || v.is_null());
            if files.get(lock).is_some_and(broken) {
                files.remove(lock);
            }
        }
        let values = chart.with_values_of(&files)?.values_for_hints()?;
        for (hint, name) in hints.iter().zip(names) {
            let reference = hint.reference(&values)?;
            let found = TargetName::below(registry, &reference);
            if found.as_ref() != Some(name) || reference.digest().is_some() {
                let message = format!(
                    "hint {:?} renders {reference} after relocation, not {registry}/{name}",
                    hint.to_string()
                );
                return Err(Error::new(ErrorKind::Hint, message));
            }
        }
        Ok(files)
    }
}

/// The places where the edits may be set, to be tried in order until every hint renders its name. The
/// `global` of a chart overrules that of its subcharts. So a value in a `global` is set where the
/// topmost chart sets it already, or else where the hint reads it, or else in a chart between.
fn placements(edits: &Overrides, values: &[u8]) -> Result<Vec<Overrides>> {
    let values = yaml::parse(values).map_err(|e| e.at_path(VALUES))?;
    let depth = |path: &Vec<String>| path.iter().position(|key| key == "global").unwrap_or(0);
    let deepest = edits.keys().map(depth).max().unwrap_or(0);
    let lifted = |lift: usize| -> Overrides {
        let place = |path: &Vec<String>| {
            let at = depth(path);
            path[..at.saturating_sub(lift)].iter().chain(&path[at..]).cloned().collect()
        };
        edits.iter().map(|(path, value)| (place(path), value.clone())).collect()
    };
    let topmost = edits.iter().map(|(path, value)| {
        let at = depth(path);
        let above = (0..at).map(|depth| -> Vec<String> {
            path[..depth].iter().chain(&path[at..]).cloned().collect()
        });
        let is_set = |path: &Vec<String>| {
            !path.iter().fold(&values, |value, key| &value[key.as_str()]).is_null()
        };
        let place = above.into_iter().find(is_set).unwrap_or_else(|| path.clone());
        (place, value.clone())
    });
    let mut all = vec![topmost.collect::<Overrides>()];
    all.extend((0..=deepest).map(lifted));
    all.dedup();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{Naming, relocate};

    fn files(list: &[(&str, &str)]) -> ChartFiles {
        let mut files = ChartFiles::default();
        for (path, text) in list {
            files.insert(*path, text.as_bytes());
        }
        files
    }

    fn relocated(list: &[(&str, &str)], hint: &str) -> Result<ChartFiles> {
        let files = files(list);
        let hints: Vec<Hint> = vec![hint.parse().expect("a hint")];
        let chart = Chart::load(&files)?;
        let values = chart.values_for_hints()?;
        let solved = relocate(&hints, &values, &Naming::default(), "r.io")?;
        files.relocated(&chart, &solved.edits, &hints, &solved.names, "r.io")
    }

    #[test]
    fn values_of_subcharts_are_set_in_the_parent() {
        let chart = [
            ("Chart.yaml", "name: c\nversion: 1.0.0\n"),
            ("Chart.lock", "not: [a lock\n"),
            ("values.yaml", "# c\nglobal:\n  hub: quay.io # h\n"),
            ("charts/s/Chart.yaml", "name: s\nversion: 1.0.0\n"),
            (
                "charts/s/values.yaml",
                "global: {hub: x}\nimage: {registry: ghcr.io, repository: a/b, tag: v1}\n",
            ),
        ];
        let hint = "{{ .s.image.registry }}/{{ .s.image.repository }}:{{ .s.image.tag }}";
        let done = relocated(&chart, hint).expect("relocated");
        let expected = "# c\ns: {\"image\":{\"registry\":\"r.io\"}}\nglobal:\n  hub: quay.io # h\n";
        assert_eq!(done.get("values.yaml"), Some(expected.as_bytes()));
        assert_eq!(done.get("charts/s/values.yaml"), files(&chart).get("charts/s/values.yaml"));
        assert_eq!(done.get("Chart.lock"), None);
        let hint = "{{ .s.global.hub }}/{{ .s.image.repository }}:{{ .s.image.tag }}";
        let done = relocated(&chart, hint).expect("relocated");
        assert_eq!(done.get("values.yaml"), Some(&b"# c\nglobal:\n  hub: r.io # h\n"[..]));
    }

    #[test]
    fn a_global_without_a_subchart_and_one_of_a_chart_between() {
        let values =
            "global: {hub: docker.io}\nagent:\n  global:\n    hub: quay.io\n  p: a/b\n  t: v1\n";
        let chart = [("Chart.yaml", "name: c\nversion: 1.0.0\n"), ("values.yaml", values)];
        let hint = "{{ .agent.global.hub }}/{{ .agent.p }}:{{ .agent.t }}";
        let done = relocated(&chart, hint).expect("relocated");
        let expected = values.replace("quay.io", "r.io");
        assert_eq!(done.get("values.yaml"), Some(expected.as_bytes()));
        let chart = [
            ("Chart.yaml", "name: c\nversion: 1.0.0\n"),
            ("charts/s/Chart.yaml", "name: s\nversion: 1.0.0\n"),
            ("charts/s/values.yaml", "global: {hub: quay.io}\n"),
            ("charts/s/charts/leaf/Chart.yaml", "name: leaf\nversion: 1.0.0\n"),
            ("charts/s/charts/leaf/values.yaml", "p: a/b\nt: v1\n"),
        ];
        let hint = "{{ .s.leaf.global.hub }}/{{ .s.leaf.p }}:{{ .s.leaf.t }}";
        let done = relocated(&chart, hint).expect("relocated");
        assert!(done.get("values.yaml").is_some());
    }

    #[test]
    fn a_digest_that_stays_is_refused() {
        let pin = format!("sha256:{}", "5b".repeat(32));
        let values =
            format!("i: {{r: quay.io, n: a/b, t: v1, d: '{pin}'}}\n").replace(" n:", " p:");
        let chart = [("Chart.yaml", "name: c\nversion: 1.0.0\n"), ("values.yaml", values.as_str())];
        let error = relocated(&chart, "{{ .i.r }}/{{ .i.p }}:{{ .i.t }}@{{ .i.d }}");
        assert_eq!(error.expect_err("pinned").kind(), ErrorKind::Hint);
    }
}
