//! The order in which blobs are sent, and charts finished.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Condvar, Mutex, PoisonError},
};

use crate::{
    chart::TargetName,
    image::Digest,
    plan::{BlobOrigin, PlannedBlob, PlannedChart, PlannedImage},
    report::ChartReport,
    run::workers,
};

/// A blob on its way to one repository or several: it is sent to the first, and mounted into the
/// others.
pub(super) struct QueuedBlob<'a> {
    pub(super) planned: &'a PlannedBlob,
    pub(super) repositories: BTreeSet<&'a str>,
}

/// Every blob once, chart by chart; within a chart in the order of the packages, so that compressed
/// ones are unpacked once.
pub(super) struct Queue<'a> {
    blobs: Vec<QueuedBlob<'a>>,
    /// Each chart, and the number of blobs that come before it.
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
            let begun = queue.blobs.len();
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
            queue.blobs[begun..].sort_by_key(|blob| match &blob.planned.origin {
                BlobOrigin::Package { number, locator } => (*number, Some(*locator)),
                BlobOrigin::Target { .. } => (usize::MAX, None),
            });
            for (offset, blob) in queue.blobs[begun..].iter().enumerate() {
                places.insert(&blob.planned.digest, begun + offset);
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
        let line = FinishLine::new(self.blobs.len());
        let places: Vec<usize> = (0..self.blobs.len()).collect();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                workers::for_each(jobs, &places, |place| {
                    let _done = line.when_dropped(*place);
                    send(&self.blobs[*place]);
                });
            });
            let charts = self.charts.iter();
            charts
                .map(|(chart, blobs)| {
                    line.wait_for(*blobs);
                    finish(chart)
                })
                .collect()
        })
    }
}

/// Which blobs of a queue are done.
struct FinishLine {
    done: Mutex<Line>,
    moved: Condvar,
}

struct Line {
    done: Vec<bool>,
    /// All before this one are.
    first_open: usize,
}

impl FinishLine {
    fn new(blobs: usize) -> Self {
        let line = Line { done: vec![false; blobs], first_open: 0 };
        Self { done: Mutex::new(line), moved: Condvar::new() }
    }

    /// Waits until the first `blobs` blobs are done.
    fn wait_for(&self, blobs: usize) {
        let line = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.moved.wait_while(line, |line| line.first_open < blobs);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// A blob is done however sending it ended.
    fn when_dropped(&self, place: usize) -> impl Drop + '_ {
        struct Done<'l>(&'l FinishLine, usize);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                let mut line = self.0.done.lock().unwrap_or_else(PoisonError::into_inner);
                line.done[self.1] = true;
                while line.done.get(line.first_open) == Some(&true) {
                    line.first_open += 1;
                }
                drop(line);
                self.0.moved.notify_all();
            }
        }
        Done(self, place)
    }
}
