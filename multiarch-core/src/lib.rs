//! Make what offline packages install multi-architecture, without ever losing an architecture.
//!
//! An air-gapped platform receives its software as packages, one per CPU architecture, full of Helm
//! charts with their images. This library reads such packages as they are, without unpacking them to
//! disk, and fuses what they hold into what a target has: a tag that held `linux/amd64` holds
//! `linux/amd64` and `linux/arm64` afterwards, and never less than it held before.
//!
//! Five nouns are all that most programs need: an [`Import`] brings [`Package`]s into a [`Target`]; it
//! makes a [`Plan`], which can be printed, saved and applied; applying it gives a [`Report`].
//!
//! ```
//! use multiarch_core::{Import, Target};
//! # fn main() -> multiarch_core::Result<()> {
//! # let folder = tempfile::tempdir().expect("a folder");
//! # std::env::set_current_dir(folder.path()).expect("there");
//! # for arch in ["amd64", "arm64"] {
//! #     let bytes = multiarch_generator::demo_package(arch);
//! #     std::fs::write(format!("addon-{arch}.tar.gz"), bytes).expect("written");
//! # }
//! # let mut options = multiarch_core::Options::default();
//! # options.registry = Some("registry.example.com/platform".into());
//! let import = Import::into(Target::open("oci:store")?).charts_to("dir:charts")?;
//! # let import = import.options(options);
//! let plan = import.package("addon-amd64.tar.gz").package("addon-arm64.tar.gz").plan()?;
//! println!("{plan}"); // reads and asks; nothing is written yet
//! let report = plan.apply(); // the only writer
//! assert!(report.complete, "{report}");
//! # Ok(())
//! # }
//! ```
//!
//! Those who want nothing but the heart have [`fuse`], which is pure, and [`fuse_tag`], which does it to
//! one tag of a store.
//!
//! All of it is blocking code; nothing needs an async runtime, and it may be called from within one, best on
//! a thread for blocking work. With the feature `async`, which comes with `registry`, `plan_async`, `apply_async`
//! and `status_async` are futures that work with every runtime, and that stop the run when they are dropped.

#[cfg(test)]
extern crate self as multiarch_core;

mod apply;
mod chart;
mod chartrepo;
mod config;
pub mod embed;
mod error;
mod fuse;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(all(test, not(fuzzing)))]
mod fuzzing;
#[cfg(any(feature = "registry", test, fuzzing))]
mod header;
mod image;
mod import;
mod layout;
mod limit;
mod memory;
mod observe;
mod package;
mod plan;
#[cfg(feature = "registry")]
mod registry;
mod report;
mod run;
mod source;
mod store;
#[cfg(test)]
mod tests;

// The front door.
pub use import::{Import, Target, own_address};
pub use package::{Bundle, Finding, LeftOut, Package, PackageIdentity, PackageName, Selection};
pub use plan::{
    ChartAction, Check, CheckResult, CheckSubject, Cost, Options, Origin, Plan, PlannedChart,
    PlannedDecision, PlannedImage, PlannedUpload,
};
pub use report::{
    ChartReport, ChartState, ChartStatus, CheckReport, Coverage, Damage, DamageKind, Diagnosis,
    DiagnosisOptions, ImageReport, ImageState, Inspection, Report, Rollback, RollbackOptions,
    RollbackState, RollbackTag, SavedTag, Severity, Snapshot, Status, TagPlatform, TagStatus,
};

// What a run is given, and what it says.
pub use chart::{NameMode, Naming, TargetName};
pub use config::{ClusterConfig, Credentials, Destination};
pub use error::{Error, ErrorKind, Result};
pub use run::{Cancel, Meter, Phase, Progress};
pub use source::OpenOptions;

// The heart, and stores of one's own.
pub use apply::fuse_tag;
pub use fuse::{
    Change, ConflictPolicy, Decision, FuseOptions, Fusion, Incoming, IncomingImage, IndexMode,
    Reason, TagState, fuse,
};
pub use image::{Digest, Document, Entry, ImageConfig, Platform, PlatformKey};
pub use memory::MemoryStore;
pub use store::{BlobContent, ImageStore, Sent};
