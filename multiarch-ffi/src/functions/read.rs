//! The functions that write nothing to a target.

use std::ffi::{c_char, c_void};

use multiarch_core::{
    Change, ChartAction, ClusterConfig, Error, Package, Plan, PlannedImage, PlannedUpload,
    own_address,
};
use serde_json::json;

use super::Arguments;
use crate::{
    answer::Answer,
    boundary::{self, Out},
    call::Call,
    cancel::CancelHandle,
    credentials,
    error::CallError,
    progress::Progress,
    request::Request,
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
        Call::run(None, None, |call| {
            let request = Request::parse(options)?;
            #[cfg(feature = "faults")]
            crate::faults::act(&request)?;
            request.import(&call.meter, &call.cancel)?;
            Ok(())
        })
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
        Call::run(None, None, |_| {
            let config = ClusterConfig::parse(text.as_bytes())?;
            let mut document = json!({"schema": Request::SCHEMA, "packages": config.packages});
            if let Some(found) = config.destination(own_address)? {
                document["target"] = found.images.into();
                if let Some(login) = &found.images_credentials {
                    document["credentials"] = credentials::write(login);
                }
                if let Some(charts) = found.charts {
                    document["charts_to"] = charts.into();
                }
                if let Some(login) = &found.charts_credentials {
                    document["chart_credentials"] = credentials::write(login);
                }
            }
            Answer::new(&document, true)
        })
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
    let body = |request: Request, call: &Call| {
        let (mut packages, mut problems): (Vec<Package>, Vec<Error>) = Default::default();
        let options = request.open_options(&call.meter, &call.cancel);
        for opened in options.open_all(&request.packages)? {
            match opened {
                Ok(package) => packages.push(package),
                Err(error) => problems.push(error),
            }
        }
        let inspections: Vec<_> = packages.iter().map(Package::inspect).collect();
        let sound = inspections.iter().all(|inspection| inspection.is_sound());
        let document = json!({
            "schema": "multiarch.inspections/v1", "packages": inspections, "problems": problems,
        });
        Answer::new(&document, sound && problems.is_empty())
    };
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
    let body = |request: Request, call: &Call| {
        let status = request.import(&call.meter, &call.cancel)?.status()?;
        Answer::new(&status, status.is_sound())
    };
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
    let body = |request: Request, call: &Call| {
        let plan = request.import(&call.meter, &call.cancel)?.plan()?;
        Answer::new(&plan, plan.complete)
    };
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
    let body = |mut request: Request, call: &Call| {
        request.options.verify = true;
        let plan = request.import(&call.meter, &call.cancel)?.plan()?;
        Answer::new(&plan, has_nothing_to_do(&plan))
    };
    // SAFETY: the header says of each argument what `run` demands.
    unsafe { given.run(body) }
}

/// True where applying the plan would write nothing, and nothing is wrong.
fn has_nothing_to_do(plan: &Plan) -> bool {
    let restores = |image: &PlannedImage| {
        image.decisions.iter().any(|made| matches!(made.decision.change, Change::Restored))
    };
    let stays =
        |upload: &PlannedUpload| matches!(upload.action, ChartAction::Present | ChartAction::Kept);
    plan.complete
        && plan.tags_to_write() == 0
        && plan.bytes_to_send == 0
        && !plan.images.iter().any(restores)
        && plan.charts.iter().filter_map(|chart| chart.upload.as_ref()).all(stays)
}
