//! Documents that are found by what they refer to, where the registry lists them by itself.

use super::{NamedImage, Observed, PlannedImage, push::push};
use crate::package::StoredDocument;

/// Plans documents that are found by what they refer to, and need no tag.
pub(super) fn plan_referrers(
    repository: &str,
    named: &[NamedImage],
    observed: &Observed,
) -> PlannedImage {
    let mut planned = PlannedImage::empty(&named[0].name, named);
    for named in named {
        for stored in referrer_documents(std::slice::from_ref(named)) {
            let digest = stored.document.digest();
            let is_new = planned.pushes.iter().all(|push| push.digest != *digest);
            if is_new && observed.has_manifest(repository, digest) != Some(true) {
                planned.pushes.push(push(stored, named.origin, observed, repository));
            }
        }
    }
    planned.count_bytes();
    planned
}

/// True where these images are lists of referrers, which a registry may keep by itself.
pub(super) fn is_list_of_referrers(named: &[NamedImage]) -> bool {
    !named.is_empty() && named.iter().all(|named| named.is_fallback)
}

/// The documents of lists of referrers, without the lists.
pub(super) fn referrer_documents(named: &[NamedImage]) -> impl Iterator<Item = &StoredDocument> {
    named.iter().flat_map(|named| {
        let list = named.incoming.document().digest();
        named.image.documents.iter().filter(move |stored| stored.document.digest() != list)
    })
}
