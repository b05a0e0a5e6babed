//! One file a verb: parse, one call into the library, print.

pub(crate) mod apply;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod plan;
pub(crate) mod setup;
pub(crate) mod status;

/// How a verb ended that did its work.
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
