//! The order in which blobs are sent, and charts are finished.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{Condvar, Mutex, PoisonError},
};

use crate::{
    chart::TargetName,
    image::Digest,
    plan::{PlannedBlob, PlannedChart, PlannedImage},
    report::ChartReport,
    run::workers,
};

/// A blob, and the repositories that need it: it is sent to the first one, and mounted into the
/// others.
pub(super) struct QueuedBlob<'a> {
    pub(super) planned: &'a PlannedBlob,
    pub(super) repositories: BTreeSet<&'a str>,
}

/// Every blob once, chart by chart. The blobs of a chart are in package order, so that compressed
/// packages are unpacked once.
pub(super) struct Queue<'a> {
    blobs: Vec<QueuedBlob<'a>>,
    /// Each chart, and how many blobs, from the front of the queue, must be done before it.
    charts: Vec<(&'a PlannedChart, usize)>,
}

impl<'a> Queue<'a> {
    pub(super) fn new(
        charts: &'a [PlannedChart],
        images: &BTreeMap<&'a TargetName, &'a PlannedImage>,
    ) -> Self {
        let mut places: BTreeMap<&Digest, usize> = BTreeMap::new();
        let mut queue = Self { blobs: Vec::new(), charts: Vec::new() };
        for chart in charts {
            let first = queue.blobs.len();
            for image in chart.images.iter().filter_map(|name| images.get(name)) {
                for planned in image.pushes.iter().flat_map(|push| &push.blobs) {
                    let place = *places.entry(&planned.digest).or_insert(queue.blobs.len());
                    if place == queue.blobs.len() {
                        let repositories = BTreeSet::new();
                        queue.blobs.push(QueuedBlob { planned, repositories });
                    }
                    queue.blobs[place].repositories.insert(image.name.repository());
                }
            }
            queue.blobs[first..].sort_by_key(|blob| blob.planned.read_order());
            for (offset, blob) in queue.blobs[first..].iter().enumerate() {
                places.insert(&blob.planned.digest, first + offset);
            }
            queue.charts.push((chart, queue.blobs.len()));
        }
        queue
    }

    /// Sends the blobs on `jobs` threads, and finishes each chart once its blobs are done.
    pub(super) fn work(
        &self,
        jobs: usize,
        send: impl Fn(&QueuedBlob<'a>) + Sync,
        finish: impl Fn(&'a PlannedChart) -> ChartReport,
    ) -> Vec<ChartReport> {
        let finished = FinishedBlobs::new(self.blobs.len());
        let places: Vec<usize> = (0..self.blobs.len()).collect();
        let send_all = || {
            // A store may panic: the charts must not wait for blobs that no thread sends any more.
            let _all_done = finished.done_on_drop(0..places.len());
            workers::for_each(jobs, &places, |place| {
                let _done = finished.done_on_drop(*place..*place + 1);
                send(&self.blobs[*place]);
            });
        };
        std::thread::scope(|scope| {
            let sending = std::thread::Builder::new().spawn_scoped(scope, send_all);
            if sending.is_err() {
                // The system allows no more threads: first all blobs, then all charts.
                send_all();
            }
            let charts = self.charts.iter().map(|(chart, blobs)| {
                finished.wait_for(*blobs);
                finish(chart)
            });
            let charts = charts.collect();
            workers::join_all(sending.ok());
            charts
        })
    }
}

/// Which blobs of a queue are done.
struct FinishedBlobs {
    done: Mutex<FinishedState>,
    changed: Condvar,
}

struct FinishedState {
    done: Vec<bool>,
    /// The first blob that is not done.
    first_open: usize,
}

impl FinishedBlobs {
    fn new(blobs: usize) -> Self {
        let finished = FinishedState { done: vec![false; blobs], first_open: 0 };
        Self { done: Mutex::new(finished), changed: Condvar::new() }
    }

    /// Waits until the first `blobs` blobs are done.
    fn wait_for(&self, blobs: usize) {
        let finished = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_while(finished, |finished| finished.first_open < blobs);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Marks blobs as done when the returned value is dropped, so that a failure or a panic while
    /// sending does not block their charts.
    fn done_on_drop(&self, places: Range<usize>) -> impl Drop + '_ {
        struct Done<'l>(&'l FinishedBlobs, Range<usize>);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                let mut finished = self.0.done.lock().unwrap_or_else(PoisonError::into_inner);
                finished.done[self.1.clone()].fill(true);
                while finished.done.get(finished.first_open) == Some(&true) {
                    finished.first_open += 1;
                }
                drop(finished);
                self.0.changed.notify_all();
            }
        }
        Done(self, places)
    }
}
