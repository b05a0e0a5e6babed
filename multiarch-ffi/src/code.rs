//! Error codes. A number is never reused and never moved: programs are linked against it.

use multiarch_core::ErrorKind;

macro_rules! codes {
    ($($name:ident $kind:ident;)*) => {
        /// The code of a kind of error. A kind that is newer than this list has the code of all others.
        pub(crate) fn of(kind: ErrorKind) -> i32 {
            match kind {
                $(ErrorKind::$kind => $name,)*
                _ => MULTIARCH_ERROR_OTHER,
            }
        }

        /// Every code of a kind of error, with the kind.
        #[cfg(test)]
        pub(crate) const OF_KINDS: &[(i32, ErrorKind)] = &[$(($name, ErrorKind::$kind),)*];
    };
}

/// Success. Each other code is an error's.
pub const MULTIARCH_OK: i32 = 0;
/// An error without a code of its own: a newer library may report one.
pub const MULTIARCH_ERROR_OTHER: i32 = 1;
/// A fault of the library itself. The process goes on; what the call did is not known.
pub const MULTIARCH_ERROR_PANIC: i32 = 2;
/// An argument, option or configuration is wrong: NULL, text that is not UTF-8, an unknown member.
pub const MULTIARCH_ERROR_USAGE: i32 = 10;
/// A file or directory could not be read or written.
pub const MULTIARCH_ERROR_IO: i32 = 11;
/// The path exists, but what it holds is not a package.
pub const MULTIARCH_ERROR_NOT_A_PACKAGE: i32 = 12;
/// The data ends early.
pub const MULTIARCH_ERROR_TRUNCATED: i32 = 13;
/// The data breaks the rules of its format.
pub const MULTIARCH_ERROR_MALFORMED: i32 = 14;
/// A size, count or depth is beyond the limit for untrusted input.
pub const MULTIARCH_ERROR_TOO_LARGE: i32 = 15;
/// A path or link in an archive leads outside it.
pub const MULTIARCH_ERROR_UNSAFE_PATH: i32 = 16;
/// A file that another one refers to is not there.
pub const MULTIARCH_ERROR_MISSING: i32 = 17;
/// The bytes do not have their digest, or their size.
pub const MULTIARCH_ERROR_DIGEST_MISMATCH: i32 = 18;
/// A format or media type is not read here, or cannot be fused with what is there.
pub const MULTIARCH_ERROR_UNSUPPORTED: i32 = 19;
/// What a tag holds could not be read, so the tag is left alone.
pub const MULTIARCH_ERROR_UNREADABLE_TAG: i32 = 20;
/// There are two different images for one platform, and the policy is to fail.
pub const MULTIARCH_ERROR_CONFLICT: i32 = 21;
/// A different chart of the same name and version is in the chart repository.
pub const MULTIARCH_ERROR_CHART_CONFLICT: i32 = 22;
/// The address is not a chart repository's, or the repository takes no charts.
pub const MULTIARCH_ERROR_NO_CHART_REPOSITORY: i32 = 23;
/// Two different images of one run have the same name and platform.
pub const MULTIARCH_ERROR_NAME_CLASH: i32 = 24;
/// A hint cannot be parsed, or needs a value that the chart does not have.
pub const MULTIARCH_ERROR_HINT: i32 = 25;
/// The image has no name in the package.
pub const MULTIARCH_ERROR_UNNAMED: i32 = 26;
/// A saved plan differs from the one that would be made now.
pub const MULTIARCH_ERROR_PLAN_OUTDATED: i32 = 27;
/// Another writer changed the target at the same time, more often than the limit of retries.
pub const MULTIARCH_ERROR_CONTENDED: i32 = 28;
/// The call was cancelled.
pub const MULTIARCH_ERROR_CANCELLED: i32 = 29;
/// The server wants credentials, or refuses those it got.
pub const MULTIARCH_ERROR_UNAUTHORIZED: i32 = 30;
/// The server does not allow the request with these credentials.
pub const MULTIARCH_ERROR_DENIED: i32 = 31;
/// The server's certificate is not trusted.
pub const MULTIARCH_ERROR_UNTRUSTED: i32 = 32;
/// The server could not be reached, or the connection broke.
pub const MULTIARCH_ERROR_NETWORK: i32 = 33;
/// The server gave no useful answer for too long, so no more requests are made to it for a while.
pub const MULTIARCH_ERROR_UNREACHABLE: i32 = 34;
/// The server answered with an error of its own.
pub const MULTIARCH_ERROR_SERVER: i32 = 35;
/// The server says that a blob or manifest is missing that it was known to have.
pub const MULTIARCH_ERROR_BLOB_UNKNOWN: i32 = 36;

