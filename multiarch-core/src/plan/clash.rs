//! Clashes: two different images of one import with the same name and platform.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Inventory, NamedImage, Origin};
use crate::{
    chart::{TargetName, is_newer},
    error::{Error, ErrorKind},
    fuse::Reason,
    image::{Digest, PlatformKey, Reference},
    package::{Finding, Package},
};

impl Inventory {
    /// Settles clashes. An image from the target gives way to one from a package. Of two images with the
    /// same reference, the mislabelled one or that of the older package gives way. Otherwise the charts of
    /// both are blocked, because one of them would run the other's image.
    pub(super) fn settle_clashes(&mut self) {
        let mut blocked: BTreeMap<TargetName, String> = BTreeMap::new();
        for (name, images) in &mut self.images {
            // Sorted, so that the order of the packages on the command line does not matter.
            images.sort_by_key(|image| {
                let incoming = &image.incoming;
                (incoming.is_mislabelled(), incoming.document().digest().clone())
            });
            while let Some(clash) = find_clash(images, &self.packages) {
                let Some(because) = clash.because else {
                    blocked.insert(name.clone(), clash.message(images));
                    break;
                };
                let source = |image: &NamedImage| match image.origin {
                    Origin::Package(number) => self.packages[number].path().to_owned(),
                    Origin::Target => image.reference.clone(),
                };
                self.findings.push(Finding::Superseded {
                    image: name.to_string(),
                    platform: clash.platform.clone(),
                    package: source(&images[clash.winner]),
                    instead_of: source(&images[clash.loser]),
                    because,
                });
                // Only that platform's image gives way; the rest of its index is fused.
                match images[clash.loser].incoming.without(&BTreeSet::from([clash.digest])) {
                    Some(rest) => images[clash.loser].incoming = rest,
                    None => drop(images.remove(clash.loser)),
                }
            }
        }
        for (name, message) in &blocked {
            for chart in self.charts.iter_mut().filter(|chart| chart.images.contains(name)) {
                let error = Error::new(ErrorKind::NameClash, message).of_image(name);
                chart.problems.push(match &chart.chart {
                    Some(_) => error.in_bundle(chart.bundles.join(", ")),
                    None => error,
                });
                match chart.chart {
                    Some(_) => chart.images.clear(),
                    None => {
                        chart.images.remove(name);
                    }
                }
            }
        }
        self.drop_unused();
    }
}

/// Two images that cannot both get the name, by their positions in the list.
struct Clash {
    winner: usize,
    loser: usize,
    /// The manifest that gives way, and its platform.
    digest: Digest,
    platform: PlatformKey,
    /// Why it gives way; `None` where no rule decides.
    because: Option<Reason>,
}

impl Clash {
    fn message(&self, images: &[NamedImage]) -> String {
        let (a, b) = (&images[self.winner].reference, &images[self.loser].reference);
        let platform = &self.platform;
        if a == b {
            return format!("{a} is two different images for {platform}, and no version decides");
        }
        format!("{a} and {b} are different images for {platform}, and both get this name")
    }
}

fn find_clash(images: &[NamedImage], packages: &[Arc<Package>]) -> Option<Clash> {
    for (i, a) in images.iter().enumerate() {
        for (j, b) in images.iter().enumerate().skip(i + 1) {
            let Some((platform, of_a, of_b)) = differ(a, b) else { continue };
            let version = |image: &NamedImage| {
                let own = image.image.origin.version.clone();
                own.or_else(|| match image.origin {
                    Origin::Package(number) => packages[number].name().version.clone(),
                    Origin::Target => None,
                })
                .unwrap_or_default()
            };
            let (first, second) = (version(a), version(b));
            let same = same_reference(&a.reference, &b.reference);
            let clash = |winner, loser, digest, because| {
                Some(Clash { winner, loser, digest, platform, because })
            };
            // Mislabelled images are sorted last, so `a` is mislabelled only if `b` is.
            let mislabelled = b.incoming.is_mislabelled() && !a.incoming.is_mislabelled();
            return match same {
                _ if b.origin == Origin::Target => clash(i, j, of_b, Some(Reason::PreviousName)),
                _ if a.origin == Origin::Target => clash(j, i, of_a, Some(Reason::PreviousName)),
                true if mislabelled => clash(i, j, of_b, Some(Reason::Mislabelled)),
                true if is_newer(&first, &second) => clash(i, j, of_b, Some(Reason::LaterVersion)),
                true if is_newer(&second, &first) => clash(j, i, of_a, Some(Reason::LaterVersion)),
                _ => clash(i, j, of_b, None),
            };
        }
    }
    None
}

/// The platform for which two sources have different images, and their manifests.
fn differ(a: &NamedImage, b: &NamedImage) -> Option<(PlatformKey, Digest, Digest)> {
    for a in a.incoming.images() {
        for b in b.incoming.images() {
            let platform = a.platform().key();
            if platform == b.platform().key()
                && a.document().digest() != b.document().digest()
                && !a.config().is_same_image(b.config())
            {
                let digests = (a.document().digest().clone(), b.document().digest().clone());
                return Some((platform, digests.0, digests.1));
            }
        }
    }
    None
}

pub(super) fn same_reference(a: &str, b: &str) -> bool {
    match (a.parse::<Reference>(), b.parse::<Reference>()) {
        (Ok(a), Ok(b)) => meaning(&a) == meaning(&b),
        _ => a == b,
    }
}

/// The parts of a reference with its defaults filled in, so that all spellings compare equal.
fn meaning(reference: &Reference) -> (String, String, Option<String>, Option<String>) {
    let digest = reference.digest().map(ToString::to_string);
    let tag = reference.tag().map(ToOwned::to_owned);
    let tag = if digest.is_none() { tag.or_else(|| Some("latest".into())) } else { tag };
    (reference.host().into(), reference.repository(), tag, digest)
}
