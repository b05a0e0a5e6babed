//! Decides what is done with a chart in the chart repository.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{EarlierImport, Options};
use crate::{
    chart::{
        Chart, ChartFiles, Hint, KnownImages, Likeness, Overrides, PackedChart, SchemaRule,
        TargetName, compare, unhinted_images,
    },
    error::{Error, ErrorKind, Result},
    image::Digest,
    package::{Bundle, Finding},
};

/// What is done with one chart in the chart repository.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedUpload {
    /// The file's name.
    pub file: String,
    /// What is done with it.
    pub action: ChartAction,
    /// Digest of the packed chart.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// How many hints name its images, which were all rendered with its values.
    #[serde(default)]
    pub hints: usize,
    /// How many images Helm renders from it with its default values, all of which are or will be in the
    /// target; `None` where it was not rendered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendered_images: Option<usize>,
    /// The chart itself; `None` in a plan that was read from JSON.
    #[serde(skip)]
    pub(crate) content: Option<ChartToUpload>,
}

/// A packed chart, with its hints, which comparing it needs.
#[derive(Clone, Debug)]
pub(crate) struct ChartToUpload {
    pub(crate) chart: PackedChart,
    /// The number of the chart repository.
    pub(crate) repo: usize,
    /// The stored chart, where it stays and is to be rendered.
    pub(crate) stored: Option<PackedChart>,
    hints: Vec<Hint>,
    /// Values that name images although no hint says so.
    unhinted: Vec<Vec<String>>,
}

impl PlannedUpload {
    /// True where this is the same chart as in the saved plan, and the action is the same, or done by
    /// now.
    pub(super) fn agrees_with(&self, saved: &Self) -> bool {
        let same = self.digest == saved.digest;
        same && (self.action == saved.action || self.action == ChartAction::Present)
    }
}

impl ChartToUpload {
    /// True where `packed` is the same chart and renders the same names of images.
    pub(crate) fn is_same_chart(&self, packed: &[u8]) -> Result<bool> {
        if packed == self.chart.bytes() {
            return Ok(true);
        }
        let (theirs, ours) = (ChartFiles::unpack(packed)?, ChartFiles::unpack(self.chart.bytes())?);
        let (their_chart, our_chart) = (Chart::load(&theirs)?, Chart::load(&ours)?);
        let (theirs, ours) = ((&theirs, &their_chart), (&ours, &our_chart));
        let merged = our_chart.values_for_hints()?;
        if compare(theirs, ours, (&self.hints, &merged), &self.unhinted)? != Likeness::Same {
            return Ok(false);
        }
        let (theirs, ours) = (their_chart.values_for_hints()?, merged);
        Ok(self.hints.iter().all(|hint| hint.render(&theirs).ok() == hint.render(&ours).ok()))
    }
}

/// What is done with a chart in the chart repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChartAction {
    /// The repository does not have it: it is uploaded.
    Upload,
    /// The stored chart is replaced: it names images that are missing, or replacing was asked for.
    Replace,
    /// The repository has it, with names of images that the target has.
    Present,
    /// The repository has another chart of this name and version, which stays.
    Kept,
}

impl ChartAction {
    /// True where the chart repository keeps the chart that it has.
    pub(crate) fn keeps_stored(self) -> bool {
        matches!(self, Self::Present | Self::Kept)
    }
}

/// A bundle's chart, with what relocating it needs.
pub(super) struct OriginalChart<'a> {
    pub(super) files: ChartFiles,
    pub(super) bundle: &'a Bundle,
    /// The positions of package and bundle.
    pub(super) key: (usize, usize),
    pub(super) images: KnownImages,
}

