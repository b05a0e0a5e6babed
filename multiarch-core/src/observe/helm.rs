//! Renders charts with the user's own Helm.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{Read, Seek, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{
    chart::rendered_images,
    error::{Detail, Error, ErrorKind, Result},
    limit,
    plan::Options,
    run::Cancel,
};

/// How long one chart may take.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// How often a running Helm is looked at.
const INTERVAL: Duration = Duration::from_millis(10);
/// A Helm that was found.
pub(super) struct Helm(PathBuf);

impl Helm {
    /// Finds the Helm of the options.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where it does not run.
    pub(super) fn find(options: &Options, cancel: &Cancel) -> Result<Self> {
        let helm = Self(options.helm.clone().unwrap_or_else(|| "helm".into()));
        let usage = |what: &str| {
            let program = helm.0.display();
            let message =
                format!("{program}, which is to render charts, does not run as helm: {what}");
            Error::new(ErrorKind::Usage, message).with_detail(Detail::Helm)
        };
        let run = helm.run(&["version", "--short"], Stdio::null(), cancel);
        let run = run.map_err(|error| match error.kind() {
            ErrorKind::Cancelled => error,
            _ => usage(error.message()),
        })?;
        // `v3.22.0+g2a7e3b1`
        let is_version = |text: &str| {
            let number = text.trim().strip_prefix('v').and_then(|text| text.split('.').next());
            number.is_some_and(|number| number.parse::<u32>().is_ok())
        };
        match run.succeeded && is_version(&run.stdout) {
            true => Ok(helm),
            false => Err(usage("it prints no version of helm")),
        }
    }

    /// The images that a packed chart runs with its default values.
    ///
    /// # Errors
    /// [`ErrorKind::Hint`] with Helm's own words where it does not render the chart; [`ErrorKind::Io`] where
    /// Helm itself fails; [`ErrorKind::Cancelled`].
    pub(super) fn images(&self, packed: &[u8], cancel: &Cancel) -> Result<BTreeSet<String>> {
        // Helm reads a file, not a stream. A file without a name needs no removal.
        let mut chart = temporary()?;
        chart.write_all(packed).and_then(|()| chart.rewind()).map_err(failed)?;
        let words = ["template", "release", "/dev/stdin", "--skip-tests"];
        let run = self.run(&words, chart.into(), cancel)?;
        if run.succeeded {
            return rendered_images(&run.stdout);
        }
        let message = run.stderr.lines().find_map(|line| line.strip_prefix("Error: "));
        match message {
            Some(message) => Err(Error::new(ErrorKind::Hint, message)),
            None => Err(Error::new(
                ErrorKind::Io,
                "helm failed to render the chart, and does not say why",
            )),
        }
    }

    fn run(&self, words: &[&str], stdin: Stdio, cancel: &Cancel) -> Result<HelmRun> {
        // What is printed goes to files: a pipe would be open for as long as any process that Helm started.
        let (stdout, stderr) = (temporary()?, temporary()?);
        let mut helm = Command::new(&self.0);
        helm.args(words).env("HELM_NO_PLUGINS", "1").stdin(stdin).process_group(0);
        helm.stdout(stdout.try_clone().map_err(failed)?);
        helm.stderr(stderr.try_clone().map_err(failed)?);
        let mut child = helm.spawn().map_err(|e| Error::from_io("starting helm", e))?;
        let succeeded = wait(&mut child, &[&stdout, &stderr], cancel)?;
        Ok(HelmRun { succeeded, stdout: read(stdout), stderr: read(stderr) })
    }
}

/// How a run of Helm ended, and what it printed.
struct HelmRun {
    succeeded: bool,
    stdout: String,
    stderr: String,
}

fn temporary() -> Result<File> {
    tempfile::tempfile().map_err(failed)
}

fn failed(error: std::io::Error) -> Error {
    Error::from_io("rendering a chart", error)
}

/// What was printed; what was read before a failure is enough.
fn read(mut file: File) -> String {
    let mut bytes = Vec::new();
    let _ = file.rewind().and_then(|()| file.take(limit::HELM_OUTPUT.max).read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Waits for the end, and returns whether it was a success.
fn wait(child: &mut Child, output: &[&File], cancel: &Cancel) -> Result<bool> {
    let begun = Instant::now();
    let is_large =
        |file: &&File| file.metadata().is_ok_and(|file| file.len() > limit::HELM_OUTPUT.max);
    loop {
        let status = child.try_wait().map_err(|e| Error::from_io("waiting for helm", e));
        let broken = |why: &str| Some(Error::new(ErrorKind::Io, why));
        let stop = match (&status, cancel.check()) {
            (_, Err(error)) => Some(error),
            (Err(error), _) => Some(error.clone()),
            _ if output.iter().any(is_large) => broken("helm prints more than 64 MiB"),
            _ if begun.elapsed() > TIME_LIMIT => broken("helm has not ended after a minute"),
            _ => None,
        };
        match (stop, status) {
            (None, Ok(Some(status))) => return Ok(status.success()),
            (None, _) => std::thread::sleep(INTERVAL),
            (Some(error), _) => {
                // Helm may be a script, and what prints is a program that it started.
                let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
                let _ = child.wait();
                return Err(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The length of what a script prints that is taken for Helm.
    fn printed(folder: &std::path::Path, script: &str) -> Result<usize> {
        let path = folder.join("helm");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, executable).expect("executable");
        Helm(path).run(&[], Stdio::null(), &Cancel::new()).map(|run| run.stdout.len())
    }

    #[test]
    fn limit_of_helm_output() {
        let folder = tempfile::tempdir().expect("a folder");
        let of =
            |mebibytes: usize| printed(folder.path(), &format!("head -c {mebibytes}M /dev/zero"));
        assert_eq!(of(60).expect("within the limit"), 60 << 20);
        assert!(of(65).is_err());
    }

    #[test]
    fn what_helm_started_ends_with_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let pid = folder.path().join("pid");
        let script = format!("cat /dev/zero &\necho $! > {}\nwait", pid.display());
        assert!(printed(folder.path(), &script).is_err());
        let pid = std::fs::read_to_string(pid).expect("started");
        let lives = || {
            let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim()));
            status.is_ok_and(|status| !status.contains("State:\tZ"))
        };
        while lives() {
            std::thread::sleep(INTERVAL);
        }
    }
}
