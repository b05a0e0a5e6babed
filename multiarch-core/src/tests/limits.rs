//! Each limit of [`crate::limit`], by amounts just below and above it. The amounts are written out, so that
//! a limit that is moved fails its test.
//!
//! Those of private parts stand beside these; `every_limit_has_a_test` knows all of them.

mod charts;
mod documents;
#[cfg(feature = "registry")]
mod servers;
mod table;

use crate::error::{ErrorKind, Result};

/// Checks that the first result is fine and the second one beyond a limit.
fn ends_between<T: std::fmt::Debug, U: std::fmt::Debug>(within: Result<T>, beyond: Result<U>) {
    within.expect("within the limit");
    assert_eq!(beyond.expect_err("beyond the limit").kind(), ErrorKind::TooLarge);
}
