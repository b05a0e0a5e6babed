//! What happens to a request.

use std::{fmt, sync::Arc, time::Duration};

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
    /// It is not handled: this status is sent before the body is read, with the word that the connection
    /// ends. The rest is read and discarded, as by servers that let the client see the answer.
    EarlyEnd(u16),
    /// It is not handled: the connection is dropped.
    Reset,
    /// It is not handled: its body is read, and the connection is dropped without an answer.
    Unheard,
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
    /// It is handled, and another answer is made from the real one.
    Changed(Change),
}

/// Makes another answer from the real one. It runs after the request was handled, and before the answer
/// is sent.
#[derive(Clone)]
pub struct Change(Arc<dyn Fn(Answer) -> Answer + Send + Sync>);

impl Change {
    pub(crate) fn apply(&self, answer: Answer) -> Answer {
        (self.0)(answer)
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Change")
    }
}

impl Fault {
    /// A status as the answer, with nothing else.
    pub fn answer(status: u16) -> Self {
        Self::Answer(Answer::new(status))
    }

    /// It is handled, and another answer is made from the real one.
    pub fn changed(change: impl Fn(Answer) -> Answer + Send + Sync + 'static) -> Self {
        Self::Changed(Change(Arc::new(change)))
    }
}

/// Decides what happens to a request. Several threads call it at once, because each connection has
/// its own thread.
pub type Rule = dyn Fn(&Request) -> Fault + Send + Sync;
