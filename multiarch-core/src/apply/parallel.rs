//! Doing several things at once, on a bounded number of threads.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Calls `act` for every item, in order, with at most `jobs` calls at a time.
pub(crate) fn for_each<T: Sync>(jobs: usize, items: &[T], act: impl Fn(&T) + Sync) {
    let jobs = jobs.min(items.len());
    if jobs <= 1 {
        return items.iter().for_each(act);
    }
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    act(item);
                }
            });
        }
    });
}
