//! The functions that write to a target.

use std::ffi::{c_char, c_void};

use multiarch_core::embed::Request;

use super::Arguments;
use crate::{
    boundary::Out, call::Call, cancel::CancelHandle, error::CallError, progress::Progress,
    result::CallResult, text,
};

/// Imports packages into the target, and fuses them with what is there: `multiarch_plan` and
/// `multiarch_apply` in one.
///
/// - `options`: borrowed; `options_length` bytes of JSON of the schema `multiarch.options/v1`.
/// - `cancel`: borrowed until the call returns; NULL where nothing is to cancel it. Cancelled after
///   writing has begun, the call still has a result, whose member `cancelled` is true.
/// - `progress`: called until the call returns; NULL where it is not wanted. `user_data` is handed to it.
/// - `result`: written; JSON of the schema `multiarch.report/v1`, owned by the caller. Complete where all
///   that was asked for is in the target; otherwise the same call does what is left.
/// - `error`: written; owned by the caller, where nothing was written to the target. NULL where it is not
///   wanted.
/// - Returns: `MULTIARCH_OK`, or the error's code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_import(
    options: *const c_char,
    options_length: usize,
    cancel: *const CancelHandle,
    progress: Progress,
    user_data: *mut c_void,
    result: *mut *mut CallResult,
    error: *mut *mut CallError,
) -> i32 {
    let given = Arguments { options, options_length, cancel, progress, user_data, result, error };
    let body =
        |request: Request, call: &Call| Ok(request.import(&call.meter, &call.cancel)?.write()?);
    // SAFETY: the header says of each argument what `run` demands.
    unsafe { given.run(body) }
}

/// Does what a plan says. The target is asked again first, and nothing is written where a decision would
/// differ.
///
/// - `options`: borrowed; `options_length` bytes of JSON of the schema `multiarch.options/v1`. Takes the
///   logins, `cache`, and the options of how servers are reached (`ca-files`, `insecure-hosts`,
///   `client-certificate`, `client-key`, `auth-file`, `limit-rate`, `jobs`); the others are the plan's.
///   `target`, `charts_to` and `packages` may be left out, and are refused where the plan has others.
/// - `plan`: borrowed; `plan_length` bytes of JSON of the schema `multiarch.plan/v2`.
/// - `cancel`: borrowed until the call returns; NULL where nothing is to cancel it. Cancelled after
///   writing has begun, the call still has a result, whose member `cancelled` is true.
/// - `progress`: called until the call returns; NULL where it is not wanted. `user_data` is handed to it.
/// - `result`: written; JSON of the schema `multiarch.report/v1`, owned by the caller. Complete where the
///   plan was, and all of it is in the target.
/// - `error`: written; owned by the caller, where nothing was written to the target. NULL where it is not
///   wanted.
/// - Returns: `MULTIARCH_OK`, or the error's code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn multiarch_apply(
    options: *const c_char,
    options_length: usize,
    plan: *const c_char,
    plan_length: usize,
    cancel: *const CancelHandle,
    progress: Progress,
    user_data: *mut c_void,
    result: *mut *mut CallResult,
    error: *mut *mut CallError,
) -> i32 {
    // SAFETY: the header demands this many bytes, until the function returns.
    let plan = match unsafe { text::read(plan, plan_length, "plan") } {
        Ok(plan) => plan,
        // SAFETY: the header demands that both can be written.
        Err(wrong) => return unsafe { Out { result, error }.of(|| Err(wrong.into())) },
    };
    let given = Arguments { options, options_length, cancel, progress, user_data, result, error };
    let body = |request: Request, call: &Call| {
        Ok(request.apply(plan, &call.meter, &call.cancel)?.write()?)
    };
    // SAFETY: the header says of each argument what `run` demands.
    unsafe { given.run(body) }
}
