//! What happens to a request.

use std::time::Duration;

use crate::{Answer, Request};

/// What happens to a request. A rule decides it once for each request, after its head was read.
#[derive(Clone, Debug, Default)]
pub enum Fault {
    /// It is handled and answered normally.
    #[default]
    Nothing,
    /// It is not handled: its body is read, and this answer is sent.
    Answer(Answer),
    /// It is not handled: this status is sent before the body is read. The connection stays open,
    /// and nothing more is read from it.
    Early(u16),
    /// It is not handled: the connection is dropped.
    Reset,
    /// It is handled, but the connection is dropped without an answer.
    Lost,
    /// The connection is dropped after this many bytes of the request's body were read. These bytes
    /// are handled.
    Cut(u64),
    /// It is handled, but the connection is dropped after this many bytes of the answer's body were
    /// sent.
    CutAnswer(usize),
    /// It is handled after this delay.
    Delay(Duration),
    /// It is handled, and the last byte of the answer is sent after this delay.
    Linger(Duration),
    /// It is handled as a request for this path, for example to answer a tag with its earlier
    /// manifest.
    As(String),
}

impl Fault {
    /// A status as the answer, with nothing else.
    pub fn answer(status: u16) -> Self {
        Self::Answer(Answer::new(status))
    }
}

/// Decides what happens to a request. Several threads call it at once, because each connection has
/// its own thread.
pub type Rule = dyn Fn(&Request) -> Fault + Send + Sync;
