//! Compares the images of one source with those that a tag held before.

use std::collections::BTreeSet;

use super::{Change, ConflictPolicy, Incoming, IncomingImage, Reason, TagState, slot::Slot};
use crate::{
    error::{Error, ErrorKind, Result},
    image::{Digest, PlatformKey},
};

/// What a tag held before, to compare the images of one source with.
pub(super) struct Rivals<'a> {
    pub(super) tag: &'a TagState,
    pub(super) slots: &'a [Slot],
    pub(super) nested: &'a [Slot],
    pub(super) policy: ConflictPolicy,
    /// What the tag listed before this run wrote it: anything else is newer, and stays.
    pub(super) known: Option<&'a BTreeSet<Digest>>,
}

/// The manifests at the tag that are taken by an image of the source, each for a platform: one manifest may be listed
/// for several.
type Matched = BTreeSet<(PlatformKey, Digest)>;

/// The manifests at the tag that provide one platform and are no part of the source's own statement.
struct SamePlatform<'a> {
    here: Vec<&'a Digest>,
    nested: Vec<&'a Digest>,
}

impl Rivals<'_> {
    /// What becomes of each image. They are one statement, so that none of them replaces another: of
    /// several for one platform, each is compared with a manifest of the tag of its own.
    pub(super) fn decide(&self, incoming: &Incoming) -> Result<Vec<Change>> {
        let (mut matched, stated) = (Matched::new(), incoming.stated());
        let images = incoming.images.iter();
        let mut changes: Vec<Option<Change>> =
            images.map(|image| self.there_already(&stated, image, &mut matched)).collect();
        // A doubtful image comes last: it replaces nothing, but what another one of its source replaces is
        // not in its way.
        for doubtful in [false, true] {
            for (image, change) in incoming.images.iter().zip(&mut changes) {
                if change.is_some() || image.is_doubtful != doubtful {
                    continue;
                }
                let decided = self.against_others(&stated, image, &matched)?;
                *change = Some(decided);
            }
            for (image, change) in incoming.images.iter().zip(&changes) {
                if let Some(Change::Replaced { from }) = change {
                    let platform = image.platform.key();
                    matched.extend(from.iter().map(|digest| (platform.clone(), digest.clone())));
                }
            }
        }
        Ok(changes.into_iter().flatten().collect())
    }

    fn of_platform(&self, stated: &BTreeSet<&Digest>, platform: &PlatformKey) -> SamePlatform<'_> {
        let provides =
            |slot: &&Slot| slot.key.as_ref() == Some(platform) && !stated.contains(slot.digest());
        SamePlatform {
            here: self.slots.iter().filter(provides).map(Slot::digest).collect(),
            nested: self.nested.iter().filter(provides).map(Slot::digest).collect(),
        }
    }

    /// The decision for an image that the tag has, as the same manifest or as another one of the same
    /// image.
    fn there_already(
        &self,
        stated: &BTreeSet<&Digest>,
        image: &IncomingImage,
        matched: &mut Matched,
    ) -> Option<Change> {
        let digest = image.document.digest();
        let key = (!image.platform.is_unknown()).then(|| image.platform.key());
        // The platform is compared, too: one manifest may be listed for several platforms.
        let all = self.slots.iter().chain(self.nested);
        let mut own =
            all.filter(|s| s.digest() == digest && (s.key == key || key.is_none())).peekable();
        if own.peek().is_some() {
            // No node pulls what is listed with a wrong size; one entry with the right one is enough.
            let fits = own.any(|slot| slot.entry.descriptor().size == image.document.size());
            return Some(match fits {
                true if self.tag.is_missing(digest) => Change::Restored,
                true => Change::Present,
                false => Change::Replaced { from: vec![digest.clone()] },
            });
        }
        let platform = key?;
        let there = self.of_platform(stated, &platform);
        let same = |digest: &&&Digest| {
            let config = self.tag.config(digest);
            !self.tag.is_lost(digest)
                && !matched.contains(&(platform.clone(), (**digest).clone()))
                && config.is_some_and(|config| config.is_same_image(&image.config))
        };
        let stays = (*there.here.iter().chain(&there.nested).find(same)?).clone();
        matched.insert((platform, stays.clone()));
        Some(Change::Same { stays })
    }

    /// The decision for an image that the tag does not have.
    fn against_others(
        &self,
        stated: &BTreeSet<&Digest>,
        image: &IncomingImage,
        matched: &Matched,
    ) -> Result<Change> {
        if image.platform.is_unknown() {
            if self.slots.is_empty() && self.nested.is_empty() && stated.len() == 1 {
                return Ok(Change::Added);
            }
            let message = "neither the image nor its package says its platform, so that it cannot be fused with what the tag holds";
            let error = Error::new(ErrorKind::Unsupported, message);
            return Err(error.with_digest(image.document.digest()));
        }
        let platform = image.platform.key();
        let there = self.of_platform(stated, &platform);
        let others = |there: Vec<&Digest>| -> Vec<Digest> {
            let others = there.into_iter().cloned();
            others.filter(|digest| !matched.contains(&(platform.clone(), digest.clone()))).collect()
        };
        let (here, nested) = (others(there.here), others(there.nested));
        let mut all = here.iter().chain(&nested);
        let is_newer = |digest: &&Digest| self.known.is_some_and(|known| !known.contains(*digest));
        if let Some(newer) = all.clone().find(is_newer) {
            return Ok(Change::NotTaken { stays: newer.clone(), because: Reason::Newer });
        }
        let Some(stays) = all.find(|digest| !self.tag.is_lost(digest)).cloned() else {
            // What no node can pull is not an image that could be lost.
            let gone =
                if here.is_empty() { Change::Added } else { Change::Replaced { from: here } };
            return Ok(gone);
        };
        let not_taken = |because| Change::NotTaken { stays: stays.clone(), because };
        Ok(match self.policy {
            _ if image.is_doubtful => not_taken(Reason::Mislabelled),
            ConflictPolicy::Existing => not_taken(Reason::Policy),
            ConflictPolicy::Fail => {
                let digest = image.document.digest();
                let message =
                    format!("the tag holds another image for {platform}: {stays}, not {digest}");
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            ConflictPolicy::Incoming if here.is_empty() => not_taken(Reason::Nested),
            ConflictPolicy::Incoming => Change::Replaced { from: here },
        })
    }
}
