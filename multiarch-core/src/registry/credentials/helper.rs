//! Asks a credential helper of docker for a login.
//!
//! Protocol: <https://github.com/docker/docker-credential-helpers#development>

use std::{
    io::{Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use serde::Deserialize;

use crate::{config::Credentials, limit, run::Cancel};

/// One that asks for a password by itself is given the time to type it.
const TIME_LIMIT: Duration = Duration::from_secs(120);
/// How often it is looked at.
const INTERVAL: Duration = Duration::from_millis(50);
/// What it has printed is there when it ends; a program that it started may keep the pipe open.
const GRACE: Duration = Duration::from_secs(1);

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
pub(super) fn ask(
    helper: &str,
    host: &str,
    cancel: &Cancel,
) -> std::result::Result<Option<Credentials>, String> {
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
    let output = (printed(child.stdout.take()), printed(child.stderr.take()));
    let ended = wait(&mut child, [&output.0, &output.1], cancel);
    if ended.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let (status, [said, errors]) = ended.map_err(|why| failed(&why))?;
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

/// What a program prints, once it is all there, and not more of it than the limit and a byte.
fn printed(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    let read = move || {
        let mut text = Vec::new();
        if let Some(pipe) = pipe {
            let _ = pipe.take(limit::HELPER_OUTPUT.max + 1).read_to_end(&mut text);
        }
        let _ = sender.send(text);
    };
    // Without a thread nothing is sent, which is an error as well.
    let _ = std::thread::Builder::new().spawn(read);
    receiver
}

/// Waits for the end of a helper, and gives what it has printed.
fn wait(
    child: &mut Child,
    output: [&Receiver<Vec<u8>>; 2],
    cancel: &Cancel,
) -> std::result::Result<(ExitStatus, [Vec<u8>; 2]), String> {
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
            break status;
        }
        cancel.check().map_err(|e| e.message().to_owned())?;
        if begun.elapsed() > TIME_LIMIT {
            return Err(format!("it has not ended after {} seconds", TIME_LIMIT.as_secs()));
        }
        std::thread::sleep(INTERVAL);
    };
    let texts = output.map(|text| text.recv_timeout(GRACE));
    let [said, errors] = texts.map(|text| match text {
        Ok(text) => limit::HELPER_OUTPUT
            .check(text.len())
            .map(|()| text)
            .map_err(|e| e.message().to_owned()),
        Err(RecvTimeoutError::Timeout) => {
            Err("it has ended, and a program that it started holds its output".into())
        }
        Err(RecvTimeoutError::Disconnected) => Err("its output could not be read".into()),
    });
    Ok((status, [said?, errors?]))
}

fn login(answer: HelperAnswer) -> Option<Credentials> {
    let HelperAnswer { username, secret } = answer;
    match username.as_str() {
        _ if secret.is_empty() => None,
        "<token>" => Some(Credentials::IdentityToken(secret)),
        _ => Some(Credentials::basic(username, secret)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a shell prints, and how it ends.
    fn run(script: &str) -> std::result::Result<(ExitStatus, [Vec<u8>; 2]), String> {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = shell.spawn().expect("starts");
        let output = (printed(child.stdout.take()), printed(child.stderr.take()));
        wait(&mut child, [&output.0, &output.1], &Cancel::new())
    }

    #[test]
    fn limit_of_helper_output() {
        let of = |kibibytes: u32| run(&format!("head -c {kibibytes}K /dev/zero"));
        assert_eq!(of(64).expect("within the limit").1[0].len(), 64 << 10);
        assert!(of(65).expect_err("beyond the limit").contains("64 KiB"));
        assert!(run("cat /dev/zero").expect_err("without end").contains("64 KiB"));
    }

    #[test]
    fn a_program_that_holds_the_output_is_not_waited_for() {
        let why = run("sleep 5 & echo {}").expect_err("it is open");
        assert!(why.contains("a program that it started"), "{why}");
    }

    #[test]
    fn a_signal_ends_the_wait() {
        let mut child = Command::new("sleep").arg("5").spawn().expect("starts");
        let (cancel, output) = (Cancel::new(), (printed(None::<&[u8]>), printed(None::<&[u8]>)));
        cancel.cancel();
        assert!(wait(&mut child, [&output.0, &output.1], &cancel).is_err());
        child.kill().expect("killed");
        child.wait().expect("ended");
    }
}
