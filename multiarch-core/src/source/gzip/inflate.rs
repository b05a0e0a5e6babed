//! The one unsafe module of this library: zlib's interface, made safe.
#![allow(
    unsafe_code,
    reason = "zlib-rs offers blocks, windows and bits through its C interface only"
)]

use libz_rs_sys as zlib;

/// How far back a deflate stream can refer, in bytes.
pub(super) const WINDOW: usize = 32 << 10;

/// A zlib stream that unpacks.
pub(super) struct Inflate {
    /// Boxed, so that it never moves: zlib keeps a pointer to it.
    stream: Box<zlib::z_stream>,
}

// SAFETY: the stream owns everything its pointers lead to, and is only used through `&mut self`.
unsafe impl Send for Inflate {}

/// What one call consumed and produced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) consumed: usize,
    pub(super) produced: usize,
    pub(super) state: BlockState,
}

/// Where the stream stands after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockState {
    /// Elsewhere: inside a block, in a header or before the trailer.
    Inside,
    /// Between two blocks; `bits` bits of the last consumed byte belong to the next one.
    Boundary { bits: u8 },
    /// After the last block; in a gzip stream, after its trailer.
    End,
}

const GZIP: i32 = 15 + 16;
const RAW: i32 = -15;

impl Inflate {
    /// A stream that begins with a gzip header and ends with its trailer.
    pub(super) fn gzip() -> Self {
        Self::with_bits(GZIP)
    }

    /// A raw deflate stream that begins at a block boundary: its first `bits` bits are the upper ones of
    /// `byte`, and `window` is the unpacked bytes before it.
    pub(super) fn resume(bits: u8, byte: u8, window: &[u8]) -> Self {
        let mut this = Self::with_bits(RAW);
        let length = u32::try_from(window.len().min(WINDOW)).unwrap_or(0);
        // SAFETY: the stream is initialised, and the window is valid for its length during the call.
        unsafe {
            if bits > 0 {
                let value = i32::from(byte) >> (8 - i32::from(bits));
                zlib::inflatePrime(&mut *this.stream, i32::from(bits), value);
            }
            zlib::inflateSetDictionary(&mut *this.stream, window.as_ptr(), length);
        }
        this
    }

    fn with_bits(bits: i32) -> Self {
        let mut stream = Box::new(zlib::z_stream::default());
        let size = i32::try_from(size_of::<zlib::z_stream>()).expect("a small struct");
        // SAFETY: the stream is a valid, zeroed z_stream; the version is a static C string.
        let code = unsafe { zlib::inflateInit2_(&mut *stream, bits, zlib::zlibVersion(), size) };
        assert_eq!(code, zlib::Z_OK, "zlib-rs refuses its own version or is out of memory");
        Self { stream }
    }

    /// Unpacks until the input is used up or the output is full; with `stop`, also stops at the next
    /// block boundary. The error is a message for users.
    pub(super) fn step(
        &mut self,
        input: &[u8],
        output: &mut [u8],
        stop: bool,
    ) -> Result<Step, &'static str> {
        let stream = &mut *self.stream;
        let available = u32::try_from(input.len()).unwrap_or(u32::MAX);
        let room = u32::try_from(output.len()).unwrap_or(u32::MAX);
        stream.next_in = input.as_ptr().cast_mut();
        stream.avail_in = available;
        stream.next_out = output.as_mut_ptr();
        stream.avail_out = room;
        let flush = if stop { zlib::Z_BLOCK } else { zlib::Z_NO_FLUSH };
        // SAFETY: both buffers are valid for their lengths during the call, and zlib does not write
        // to its input.
        let code = unsafe { zlib::inflate(stream, flush) };
        let consumed = (available - stream.avail_in) as usize;
        let produced = (room - stream.avail_out) as usize;
        // data_type: 128 is set after a block, 64 in the last block of the stream; the low three bits
        // are the number of unused bits of the last byte.
        let data_type = stream.data_type;
        let state = match code {
            zlib::Z_STREAM_END => BlockState::End,
            zlib::Z_OK | zlib::Z_BUF_ERROR if data_type & 128 != 0 && data_type & 64 == 0 => {
                BlockState::Boundary { bits: u8::try_from(data_type & 7).unwrap_or(0) }
            }
            zlib::Z_OK | zlib::Z_BUF_ERROR => BlockState::Inside,
            zlib::Z_NEED_DICT => return Err("a preset dictionary is needed"),
            zlib::Z_MEM_ERROR => return Err("out of memory"),
            _ => return Err("the compressed data is damaged"),
        };
        Ok(Step { consumed, produced, state })
    }

    /// The last unpacked bytes, at most 32 KiB.
    pub(super) fn window(&self) -> Box<[u8]> {
        let mut window = vec![0; WINDOW];
        let mut length = 0;
        // SAFETY: the buffer has 32 KiB, and zlib writes no more.
        unsafe {
            zlib::inflateGetDictionary(&raw const *self.stream, window.as_mut_ptr(), &mut length);
        }
        window.truncate(length as usize);
        window.into()
    }
}

impl Drop for Inflate {
    fn drop(&mut self) {
        // SAFETY: the stream was initialised, and is not used after this.
        unsafe {
            zlib::inflateEnd(&mut *self.stream);
        }
    }
}
