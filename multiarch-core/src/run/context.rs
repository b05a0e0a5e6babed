//! What every step of a run gets.

use super::{Cancel, Meter};

/// What a caller shares with a run: a way to cancel it, and a way to see its progress.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    pub(crate) cancel: Cancel,
    pub(crate) meter: Meter,
}
