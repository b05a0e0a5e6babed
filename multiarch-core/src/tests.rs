//! Tests of several modules together that need what the public API does not show. Those that do
//! without are in `tests/suite`.

mod charts;
mod fuse_algebra;
mod fuse_table;
mod images;
#[expect(dead_code, reason = "the tests in `tests/suite` use the rest of it")]
#[path = "../tests/suite/runs.rs"]
mod runs;
