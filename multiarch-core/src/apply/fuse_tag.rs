//! Fuses into one tag of a store, for programs that use nothing else of this library.

use std::collections::BTreeSet;

use super::write_tag::{Attempt, Attempts, Tags};
use crate::{
    chart::TargetName,
    error::Result,
    fuse::{FuseOptions, Fusion, Incoming, TagState, fuse_again, put_back},
    image::Digest,
    observe::tag_state,
    run::Cancel,
    store::ImageStore,
};

/// Fuses incoming images into a tag: reads the tag, writes the manifests of the incoming images by
/// their digests, then the tag, and reads it back. If another writer changes the tag meanwhile, it
/// fuses again.
///
/// The blobs of the incoming images, and everything else that an incoming index lists, must already be
/// in the repository.
///
/// ```
/// use multiarch_core::{
///     BlobContent, Digest, FuseOptions, ImageStore, Incoming, MemoryStore, fuse_tag,
/// };
/// let store = MemoryStore::new();
/// let name = "demo/app:v1".parse()?;
/// for architecture in ["amd64", "arm64"] {
///     let image = multiarch_generator::Image::new(architecture, "app");
///     let digest = Digest::sha256(&image.config);
///     store.put_blob("demo/app", None, &BlobContent::in_memory(&digest, &image.config))?;
///     let incoming = Incoming::parse(image.manifest().as_bytes(), &image.config)?;
///     fuse_tag(&store, &name, &incoming, &FuseOptions::default())?;
/// }
/// let index = store.get_tag(&name)?.expect("written");
/// assert!(index.raw().windows(5).any(|text| text == b"amd64"));
/// # Ok::<(), multiarch_core::Error>(())
/// ```
///
/// # Errors
/// Those of [`fuse`](crate::fuse); if the store cannot be read or written; [`ErrorKind::Contended`](crate::ErrorKind::Contended) if another
/// writer changes the tag each time.
pub fn fuse_tag(
    store: &dyn ImageStore,
    name: &TargetName,
    incoming: &Incoming,
    options: &FuseOptions,
) -> Result<Fusion> {
    let cancel = Cancel::new();
    let (mut earlier, mut known): (Vec<TagState>, Option<BTreeSet<Digest>>) = (Vec::new(), None);
    let tags = Tags::new(store, &cancel, BTreeSet::new());
    let mut attempts = Attempts::new(&cancel);
    let mut done: Option<Fusion> = None;
    loop {
        let now = tags.read(name)?;
        let state = tag_state(store, (name, now), std::slice::from_ref(incoming))?;
        let before = state.document().map(|document| document.digest().clone());
        let fusion = fuse_again(&state, incoming, options, known.as_ref());
        let mut fusion = fusion.map_err(|e| e.of_image(name))?;
        // What another writer has removed meanwhile is put back.
        for earlier in &earlier {
            if let Some(after) = put_back(&fusion.state, earlier)? {
                fusion.document = after.document().cloned();
                fusion.state = after;
            }
        }
        earlier.push(state);
        let Some(document) = fusion.document.clone() else {
            return Ok(done.unwrap_or(fusion));
        };
        for image in incoming.images() {
            if image.document().digest() != document.digest() {
                store.put_manifest(name.repository(), image.document())?;
            }
        }
        let attempt = tags.write(name, before.as_ref(), &document)?;
        if let Attempt::Written { .. } | Attempt::Unclear { .. } = attempt {
            known.get_or_insert_with(|| earlier.iter().flat_map(TagState::listed).collect());
        }
        match attempt {
            Attempt::Written { .. } if !store.flush()?.contains(name) => {
                if store.compares_and_sets_tags()
                    || tags.digest(name)?.as_ref() == Some(document.digest())
                {
                    return Ok(fusion);
                }
                // Another writer has written the tag after us. Its images for our platforms are newer,
                // and stay; platforms that it lacks are fused in again.
                done = Some(fusion);
                attempts.after_change().map_err(|e| e.of_image(name))?;
            }
            Attempt::Unclear { error, .. } => {
                attempts.after_failure(error)?;
                done = Some(fusion);
            }
            Attempt::Written { .. } | Attempt::Stale | Attempt::Needless => {
                attempts.after_change().map_err(|e| e.of_image(name))?;
            }
        }
    }
}
