//! Imports two packages with their charts, relocates the charts to the registry that the cluster pulls
//! from, and prints the architectures for which each chart has its images.
#![allow(clippy::print_stdout, reason = "an example prints")]
use multiarch_core::{Import, Options, Target};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    let mut options = Options::default();
    options.registry = Some("registry.example.com:5000/platform".into());
    let target = Target::open(&format!("oci:{}", at("images").display()))?;
    let charts = format!("dir:{}", at("charts").display());
    let mut import = Import::into(target).charts_to(&charts)?.options(options);
    for arch in ["amd64", "arm64"] {
        std::fs::write(at(arch), multiarch_generator::demo_package(arch))?;
        import = import.package(at(arch));
    }
    for chart in import.plan()?.apply().charts {
        println!("{:?}: {:?}", chart.chart, chart.coverage.all_images_for);
    }
    assert!(at("charts/web-1.2.0.tgz").exists());
    Ok(())
}
