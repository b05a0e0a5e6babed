//! Two different images of one run under one name.

use std::collections::{BTreeMap, BTreeSet};

use super::{Want, Wanted};
use crate::{
    chart::{TargetName, is_newer},
    error::{Error, ErrorKind},
    image::{Digest, PlatformKey, Reference},
    package::{Finding, Package, SupersededBecause},
};

impl Wanted<'_> {
    /// Two different images on one name and platform: the later package's, if both mean the same
    /// reference; otherwise neither chart can be right.
    pub(super) fn settle_clashes(&mut self) {
        let mut blocked: BTreeMap<TargetName, String> = BTreeMap::new();
        for (name, wants) in &mut self.images {
            // The order of the packages on the command line must not matter.
            wants.sort_by_key(|want| {
                let incoming = &want.incoming;
                (incoming.is_mislabelled(), incoming.document().digest().clone())
            });
            while let Some(clash) = find_clash(wants, &self.packages, self.given) {
                let Some(because) = clash.because else {
                    blocked.insert(name.clone(), clash.message(wants));
                    break;
                };
                self.findings.push(Finding::Superseded {
                    image: name.to_string(),
                    platform: clash.platform.clone(),
                    package: self.packages[wants[clash.winner].package].path().into(),
                    instead_of: self.packages[wants[clash.loser].package].path().into(),
                    because,
                });
                // Only that platform's image gives way; the rest of its index comes in.
                match wants[clash.loser].incoming.without(&BTreeSet::from([clash.digest])) {
                    Some(rest) => wants[clash.loser].incoming = rest,
                    None => drop(wants.remove(clash.loser)),
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

    /// Forgets images that no chart has any more.
    pub(super) fn drop_unused(&mut self) {
        let used: BTreeSet<&TargetName> = self.charts.iter().flat_map(|c| &c.images).collect();
        self.images.retain(|name, _| used.contains(name));
    }
}

/// Two images that cannot both be right, by their places in the list.
struct Clash {
    winner: usize,
    loser: usize,
    /// The manifest that gives way, and its platform.
    digest: Digest,
    platform: PlatformKey,
    /// Why it gives way; `None` where nothing decides.
    because: Option<SupersededBecause>,
}

impl Clash {
    fn message(&self, wants: &[Want<'_>]) -> String {
        let (a, b) = (&wants[self.winner].reference, &wants[self.loser].reference);
        let platform = &self.platform;
        if a == b {
            return format!("{a} is two different images for {platform}, and no version decides");
        }
        format!("{a} and {b} are different images for {platform}, and both get this name")
    }
}

/// `given` is the number of packages; what stands behind them is of the target itself, and gives way.
fn find_clash(wants: &[Want<'_>], packages: &[&Package], given: usize) -> Option<Clash> {
    for (i, a) in wants.iter().enumerate() {
        for (j, b) in wants.iter().enumerate().skip(i + 1) {
            let Some((platform, of_a, of_b)) = differ(a, b) else { continue };
            let version = |want: &Want<'_>| {
                let own = want.image.origin.version.clone();
                own.or_else(|| packages[want.package].name().version.clone()).unwrap_or_default()
            };
            let (first, second) = (version(a), version(b));
            let same = same_reference(&a.reference, &b.reference);
            let clash = |winner, loser, digest, because| {
                Some(Clash { winner, loser, digest, platform, because })
            };
            // Mislabelled ones sort last.
            let mislabelled = b.incoming.is_mislabelled() && !a.incoming.is_mislabelled();
            let earlier = |want: &Want<'_>| want.package == given;
            return match same {
                _ if earlier(b) => clash(i, j, of_b, Some(SupersededBecause::Earlier)),
                _ if earlier(a) => clash(j, i, of_a, Some(SupersededBecause::Earlier)),
                true if mislabelled => clash(i, j, of_b, Some(SupersededBecause::Mislabelled)),
                true if is_newer(&first, &second) => {
                    clash(i, j, of_b, Some(SupersededBecause::LaterVersion))
                }
                true if is_newer(&second, &first) => {
                    clash(j, i, of_a, Some(SupersededBecause::LaterVersion))
                }
                _ => clash(i, j, of_b, None),
            };
        }
    }
    None
}

/// The platform for which two sources have different images, and their manifests.
fn differ(a: &Want<'_>, b: &Want<'_>) -> Option<(PlatformKey, Digest, Digest)> {
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

/// What a reference means, however it is spelled.
fn meaning(reference: &Reference) -> (String, String, Option<String>, Option<String>) {
    let digest = reference.digest().map(ToString::to_string);
    let tag = reference.tag().map(ToOwned::to_owned);
    let tag = if digest.is_none() { tag.or_else(|| Some("latest".into())) } else { tag };
    (reference.host().into(), reference.repository(), tag, digest)
}
