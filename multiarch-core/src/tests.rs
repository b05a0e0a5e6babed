//! Tests of several modules together that need more than the public API. Those that need only the public
//! API are in `tests/suite`.

#[cfg(all(feature = "async", feature = "registry"))]
mod background;
mod chart_cases;
mod charts;
mod fuse_algebra;
mod fuse_corners;
mod fuse_sources;
mod fuse_table;
mod helm_values;
mod images;
mod limits;
mod place;
#[cfg(feature = "registry")]
mod registry;
#[expect(dead_code, reason = "the tests in `tests/suite` use the rest of it")]
#[path = "../tests/suite/runs.rs"]
mod runs;
