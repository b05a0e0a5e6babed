//! The one error type.
//!
//! Policy:
//! - Every error that crosses the public API is an [`Error`]: opaque, with a non-exhaustive
//!   [`ErrorKind`] that callers branch on (the C library's codes are the same list).
//! - The message says what happened, in lower case and without a final stop. It never says what
//!   to do next: that depends on who asks, and belongs to the command line, keyed by kind.
//! - Where it happened travels in fields, not in the message: package, bundle, image, digest, path.
//!   Whoever knows a field sets it on the way up; the innermost value wins.
//! - A failure is never downgraded to "absent", and never carries a secret.

use std::fmt;

/// What went wrong, for callers that decide by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
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
    /// True for what is wrong with a server, or with a run, as a whole.
    pub(crate) fn is_of_the_whole(self) -> bool {
        matches!(
            self,
            Self::Cancelled | Self::Usage | Self::Untrusted | Self::Network | Self::Unreachable
        )
    }
}

/// An error of this library: a [kind](Error::kind), a message, and where it happened.
#[derive(thiserror::Error)]
#[error("{}", Located(.0))]
pub struct Error(Box<Inner>);

/// The result type of this library.
pub type Result<T> = std::result::Result<T, Error>;

struct Inner {
    kind: ErrorKind,
    message: String,
    place: Place,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Where an error happened, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Place {
    /// The package, as the user named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// The bundle inside the package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
    /// The image reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The digest of the blob or document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The request, as method and path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The file, or the path inside an archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

macro_rules! place_fields {
    ($($setter:ident $field:ident $doc:literal;)*) => {
        impl Error {
            $(
                #[doc = $doc]
                #[must_use]
                pub fn $setter(mut self, value: impl fmt::Display) -> Self {
                    self.0.place.$field.get_or_insert_with(|| value.to_string());
                    self
                }
            )*
        }
    };
}

place_fields! {
    in_package package "Names the package, unless a more precise place is known already.";
    in_bundle bundle "Names the bundle, unless a more precise place is known already.";
    of_image image "Names the image, unless a more precise place is known already.";
    with_digest digest "Names the digest, unless a more precise place is known already.";
    at_path path "Names the path, unless a more precise place is known already.";
    at_host host "Names the server, unless a more precise place is known already.";
    asking request "Names the request, unless a more precise place is known already.";
}

impl Error {
    /// An error of this kind with a message.
    pub fn new(kind: ErrorKind, message: impl fmt::Display) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.to_string(),
            place: Place::default(),
            source: None,
        }))
    }

    /// An error of this kind that another one caused.
    pub fn caused_by(
        kind: ErrorKind,
        message: impl fmt::Display,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        let mut error = Self::new(kind, message);
        error.0.source = Some(source.into());
        error
    }

    /// Turns an I/O error into ours. One of ours that travelled through `std::io` comes back as it
    /// was; an early end becomes [`ErrorKind::Truncated`].
    pub fn from_io(doing: impl fmt::Display, error: std::io::Error) -> Self {
        if error.get_ref().is_some_and(|inner| inner.is::<Error>()) {
            let inner = error.into_inner().expect("checked above");
            return *inner.downcast::<Error>().expect("checked above");
        }
        let kind = match error.kind() {
            std::io::ErrorKind::UnexpectedEof => ErrorKind::Truncated,
            std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput => {
                ErrorKind::Malformed
            }
            _ => ErrorKind::Io,
        };
        // The tar crate reports a cut archive as "Other" around its own text.
        let kind =
            if error.to_string().contains("unexpected EOF") { ErrorKind::Truncated } else { kind };
        Self::caused_by(kind, doing, error)
    }

    /// The same error once more, its causes as text: a plan and its report both show it.
    pub(crate) fn copy(&self) -> Self {
        let mut copy = Self::new(self.kind(), Causes(&self.0));
        copy.0.place = self.0.place.clone();
        copy
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened, without the place.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it happened.
    pub fn place(&self) -> &Place {
        &self.0.place
    }
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        std::io::Error::other(error)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, Located(&self.0))
    }
}

impl serde::Serialize for Error {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct View<'a> {
            kind: ErrorKind,
            message: String,
            #[serde(flatten)]
            place: &'a Place,
        }
        View { kind: self.kind(), message: Causes(&self.0).to_string(), place: self.place() }
            .serialize(serializer)
    }
}

/// The message with its causes.
struct Causes<'a>(&'a Inner);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        let mut source: Option<&dyn std::error::Error> =
            self.0.source.as_ref().map(|s| s.as_ref() as &dyn std::error::Error);
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

/// The place, then the message with its causes.
struct Located<'a>(&'a Inner);

impl fmt::Display for Located<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.0.place;
        for (label, value) in [
            ("package", &place.package),
            ("bundle", &place.bundle),
            ("image", &place.image),
            ("path", &place.path),
            ("digest", &place.digest),
            ("host", &place.host),
            ("request", &place.request),
        ] {
            if let Some(value) = value {
                write!(f, "{label} {value}: ")?;
            }
        }
        Causes(self.0).fmt(f)
    }
}
