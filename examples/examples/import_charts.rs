//! Imports a package with its charts: images into an OCI layout, charts into a directory, relocated to
//! the registry that the cluster pulls from.
//!
//! usage: `cargo run -p multiarch-examples --example import_charts`
#![allow(clippy::print_stdout, reason = "an example prints")]

use multiarch_core::{
    run::{Cancel, NoProgress},
    package::Package,
    plan::{Options, Plan, Inventory},
    target::Target,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(multiarch_generator::package_name("v1.0.0", "amd64"));
    std::fs::write(&path, multiarch_generator::demo_package("amd64"))?;
    let packages = [Package::open(&path)?];

    let images: Target = format!("oci:{}", folder.path().join("images").display()).parse()?;
    let charts = folder.path().join("charts");
    let target = images.with_charts(format!("dir:{}", charts.display()).parse()?);
    let mut options = Options::default();
    options.registry = Some("registry.example.com:5000/platform".into());

    let cancel = Cancel::new();
    let learned = target.learn(&packages, &options, &NoProgress, &cancel)?;
    let wanted = Inventory::with(&packages, &options, &learned);
    let observed = target.observe(&wanted, &NoProgress, &cancel)?;
    let report = Plan::new(&target, wanted, observed).apply(&target, &NoProgress, &cancel);
    println!("{report}");
    assert!(report.complete && charts.join("web-1.2.0.tgz").exists());
    Ok(())
}
