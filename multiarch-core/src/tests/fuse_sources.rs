//! Laws of fusion for sources that hold parts of one index: parts that overlap, twins of one platform,
//! entries that contradict their configs, attestations, in every order.

use std::collections::BTreeSet;

use crate::{
    fuse::{
        FuseOptions, Incoming, IncomingImage, TagChild, TagState, add_attestations, fuse, put_back,
    },
    image::{Digest, Document, Entry, Family, Platform, PlatformKey, types},
};
use proptest::prelude::*;
use serde_json::Value;

use super::images::{Image, attestation, document, entry, index_text};

const PLATFORMS: [&str; 5] =
    ["linux/amd64", "linux/arm64", "linux/arm/v7", "linux/arm", "windows(10.0.17763.1)/amd64"];

/// One image of an index: the entry states `stated`, the config says `own`.
#[derive(Clone, Debug)]
struct Listed {
    image: Image,
    stated: String,
    is_attested: bool,
}

impl Listed {
    fn entry(&self) -> Value {
        let platform: Platform = self.stated.parse().expect("a platform");
        let mut entry = self.image.entry();
        entry["platform"] = serde_json::to_value(&platform).expect("JSON");
        entry["annotations"]["kind"] = "one of several".into();
        entry
    }

    fn attestation(&self) -> Option<Value> {
        self.is_attested
            .then(|| attestation(&self.image, &format!("about {}", self.image.digest())))
    }

    fn incoming(&self) -> IncomingImage {
        let image = &self.image;
        let entry = entry(&self.entry());
        IncomingImage::new(image.document.clone(), image.config.clone(), Some(entry))
    }

    fn key(&self) -> (PlatformKey, Digest) {
        (self.incoming().platform().key(), self.image.digest())
    }
}

/// An index as its author wrote it: in no particular order, perhaps with twins and with lies.
#[derive(Clone, Debug)]
struct Author(Vec<Listed>);

impl Author {
    fn text(&self) -> String {
        let entries = self.0.iter().flat_map(|l| [Some(l.entry()), l.attestation()]).flatten();
        index_text(types::OCI_INDEX, &entries.collect::<Vec<_>>())
    }

    /// A source that has those of its images whose bits are set, and their attestations.
    fn part(&self, bits: u8) -> Incoming {
        let has = |place: &usize| bits & (1 << place) != 0;
        let parts = (0..self.0.len()).filter(has).map(|place| &self.0[place]);
        let images = parts.clone().map(Listed::incoming).collect();
        let others: Vec<Entry> =
            parts.filter_map(|l| l.attestation()).map(|value| entry(&value)).collect();
        Incoming::index(document(&self.text()), images, others, &[]).expect("an index")
    }

    fn all(&self) -> u8 {
        u8::try_from((1u16 << self.0.len()) - 1).expect("at most eight")
    }

    fn keys(&self, bits: u8) -> BTreeSet<(PlatformKey, Digest)> {
        let has = |(place, _): &(usize, &Listed)| bits & (1 << place) != 0;
        self.0.iter().enumerate().filter(has).map(|(_, listed)| listed.key()).collect()
    }
}

fn author() -> impl Strategy<Value = Author> {
    let listed = (
        proptest::sample::select(&PLATFORMS[..]),
        proptest::sample::select(&PLATFORMS[..]),
        0..6u8,
        any::<bool>(),
        proptest::bool::weighted(0.2),
    );
    proptest::collection::vec(listed, 1..6).prop_map(|listed| {
        let mut seen = BTreeSet::new();
        let listed = listed.into_iter().map(|(stated, other, content, is_attested, lies)| {
            let own = if lies { other } else { stated };
            let image = Image::new(Family::Oci, own, &format!("content {content}"));
            Listed { image, stated: stated.into(), is_attested }
        });
        Author(listed.filter(|listed| seen.insert(listed.image.digest())).collect())
    })
}

