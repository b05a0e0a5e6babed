//! Clashes: two different images of one import with the same name and platform.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Inventory, NamedImage, Origin};
use crate::{
    chart::{TargetName, is_newer},
    error::{Error, ErrorKind},
    fuse::{IncomingImage, Reason},
    image::{Digest, PlatformKey, same_reference},
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
                (incoming.is_doubtful(), incoming.document().digest().clone())
            });
            while let Some(clash) = find_clash(images, &self.packages) {
                let Some(because) = clash.because else {
                    blocked.insert(name.clone(), clash.message(images, &self.packages));
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
    fn message(&self, images: &[NamedImage], packages: &[Arc<Package>]) -> String {
        let (a, b) = (&images[self.winner], &images[self.loser]);
        let platform = &self.platform;
        let package = |image: &NamedImage| match image.origin {
            Origin::Package(number) => packages[number].path(),
            Origin::Target => "the target",
        };
        let (a, b, of_a, of_b) = (&a.reference, &b.reference, package(a), package(b));
        match (a == b, of_a == of_b) {
            (true, true) => format!(
                "{a} is two different images for {platform} in {of_a}, and no version decides"
            ),
            (true, false) => format!(
                "{a} is one image for {platform} in {of_a} and another in {of_b}, and no version decides"
            ),
            _ => format!(
                "{a} of {of_a} and {b} of {of_b} are different images for {platform}, and both get this name"
            ),
        }
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
            let mislabelled = b.incoming.is_doubtful() && !a.incoming.is_doubtful();
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

/// The platform for which two sources have different images, and their manifests. Two images that one source
/// states for a platform are no clash.
fn differ(a: &NamedImage, b: &NamedImage) -> Option<(PlatformKey, Digest, Digest)> {
    let stated = (a.incoming.stated(), b.incoming.stated());
    let mut others: BTreeMap<PlatformKey, Vec<&IncomingImage>> = BTreeMap::new();
    for b in b.incoming.images().iter().filter(|b| !stated.0.contains(b.document().digest())) {
        others.entry(b.platform().key()).or_default().push(b);
    }
    let mut own: BTreeMap<PlatformKey, Vec<&IncomingImage>> = BTreeMap::new();
    for a in a.incoming.images().iter().filter(|a| !stated.1.contains(a.document().digest())) {
        own.entry(a.platform().key()).or_default().push(a);
    }
    // Of several for one platform, one that is the same in both is enough: the others are its twins.
    let same = |a: &&IncomingImage, b: &&IncomingImage| a.config().is_same_image(b.config());
    own.into_iter().find_map(|(platform, own)| {
        let others = others.get(&platform)?;
        let is_same = own.iter().any(|a| others.iter().any(|b| same(a, b)));
        let (a, b) = (own.first()?, others.first()?);
        let digests = (a.document().digest().clone(), b.document().digest().clone());
        (!is_same).then_some((platform, digests.0, digests.1))
    })
}
