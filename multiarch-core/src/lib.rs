//! Make what offline packages install multi-architecture, without ever losing an architecture.
//!
//! An air-gapped platform receives its software as packages, one per CPU architecture, full of Helm
//! charts with their images. This library reads such packages as they are, without unpacking them to
//! disk, and fuses what they hold into what a target has: a tag that held `linux/amd64` holds
//! `linux/amd64` and `linux/arm64` afterwards, and never less than it held before.
//!
//! The nouns, in the order they are met: a [`Package`](package::Package) is opened;
//! [`Wanted`](plan::Wanted) says which of its images goes by which name; a
//! [`Target`](target::Target) is asked what it holds; a [`Plan`](plan::Plan) is made, looked at and
//! applied; a [`Report`](report::Report) says what happened.
//!
//! ```
//! use multiarch_core::{
//!     apply::{Cancel, NoProgress},
//!     package::Package,
//!     plan::{Options, Plan, Wanted},
//!     target::Target,
//! };
//!
//! # fn main() -> multiarch_core::Result<()> {
//! # let folder = tempfile::tempdir().expect("a folder");
//! # let path = |name: &str| folder.path().join(name);
//! # for arch in ["amd64", "arm64"] {
//! #     let name = multiarch_generator::package_name("v1.0.0", arch);
//! #     std::fs::write(path(&name), multiarch_generator::demo_package(arch)).expect("written");
//! # }
//! let packages = [
//!     Package::open(path("addon-offline-full-package-v1.0.0-amd64.tar.gz"))?,
//!     Package::open(path("addon-offline-full-package-v1.0.0-arm64.tar.gz"))?,
//! ];
//! let target: Target = format!("oci:{}", path("store").display()).parse()?;
//!
//! let cancel = Cancel::new();
//! let wanted = Wanted::new(&packages, &Options::default());
//! let observed = target.observe(&wanted, &NoProgress, &cancel)?;
//! let plan = Plan::new(&target, wanted, observed);
//! println!("{plan}");
//!
//! let report = plan.apply(&target, &NoProgress, &cancel);
//! assert!(report.complete);
//! # Ok(())
//! # }
//! ```
//!
//! Charts go along where the target [has a place for them](target::Target::with_charts):
//! [`learn`](target::Target::learn) asks for the names that an earlier import gave, and
//! [`Wanted::with`](plan::Wanted::with) relocates the charts to the registry.
//!
//! The heart is [`fuse`], which is pure: data in, data out. So are [`image`], [`chart`],
//! [`config`], [`package`] and [`plan`]; files are read in [`source`], and only [`apply`] writes. All of it is blocking code;
//! nothing needs an async runtime.

pub mod apply;
pub mod chart;
pub mod config;
mod error;
pub mod fuse;
pub mod image;
pub mod package;
pub mod plan;
pub mod report;
pub mod source;
pub mod target;

pub use error::{Error, ErrorKind, Place, Result};
