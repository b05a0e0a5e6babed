//! Fusing one platform into an index of a thousand, against parsing that index with `serde_json`:
//! the floor of anything that reads it.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use multiarch_core::{
    fuse::{FuseOptions, TagState, Incoming, fuse},
    image::{Document, ImageConfig},
};
use multiarch_generator::Image;

fn incoming(architecture: &str) -> Incoming {
    let image = Image::of(architecture, "", vec![]);
    let document = Document::new(image.manifest().into_bytes(), None).expect("a manifest");
    Incoming::image(document, Arc::new(ImageConfig::parse(&image.config).expect("a config")))
}

fn thousand() -> TagState {
    (0..1000).fold(TagState::absent(), |held, i| {
        let incoming = incoming(&format!("arch{i}"));
        fuse(&held, &incoming, &FuseOptions::default()).expect("fuses").held
    })
}

fn bench(criterion: &mut Criterion) {
    let (held, new) = (thousand(), incoming("riscv64"));
    let text = held.document().expect("an index").raw().to_vec();
    let mut group = criterion.benchmark_group("index of 1000 platforms");
    group.bench_function("parse (floor)", |b| {
        b.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&text)).expect("JSON"));
    });
    group.bench_function("fuse one in", |b| {
        b.iter(|| fuse(black_box(&held), black_box(&new), &FuseOptions::default()).expect("fuses"));
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
