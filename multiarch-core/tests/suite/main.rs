//! The integration tests, in one binary so that it is linked only once. `runs` has the helpers, every
//! other module tests one subject.

mod bad_packages;
mod clashes;
mod field;
mod field_archives;
mod field_sources;
mod field_tools;
mod house;
mod interleavings;
mod layout;
mod library_use;
mod moody;
mod odd_archives;

mod own_store;
mod packages;
mod presence;
mod programs;
mod referrers;
mod refusing;
mod runs;
mod saved_plans;
mod scripted;
