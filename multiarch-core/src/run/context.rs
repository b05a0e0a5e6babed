//! What every step of a run is handed.

use super::{Cancel, Meter};

/// The two things that a caller shares with a run: a way to stop it, and a way to see how far it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    pub(crate) cancel: Cancel,
    pub(crate) meter: Meter,
}
