//! Tests of the C library: C programs that use it, and what comes out. They need a Rust toolchain and a C
//! compiler, which building the library needs, too.
//!
//! `ci/test-capi` runs them again with the installed library, with sanitizers and with valgrind; see
//! `common::program`.

mod callers;
mod closing_peer;
#[path = "../common/mod.rs"]
mod common;
mod documents;
#[cfg(feature = "faults")]
mod faults;
mod header;
mod schema;
