//! Zstandard keeps what it unpacked last, up to 128 MiB, for as long as a stream is read. Archives in archives
//! are read at one time, and so are packages: what they keep is bounded together.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{error::Result, limit::ZSTD_WINDOWS};

/// What programs choose by themselves, but for the highest levels.
const USUAL: u64 = 8 << 20;
/// More is not read: what `zstd` itself reads without being told.
const LARGEST: u64 = 1 << 27;

/// Held by the one walk of this process that keeps unusually much.
static UNUSUAL: Mutex<()> = Mutex::new(());

/// The windows of the streams that a walk is in.
#[derive(Debug)]
pub(super) struct ZstdWindows {
    left: u64,
    alone: Option<MutexGuard<'static, ()>>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct ZstdWindow {
    size: u64,
    /// It is the one for which others wait.
    waited: bool,
}

impl ZstdWindow {
    /// For the decoder, which refuses frames with a larger one.
    pub(super) fn log_max(&self) -> u32 {
        self.size.next_power_of_two().ilog2()
    }
}

impl ZstdWindows {
    pub(super) fn new() -> Self {
        Self { left: ZSTD_WINDOWS.max, alone: None }
    }

    /// Enters a stream that begins with `head`; it waits while another walk keeps unusually much.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) where the streams around it leave no room.
    pub(super) fn enter(&mut self, head: &[u8]) -> Result<ZstdWindow> {
        let size = window(head).unwrap_or(LARGEST).clamp(USUAL, LARGEST);
        self.left = self.left.checked_sub(size).ok_or_else(|| ZSTD_WINDOWS.error())?;
        let waited = size > USUAL && self.alone.is_none();
        if waited {
            self.alone = Some(UNUSUAL.lock().unwrap_or_else(PoisonError::into_inner));
        }
        Ok(ZstdWindow { size, waited })
    }

    /// Leaves it.
    pub(super) fn leave(&mut self, window: ZstdWindow) {
        self.left += window.size;
        if window.waited {
            self.alone = None;
        }
    }
}

/// The window of a stream's first frame (RFC 8878, section 3.1.1.1); `None` where it begins with something else.
fn window(head: &[u8]) -> Option<u64> {
    let frame = head.strip_prefix(&[0x28, 0xb5, 0x2f, 0xfd])?;
    let (descriptor, fields) = frame.split_first()?;
    let is_single_segment = descriptor & 0x20 != 0;
    if !is_single_segment {
        let base = 1_u64 << (10 + (fields.first()? >> 3));
        return Some(base + base / 8 * u64::from(fields.first()? & 7));
    }
    // It has the size of the content, which stands after the number of the dictionary.
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let (length, more) = [(1, 0), (2, 256), (4, 0), (8, 0)][usize::from(descriptor >> 6)];
    let size = fields.get(dictionary..dictionary + length)?;
    let mut bytes = [0; 8];
    bytes[..length].copy_from_slice(size);
    Some(u64::from_le_bytes(bytes).saturating_add(more))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a frame that the library wrote.
    fn head(log: u32, content: usize, pledged: bool) -> Vec<u8> {
        use std::io::Write as _;
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
        encoder.window_log(log).expect("a window");
        encoder.include_contentsize(pledged).expect("a setting");
        if pledged {
            encoder.set_pledged_src_size(Some(content as u64)).expect("a size");
        }
        encoder.write_all(&vec![7; content]).expect("written");
        encoder.finish().expect("written")
    }

    #[test]
    fn the_window_is_that_of_the_frame() {
        for log in [10, 17, 23, 25] {
            assert_eq!(window(&head(log, 10, false)), Some(1 << log));
        }
        for content in [1, 200, 300, 70_000, 1 << 20] {
            assert_eq!(window(&head(23, content, true)), Some(content as u64));
        }
        assert_eq!(window(b"\x50\x2a\x4d\x18\0\0\0\0"), None);
        assert_eq!(window(b""), None);
    }

    #[test]
    fn limit_of_zstd_windows() {
        let large =
            |log: u32| [0x28, 0xb5, 0x2f, 0xfd, 0, u8::try_from(log - 10).expect("small") << 3];
        let mut windows = ZstdWindows::new();
        let outer = windows.enter(&large(27)).expect("128 MiB");
        let inner = windows.enter(&large(26)).expect("192 MiB");
        assert_eq!((outer.log_max(), inner.log_max()), (27, 26));
        assert!(windows.enter(&large(10)).is_err());
        windows.leave(inner);
        let inner = windows.enter(&large(10)).expect("136 MiB");
        windows.leave(inner);
        windows.leave(outer);
        assert!(windows.enter(&large(31)).is_ok_and(|window| window.log_max() == 27));
    }
}
