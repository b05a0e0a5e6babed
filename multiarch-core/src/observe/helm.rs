//! Renders charts with the user's own Helm.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{Read, Seek, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    chart::rendered_images,
    error::{Detail, Error, ErrorKind, Result},
    plan::Options,
    run::Cancel,
};

/// How long one chart may take.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// How often a running Helm is looked at.
const INTERVAL: Duration = Duration::from_millis(10);
/// How many bytes it may print.
const MAX_OUTPUT: u64 = 64 << 20;

/// A Helm that was found.
pub(super) struct Helm(PathBuf);

impl Helm {
    /// Finds the Helm of the options.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where it does not run.
    pub(super) fn find(options: &Options) -> Result<Self> {
        let program = options.helm.clone().unwrap_or_else(|| "helm".into());
        let mut version = Command::new(&program);
        version.args(["version", "--short"]).stdin(Stdio::null());
        let failed = |what: String| {
            let message =
                format!("{}, which is to render charts, does not run: {what}", program.display());
            Error::new(ErrorKind::Usage, message).with_detail(Detail::Helm)
        };
        let output = version.output().map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(failed(output.status.to_string()));
        }
        Ok(Self(program))
    }

    /// The images that a packed chart runs with its default values.
    ///
    /// # Errors
    /// [`ErrorKind::Hint`] with Helm's own words where it does not render the chart;
    /// [`ErrorKind::Cancelled`].
    pub(super) fn images(&self, packed: &[u8], cancel: &Cancel) -> Result<BTreeSet<String>> {
        let failed = |error| Error::from_io("rendering a chart", error);
        // Helm reads a file, not a stream. A file without a name needs no removal. What it prints goes to such
        // files, too: a pipe would be open for as long as any process that Helm started.
        let file = || tempfile::tempfile().map_err(failed);
        let (mut chart, stdout, stderr) = (file()?, file()?, file()?);
        chart.write_all(packed).and_then(|()| chart.rewind()).map_err(failed)?;
        let mut helm = Command::new(&self.0);
        helm.args(["template", "release", "/dev/stdin", "--skip-tests"]);
        helm.env("HELM_NO_PLUGINS", "1").stdin(chart);
        helm.stdout(stdout.try_clone().map_err(failed)?);
        helm.stderr(stderr.try_clone().map_err(failed)?);
        let mut child = helm.spawn().map_err(failed)?;
        let ended = wait(&mut child, &[&stdout, &stderr], cancel)?;
        if ended {
            return rendered_images(&read(stdout));
        }
        let messages = read(stderr);
        let mut lines = messages.lines();
        let message = lines.clone().find_map(|line| line.strip_prefix("Error: "));
        let message = message.or_else(|| lines.next_back()).unwrap_or("it says nothing");
        Err(Error::new(ErrorKind::Hint, message))
    }
}

/// What was printed; what was read before a failure is enough.
fn read(mut file: File) -> String {
    let mut bytes = Vec::new();
    let _ = file.rewind().and_then(|()| file.take(MAX_OUTPUT).read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Waits for the end, and returns whether it was a success.
fn wait(child: &mut Child, output: &[&File], cancel: &Cancel) -> Result<bool> {
    let begun = Instant::now();
    let is_large = |file: &&File| file.metadata().is_ok_and(|file| file.len() > MAX_OUTPUT);
    loop {
        let status = child.try_wait().map_err(|e| Error::from_io("waiting for helm", e));
        let hint = |why: &str| Some(Error::new(ErrorKind::Hint, why));
        let stop = match (&status, cancel.check()) {
            (_, Err(error)) => Some(error),
            (Err(error), _) => Some(error.clone()),
            _ if output.iter().any(is_large) => hint("it prints more than 64 MiB"),
            _ if begun.elapsed() > TIME_LIMIT => hint("it has not ended after a minute"),
            _ => None,
        };
        match (stop, status) {
            (None, Ok(Some(status))) => return Ok(status.success()),
            (None, _) => std::thread::sleep(INTERVAL),
            (Some(error), _) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
        }
    }
}
