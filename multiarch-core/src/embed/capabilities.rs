//! What the library can do, as JSON.

use serde_json::{Value, json};

use super::Request;
use crate::{Inspection, Plan, Report, Status};

/// The document `multiarch.capabilities/v1`: version, features, formats of packages, targets, chart
/// repositories, and the schema of each document.
#[must_use]
pub fn capabilities() -> Value {
    let features: &[&str] = if cfg!(feature = "registry") { &["registry"] } else { &[] };
    json!({
        "schema": "multiarch.capabilities/v1",
        "version": env!("CARGO_PKG_VERSION"),
        "features": features,
        "formats": [
            "bundle", "docker-archive", "oci-layout", "tar", "tar.gz", "tar.zst", "directory",
        ],
        "targets": ["oci", "docker", "https", "http"],
        "chart_repositories": ["dir", "oci", "chartmuseum", "harbor"],
        "schemas": {
            "inspect": Inspection::LIST_SCHEMA,
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
    })
}
