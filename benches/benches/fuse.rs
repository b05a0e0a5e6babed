//! Fusing one platform into an index of 1000, compared with parsing that index with `serde_json`, which
//! is the least that any code reading the index needs.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use multiarch_core::{FuseOptions, Incoming, TagState, fuse};
use multiarch_generator::Image;

fn incoming(architecture: &str) -> Incoming {
    let image = Image::of(architecture, "", vec![]);
    Incoming::parse(image.manifest().as_bytes(), &image.config).expect("an image")
}

fn thousand() -> TagState {
    (0..1000).fold(TagState::absent(), |state, i| {
        let incoming = incoming(&format!("arch{i}"));
        fuse(&state, &incoming, &FuseOptions::default()).expect("fuses").state
    })
}

fn bench(criterion: &mut Criterion) {
    let (state, new) = (thousand(), incoming("riscv64"));
    let text = state.document().expect("an index").raw().to_vec();
    let mut group = criterion.benchmark_group("index of 1000 platforms");
    group.bench_function("parse (floor)", |b| {
        b.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&text)).expect("JSON"));
    });
    group.bench_function("fuse one in", |b| {
        b.iter(|| {
            fuse(black_box(&state), black_box(&new), &FuseOptions::default()).expect("fuses")
        });
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
