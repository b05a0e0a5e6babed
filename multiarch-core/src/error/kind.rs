//! What went wrong, for callers that decide by it.

use serde::{Deserialize, Serialize};

/// What went wrong, for callers that decide by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument or option that cannot be meant.
    Usage,
    /// A file or directory could not be read or written.
    Io,
    /// The path exists, but holds nothing that is known here.
    NotAPackage,
    /// The data ends before its own structure does.
    Truncated,
    /// The data breaks the rules of its format.
    Malformed,
    /// A size, count or depth beyond the limit for untrusted input.
    TooLarge,
    /// A name in an archive that points outside it, or a link that does.
    UnsafePath,
    /// A file that another one refers to is not there.
    Missing,
    /// The bytes are not those the digest promises.
    DigestMismatch,
    /// A media type that cannot be fused with what is there.
    Unsupported,
    /// What a tag holds could not be read, so the tag is left alone.
    UnreadableTag,
    /// Two different images for one platform where the policy forbids a choice.
    Conflict,
    /// Another chart of the same name and version is in the chart repository.
    ChartConflict,
    /// What is named as a chart repository is none, or takes no charts.
    NoChartRepository,
    /// Two different images of one run on the same name and platform.
    NameClash,
    /// A hint needs a value that the chart does not have, or cannot be understood.
    Hint,
    /// The image has no name in the package.
    Unnamed,
    /// A saved plan no longer describes what would be done.
    PlanOutdated,
    /// Someone else changed the target meanwhile, more often than was retried.
    Contended,
    /// The run was cancelled.
    Cancelled,
    /// The server wants credentials, or other ones.
    Unauthorized,
    /// The server knows who asks, and does not allow it.
    Denied,
    /// The server's certificate is not trusted.
    Untrusted,
    /// The server could not be reached, or stopped in the middle.
    Network,
    /// The server gave nothing of use for so long that it was given up.
    Unreachable,
    /// The server answered with an error of its own.
    Server,
    /// The server says that a blob or manifest is not there, which was believed to be.
    BlobUnknown,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Usage,
        Self::Io,
        Self::NotAPackage,
        Self::Truncated,
        Self::Malformed,
        Self::TooLarge,
        Self::UnsafePath,
        Self::Missing,
        Self::DigestMismatch,
        Self::Unsupported,
        Self::UnreadableTag,
        Self::Conflict,
        Self::ChartConflict,
        Self::NoChartRepository,
        Self::NameClash,
        Self::Hint,
        Self::Unnamed,
        Self::PlanOutdated,
        Self::Contended,
        Self::Cancelled,
        Self::Unauthorized,
        Self::Denied,
        Self::Untrusted,
        Self::Network,
        Self::Unreachable,
        Self::Server,
        Self::BlobUnknown,
    ];

    /// True where the same call may succeed later, with nothing changed by the caller.
    pub(super) fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Contended
                | Self::Cancelled
                | Self::Network
                | Self::Unreachable
                | Self::Server
                | Self::BlobUnknown
        )
    }

    /// True for what is wrong with a server, or with a run, as a whole.
    pub(crate) fn is_of_the_whole(self) -> bool {
        matches!(
            self,
            Self::Cancelled | Self::Usage | Self::Untrusted | Self::Network | Self::Unreachable
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_are_listed_in_their_order() {
        // The last one, by its place: one that is added and not listed moves it.
        assert_eq!(ErrorKind::BlobUnknown as usize + 1, ErrorKind::ALL.len());
        assert!(ErrorKind::ALL.is_sorted());
    }
}
