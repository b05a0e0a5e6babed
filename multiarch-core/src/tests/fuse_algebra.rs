//! Algebraic laws of fusion, checked with generated images and indexes.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    fuse::{ConflictPolicy, FuseOptions, Incoming, TagState, fuse},
    image::{Digest, Document, Family, PlatformKey, types},
};
use proptest::prelude::*;
use serde_json::Value;

use super::images::{Image, attestation, incoming_index, index_text, tag_of, tag_of_image};

/// Seven spellings of five platforms.
const PLATFORMS: [&str; 7] = [
    "linux/amd64",
    "linux/arm64",
    "linux/arm64/v8",
    "linux/arm/v7",
    "linux/arm",
    "windows(10.0.17763.1)/amd64",
    "linux/s390x",
];

/// A document that a tag can hold or a source can bring: one manifest, or an index with distinct
/// platforms in the form that fusion writes.
#[derive(Clone, Debug)]
struct Side {
    images: Vec<Image>,
    attested: bool,
    plain: bool,
}

impl Side {
    /// The text in the form that fusion writes, made here independently: sorted by platform, then
    /// digest, attestations after their subject, a docker list only if every child is docker.
    fn text(&self) -> String {
        if self.plain && self.images.len() == 1 {
            return String::from_utf8(self.images[0].document.raw().to_vec()).expect("text");
        }
        let mut images = self.images.clone();
        images.sort_by_key(|image| (image.key(), image.digest()));
        let mut entries: Vec<Value> = Vec::new();
        for image in &images {
            entries.push(image.entry());
            if self.attested {
                entries.push(attestation(image, &format!("about {}", image.digest())));
            }
        }
        let docker = !self.attested
            && images.iter().all(|i| i.document.media_type() == types::DOCKER_MANIFEST);
        index_text(if docker { types::DOCKER_LIST } else { types::OCI_INDEX }, &entries)
    }

    fn is_plain(&self) -> bool {
        self.plain && self.images.len() == 1
    }

    fn tag(&self) -> TagState {
        if self.is_plain() {
            return tag_of_image(&self.images[0]);
        }
        tag_of(&self.text(), &self.images.iter().collect::<Vec<_>>())
    }

    fn incoming(&self) -> Incoming {
        if self.is_plain() {
            return self.images[0].incoming();
        }
        incoming_index(&self.text(), &self.images.iter().collect::<Vec<_>>())
    }

    fn union(&self, other: &Self) -> Self {
        let mut images = self.images.clone();
        for image in &other.images {
            if !images.iter().any(|i| i.digest() == image.digest()) {
                images.push(image.clone());
            }
        }
        Self { images, attested: self.attested || other.attested, plain: false }
    }
}

/// Images of distinct platforms; different `contents` make different images of one platform.
fn side(contents: &'static [&'static str]) -> impl Strategy<Value = Side> {
    let image = (
        proptest::sample::select(&PLATFORMS[..]),
        proptest::sample::select(contents),
        prop_oneof![Just(Family::Docker), Just(Family::Oci)],
    );
    (proptest::collection::vec(image, 1..5), any::<bool>(), any::<bool>()).prop_map(
        |(images, attested, plain)| {
            let mut seen = BTreeSet::new();
            let images: Vec<Image> = images
                .into_iter()
                .map(|(platform, content, family)| Image::new(family, platform, content))
                .filter(|image| seen.insert(image.key()))
                .collect();
            let attested = attested && !(plain && images.len() == 1);
            Side { images, attested, plain }
        },
    )
}

/// Sides of which no two have different manifests for one platform.
fn agreeing<const N: usize>() -> impl Strategy<Value = [Side; N]> {
    proptest::collection::vec(side(&["a"]), N).prop_map(|mut sides| {
        let mut chosen: BTreeMap<PlatformKey, Image> = BTreeMap::new();
        // All sides have attestations, or none has: an attestation is only added with its subject, so
        // mixed sides commute as sets of platforms, but not to the byte.
        let attested = sides.iter().any(|side| side.attested);
        for side in &mut sides {
            for image in &mut side.images {
                *image = chosen.entry(image.key()).or_insert_with(|| image.clone()).clone();
            }
            side.attested = attested;
            side.plain &= !attested;
        }
        sides.try_into().expect("N sides")
    })
}

fn step(tag: &TagState, incoming: &Incoming, options: &FuseOptions) -> TagState {
    assert!(tag.unknown_children(std::slice::from_ref(incoming)).expect("readable").is_empty());
    fuse(tag, incoming, options).expect("fuses").state
}

fn text(tag: &TagState) -> String {
    let raw = tag.document().map(Document::raw).expect("the tag exists");
    String::from_utf8(raw.to_vec()).expect("text")
}

fn platforms(tag: &TagState) -> BTreeSet<PlatformKey> {
    tag.platforms().expect("readable").into_iter().map(|(key, _)| key).collect()
}

