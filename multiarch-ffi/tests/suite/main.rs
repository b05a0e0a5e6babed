//! Tests of the C library: C programs that use it, and what comes out. They need a Rust toolchain and a C
//! compiler, which building the library needs, too.
//!
//! `ci/test-capi` runs them again with the installed library, with sanitizers and with valgrind; see
//! `program`.

mod callers;
mod header;
mod program;
mod stage;
