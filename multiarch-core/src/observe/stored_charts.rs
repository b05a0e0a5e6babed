//! The charts in a chart repository, and the images that they reference.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use crate::{
    chart::{Chart, ChartFiles, Mentions, TargetName, Values, parse_hints},
    error::Result,
    image::Reference,
    package::Selection,
    run::{Context, workers},
    store::{OpenCharts, OpenTarget},
};

/// The images of a stored chart.
pub(super) struct StoredImages {
    /// `name-version`
    pub(super) chart: String,
    /// The images in the target's registry.
    pub(super) names: BTreeSet<TargetName>,
    /// The references to images elsewhere; the error if the images of the chart cannot be determined.
    pub(super) elsewhere: Vec<String>,
    /// What its values mention beside that.
    pub(super) mentions: Mentions,
}

/// The file with the hints that a chart itself contains.
const OWN_HINTS: &str = ".relok8s-images.yaml";

impl StoredImages {
    /// The images of every chart in the repository.
    pub(super) fn all(
        target: &OpenTarget,
        charts: &OpenCharts,
        select: &Selection,
        context: &Context,
    ) -> Result<Vec<Self>> {
        let registry = target.registry.as_deref().unwrap_or_default();
        let (jobs, mut listed) = (charts.repo.jobs(), charts.repo.list()?);
        listed.retain(|(name, version)| select.means_chart(name, version));
        let unpacking = Mutex::new(());
        let answers = workers::ask(jobs, &listed, context, |(name, version)| {
            let packed = charts.repo.get(name, version)?;
            // One after the other: each may take much memory.
            let _alone = unpacking.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(packed.map(|packed| Self::parse(format!("{name}-{version}"), &packed, registry)))
        })?;
        let found: Result<Vec<Option<Self>>> = answers.into_iter().collect();
        Ok(found?.into_iter().flatten().collect())
    }

    /// The images of one packed chart.
    fn parse(chart: String, packed: &[u8], registry: &str) -> Self {
        let (names, elsewhere, mentions) = Default::default();
        let mut images = Self { chart, names, elsewhere, mentions };
        match rendered(packed) {
            Ok((references, values)) => {
                images.mentions = Mentions::find(&values, registry);
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

/// The images that a packed chart references, by its own hints and values; and its values.
fn rendered(packed: &[u8]) -> Result<(Vec<Reference>, Values)> {
    let files = ChartFiles::unpack(packed)?;
    let hints = files.get(OWN_HINTS).map(parse_hints).transpose()?.unwrap_or_default();
    let values = Chart::load(&files)?.values_for_hints()?;
    let references: Result<_> = hints.iter().map(|hint| hint.reference(&values)).collect();
    Ok((references?, values))
}