codes! {
    MULTIARCH_ERROR_USAGE Usage;
    MULTIARCH_ERROR_IO Io;
    MULTIARCH_ERROR_NOT_A_PACKAGE NotAPackage;
    MULTIARCH_ERROR_TRUNCATED Truncated;
    MULTIARCH_ERROR_MALFORMED Malformed;
    MULTIARCH_ERROR_TOO_LARGE TooLarge;
    MULTIARCH_ERROR_UNSAFE_PATH UnsafePath;
    MULTIARCH_ERROR_MISSING Missing;
    MULTIARCH_ERROR_DIGEST_MISMATCH DigestMismatch;
    MULTIARCH_ERROR_UNSUPPORTED Unsupported;
    MULTIARCH_ERROR_UNREADABLE_TAG UnreadableTag;
    MULTIARCH_ERROR_CONFLICT Conflict;
    MULTIARCH_ERROR_CHART_CONFLICT ChartConflict;
    MULTIARCH_ERROR_NO_CHART_REPOSITORY NoChartRepository;
    MULTIARCH_ERROR_NAME_CLASH NameClash;
    MULTIARCH_ERROR_HINT Hint;
    MULTIARCH_ERROR_UNNAMED Unnamed;
    MULTIARCH_ERROR_PLAN_OUTDATED PlanOutdated;
    MULTIARCH_ERROR_CONTENDED Contended;
    MULTIARCH_ERROR_CANCELLED Cancelled;
    MULTIARCH_ERROR_UNAUTHORIZED Unauthorized;
    MULTIARCH_ERROR_DENIED Denied;
    MULTIARCH_ERROR_UNTRUSTED Untrusted;
    MULTIARCH_ERROR_NETWORK Network;
    MULTIARCH_ERROR_UNREACHABLE Unreachable;
    MULTIARCH_ERROR_SERVER Server;
    MULTIARCH_ERROR_BLOB_UNKNOWN BlobUnknown;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_a_code_of_its_own() {
        for kind in ErrorKind::ALL {
            assert_ne!(
                of(*kind),
                MULTIARCH_ERROR_OTHER,
                "{kind:?} needs a code, the next free one"
            );
        }
        let codes: BTreeSet<i32> = OF_KINDS.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
        let own = [MULTIARCH_OK, MULTIARCH_ERROR_OTHER, MULTIARCH_ERROR_PANIC];
        assert!(own.iter().all(|code| !codes.contains(code)));
    }

    #[test]
    fn numbers_stay() {
        // Programs hold these numbers. A new kind gets the next one; none of these ever changes.
        let known = ["usage", "io", "not-a-package", "truncated", "malformed", "too-large"];
        let known = known.into_iter().chain(["unsafe-path", "missing", "digest-mismatch"]);
        let known = known.chain(["unsupported", "unreadable-tag", "conflict", "chart-conflict"]);
        let known = known.chain(["no-chart-repository", "name-clash", "hint", "unnamed"]);
        let known = known.chain(["plan-outdated", "contended", "cancelled", "unauthorized"]);
        let known = known.chain(["denied", "untrusted", "network", "unreachable", "server"]);
        for (code, name) in (10..).zip(known.chain(["blob-unknown"])) {
            let kind: ErrorKind = serde_json::from_value(name.into()).expect(name);
            assert_eq!(of(kind), code, "{name}");
        }
    }
}
