//! Imports a package from async code, and gives up after a minute: a future that is dropped stops its run.
//!
//! usage: `cargo run -p multiarch-examples --example import_async`
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::time::Duration;

use multiarch_core::{Error, ErrorKind, Import, Report, Result, Target};
use multiarch_generator::demo_package;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir().map_err(|e| Error::from_io("making a folder", e))?;
    let package = folder.path().join("addon-amd64.tar.gz");
    std::fs::write(&package, demo_package("amd64")).map_err(|e| Error::from_io("writing", e))?;
    let target = Target::open(&format!("oci:{}", folder.path().join("store").display()))?;
    let import = Import::into(target).package(package);
    match tokio::time::timeout(Duration::from_secs(60), fuse(import)).await {
        Ok(report) => println!("{}", report?),
        Err(_) => return Err(Error::new(ErrorKind::Cancelled, "it took more than a minute")),
    }
    Ok(())
}

async fn fuse(import: Import) -> Result<Report> {
    import.plan_async().await?.apply_async().await
}
