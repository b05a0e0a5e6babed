//! Tests of the C library that need a Rust toolchain and a C compiler, and nothing else.

mod header;
