//! Estimates what a plan costs in requests, time and space.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{Bytes, Plan, PlannedBlob};
use crate::image::Digest;

/// An estimate of what a plan costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cost {
    /// Bytes that go to the target.
    pub bytes_to_send: u64,
    /// Requests to a registry, without those for charts and tokens, if no other client writes there.
    pub requests: u64,
    /// Bytes of the package files that are read again while sending, at most: a compressed file is read
    /// up to its last blob, another file only where the blobs are.
    pub bytes_to_read: u64,
    /// Bytes by which a target on disk grows. Nothing else is written to disk, except the index of a
    /// package in the user's cache.
    pub disk_bytes: u64,
}

/// Bytes of a package file per second that one processor of 2020 unpacks and hashes, where the file is
/// compressed and its layers are, too. With two processors, unpacking and hashing run in parallel.
const READ_RATE: u64 = 800 << 20;
/// Requests in parallel, where only the answers are waited for.
const AT_ONCE: u32 = 4;

impl Cost {
    /// Counts for a plan that sends these blobs. `compares_and_sets_tags` is the
    /// [`ImageStore`](crate::ImageStore)'s; a target with atomic tags is not a server, so it takes no
    /// requests.
    pub(super) fn new(
        plan: &Plan,
        to_send: &BTreeMap<Digest, u64>,
        compares_and_sets_tags: bool,
    ) -> Self {
        let mut cost = Self { bytes_to_send: plan.bytes_to_send, ..Self::default() };
        let sent = plan.blobs().filter(|blob| to_send.contains_key(&blob.digest));
        let read: BTreeSet<usize> = sent.filter_map(PlannedBlob::package).collect();
        let read = read.iter().filter_map(|package| plan.packages.get(*package));
        cost.bytes_to_read = read.map(|package| package.size).sum();
        if compares_and_sets_tags {
            cost.disk_bytes = cost.bytes_to_send;
            return cost;
        }
        let mut settled = BTreeSet::new();
        for image in &plan.images {
            let own = image.pushes.iter().filter(|push| Some(&push.digest) != image.after.as_ref());
            cost.requests += own.count() as u64;
            if image.after.is_some() {
                // The tag is read, written, read back, and read at the end.
                cost.requests += 4;
            }
            for blob in image.pushes.iter().flat_map(|push| &push.blobs).filter(|b| !b.present) {
                if !settled.insert((image.name.repository(), &blob.digest)) {
                    continue;
                }
                // POST and PUT; or a mount, and a look whether it happened.
                cost.requests += 2;
            }
        }
        cost
    }

    /// The least time it takes over a line of this speed, where an answer takes `round_trip`. Sending
    /// and reading run in parallel.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use multiarch_core::Cost;
    /// let mut cost = Cost::default();
    /// cost.bytes_to_send = 125_000_000;
    /// cost.requests = 1000;
    /// let gigabit = cost.time(1_000_000_000, Duration::from_millis(2));
    /// assert_eq!(gigabit, Duration::from_millis(1500));
    /// ```
    pub fn time(&self, bits_per_second: u64, round_trip: Duration) -> Duration {
        let send = seconds(self.bytes_to_send.saturating_mul(8), bits_per_second);
        let read = seconds(self.bytes_to_read, READ_RATE);
        let requests = u32::try_from(self.requests).unwrap_or(u32::MAX);
        let answers = round_trip.checked_mul(requests).unwrap_or(Duration::MAX) / AT_ONCE;
        send.max(read).saturating_add(answers)
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn seconds(amount: u64, rate: u64) -> Duration {
    Duration::try_from_secs_f64(amount as f64 / rate.max(1) as f64).unwrap_or(Duration::MAX)
}

/// Speeds of lines in bits per second, with their names.
const LINES: [(u64, &str); 3] =
    [(100_000_000, "100 Mbit/s"), (1_000_000_000, "1 Gbit/s"), (10_000_000_000, "10 Gbit/s")];
/// The time of an answer within a data centre.
const NEAR: Duration = Duration::from_millis(2);

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.requests > 0 {
            let times =
                LINES.map(|(rate, name)| format!("{} at {name}", Time(self.time(rate, NEAR))));
            writeln!(f, "{} requests; at least {}", self.requests, times.join(", "))?;
        }
        if self.bytes_to_read > 0 {
            write!(f, "{} of packages are read once more, ", Bytes(self.bytes_to_read))?;
            match self.disk_bytes {
                0 => writeln!(f, "nothing is unpacked to disk")?,
                bytes => writeln!(f, "and {} go to disk, in the target alone", Bytes(bytes))?,
            }
        }
        Ok(())
    }
}

/// A duration, printed for people and rounded up.
struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            seconds @ 0..=119 => write!(f, "{} s", seconds.max(1)),
            seconds @ 120..=7199 => write!(f, "{} min", seconds.div_ceil(60)),
            seconds => write!(f, "{} h", seconds.div_ceil(3600)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_too_large_or_too_small() {
        let all = u64::MAX;
        let large = Cost { bytes_to_send: all, requests: all, bytes_to_read: all, disk_bytes: 0 };
        for rate in [0, 1, all] {
            assert!(large.time(rate, Duration::MAX) >= large.time(all, Duration::ZERO));
            assert_eq!(Cost::default().time(rate, Duration::MAX), Duration::ZERO);
        }
        assert!(!large.to_string().is_empty());
    }

    #[test]
    fn times_are_rounded_up() {
        let text = |seconds| Time(Duration::from_secs(seconds)).to_string();
        assert_eq!(
            [0, 119, 121, 7199, 7201].map(text),
            ["1 s", "119 s", "3 min", "120 min", "3 h"]
        );
    }
}
