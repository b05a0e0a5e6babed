//! Tags of this library's own, for manifests that have no tag otherwise.

use crate::image::Digest;

/// Why a manifest needs a tag: a registry removes what has none when it collects garbage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnTag {
    /// A chart names it by its digest alone.
    Pinned,
    /// An index lists it, which does not keep it in every registry.
    Child,
}

/// How many digits of the digest are in the tag.
const DIGITS: usize = 12;

impl OwnTag {
    fn prefix(self) -> &'static str {
        match self {
            Self::Pinned => "pinned-",
            Self::Child => "child-",
        }
    }

    /// The tag of a manifest.
    pub(crate) fn of(self, digest: &Digest) -> String {
        format!("{}{}", self.prefix(), &digest.hex()[..DIGITS])
    }

    /// True for a tag that is one of these.
    pub(crate) fn is_one(tag: &str) -> bool {
        [Self::Pinned, Self::Child].iter().any(|own| {
            let digits = tag.strip_prefix(own.prefix());
            digits.is_some_and(|d| d.len() == DIGITS && d.bytes().all(|b| b.is_ascii_hexdigit()))
        })
    }
}
