//! The functions that write nothing to a target.

use std::ffi::{c_char, c_void};

use multiarch_core::embed::{self, Request};

use super::{Arguments, request};
use crate::{
    boundary::{self, Out},
    call::Call,
    cancel::CancelHandle,
    error::CallError,
    progress::Progress,
    result::CallResult,
    text,
};

/// Checks a document of options: its form, its members, its addresses. Opens no file and asks no server.
///
/// - `options`: borrowed; `options_length` bytes of JSON of the schema `multiarch.options/v1`, with a
///   `target`.
/// - `error`: written; owned by the caller. NULL where it is not wanted.
/// - Returns: `MULTIARCH_OK`, or the error's code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_options_check(
    options: *const c_char,
    options_length: usize,
    error: *mut *mut CallError,
) -> i32 {
    let body = || {
        // SAFETY: the header demands this many bytes, until the function returns.
        let options = unsafe { text::read(options, options_length, "options") }?;
        Call::run(None, None, |_| Ok(request(options)?.check()?))
    };
    // SAFETY: the header demands that it can be written.
    unsafe { boundary::check(error, body) }
}

/// Reads the installer's `clusterConfig.yaml`, and gives the options that it means: packages, target and
/// chart repository, with the logins that stand in it. The result is a document of options, to be given to
/// the other functions as it is or with more members; it holds secrets. Where the file says `auto`, the
/// target is this machine's own address. Without `imagesAndCharts` there is no target in the result.
///
/// - `text`: borrowed; `text_length` bytes of YAML, the content of the file.
/// - `result`: written; JSON of the schema `multiarch.options/v1`, owned by the caller.
/// - `error`: written; owned by the caller. NULL where it is not wanted.
/// - Returns: `MULTIARCH_OK`, or the error's code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_config(
    text: *const c_char,
    text_length: usize,
    result: *mut *mut CallResult,
    error: *mut *mut CallError,
) -> i32 {
    let body = || {
        // SAFETY: the header demands this many bytes, until the function returns.
        let text = unsafe { text::read(text, text_length, "clusterConfig.yaml") }?;
        Call::run(None, None, |_| Ok(embed::config(text)?))
    };
    // SAFETY: the header demands that both can be written.
    unsafe { Out { result, error }.of(body) }
}

/// Lists what packages hold: charts, images, their platforms.
///
/// - `options`: borrowed; `options_length` bytes of JSON of the schema `multiarch.options/v1`. Takes
///   `packages`, `cache` and `read_programs`.
/// - `cancel`: borrowed until the call returns; NULL where nothing is to cancel it.
/// - `progress`: called until the call returns; NULL where it is not wanted. `user_data` is handed to it.
/// - `result`: written; JSON of the schema `multiarch.inspections/v1`, owned by the caller. Complete where
///   all packages can be imported as a whole.
/// - `error`: written; owned by the caller. NULL where it is not wanted.
/// - Returns: `MULTIARCH_OK`, or the error's code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_inspect(
    options: *const c_char,
    options_length: usize,
    cancel: *const CancelHandle,
    progress: Progress,
    user_data: *mut c_void,
    result: *mut *mut CallResult,
    error: *mut *mut CallError,
) -> i32 {
    let given = Arguments { options, options_length, cancel, progress, user_data, result, error };
    let body = |request: Request, call: &Call| Ok(request.inspect(&call.meter, &call.cancel)?);
    // SAFETY: the header says of each argument what `run` demands.
    unsafe { given.run(body) }
}

/// Reports what the target holds: each tag, and its platforms. With packages, only their tags, and their
/// charts. Writes nothing.
///
/// - `options`: borrowed; `options_length` bytes of JSON of the schema `multiarch.options/v1`.
/// - `cancel`: borrowed until the call returns; NULL where nothing is to cancel it.
/// - `progress`: called until the call returns; NULL where it is not wanted. `user_data` is handed to it.
/// - `result`: written; JSON of the schema `multiarch.status/v1`, owned by the caller. Complete where all
///   tags could be read, and the target has what they list.
/// - `error`: written; owned by the caller. NULL where it is not wanted.
/// - Returns: `MULTIARCH_OK`, or the error's code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_status(
    options: *const c_char,
    options_length: usize,
    cancel: *const CancelHandle,
    progress: Progress,
    user_data: *mut c_void,
    result: *mut *mut CallResult,
    error: *mut *mut CallError,
) -> i32 {
    let given = Arguments { options, options_length, cancel, progress, user_data, result, error };
    let body = |request: Request, call: &Call| Ok(request.status(&call.meter, &call.cancel)?);
    // SAFETY: the header says of each argument what `run` demands.
    unsafe { given.run(body) }
}

/// Plans an import: what will be sent, written and kept. Writes nothing.
///
/// - `options`: borrowed; `options_length` bytes of JSON of the schema `multiarch.options/v1`.
/// - `cancel`: borrowed until the call returns; NULL where nothing is to cancel it.
/// - `progress`: called until the call returns; NULL where it is not wanted. `user_data` is handed to it.
/// - `result`: written; JSON of the schema `multiarch.plan/v2`, owned by the caller, for `multiarch_apply`.
///   It holds no secrets. Complete where it has everything that was asked for.
/// - `error`: written; owned by the caller. NULL where it is not wanted.
/// - Returns: `MULTIARCH_OK`, or the error's code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_plan(
    options: *const c_char,
    options_length: usize,
    cancel: *const CancelHandle,
    progress: Progress,
    user_data: *mut c_void,
    result: *mut *mut CallResult,
    error: *mut *mut CallError,
) -> i32 {
    let given = Arguments { options, options_length, cancel, progress, user_data, result, error };
    let body = |request: Request, call: &Call| Ok(request.plan(&call.meter, &call.cancel)?);
    // SAFETY: the header says of each argument what `run` demands.
    unsafe { given.run(body) }
}

/// Compares the target with packages, down to each layer that its tags list. Writes nothing.
///
/// - `options`: borrowed; `options_length` bytes of JSON of the schema `multiarch.options/v1`; its option
///   `verify` counts as set.
/// - `cancel`: borrowed until the call returns; NULL where nothing is to cancel it.
/// - `progress`: called until the call returns; NULL where it is not wanted. `user_data` is handed to it.
/// - `result`: written; JSON of the schema `multiarch.plan/v2`, the plan of what an import would do, owned
///   by the caller. Complete where an import would have nothing to do, because all is there.
/// - `error`: written; owned by the caller. NULL where it is not wanted.
/// - Returns: `MULTIARCH_OK`, or the error's code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_verify(
    options: *const c_char,
    options_length: usize,
    cancel: *const CancelHandle,
    progress: Progress,
    user_data: *mut c_void,
    result: *mut *mut CallResult,
    error: *mut *mut CallError,
) -> i32 {
    let given = Arguments { options, options_length, cancel, progress, user_data, result, error };
    let body = |request: Request, call: &Call| Ok(request.verify(&call.meter, &call.cancel)?);
    // SAFETY: the header says of each argument what `run` demands.
    unsafe { given.run(body) }
}
