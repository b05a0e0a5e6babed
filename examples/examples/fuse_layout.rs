//! Fuses two packages into an OCI layout with the library: plan, print, apply.
//!
//! usage: `cargo run -p multiarch-examples --example fuse_layout`
#![allow(clippy::print_stdout, reason = "an example prints")]

use multiarch_core::{
    run::{Cancel, NoProgress},
    package::Package,
    plan::{Options, Plan, Inventory},
    report::Status,
    target::Target,
};
use multiarch_generator::{demo_package, package_name};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let mut packages = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let path = folder.path().join(package_name("v1.0.0", architecture));
        std::fs::write(&path, demo_package(architecture))?;
        packages.push(Package::open(&path)?);
    }

    let target: Target = format!("oci:{}", folder.path().join("store").display()).parse()?;
    let cancel = Cancel::new();
    let wanted = Inventory::new(&packages, &Options::default());
    let observed = target.observe(&wanted, &NoProgress, &cancel)?;
    let plan = Plan::new(&target, wanted, observed);
    println!("{plan}");

    let report = plan.apply(&target, &NoProgress, &cancel);
    assert!(report.complete);
    let status = Status::of(&target, None, &Options::default(), &NoProgress, &cancel)?;
    println!("{status}");
    Ok(())
}
