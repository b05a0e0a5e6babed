//! The parts of an import, each compared with a floor: the work that no implementation can avoid.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::{hint::black_box, io::Read, sync::Arc};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use multiarch_core::{Digest, Import, MemoryStore, Options, Package, Target};
use multiarch_generator::{Bundle, Image, Large, gzip};

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

/// The first pass (unpack, list, take checkpoints), compared with unpacking alone.
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
    group.bench_function("1 MiB", |b| b.iter(|| Digest::sha256(black_box(&content))));
    group.finish();
}

fn plan(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    // A build for tests only shows that it runs.
    let charts = if cfg!(debug_assertions) { 1 } else { 100 };
    let opened =
        Package::open(package(&folder, "c-amd64.tar", &large(charts, 100, 10))).expect("opens");
    let target = Target::new("memory", Arc::new(MemoryStore::new()));
    let import = Import::into(target).opened(opened);
    let mut group = criterion.benchmark_group("10 000 images");
    group.sample_size(10);
    group.bench_function("name, ask and plan", |b| {
        b.iter(|| import.plan().expect("planned").tags_to_write());
    });
    group.finish();
}

/// Relocating a chart (solve names, edit values in place, render every hint again), compared with
/// planning its images alone.
fn charts(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let image = Image::new("amd64", "app");
    let keys: Vec<[String; 2]> =
        (0..40).map(|number| [format!("i{number}"), format!("demo/app-{number}")]).collect();
    let images: Vec<_> =
        keys.iter().map(|[key, name]| (&**key, "quay.io", &**name, "v1", &image)).collect();
    let bundle = Bundle::simple("app", "1.0.0", &images);
    let path = folder.path().join(bundle.file_name());
    std::fs::write(&path, bundle.tar()).expect("written");
    let mut options = Options::default();
    options.registry = Some("r.io".into());
    let target = Target::new("memory", Arc::new(MemoryStore::new()));
    let images = Import::into(target).opened(Package::open(path).expect("opens")).options(options);
    let charts = format!("dir:{}", folder.path().join("charts").display());
    let both = images.clone().charts_to(&charts).expect("a repository");
    let mut group = criterion.benchmark_group("a chart of 40 images");
    group.bench_function("plan its images (floor)", |b| b.iter(|| images.plan().expect("planned")));
    group.bench_function("plan with its chart", |b| b.iter(|| both.plan().expect("planned")));
    group.finish();
}

criterion_group!(benches, pass, hash, plan, charts);
criterion_main!(benches);
