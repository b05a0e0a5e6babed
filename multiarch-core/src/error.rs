//! The one error type.
//!
//! Policy:
//! - Every error that crosses the public API is an [`Error`]: opaque, with a non-exhaustive
//!   [`ErrorKind`] that callers branch on (the C library's codes are the same list).
//! - The message says what happened, in lower case and without a full stop at the end. It never says
//!   what to do next: that depends on the front end, which chooses its advice by
//!   [kind](Error::kind) and [detail](Error::detail).
//! - Where it happened is in fields, not in the message: package, bundle, image, digest, path.
//!   Code that knows a field sets it as the error is returned; the innermost value wins.
//! - The cause is kept, and shared by clones: a plan and its report both show it.
//! - A failure is never downgraded to "absent", and never carries a secret.
//! - No error is recognised by the text of another crate's message: such texts change.

mod detail;
mod kind;
mod place;
mod printable;

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

pub(crate) use detail::Detail;
pub use kind::ErrorKind;
use place::Place;
pub(crate) use printable::Printable;

/// An error of this library: a [kind](Error::kind), a message, and where it happened.
#[derive(Clone, thiserror::Error)]
#[error("{}", Located(.0))]
pub struct Error(Box<Inner>);

/// The result type of this library.
pub type Result<T> = std::result::Result<T, Error>;

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    detail: Option<Detail>,
    message: String,
    place: Place,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

macro_rules! place_fields {
    ($($setter:ident $field:ident $what:literal;)*) => {
        impl Error {
            $(
                #[doc = concat!("Names the ", $what, ", unless a more precise place is known already.")]
                #[must_use]
                pub fn $setter(mut self, value: impl fmt::Display) -> Self {
                    self.0.place.$field.get_or_insert_with(|| value.to_string());
                    self
                }

                #[doc = concat!("The ", $what, ", where it is known.")]
                pub fn $field(&self) -> Option<&str> {
                    self.0.place.$field.as_deref()
                }
            )*
        }
    };
}

place_fields! {
    in_package package "package, as the user named it";
    in_bundle bundle "bundle inside the package";
    of_image image "image reference";
    with_digest digest "digest of the blob or document";
    at_path path "file, or the path inside an archive";
    at_host host "server";
    asking request "request, as method and path";
}

/// What an untrusted text put into a message must not fill the terminal: it ends after 2000 bytes.
fn bounded(mut message: String) -> String {
    const MAX: usize = 2000;
    if message.len() > MAX {
        message.truncate(message.floor_char_boundary(MAX));
        message.push('…');
    }
    message
}

impl Error {
    /// An error of this kind with a message.
    pub fn new(kind: ErrorKind, message: impl fmt::Display) -> Self {
        Self(Box::new(Inner {
            kind,
            detail: None,
            message: bounded(message.to_string()),
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
        error.0.source = Some(Arc::from(source.into()));
        error
    }

    /// Converts an I/O error. An [`Error`] inside of it is returned unchanged; an early end becomes
    /// [`ErrorKind::Truncated`]. `doing` is the message.
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
        Self::caused_by(kind, doing, error)
    }

    /// The error of a document that a target holds, and not a package.
    pub(crate) fn of_target(cause: Self) -> Self {
        let message = "what the target holds there cannot be read";
        Self::caused_by(ErrorKind::UnreadableTag, message, cause)
    }

    /// Sets the detail, by which the front end chooses its advice.
    #[must_use]
    pub(crate) fn with_detail(mut self, detail: Detail) -> Self {
        self.0.detail = Some(detail);
        self
    }

    /// Adds a statement to the message.
    #[must_use]
    pub(crate) fn saying(mut self, statement: impl fmt::Display) -> Self {
        let told = self.0.message.trim_end_matches('.');
        self.0.message = format!("{told}; {statement}");
        self
    }

    /// True for an error that concerns the whole target: every other request would meet it, too, and
    /// nothing but the user can change that.
    pub(crate) fn concerns_whole_target(&self) -> bool {
        use Detail::{
            ClientCertificate, LoginExpired, LoginRefused, LoginUnreadable, NoLogin, NotARegistry,
            ReadOnly, Redirected,
        };
        self.kind() == ErrorKind::Untrusted
            || matches!(
                self.0.detail,
                Some(
                    LoginRefused
                        | LoginExpired
                        | NoLogin
                        | ClientCertificate
                        | ReadOnly
                        | LoginUnreadable
                        | NotARegistry
                        | Redirected
                )
            )
    }

    /// True for an error that concerns a server or a run as a whole, and not one image or chart.
    pub(crate) fn concerns_whole_run(&self) -> bool {
        self.kind().concerns_whole_run() || self.concerns_whole_target()
    }

    /// Which case of its kind this is.
    pub(crate) fn concerns_room(&self) -> bool {
        matches!(self.case(), Some(Detail::Quota | Detail::NoRoom | Detail::ReadOnly))
    }

    /// The detail as a value.
    pub(crate) fn case(&self) -> Option<Detail> {
        self.0.detail
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Which case of its kind this is, where the user's next step depends on it: a short name such as
    /// `registry-unknown`, made of lower-case words and dashes. More may be added.
    pub fn detail(&self) -> Option<&'static str> {
        self.0.detail.map(Detail::text)
    }

    /// Every [detail](Error::detail), with the kind that it belongs to.
    pub fn details() -> &'static [(ErrorKind, &'static str)] {
        Detail::ALL
    }

    /// What happened, without the place and without causes.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The error that caused this one, such as a [`std::io::Error`]. The text of this error includes those
    /// of its causes; so [`source`](std::error::Error::source) gives none, and a report that follows the
    /// sources prints no text twice.
    pub fn cause(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|cause| cause.as_ref() as _)
    }

    /// True where the same call may succeed later although the caller changes nothing: the server failed
    /// or was not reached, another writer wrote at the same time, or the run was cancelled.
    pub fn is_retryable(&self) -> bool {
        self.kind().is_retryable()
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

/// An error in JSON. The message includes the causes, which cannot be serialised.
#[derive(Serialize, Deserialize)]
struct Json {
    kind: ErrorKind,
    message: String,
    #[serde(flatten)]
    place: Place,
}

impl Serialize for Error {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        let message = Causes(&self.0).to_string();
        Json { kind: self.kind(), message, place: self.0.place.clone() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Error {
    fn deserialize<D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Self, D::Error> {
        let Json { kind, message, place } = Json::deserialize(deserializer)?;
        let mut error = Self::new(kind, message);
        error.0.place = place;
        Ok(error)
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
        let mut text = String::new();
        for (name, value) in self.0.place.parts() {
            text.push_str(&format!("{name} {value}: "));
        }
        write!(f, "{}", Printable(&format!("{text}{}", Causes(self.0))))
    }
}
