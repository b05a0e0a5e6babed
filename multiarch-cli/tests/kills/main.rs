//! The command is killed, or stopped, at every request, and asked to end in every phase.
//!
//! `cargo test` runs a sample; `ci/endurance` runs all of it. Kills at operations on files need `strace`:
//! see `servers`.

#[path = "../common/content.rs"]
mod content;
#[allow(dead_code, reason = "other tests need more of it")]
#[path = "../common/desk.rs"]
mod desk;
#[allow(dead_code, reason = "one manner is enough here")]
#[path = "../common/museum.rs"]
mod museum;
#[path = "../common/pair.rs"]
mod pair;
#[path = "../common/unpacked.rs"]
mod unpacked;

mod phases;
mod place;
mod requests;
mod signals;
mod stopped;
mod victim;

/// Every `step`-th place is tried.
fn step(in_a_sample: usize) -> usize {
    if std::env::var_os("MULTIARCH_ENDURANCE").is_some() { 1 } else { in_a_sample }
}
