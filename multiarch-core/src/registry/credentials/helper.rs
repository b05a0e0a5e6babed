//! Asks a credential helper of docker for a login.
//!
//! Protocol: <https://github.com/docker/docker-credential-helpers#development>

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde::Deserialize;

use crate::config::Credentials;

/// The longest text of a helper that is shown.
const MAX_SHOWN: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// The login that a helper keeps for a host; `None` where it keeps none.
///
/// An error names the program, with the first line of what it said: why it failed, as when a session has
/// ended, stands only there.
pub(super) fn ask(helper: &str, host: &str) -> std::result::Result<Option<Credentials>, String> {
    let program = format!("docker-credential-{helper}");
    let failed = |why: &dyn std::fmt::Display| format!("{program}: {why}");
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(&e))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper may end without reading.
        let _ = stdin.write_all(host.as_bytes());
    }
    let output = child.wait_with_output().map_err(|e| failed(&e))?;
    let (said, errors, status) = (output.stdout, output.stderr, output.status);
    if status.success() {
        // The cause is not shown: it might quote the secret.
        let answer: HelperAnswer = serde_json::from_slice(&said)
            .map_err(|_| failed(&"its answer is not the JSON of a login"))?;
        return Ok(login(answer));
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let (said, errors) = (text(&said), text(&errors));
    if said.contains("credentials not found") || errors.contains("credentials not found") {
        return Ok(None);
    }
    let told = if errors.is_empty() { said } else { errors };
    let line: String = told.lines().next().unwrap_or("").chars().take(MAX_SHOWN).collect();
    Err(if line.is_empty() { failed(&status) } else { failed(&line) })
}

fn login(answer: HelperAnswer) -> Option<Credentials> {
    let HelperAnswer { username, secret } = answer;
    match username.as_str() {
        _ if secret.is_empty() => None,
        "<token>" => Some(Credentials::IdentityToken(secret)),
        _ => Some(Credentials::basic(username, secret)),
    }
}
