//! Fusion: from any bytes a tag and two sources are made, to see whether the laws hold for them.

mod generated;
mod world;

use std::collections::BTreeSet;

use generated::{Choices, Side};

use crate::{
    fuse::{ConflictPolicy, FuseOptions, IndexMode, TagState, add_attestations, fuse as fused},
    image::{Document, PlatformKey},
};

fn platforms(tag: &TagState) -> BTreeSet<PlatformKey> {
    tag.platforms().expect("a tag that was fused can be read").into_iter().map(|(p, _)| p).collect()
}

fn text(tag: &TagState) -> String {
    String::from_utf8_lossy(tag.document().map(Document::raw).unwrap_or_default()).into_owned()
}

/// Fuses a side into a tag of which everything is known, as an import does; `None` where that is refused.
fn step(tag: &TagState, side: &Side, options: &FuseOptions) -> Option<TagState> {
    let mut tag = tag.clone();
    let incoming = side.incoming()?;
    side.answer_all(&incoming, &mut tag);
    let before = platforms(&tag);
    let fusion = fused(&tag, &incoming, options).ok()?;
    let shown = || format!("{}\n+ {side:?}\n= {}", text(&tag), text(&fusion.state));
    // Rule 3: no platform is lost. Those that come in are there, and no other ones.
    let after = platforms(&fusion.state);
    assert!(before.is_subset(&after), "a platform is lost: {}", shown());
    let mut expected = before;
    let images = incoming.images().iter().filter(|image| !image.platform().is_unknown());
    expected.extend(images.map(|image| image.platform().key()));
    assert!(expected.is_subset(&after), "a platform does not come: {}", shown());
    if side.lists_images_alone() {
        assert_eq!(after, expected, "a platform comes from nowhere: {}", shown());
    }
    assert_eq!(fusion.decisions.len(), incoming.images().len(), "{}", shown());
    // Rules 5 and 11: the same again changes nothing.
    let state = add_attestations(&fusion.state, &incoming).ok()?.unwrap_or(fusion.state.clone());
    let again = fused(&state, &incoming, options).unwrap_or_else(|e| panic!("{e}: {}", shown()));
    if let Some(document) = again.document {
        panic!("a rerun writes {}: {}", String::from_utf8_lossy(document.raw()), shown());
    }
    // What is written is read as it was written.
    if let Some(document) = &fusion.document {
        let read = Document::new(document.raw(), None).expect("a document that was written");
        assert_eq!(read.digest(), document.digest());
    }
    Some(state)
}

/// No platform is lost, the result is the union, a rerun changes nothing, and the order of two sources does
/// not decide which platforms there are.
pub(super) fn fuse(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut options = FuseOptions::default();
    if choices.one_in(3) {
        options.on_conflict = ConflictPolicy::Existing;
    }
    if choices.one_in(4) {
        options.index = IndexMode::Always;
    }
    let (held, first, second) =
        (Side::new(&mut choices), Side::new(&mut choices), Side::new(&mut choices));
    let tag = held.tag();
    let one = step(&tag, &first, &options).and_then(|tag| step(&tag, &second, &options));
    let other = step(&tag, &second, &options).and_then(|tag| step(&tag, &first, &options));
    if let (Some(one), Some(other)) = (one, other) {
        assert_eq!(platforms(&one), platforms(&other), "{}\n{}", text(&one), text(&other));
    }
}
