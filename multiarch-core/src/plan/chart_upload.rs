//! Relocates a bundle's chart, and decides what is done with it in the chart repository.

use std::collections::BTreeSet;

use super::{
    ChartAction, EarlierImport, Options, PlannedUpload, SolvedChart, StoredChart,
    upload::ChartToUpload,
};
use crate::{
    chart::{
        Chart, ChartFiles, KnownImages, Likeness, Overrides, PackedChart, SchemaRule, TargetName,
        UnhintedImage, compare, unhinted_images,
    },
    error::{Error, ErrorKind, Result},
    package::{Bundle, Finding},
};

/// A bundle's chart, with all that is known of it.
pub(super) struct OriginalChart<'a> {
    files: ChartFiles,
    bundle: &'a Bundle,
    chart: &'a Chart,
    solved: &'a SolvedChart,
    stored: Option<&'a StoredChart>,
    /// The number of the chart repository.
    repo: usize,
    registry: &'a str,
    options: &'a Options,
    images: KnownImages,
    unhinted: Vec<UnhintedImage>,
}

impl<'a> OriginalChart<'a> {
    /// `key` are the positions of package and bundle, and `images` are the bundle's.
    pub(super) fn new(
        files: ChartFiles,
        (key, bundle): ((usize, usize), &'a Bundle),
        images: KnownImages,
        earlier: &'a EarlierImport,
        options: &'a Options,
    ) -> Result<Self> {
        let (solved, stored) = (earlier.solved(key)?, earlier.stored(bundle)?);
        let registry = earlier.registry();
        let edits = solved.edits.clone().unwrap_or_default();
        let (hints, values) = (bundle.hints(), &bundle.values);
        let unhinted = unhinted_images(values, hints, &edits, &images, registry)?;
        let (chart, repo) = (bundle.read_chart()?, earlier.chart_key(bundle).repo);
        Ok(Self { files, bundle, chart, solved, stored, repo, registry, options, images, unhinted })
    }

    /// Relocates the chart, and compares it with the stored one to choose the action.
    pub(super) fn plan_upload(&self, findings: &mut Vec<Finding>) -> Result<PlannedUpload> {
        let hints = self.bundle.hints();
        let likeness = self.likeness()?;
        let action = self.action(likeness.as_ref(), findings)?;
        let (ours, rules) = self.relocated(action)?;
        // A stored chart with identical files needs no write, even where replacing was asked for.
        let is_equal = self.stored.is_some_and(|stored| stored.files == ours);
        let action = if is_equal { ChartAction::Present } else { action };
        if action == ChartAction::Replace
            && likeness == Some(Likeness::Same)
            && !self.solved.stored_chart_renders_names
        {
            let dangling = self.solved.dangling.clone();
            findings.push(Finding::ChartReplaced { chart: self.bundle.chart(), dangling });
        }
        if !action.keeps_stored() {
            self.note(rules, findings);
        }
        let chart = PackedChart::new(&ours)?;
        let to_render = self.stored.filter(|_| self.options.render && action.keeps_stored());
        let stored = to_render.map(|stored| PackedChart::new(&stored.files)).transpose()?;
        Ok(PlannedUpload {
            file: chart.file_name(),
            action,
            digest: chart.digest().clone(),
            size: chart.bytes().len() as u64,
            hints: hints.len(),
            rendered_images: None,
            content: Some(ChartToUpload {
                chart,
                repo: self.repo,
                stored,
                hints: hints.to_vec(),
                unhinted: self.unhinted_paths(),
            }),
        })
    }

    fn unhinted_paths(&self) -> Vec<Vec<String>> {
        self.unhinted.iter().flat_map(|image| &image.paths).cloned().collect()
    }

    /// The edits of values without hints, where the options ask for them.
    fn rewrites(&self) -> Overrides {
        let images = self.unhinted.iter().filter(|_| self.options.rewrite_unhinted);
        images.flat_map(|image| image.edits.clone()).collect()
    }

    fn likeness(&self) -> Result<Option<Likeness>> {
        let compared = self.stored.map(|stored| {
            let stored = (&stored.files, &stored.chart);
            let read = (self.bundle.hints(), &self.bundle.values);
            compare(stored, (&self.files, self.chart), read, &self.unhinted_paths())
        });
        compared.transpose()
    }

    fn action(
        &self,
        likeness: Option<&Likeness>,
        findings: &mut Vec<Finding>,
    ) -> Result<ChartAction> {
        let (Some(likeness), Some(stored)) = (likeness, self.stored) else {
            return Ok(ChartAction::Upload);
        };
        let pins = stored.set_among(&self.solved.pins.certain);
        let renders_names = self.solved.stored_chart_renders_names;
        Ok(match likeness {
            Likeness::Same
                if renders_names && pins.is_empty() && stored.has_all(&self.rewrites()) =>
            {
                ChartAction::Present
            }
            Likeness::Same => ChartAction::Replace,
            Likeness::Different(_) if self.options.overwrite_charts => ChartAction::Replace,
            Likeness::Different(paths) => {
                let chart = self.bundle.chart();
                findings.push(Finding::ChartKept { chart, different: paths.clone() });
                self.note_digests(pins, false, findings);
                if !renders_names {
                    return Err(self.conflict(stored));
                }
                ChartAction::Kept
            }
        })
    }

    /// Another chart is stored, and this one's images are not what it names.
    fn conflict(&self, stored: &StoredChart) -> Error {
        let stored = stored.names(self.bundle.hints(), self.registry);
        let is_lost = |name: &&TargetName| !stored.iter().flatten().any(|has| has == *name);
        let lost: BTreeSet<String> =
            self.solved.names.iter().filter(is_lost).map(ToString::to_string).collect();
        let message = format!(
            "another chart of this name and version is in the chart repository, and does not name {}",
            Vec::from_iter(lost).join(", ")
        );
        Error::new(ErrorKind::ChartConflict, message)
    }

    /// The relocated chart, and the rules of schemas that it may break.
    fn relocated(&self, action: ChartAction) -> Result<(ChartFiles, Vec<SchemaRule>)> {
        match (&self.solved.edits, self.stored) {
            (Some(edits), _) => {
                let mut edits = edits.clone();
                edits.extend(self.rewrites());
                let rules = self.files.check_schemas(self.chart, &edits)?;
                let (hints, names) = (self.bundle.hints(), &self.solved.names);
                let files =
                    self.files.relocated(self.chart, &edits, hints, names, self.registry)?;
                Ok((files, rules))
            }
            (None, Some(stored)) if action.keeps_stored() => Ok((stored.files.clone(), Vec::new())),
            _ => {
                let message = "the stored chart's names of images follow no mode, so that the chart cannot be made anew with them";
                Err(Error::new(ErrorKind::Hint, message))
            }
        }
    }

    /// Notes what a user should know of a chart that is written.
    fn note(&self, rules: Vec<SchemaRule>, findings: &mut Vec<Finding>) {
        let chart = || self.bundle.chart();
        let shown = |path: &Vec<String>| format!(".{}", path.join("."));
        self.note_digests(&self.solved.pins.certain, true, findings);
        self.note_digests(&self.solved.pins.doubtful, false, findings);
        findings.extend(rules.into_iter().map(|SchemaRule { path, rule }| Finding::SchemaRule {
            chart: chart(),
            value: shown(&path),
            rule,
        }));
        let missing = self.chart.missing_dependencies();
        if !missing.is_empty() {
            let because = format!("charts/ does not have its dependencies: {}", missing.join(", "));
            findings.push(Finding::HelmRefuses { chart: chart(), because });
        }
        let (hints, values) = (self.bundle.hints(), &self.bundle.values);
        let is_known = |image: &str| self.unhinted.iter().any(|known| known.reference == image);
        let alone = self.images.without_hint(hints, values).into_iter();
        let alone = alone.filter(|image| !hints.is_empty() && !is_known(image));
        findings.extend(alone.map(|image| Finding::Unhinted {
            chart: chart(),
            values: Vec::new(),
            reference: image.to_owned(),
            rewritten: false,
            can_be_rewritten: false,
        }));
        findings.extend(self.unhinted.iter().map(|image| Finding::Unhinted {
            chart: chart(),
            values: image.paths.iter().map(shown).collect(),
            reference: image.reference.clone(),
            rewritten: self.options.rewrite_unhinted && !image.edits.is_empty(),
            can_be_rewritten: !image.edits.is_empty(),
        }));
    }

    fn note_digests<'p>(
        &self,
        paths: impl IntoIterator<Item = &'p Vec<String>>,
        emptied: bool,
        findings: &mut Vec<Finding>,
    ) {
        findings.extend(paths.into_iter().map(|path| {
            let (chart, value) = (self.bundle.chart(), format!(".{}", path.join(".")));
            Finding::DigestBeside { chart, value, emptied }
        }));
    }
}
