//! What becomes of a request.

use std::time::Duration;

use crate::{Answer, Request};

/// What becomes of a request. A rule decides it, once for every request, when its head was read.
#[derive(Clone, Debug, Default)]
pub enum Fault {
    /// It is handled, and answered.
    #[default]
    Nothing,
    /// It is not handled: its body is read, and this is the answer.
    Answer(Answer),
    /// It is not handled, and this status is the answer, sent before the body was read. The
    /// connection stays open, and nothing more is read from it.
    Early(u16),
    /// It is not handled: the connection is dropped.
    Reset,
    /// It is handled; then the connection is dropped, without an answer.
    Lost,
    /// The connection is dropped once so many bytes of the request's body have been read. They are
    /// handled.
    Cut(u64),
    /// It is handled; the connection is dropped once so many bytes of the answer's body have been
    /// sent.
    CutAnswer(usize),
    /// It is handled after this time.
    Delay(Duration),
    /// It is handled, and the last byte of the answer takes this time.
    Linger(Duration),
    /// It is handled as if it had asked for this path: a tag that is answered with what it was
    /// before, say.
    As(String),
}

impl Fault {
    /// A status as the answer, with nothing else.
    pub fn answer(status: u16) -> Self {
        Self::Answer(Answer::new(status))
    }
}

/// Decides what becomes of a request. Connections have threads of their own: it is called by
/// several at once.
pub type Rule = dyn Fn(&Request) -> Fault + Send + Sync;
