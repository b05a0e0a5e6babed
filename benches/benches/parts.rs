//! The parts of an import, each against the floor of what it cannot do without.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::{hint::black_box, io::Read};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use multiarch_core::{
    run::{Cancel, NoProgress},
    chart::{Chart, ChartFiles, Naming, parse_hints, relocate},
    image::{Algorithm, Hasher},
    package::Package,
    plan::{Options, Plan, Inventory},
    target::{MemoryStore, Target},
};
use multiarch_generator::{Large, gzip};

fn package(folder: &tempfile::TempDir, name: &str, large: &Large) -> std::path::PathBuf {
    let mut content = Vec::new();
    large.write(&mut content).expect("to memory");
    let content = if name.ends_with(".gz") { gzip(&content) } else { content };
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("written");
    path
}

fn large(charts: usize, images: usize, layer_size: u64) -> Large {
    Large { architecture: "amd64".into(), charts, images, layers: 2, layer_size }
}

/// The first pass: unpack, list, take checkpoints; against unpacking alone.
fn pass(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = package(&folder, "a-amd64.tar.gz", &large(4, 2, 2 << 20));
    let packed = std::fs::read(&path).expect("read");
    let mut group = criterion.benchmark_group("first pass over 32 MiB in gzip");
    group.throughput(Throughput::Bytes(32 << 20)).sample_size(10);
    group.bench_function("unpack (floor)", |b| {
        b.iter(|| {
            let mut out = std::io::sink();
            let mut reader = flate2::read::MultiGzDecoder::new(packed.as_slice());
            std::io::copy(&mut reader.by_ref(), &mut out).expect("unpacks")
        });
    });
    group.bench_function("open", |b| b.iter(|| Package::open(black_box(&path)).expect("opens")));
    group.finish();
    let path = package(&folder, "b-amd64.tar", &large(100, 5, 100));
    criterion.bench_function("walk a tar archive of 1 900 entries", |b| {
        b.iter(|| Package::open(black_box(&path)).expect("opens"));
    });
}

fn hash(criterion: &mut Criterion) {
    let content = vec![7; 1 << 20];
    let mut group = criterion.benchmark_group("SHA-256");
    group.throughput(Throughput::Bytes(1 << 20));
    group.bench_function("1 MiB", |b| {
        b.iter(|| {
            let mut hasher = Hasher::new(Algorithm::Sha256);
            hasher.update(black_box(&content));
            hasher.finish()
        });
    });
    group.finish();
}

fn plan(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let packages =
        [Package::open(package(&folder, "c-amd64.tar", &large(100, 100, 10))).expect("opens")];
    let target = Target::new("memory", std::sync::Arc::new(MemoryStore::new()));
    let mut group = criterion.benchmark_group("10 000 images");
    group.sample_size(10);
    group.bench_function("name, ask and plan", |b| {
        b.iter(|| {
            let wanted = Inventory::new(&packages, &Options::default());
            let observed = target.observe(&wanted, &NoProgress, &Cancel::new()).expect("observed");
            Plan::new(&target, wanted, observed).tags_to_write()
        });
    });
    group.finish();
}

fn charts(criterion: &mut Criterion) {
    let (mut values, mut hints) = (String::new(), String::new());
    for number in 0..40 {
        values
            .push_str(&format!("i{number}:\n  r: quay.io # c\n  p: demo/app-{number}\n  t: v1\n"));
        hints.push_str(&format!(
            "- \"{{{{ .i{number}.r }}}}/{{{{ .i{number}.p }}}}:{{{{ .i{number}.t }}}}\"\n"
        ));
    }
    let mut files = ChartFiles::default();
    files.insert("Chart.yaml", &b"name: c\nversion: 1.0.0\n"[..]);
    files.insert("values.yaml", values.into_bytes());
    let hints = parse_hints(hints.as_bytes()).expect("hints");
    let mut group = criterion.benchmark_group("a chart of 40 images");
    group.bench_function("read its values (floor)", |b| {
        b.iter(|| Chart::load(black_box(&files)).expect("a chart").merged_values());
    });
    let values = Chart::load(&files).expect("a chart").merged_values();
    group.bench_function("relocate", |b| {
        b.iter(|| {
            relocate(&hints, black_box(&values), &Naming::default(), "r.io").expect("solved")
        });
    });
    group.bench_function("edit and render again", |b| {
        let solved = relocate(&hints, &values, &Naming::default(), "r.io").expect("solved");
        b.iter(|| files.relocated(&solved.edits, &hints, &solved.names, "r.io").expect("edited"));
    });
    group.finish();
}

criterion_group!(benches, pass, hash, plan, charts);
criterion_main!(benches);
