//! The body of an upload, and how long it may take.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use async_channel::Receiver;
use bytes::Bytes;
use futures_util::Stream;
use http_body::{Body, Frame, SizeHint};

use crate::run::BUFFER_SIZE;

/// An upload that makes no progress for this long is aborted.
const STALL_TIMEOUT: Duration = Duration::from_secs(120);
/// After the last byte a server may need longer, because it moves the blob to other storage. This is
/// the lowest rate that we allow for that, in bytes per second.
const COMMIT_RATE: u64 = 10 << 20;

/// The bytes to upload, from the thread that reads them; `Err` if it cannot.
pub(super) type BufferChannel = Receiver<std::result::Result<Bytes, ()>>;

/// How long a server may take to commit a blob once it has all bytes.
pub(super) fn commit_time(size: u64) -> Duration {
    STALL_TIMEOUT + Duration::from_secs(size / COMMIT_RATE)
}

/// How long a request may take.
#[derive(Clone, Copy)]
pub(super) enum TimeLimit {
    /// As a whole.
    Whole(Duration),
    /// As long as its body makes progress.
    Progress,
}

/// Returns when the upload has made no progress for too long.
pub(super) async fn stalled(progress: &AtomicU64, size: u64) {
    let (mut last, mut still) = (0, Duration::ZERO);
    let step = Duration::from_secs(1);
    while still < if last < size { STALL_TIMEOUT } else { commit_time(size) } {
        tokio::time::sleep(step).await;
        let now = progress.load(Ordering::Relaxed);
        still = if now == last { still + step } else { Duration::ZERO };
        last = now;
    }
}

/// A body of known length, so that it is sent with Content-Length.
pub(super) struct BlobBody {
    buffers: Pin<Box<BufferChannel>>,
    /// Bytes that are still to be sent.
    pub(super) left: u64,
    /// Bytes that were sent.
    pub(super) progress: Arc<AtomicU64>,
}

impl BlobBody {
    pub(super) fn new(buffers: BufferChannel, size: u64) -> Self {
        Self { buffers: Box::pin(buffers), left: size, progress: Arc::default() }
    }

    /// A body that is in memory. It is sent in parts, so that its progress is seen.
    pub(super) fn in_memory(mut body: Bytes) -> Self {
        let size = body.len();
        let (sender, buffers) = async_channel::bounded(size.div_ceil(BUFFER_SIZE).max(1));
        while !body.is_empty() {
            let part = body.split_to(body.len().min(BUFFER_SIZE));
            sender.try_send(Ok(part)).expect("there is room for all parts");
        }
        Self::new(buffers, size as u64)
    }
}

impl Body for BlobBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Self::Error>>> {
        match self.buffers.as_mut().poll_next(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some(Ok(buffer))) => {
                self.left = self.left.saturating_sub(buffer.len() as u64);
                self.progress.fetch_add(buffer.len() as u64, Ordering::Relaxed);
                Poll::Ready(Some(Ok(Frame::data(buffer))))
            }
            Poll::Ready(Some(Err(()))) => {
                Poll::Ready(Some(Err(std::io::Error::other("the package could not be read"))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