/// What a store knows of a tag: the configs of all images that were sent.
fn fold(tag: &TagState, sources: &[Incoming]) -> TagState {
    let mut now = tag.clone();
    let options = FuseOptions::default();
    for source in sources {
        now = fuse(&now, source, &options).expect("fuses").state;
    }
    for source in sources {
        now = add_attestations(&now, source).expect("fuses").unwrap_or(now);
    }
    now
}

fn keys(tag: &TagState) -> BTreeSet<(PlatformKey, Digest)> {
    tag.platforms().expect("readable").into_iter().collect()
}

fn text(tag: &TagState) -> String {
    let raw = tag.document().map(Document::raw).expect("the tag exists");
    String::from_utf8(raw.to_vec()).expect("text")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Parts of one index give the same in every order, each image once, twins included. All parts together
    /// give the index itself, to the byte; then nothing changes any more.
    #[test]
    fn parts_of_one_index(author in author(), bits in proptest::collection::vec(1..32u8, 1..4)) {
        let parts: Vec<u8> = bits.iter().map(|b| b & author.all()).filter(|b| *b != 0).collect();
        prop_assume!(!parts.is_empty());
        let mut sources: Vec<Incoming> = parts.iter().map(|bits| author.part(*bits)).collect();
        let together = parts.iter().fold(0, |all, part| all | part);
        let there = fold(&TagState::absent(), &sources);
        prop_assert_eq!(keys(&there), author.keys(together));
        if together == author.all() {
            prop_assert_eq!(text(&there), author.text());
        }
        let again = fold(&there, &sources);
        prop_assert_eq!(text(&again), text(&there));
        sources.reverse();
        prop_assert_eq!(keys(&fold(&TagState::absent(), &sources)), keys(&there));
        // One at a time is the same as in one run.
        let mut now = TagState::absent();
        for source in &sources {
            now = fold(&now, std::slice::from_ref(source));
        }
        prop_assert_eq!(keys(&now), keys(&there));
    }

    /// Whatever comes in onto whatever is there: every platform that was there is there.
    #[test]
    fn no_platform_is_lost(
        held in author(), held_bits in 1..32u8, incoming in author(), bits in 1..32u8,
    ) {
        let (held_bits, bits) = (held_bits & held.all(), bits & incoming.all());
        prop_assume!(held_bits != 0 && bits != 0);
        let before = fold(&TagState::absent(), &[held.part(held_bits)]);
        let after = fold(&before, &[incoming.part(bits)]);
        let platforms = |tag: &TagState| -> BTreeSet<PlatformKey> {
            keys(tag).into_iter().map(|(platform, _)| platform).collect()
        };
        prop_assert!(platforms(&before).is_subset(&platforms(&after)));
        let wanted: BTreeSet<PlatformKey> =
            incoming.keys(bits).into_iter().map(|(platform, _)| platform).collect();
        prop_assert!(wanted.is_subset(&platforms(&after)));
        // The same again changes nothing.
        prop_assert_eq!(text(&fold(&after, &[incoming.part(bits)])), text(&after));
        // What another writer, or an older replica, has taken away is put back.
        let mut less = TagState::new(document(&text(&before)));
        for listed in held.0.iter().chain(&incoming.0) {
            less.add_child(listed.image.digest(), TagChild::Image(listed.image.config.clone()));
        }
        let back = put_back(&less, &after).expect("readable").unwrap_or(less);
        prop_assert!(platforms(&after).is_subset(&platforms(&back)));
    }

    /// A child that the target has lost is restored, and the tag keeps its bytes.
    #[test]
    fn what_is_lost_is_restored(author in author(), place in 0..6usize) {
        let source = author.part(author.all());
        let mut tag = fold(&TagState::absent(), std::slice::from_ref(&source));
        let lost = author.0[place % author.0.len()].image.digest();
        tag.add_missing(lost.clone());
        let fusion = fuse(&tag, &source, &FuseOptions::default()).expect("fuses");
        prop_assert!(fusion.document.is_none());
        for decision in fusion.decisions {
            let expected = if decision.digest == lost { "restored" } else { "present" };
            prop_assert_eq!(decision.change.to_string(), expected);
        }
    }
}
