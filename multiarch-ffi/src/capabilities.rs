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
    let codes: Map<String, Value> =
        ErrorKind::ALL.iter().map(|kind| (name(*kind), code::of(*kind).into())).collect();
    let document = json!({
        "schema": "multiarch.capabilities/v1",
        "version": env!("CARGO_PKG_VERSION"),
        "abi_version": MULTIARCH_ABI_VERSION,
        "formats": [
            "bundle", "docker-archive", "oci-layout", "tar", "tar.gz", "tar.zst", "directory",
        ],
        "targets": ["oci", "docker", "https", "http"],
        "chart_repositories": ["dir", "oci", "chartmuseum", "harbor"],
        "options": Request::SCHEMA,
        "schemas": {
            "inspect": "multiarch.inspections/v1",
            "status": Status::SCHEMA,
            "plan": Plan::SCHEMA,
            "verify": Plan::SCHEMA,
            "apply": Report::SCHEMA,
            "import": Report::SCHEMA,
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
