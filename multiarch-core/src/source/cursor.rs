//! A reader and its offset.

use std::io::Read;

/// A reader of one stream, and its offset `at` in the stream.
pub(super) struct Cursor {
    pub(super) at: u64,
    pub(super) reader: Box<dyn Read + Send>,
}
