//! What went wrong, for callers that decide by it.

use serde::{Deserialize, Serialize};

/// What went wrong, for callers that decide by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument, option or configuration is wrong.
    Usage,
    /// A file or directory could not be read or written.
    Io,
    /// The path exists, but what it holds is not a package.
    NotAPackage,
    /// The data ends early.
    Truncated,
    /// The data breaks the rules of its format.
    Malformed,
    /// A size, count or depth is beyond the limit for untrusted input.
    TooLarge,
    /// A path or link in an archive leads outside it.
    UnsafePath,
    /// A file that another one refers to is not there.
    Missing,
    /// The bytes do not have their digest, or their size.
    DigestMismatch,
    /// A format or media type is not read here, or cannot be fused with what is there.
    Unsupported,
    /// What a tag holds could not be read, so the tag is left alone.
    UnreadableTag,
    /// There are two different images for one platform, and the policy is to fail.
    Conflict,
    /// A different chart of the same name and version is in the chart repository.
    ChartConflict,
    /// The address is not a chart repository's, or the repository takes no charts.
    NoChartRepository,
    /// Two different images of one run have the same name and platform.
    NameClash,
    /// A hint cannot be parsed, or needs a value that the chart does not have.
    Hint,
    /// The image has no name in the package.
    Unnamed,
    /// A saved plan differs from the one that would be made now.
    PlanOutdated,
    /// Another writer changed the target at the same time, more often than the limit of retries.
    Contended,
    /// The run was cancelled.
    Cancelled,
    /// The server wants credentials, or refuses those it got.
    Unauthorized,
    /// The server does not allow the request with these credentials.
    Denied,
    /// The server's certificate is not trusted.
    Untrusted,
    /// The server could not be reached, or the connection broke.
    Network,
    /// The server gave no useful answer for too long, so no more requests are made to it for a while.
    Unreachable,
    /// The server answered with an error of its own.
    Server,
    /// The server says that a blob or manifest is missing that it was known to have.
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

    /// True where the same call may succeed later although the caller changes nothing.
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

    /// True for errors that concern a server or a run as a whole, and not one image or chart.
    pub(crate) fn concerns_whole_run(self) -> bool {
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
    fn all_kinds_are_listed_in_order() {
        // The number of the last kind: a kind that is added but not listed changes it.
        assert_eq!(ErrorKind::BlobUnknown as usize + 1, ErrorKind::ALL.len());
        assert!(ErrorKind::ALL.is_sorted());
    }
}
