//! Fuses two packages into an OCI layout: makes a plan, prints and applies it, and prints the status.
//!
//! usage: `cargo run -p multiarch-examples --example fuse_layout`
#![allow(clippy::print_stdout, reason = "an example prints")]

use multiarch_core::{Import, Target};
use multiarch_generator::{demo_package, package_name};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let target = Target::open(&format!("oci:{}", folder.path().join("store").display()))?;
    let mut import = Import::into(target.clone());
    for architecture in ["amd64", "arm64"] {
        let path = folder.path().join(package_name("v1.0.0", architecture));
        std::fs::write(&path, demo_package(architecture))?;
        import = import.package(path);
    }

    let plan = import.plan()?;
    println!("{plan}");
    assert!(plan.apply().complete);
    println!("{}", Import::into(target).status()?);
    Ok(())
}
