//! Tests of the installed library, and of what is compared with other programs of ours. `ci/test-capi`
//! installs it, and names it in `MULTIARCH_CAPI_PREFIX`.

mod command;
#[path = "../common/mod.rs"]
mod common;
mod linking;
mod symbols;
