//! What the library can do, as JSON.

use multiarch_core::{ErrorKind, Plan, Report, Status};
use serde_json::{Map, Value, json};

use crate::{
    about::MULTIARCH_ABI_VERSION,
    answer::{Answer, Failure},
    code,
    request::Request,
};

/// The capabilities.
pub(crate) fn answer() -> Result<Answer, Failure> {
    let own = [("other", code::MULTIARCH_ERROR_OTHER), ("panic", code::MULTIARCH_ERROR_PANIC)];
    let own = own.map(|(name, code)| (name.to_owned(), Value::from(code)));
    let kinds = ErrorKind::ALL.iter().map(|kind| (name(*kind), code::of(*kind).into()));
    let codes: Map<String, Value> = own.into_iter().chain(kinds).collect();
    let document = json!({
        "schema": "multiarch.capabilities/v1",
        "version": env!("CARGO_PKG_VERSION"),
        "abi_version": MULTIARCH_ABI_VERSION,
        "features": ["registry"],
        "formats": [
            "bundle", "docker-archive", "oci-layout", "tar", "tar.gz", "tar.zst", "directory",
        ],
        "targets": ["oci", "docker", "https", "http"],
        "chart_repositories": ["dir", "oci", "chartmuseum", "harbor"],
        "schemas": {
            "inspect": "multiarch.inspections/v1",
            "status": Status::SCHEMA,
            "plan": Plan::SCHEMA,
            "verify": Plan::SCHEMA,
            "apply": Report::SCHEMA,
            "import": Report::SCHEMA,
            "options": Request::SCHEMA,
            "config": Request::SCHEMA,
            "progress": "multiarch.progress/v1",
            "error": "multiarch.error/v1",
        },
        "error_codes": codes,
    });
    Answer::new(&document, true)
}

/// The kind as JSON has it.
fn name(kind: ErrorKind) -> String {
    serde_json::to_value(kind)
        .ok()
        .and_then(|name| name.as_str().map(ToOwned::to_owned))
        .unwrap_or_default()
}
