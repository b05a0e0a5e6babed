//! The verbs, one file for each: call the library once, and print.

pub(crate) mod apply;
pub(crate) mod call;
pub(crate) mod check;
pub(crate) mod doctor;
pub(crate) mod generate;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod plan;
pub(crate) mod rollback;
pub(crate) mod setup;
mod snapshot;
pub(crate) mod status;

/// Whether a verb that ran to its end did all that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completion {
    Complete,
    Incomplete,
}

impl From<bool> for Completion {
    fn from(complete: bool) -> Self {
        if complete { Self::Complete } else { Self::Incomplete }
    }
}
