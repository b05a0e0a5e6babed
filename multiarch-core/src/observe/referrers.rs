//! Finds the tags that refer to a document by its digest.

use crate::{chart::TargetName, error::Result, image::Digest, store::ImageStore};

/// Tags by which signatures and attestations refer to a digest: cosign's, and the referrers
/// fallback of the distribution specification.
pub(super) fn referrers(
    store: &dyn ImageStore,
    name: &TargetName,
    digest: &Digest,
) -> Result<Vec<String>> {
    let stem = format!("{}-{}", digest.algorithm().name(), digest.hex());
    let tags = store.tags_of(name.repository())?;
    let mut found = Vec::new();
    for ending in ["", ".sig", ".att", ".sbom"] {
        let tag = format!("{stem}{ending}");
        let there = match (&tags, TargetName::new(name.repository(), &tag)) {
            (Some(tags), _) => tags.contains(&tag),
            (None, Ok(tag)) => store.get_tag(&tag)?.is_some(),
            // No such tag can exist: the name is too long, as it is with sha512.
            (None, Err(_)) => false,
        };
        if there {
            found.push(tag);
        }
    }
    Ok(found)
}
