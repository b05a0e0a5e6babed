//! Progress as JSON.

use serde::Serialize;

use crate::{Meter, Phase, Progress};

/// The events of one run, of the schema `multiarch.progress/v1`.
#[derive(Debug, Default)]
pub struct Events {
    phase: Phase,
    waits: bool,
}

/// An event: a progress, the images that failed since the last one, and lines for a log.
#[derive(Serialize)]
struct Event<'a> {
    schema: &'static str,
    #[serde(flatten)]
    now: &'a Progress,
    failed: &'a [String],
    log: &'a [String],
}

impl Events {
    /// The next event, in one line. It takes from the meter what failed.
    pub fn next(&mut self, meter: &Meter) -> String {
        let (now, failed) = (meter.progress(), meter.take_failed());
        let log = self.log(&now, &failed);
        let event =
            Event { schema: "multiarch.progress/v1", now: &now, failed: &failed, log: &log };
        serde_json::to_string(&event).unwrap_or_default()
    }

    /// What is new since the last event.
    fn log(&mut self, now: &Progress, failed: &[String]) -> Vec<String> {
        let mut lines = Vec::new();
        if self.phase != now.phase {
            self.phase = now.phase;
            lines.push(String::from(match now.phase {
                Phase::Starting => "starting",
                Phase::Reading => "reading packages",
                Phase::Asking => "asking the target",
                Phase::Sending => "sending",
            }));
        }
        lines.extend(failed.iter().map(|image| format!("failed: {image}")));
        // Once a wait: its text changes every second.
        if let Some(what) = now.waiting_for.as_ref().filter(|_| !self.waits) {
            lines.push(format!("waiting for {what}"));
        }
        self.waits = now.waiting_for.is_some();
        lines
    }
}
