//! The charts of a chart repository, and the images that they name.

use std::collections::BTreeSet;

use crate::{
    apply::{Cancel, Progress},
    chart::{Chart, ChartFiles, TargetName, parse_hints},
    error::Result,
    image::Reference,
    plan::Options,
    target::{Target, ask_all, charts::ChartTarget},
};

/// A stored chart's images.
pub(super) struct StoredImages {
    /// `name-version`
    pub(super) chart: String,
    /// Those in the target's registry.
    pub(super) names: BTreeSet<TargetName>,
    /// Those elsewhere, and what keeps others from being known.
    pub(super) elsewhere: Vec<String>,
}

/// The hints that a chart carries itself.
const OWN_HINTS: &str = ".relok8s-images.yaml";

impl StoredImages {
    /// Those of every chart, in order.
    pub(super) fn of_all(
        target: &Target,
        charts: &ChartTarget,
        options: &Options,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Vec<Self>> {
        let registry = target.registry_by(options).unwrap_or_default();
        let (jobs, listed) = (charts.repo().jobs(), charts.repo().list()?);
        let answers = ask_all(jobs, &listed, progress, cancel, |(name, version)| {
            let packed = charts.repo().get(name, version)?;
            Ok(packed.map(|packed| Self::of(format!("{name}-{version}"), &packed, registry)))
        })?;
        let found: Result<Vec<Option<Self>>> = answers.into_iter().collect();
        let mut found: Vec<Self> = found?.into_iter().flatten().collect();
        found.sort_by(|a, b| a.chart.cmp(&b.chart));
        Ok(found)
    }

    /// Those of one packed chart.
    fn of(chart: String, packed: &[u8], registry: &str) -> Self {
        let mut images = Self { chart, names: BTreeSet::new(), elsewhere: Vec::new() };
        match rendered(packed) {
            Ok(references) => {
                for reference in references {
                    match TargetName::below(registry, &reference) {
                        Some(name) => drop(images.names.insert(name)),
                        None => images.elsewhere.push(reference.to_string()),
                    }
                }
            }
            Err(error) => images.elsewhere.push(error.to_string()),
        }
        images
    }
}

/// The images that a packed chart's own hints render.
fn rendered(packed: &[u8]) -> Result<Vec<Reference>> {
    let files = ChartFiles::unpack(packed)?;
    let hints = files.get(OWN_HINTS).map(parse_hints).transpose()?.unwrap_or_default();
    let values = Chart::load(&files)?.merged_values();
    hints.iter().map(|hint| hint.reference(&values)).collect()
}
