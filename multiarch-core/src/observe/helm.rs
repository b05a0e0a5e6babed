//! Renders charts with the user's own Helm.

use std::{
    collections::BTreeSet,
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
/// Most bytes of manifests that are read of one chart.
const MAX_MANIFESTS: u64 = 64 << 20;

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
        // Helm reads a file, not a stream. A file without a name needs no removal.
        let mut file = tempfile::tempfile().map_err(failed)?;
        file.write_all(packed).and_then(|()| file.rewind()).map_err(failed)?;
        let mut helm = Command::new(&self.0);
        helm.args(["template", "release", "/dev/stdin", "--skip-tests"]);
        helm.env("HELM_NO_PLUGINS", "1").stdin(file).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = helm.spawn().map_err(failed)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (ended, manifests, messages) = std::thread::scope(|scope| {
            let manifests = scope.spawn(|| read(stdout));
            let messages = scope.spawn(|| read(stderr));
            let ended = wait(&mut child, cancel);
            (ended, manifests.join().unwrap_or_default(), messages.join().unwrap_or_default())
        });
        if ended? {
            return rendered_images(&manifests);
        }
        let mut lines = messages.lines();
        let message = lines.clone().find_map(|line| line.strip_prefix("Error: "));
        let message = message.or_else(|| lines.next_back()).unwrap_or("it says nothing");
        Err(Error::new(ErrorKind::Hint, message))
    }
}

fn read(stream: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        // What was read before a failure is enough for a message; a failure of Helm itself shows in its
        // exit code.
        let _ = stream.take(MAX_MANIFESTS).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Waits for the end, and returns whether it was a success.
fn wait(child: &mut Child, cancel: &Cancel) -> Result<bool> {
    let begun = Instant::now();
    loop {
        let status = child.try_wait().map_err(|e| Error::from_io("waiting for helm", e));
        if let Ok(Some(status)) = status {
            return Ok(status.success());
        }
        let stop = match (status, cancel.check()) {
            (Err(error), _) | (_, Err(error)) => Some(error),
            _ if begun.elapsed() > TIME_LIMIT => {
                Some(Error::new(ErrorKind::Hint, "it has not ended after a minute"))
            }
            _ => None,
        };
        if let Some(error) = stop {
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
        std::thread::sleep(INTERVAL);
    }
}
