//! Writes two small offline packages, one for amd64 and one for arm64.
//!
//! usage: `cargo run -p multiarch-examples --example make_packages -- DIR`
#![allow(clippy::print_stdout, reason = "an example prints")]

use multiarch_generator::{demo_package, package_name};

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "packages".into());
    std::fs::create_dir_all(&folder)?;
    for architecture in ["amd64", "arm64"] {
        let path = format!("{folder}/{}", package_name("v1.0.0", architecture));
        std::fs::write(&path, demo_package(architecture))?;
        println!("{path}");
    }
    Ok(())
}