fn options(on_conflict: ConflictPolicy) -> FuseOptions {
    FuseOptions { on_conflict, ..FuseOptions::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// fuse(absent, x) = x, and fuse(x, x) = x, to the byte.
    #[test]
    fn identity_and_idempotence(x in side(&["a", "b"])) {
        let options = FuseOptions::default();
        let once = step(&TagState::absent(), &x.incoming(), &options);
        prop_assert_eq!(text(&once), x.text());
        let again = fuse(&once, &x.incoming(), &options).expect("fuses");
        prop_assert!(again.document.is_none());
        prop_assert!(fuse(&x.tag(), &x.incoming(), &options).expect("fuses").document.is_none());
    }

    /// fuse(fuse(t, x), y) = fuse(t, x ∪ y) = fuse(fuse(t, y), x), to the byte.
    #[test]
    fn commutative_and_associative([t, x, y] in agreeing::<3>()) {
        let options = FuseOptions::default();
        let xy = step(&step(&t.tag(), &x.incoming(), &options), &y.incoming(), &options);
        let yx = step(&step(&t.tag(), &y.incoming(), &options), &x.incoming(), &options);
        let union = step(&t.tag(), &x.union(&y).incoming(), &options);
        prop_assert_eq!(text(&xy), text(&yx));
        prop_assert_eq!(text(&xy), text(&union));
        // The same as the union written independently.
        let all = t.union(&x).union(&y);
        if all.images.len() > 1 {
            prop_assert_eq!(text(&xy), all.text());
        }
    }

    /// With either policy, the result has exactly the platforms of the tag and the incoming ones.
    #[test]
    fn union_of_platforms(
        t in side(&["a", "b"]),
        x in side(&["a", "b", "c"]),
        y in side(&["a", "b", "c"]),
        existing in any::<bool>(),
        doubtful in any::<bool>(),
    ) {
        let policy = if existing { ConflictPolicy::Existing } else { ConflictPolicy::Incoming };
        let options = options(policy);
        let mut expected: BTreeSet<PlatformKey> = BTreeSet::new();
        let mut now = t.tag();
        expected.extend(platforms(&now));
        for side in [&x, &y] {
            let incoming = side.incoming();
            let incoming = if doubtful { incoming.doubtful() } else { incoming };
            now = step(&now, &incoming, &options);
            expected.extend(side.images.iter().map(Image::key));
            prop_assert_eq!(platforms(&now), expected.clone());
        }
    }

    /// `existing` never changes a manifest of the tag. `incoming` takes the incoming one, unless it is
    /// the same image. Where these two differ, `fail` fails; otherwise it gives the same result.
    #[test]
    fn policies(t in side(&["a", "b"]), x in side(&["a", "b"])) {
        let was: BTreeMap<_, _> = t.tag().platforms().expect("readable").into_iter().collect();
        let after = |policy| {
            let tag = step(&t.tag(), &x.incoming(), &options(policy));
            tag.platforms().expect("readable").into_iter().collect::<BTreeMap<_, Digest>>()
        };
        let kept = after(ConflictPolicy::Existing);
        for (platform, digest) in &was {
            prop_assert_eq!(&kept[platform], digest);
        }
        let replaced = after(ConflictPolicy::Incoming);
        for image in &x.images {
            let same = |i: &Image| i.config.is_same_image(&image.config);
            let stays = t.images.iter().find(|i| i.key() == image.key() && same(i));
            prop_assert_eq!(&replaced[&image.key()], &stays.unwrap_or(image).digest());
        }
        match fuse(&t.tag(), &x.incoming(), &options(ConflictPolicy::Fail)) {
            Ok(fusion) => {
                let default = step(&t.tag(), &x.incoming(), &FuseOptions::default());
                prop_assert_eq!(text(&fusion.state), text(&default));
            }
            Err(_) => prop_assert_ne!(kept, replaced),
        }
    }

    /// Unknown members of the index and of its entries survive a rewrite.
    #[test]
    fn unknown_text_survives(x in side(&["a"]), n in "[1-9][0-9]{0,40}", name in "x-[a-z]{1,8}") {
        let arm = Image::new(Family::Oci, "linux/riscv64", "new");
        let mut images: Vec<&Image> = x.images.iter().collect();
        let odd = format!(r#""{name}":{n}.50,"{name}":{{"deep":[{n}e9]}}"#);
        let entries: Vec<String> = images
            .iter()
            .map(|i| i.entry().to_string().replacen('{', &format!("{{{odd},"), 1))
            .collect();
        let index = format!(
            r#"{{{odd}, "schemaVersion":2,"mediaType":"{}","manifests":[{}],"subject":{{{odd}}}}}"#,
            types::OCI_INDEX, entries.join(" , "),
        );
        images.push(&arm);
        let after = step(&tag_of(&index, &images), &arm.incoming(), &FuseOptions::default());
        let written = text(&after);
        let head = format!(r#"{{{odd},"schemaVersion":2"#);
        prop_assert!(written.starts_with(&head), "{}", written);
        let tail = format!(r#"],"subject":{{{odd}}}}}"#);
        prop_assert!(written.ends_with(&tail), "{}", written);
        for entry in &entries {
            prop_assert!(written.contains(entry.as_str()), "{}", written);
        }
    }
}
