//! The integration tests: one binary, so that it is linked once. `runs` helps,
//! everything else is a subject.

mod bad_packages;
mod clashes;
mod house;
mod layout;
mod packages;

mod runs;
mod saved_plans;