/// Relocates a bundle's chart, and compares it with the stored one to choose the action.
pub(super) fn plan_upload(
    OriginalChart { files, bundle, key, images }: OriginalChart<'_>,
    earlier: &EarlierImport,
    options: &Options,
    findings: &mut Vec<Finding>,
) -> Result<PlannedUpload> {
    let (solved, stored) = (earlier.solved(key)?, earlier.stored(bundle)?);
    let (hints, values, registry) = (bundle.hints(), &bundle.values, earlier.registry());
    let of_hints = solved.edits.clone().unwrap_or_default();
    let unhinted = unhinted_images(values, hints, &of_hints, &images, registry);
    let unhinted_paths: Vec<Vec<String>> =
        unhinted.iter().flat_map(|image| &image.paths).cloned().collect();
    let chart = bundle.read_chart()?;
    let likeness = stored.map(|stored| {
        let stored = (&stored.files, &stored.chart);
        compare(stored, (&files, chart), (hints, values), &unhinted_paths)
    });
    let likeness = likeness.transpose()?;
    let pins = stored.map(|stored| stored.set_among(&solved.pins.certain)).unwrap_or_default();
    let rewrites = unhinted.iter().filter(|_| options.rewrite_unhinted);
    let rewrites: Overrides = rewrites.flat_map(|image| image.edits.clone()).collect();
    let is_rewritten = stored.is_none_or(|stored| stored.has_all(&rewrites));
    let action = match &likeness {
        None => ChartAction::Upload,
        Some(Likeness::Same)
            if solved.stored_chart_renders_names && pins.is_empty() && is_rewritten =>
        {
            ChartAction::Present
        }
        Some(Likeness::Same) => ChartAction::Replace,
        Some(Likeness::Different(_)) if options.overwrite_charts => ChartAction::Replace,
        Some(Likeness::Different(paths)) => {
            let chart = bundle.chart();
            findings.push(Finding::ChartKept { chart, different: paths.clone() });
            note_digests(bundle, pins, false, findings);
            if !solved.stored_chart_renders_names {
                let stored = stored.map(|stored| stored.names(hints, registry)).unwrap_or_default();
                let is_lost = |name: &&TargetName| !stored.iter().flatten().any(|has| has == *name);
                let lost = solved.names.iter().filter(is_lost).map(ToString::to_string);
                let lost: BTreeSet<String> = lost.collect();
                let message = format!(
                    "another chart of this name and version is in the chart repository, and does not name {}",
                    Vec::from_iter(lost).join(", ")
                );
                return Err(Error::new(ErrorKind::ChartConflict, message));
            }
            ChartAction::Kept
        }
    };
    let stays = action.keeps_stored();
    let mut rules = Vec::new();
    let ours = match (&solved.edits, stored) {
        (Some(edits), _) => {
            let mut edits = edits.clone();
            edits.extend(rewrites);
            rules = files.check_schemas(chart, &edits)?;
            files.relocated(chart, &edits, hints, &solved.names, registry)?
        }
        (None, Some(stored)) if stays => stored.files.clone(),
        _ => {
            let message = "the stored chart's names of images follow no mode, so that the chart cannot be made anew with them";
            return Err(Error::new(ErrorKind::Hint, message));
        }
    };
    // A stored chart with identical files needs no write, even where replacing was asked for.
    let action =
        if stored.is_some_and(|s| s.files == ours) { ChartAction::Present } else { action };
    if action == ChartAction::Replace
        && likeness == Some(Likeness::Same)
        && !solved.stored_chart_renders_names
    {
        let chart = bundle.chart();
        findings.push(Finding::ChartReplaced { chart, dangling: solved.dangling.clone() });
    }
    if !action.keeps_stored() {
        note_digests(bundle, &solved.pins.certain, true, findings);
        note_digests(bundle, &solved.pins.doubtful, false, findings);
        findings.extend(rules.into_iter().map(|SchemaRule { path, rule }| Finding::SchemaRule {
            chart: bundle.chart(),
            value: format!(".{}", path.join(".")),
            rule,
        }));
        let missing = chart.missing_dependencies();
        if !missing.is_empty() {
            let because = format!("charts/ does not have its dependencies: {}", missing.join(", "));
            findings.push(Finding::HelmRefuses { chart: bundle.chart(), because });
        }
        let known: Vec<&str> = unhinted.iter().map(|image| image.reference.as_str()).collect();
        let alone =
            images.without_hint(hints, values).into_iter().filter(|image| !known.contains(image));
        findings.extend(alone.filter(|_| !hints.is_empty()).map(|image| Finding::Unhinted {
            chart: bundle.chart(),
            values: Vec::new(),
            reference: image.to_owned(),
            rewritten: false,
            can_be_rewritten: false,
        }));
        findings.extend(unhinted.into_iter().map(|image| Finding::Unhinted {
            chart: bundle.chart(),
            values: image.paths.iter().map(|path| format!(".{}", path.join("."))).collect(),
            reference: image.reference,
            rewritten: options.rewrite_unhinted && !image.edits.is_empty(),
            can_be_rewritten: !image.edits.is_empty(),
        }));
    }
    let chart = PackedChart::new(&ours)?;
    Ok(PlannedUpload {
        file: chart.file_name(),
        action,
        digest: chart.digest().clone(),
        size: chart.bytes().len() as u64,
        hints: hints.len(),
        rendered_images: None,
        content: Some(ChartToUpload {
            chart,
            repo: earlier.chart_key(bundle).repo,
            stored: match stored.filter(|_| options.render && action.keeps_stored()) {
                Some(stored) => Some(PackedChart::new(&stored.files)?),
                None => None,
            },
            hints: hints.to_vec(),
            unhinted: unhinted_paths,
        }),
    })
}

fn note_digests<'p>(
    bundle: &Bundle,
    paths: impl IntoIterator<Item = &'p Vec<String>>,
    emptied: bool,
    findings: &mut Vec<Finding>,
) {
    findings.extend(paths.into_iter().map(|path| {
        let (chart, value) = (bundle.chart(), format!(".{}", path.join(".")));
        Finding::DigestBeside { chart, value, emptied }
    }));
}
