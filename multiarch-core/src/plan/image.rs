//! The plan of one image.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Observed, Options, Want};
use crate::{
    chart::TargetName,
    error::{Error, Result},
    fuse::{Decision, Held, fuse},
    image::{Digest, Document, Index, PlatformKey},
    package::{Locator, Part},
};

/// What happens to one name in the target.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct PlannedImage {
    /// The name in the target.
    pub name: TargetName,
    /// The references it had in the packages.
    pub references: Vec<String>,
    /// What the tag holds now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Digest>,
    /// What the tag is to hold; `None` where nothing changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Digest>,
    /// One decision per incoming platform.
    pub decisions: Vec<PlannedDecision>,
    /// The platforms that the tag holds then.
    pub platforms: Vec<PlatformKey>,
    /// What is written before the tag, in this order.
    pub pushes: Vec<Push>,
    /// Bytes of its blobs that the target lacks; a blob that several images need counts for each.
    pub bytes_to_send: u64,
    /// Why nothing can be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
    /// The document behind `after`.
    #[serde(skip)]
    pub document: Option<Document>,
}

/// A decision, and the package its image came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedDecision {
    /// The package's place in the plan's list; behind its end for what the target itself holds under
    /// another name.
    pub package: usize,
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
}

/// A manifest or nested index that is written by digest, and the blobs it needs.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Push {
    /// Digest of the document.
    pub digest: Digest,
    /// The blobs it needs, foreign layers excepted.
    pub blobs: Vec<PlannedBlob>,
    /// The document.
    #[serde(skip)]
    pub document: Document,
}

/// A blob that must be in the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedBlob {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Whether the target has it.
    pub present: bool,
    /// The package's place in the plan's list.
    pub package: usize,
    /// Where its bytes are in the package.
    pub locator: Locator,
}

/// Plans one image, by what was observed.
pub(crate) fn plan_image(
    name: &TargetName,
    wants: &[Want<'_>],
    observed: &Observed,
    options: &Options,
) -> PlannedImage {
    let mut references: Vec<String> = wants.iter().map(|want| want.reference.clone()).collect();
    references.sort();
    references.dedup();
    let mut planned = PlannedImage {
        name: name.clone(),
        references,
        before: None,
        after: None,
        decisions: Vec::new(),
        platforms: Vec::new(),
        pushes: Vec::new(),
        bytes_to_send: 0,
        error: None,
        document: None,
    };
    if let Err(error) = fill(&mut planned, wants, observed, options) {
        planned.error = Some(error.of_image(name));
        planned.after = None;
        planned.pushes.clear();
    }
    planned
}

fn fill(
    planned: &mut PlannedImage,
    wants: &[Want<'_>],
    observed: &Observed,
    options: &Options,
) -> Result<()> {
    let held = observed.tag(&planned.name)?;
    planned.platforms = platforms(held);
    planned.before = held.document().map(|document| document.digest().clone());
    let (mut now, mut changed) = (held.clone(), None);
    wants.iter().for_each(|want| now.learn_from(&want.incoming));
    let mut seen = BTreeSet::new();
    for want in wants {
        // The same image from another bundle or package decides nothing more.
        if !seen.insert(want.incoming.document().digest()) {
            continue;
        }
        let fusion = fuse(&now, &want.incoming, &options.fuse)?;
        planned.decisions.extend(
            fusion
                .decisions
                .into_iter()
                .map(|decision| PlannedDecision { package: want.package, decision }),
        );
        now = fusion.held;
        changed = fusion.document.or(changed);
    }
    planned.platforms = platforms(&now);
    let Some(document) = changed else { return Ok(()) };
    planned.after = Some(document.digest().clone());
    planned.pushes = pushes(&document, held, wants, observed, planned.name.repository())?;
    let blobs = planned.pushes.iter().flat_map(|push| &push.blobs);
    planned.bytes_to_send = blobs.filter(|blob| !blob.present).map(|blob| blob.size).sum();
    planned.document = Some(document);
    Ok(())
}

/// The platforms that a tag holds, as far as they can be told.
pub(crate) fn platforms(held: &Held) -> Vec<PlatformKey> {
    held.platforms().into_iter().flatten().map(|(platform, _)| platform).collect()
}

/// Every part that the document lists and the tag did not hold; all parts of a document that is
/// written as it came.
fn pushes(
    document: &Document,
    held: &Held,
    wants: &[Want<'_>],
    observed: &Observed,
    repository: &str,
) -> Result<Vec<Push>> {
    let listed = |document: &Document| -> Result<BTreeSet<Digest>> {
        if !document.kind().is_index() {
            return Ok(BTreeSet::from([document.digest().clone()]));
        }
        Ok(Index::of(document)?.entries().iter().map(|entry| entry.digest().clone()).collect())
    };
    let needed = listed(document)?;
    let there = held.document().map(listed).transpose()?.unwrap_or_default();
    let (mut pushes, mut done) = (Vec::new(), BTreeSet::new());
    for want in wants {
        let whole = want.incoming.document().digest() == document.digest();
        for part in &want.image.parts {
            let digest = part.document.digest();
            let wanted = whole || (needed.contains(digest) && !there.contains(digest));
            if wanted && done.insert(digest.clone()) {
                pushes.push(push(part, want.package, observed, repository));
            }
        }
    }
    Ok(pushes)
}

fn push(part: &Part, package: usize, observed: &Observed, repository: &str) -> Push {
    let mut seen = BTreeSet::new();
    let blobs = part
        .blobs
        .iter()
        .filter(|blob| seen.insert(blob.descriptor.digest.clone()))
        .filter_map(|blob| {
            let digest = blob.descriptor.digest.clone();
            Some(PlannedBlob {
                present: observed.has_blob(repository, &digest).unwrap_or(false),
                digest,
                size: blob.descriptor.size,
                package,
                locator: blob.locator?,
            })
        })
        .collect();
    Push { digest: part.document.digest().clone(), blobs, document: part.document.clone() }
}
