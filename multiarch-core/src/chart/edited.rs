//! A chart's files after relocation.

use super::{Chart, ChartFiles, Hint, TargetName, edit::set_values, hint::Overrides, yaml};
use crate::error::{Error, ErrorKind, Result};

const VALUES: &str = "values.yaml";

impl ChartFiles {
    /// The same chart with these values, all set in its own `values.yaml`: what a chart says of its
    /// subcharts wins over what they say of themselves. Everything else stays to the byte.
    ///
    /// Every hint is rendered again; `names` are what they must give below `registry`.
    ///
    /// # Errors
    /// [`ErrorKind::Hint`] where a value cannot be set, or a hint renders something else.
    pub(crate) fn relocated(
        &self,
        edits: &Overrides,
        hints: &[Hint],
        names: &[TargetName],
        registry: &str,
    ) -> Result<Self> {
        let mut files = self.clone();
        if !edits.is_empty() {
            let values = self.get(VALUES).unwrap_or_default();
            let edits = above_globals(edits, values)?;
            let edited = set_values(values, &edits).map_err(|e| e.at_path(VALUES))?;
            files.insert(VALUES, edited);
        }
        // Helm refuses a chart with a lock that it cannot read.
        for lock in ["Chart.lock", "requirements.lock"] {
            let broken =
                |text: &[u8]| !yaml::parse(text).is_ok_and(|v| v.is_object() || v.is_null());
            if files.get(lock).is_some_and(broken) {
                files.remove(lock);
            }
        }
        let values = Chart::load(&files)?.merged_values();
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

/// A subchart's `global` is overruled by that of the charts above it: where one of those sets the
/// value, it is changed there.
fn above_globals(edits: &Overrides, values: &[u8]) -> Result<Overrides> {
    let values = yaml::parse(values).map_err(|e| e.at_path(VALUES))?;
    let mut moved = Overrides::new();
    for (path, value) in edits {
        let mut place = path.clone();
        if let Some(at) = path.iter().position(|key| key == "global") {
            for depth in 0..at {
                let above: Vec<String> = path[..depth].iter().chain(&path[at..]).cloned().collect();
                let set = above.iter().fold(&values, |value, key| &value[key.as_str()]);
                if !set.is_null() {
                    place = above;
                    break;
                }
            }
        }
        moved.insert(place, value.clone());
    }
    Ok(moved)
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
        let values = Chart::load(&files)?.merged_values();
        let solved = relocate(&hints, &values, &Naming::default(), "r.io")?;
        files.relocated(&solved.edits, &hints, &solved.names, "r.io")
    }

    #[test]
    fn subcharts_are_overruled_by_the_chart() {
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
    fn a_digest_that_stays_is_refused() {
        let pin = format!("sha256:{}", "5b".repeat(32));
        let values =
            format!("i: {{r: quay.io, n: a/b, t: v1, d: '{pin}'}}\n").replace(" n:", " p:");
        let chart = [("Chart.yaml", "name: c\nversion: 1.0.0\n"), ("values.yaml", values.as_str())];
        let error = relocated(&chart, "{{ .i.r }}/{{ .i.p }}:{{ .i.t }}@{{ .i.d }}");
        assert_eq!(error.expect_err("pinned").kind(), ErrorKind::Hint);
    }
}
