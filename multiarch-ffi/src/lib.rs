//! C library of multiarch.
//!
//! What a C program reads is `include/multiarch.h`, which is made from the comments of this crate: the
//! conventions stand in `cbindgen.toml`, functions beside their code.
//!
//! - [`functions`]: the calls that do something, each one line over `multiarch_core::embed`
//! - [`result`], [`error`], [`code`], [`cancel`], [`about`]: what stands around them
//! - [`boundary`], [`call`], [`progress`], [`panics`], [`text`]: what makes a call safe for its caller
#![allow(unsafe_code, reason = "pointers of C; each block says why it is sound")]
#![allow(clippy::missing_safety_doc, reason = "the header says for each pointer what it must be")]
#![deny(unsafe_op_in_unsafe_fn)]

mod about;
mod boundary;
mod call;
mod cancel;
mod code;
mod error;
mod failure;
#[cfg(feature = "faults")]
mod faults;
mod functions;
mod panics;
mod progress;
mod result;
mod text;

pub use about::{
    MULTIARCH_ABI_VERSION, multiarch_abi_1, multiarch_abi_version, multiarch_capabilities,
    multiarch_version,
};
pub use cancel::{CancelHandle, multiarch_cancel_free, multiarch_cancel_new, multiarch_cancel_now};
pub use code::*;
pub use error::{CallError, multiarch_error_code, multiarch_error_free, multiarch_error_json};
pub use functions::{
    multiarch_apply, multiarch_config, multiarch_import, multiarch_inspect,
    multiarch_options_check, multiarch_plan, multiarch_status, multiarch_verify,
};
pub use progress::Progress;
pub use result::{
    CallResult, multiarch_result_complete, multiarch_result_free, multiarch_result_json,
};
