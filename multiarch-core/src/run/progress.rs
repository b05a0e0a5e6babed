//! The progress of a run at one moment.

use serde::Serialize;

/// What a run is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Phase {
    /// Nothing yet.
    #[default]
    Starting,
    /// Packages are read to list what they hold.
    Reading,
    /// The target is asked what it has.
    Asking,
    /// Blobs, manifests, tags and charts are written.
    Sending,
}

/// The progress of a run at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// Bytes read or sent in this phase.
    pub bytes: u64,
    /// Bytes to read or send in this phase.
    pub bytes_total: u64,
    /// Bytes a second in the last 15 seconds.
    pub bytes_per_second: u64,
    /// Seconds left in this phase, by that rate; `None` while the rate is unknown.
    pub seconds_left: Option<u64>,
    /// Requests that the target has answered in this phase.
    pub answers: u64,
    /// Requests that go to the target in this phase, as far as they are known.
    pub answers_total: u64,
    /// Images done.
    pub images: u64,
    /// Images to do.
    pub images_total: u64,
    /// Images that failed; they count as done.
    pub images_failed: u64,
    /// Charts done.
    pub charts: u64,
    /// Charts to do.
    pub charts_total: u64,
    /// What the run waits for, while nothing moves.
    pub waiting_for: Option<String>,
}
