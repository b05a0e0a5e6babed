//! Other people's programs.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// A tool that `ci/test` installs. If it is missing the test fails, because nothing is skipped.
pub(crate) fn tool(name: &str) -> Command {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools").join(name);
    let found = if own.exists() { own } else { name.into() };
    let mut command = Command::new(found);
    // The user's own credentials and settings are not used.
    command.env("DOCKER_CONFIG", "/nonexistent").env("REGCTL_CONFIG", "/nonexistent/regctl.json");
    command
}

pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}; `ci/test` installs what the tests need"));
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {err}");
    String::from_utf8(output.stdout).expect("text")
}
