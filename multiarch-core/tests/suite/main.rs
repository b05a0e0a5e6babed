//! The integration tests: one binary, so that it is linked once. `images` and `runs` help,
//! everything else is a subject.

mod bad_packages;
mod charts;
mod clashes;
mod fuse_algebra;
mod fuse_table;
mod images;
mod layout;
mod packages;
mod purity;
mod runs;
mod saved_plans;
