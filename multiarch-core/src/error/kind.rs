//! What went wrong, for callers that decide by it.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($name:ident $text:literal;)*) => {
        /// What went wrong, for callers that decide by it. It prints as the sentence that describes it.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum ErrorKind {
            $(#[doc = $text] $name,)*
        }

        impl ErrorKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }

        impl fmt::Display for ErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$name => $text,)*
                })
            }
        }
    };
}

kinds! {
    Usage "An argument, option or configuration is wrong.";
    Io "A file or directory could not be read or written.";
    NotAPackage "The path exists, but what it holds is not a package.";
    Truncated "The data ends early.";
    Malformed "The data breaks the rules of its format.";
    TooLarge "A size, count or depth is beyond the limit for untrusted input.";
    UnsafePath "A path or link in an archive leads outside it.";
    Missing "A file that another one refers to is not there.";
    DigestMismatch "The bytes do not have their digest, or their size.";
    Unsupported "A format or media type is not read here, or cannot be fused with what is there.";
    UnreadableTag "What a tag holds could not be read, so the tag is left alone.";
    Conflict "There are two different images for one platform, and the policy is to fail.";
    ChartConflict "A different chart of the same name and version is in the chart repository.";
    NoChartRepository "The address is not a chart repository's, or the repository takes no charts.";
    NameClash "Two different images of one run have the same name and platform.";
    Hint "A hint cannot be parsed, or needs a value that the chart does not have.";
    Unnamed "The image has no name in the package.";
    PlanOutdated "A saved plan differs from the one that would be made now.";
    Contended "Another writer changed the target at the same time, more often than the limit of retries.";
    Cancelled "The run was cancelled.";
    Unauthorized "The server wants credentials, or refuses those it got.";
    Denied "The server does not allow the request with these credentials.";
    Untrusted "The server's certificate is not trusted.";
    Network "The server could not be reached, or the connection broke.";
    Unreachable "The server gave no useful answer for too long, so no more requests are made to it for a while.";
    Server "The server answered with an error of its own.";
    BlobUnknown "The server says that a blob or manifest is missing that it was known to have.";
}

impl ErrorKind {
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
    pub(super) fn concerns_whole_run(self) -> bool {
        matches!(self, Self::Cancelled | Self::Usage | Self::Network | Self::Unreachable)
    }
}
