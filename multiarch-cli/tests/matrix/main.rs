//! Faults as a matrix: each fault, on each kind of request of an import and of a fusion, at its first,
//! middle and last occurrence, and at all of them.
//!
//! Every cell is a run against a registry and a chart repository in memory. Most of its time a cell waits, and
//! many of them run at once. `cargo test` runs a sample; `ci/endurance` runs all of it.

#[allow(dead_code, reason = "its exit codes are the command's")]
#[path = "../../src/advice.rs"]
mod advice;
#[path = "../common/content.rs"]
mod content;
#[allow(dead_code, reason = "one manner is enough here")]
#[path = "../common/museum.rs"]
mod museum;
#[path = "../common/pair.rs"]
mod pair;
#[path = "../common/unpacked.rs"]
mod unpacked;

mod cell;
mod disturbance;
mod faults;
mod harbor;
mod judgement;
mod requests;
mod scene;
mod table;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use cell::{Cell, Which};
use faults::Patience;
use judgement::Verdict;
use requests::Kind;
use scene::Scene;

/// How many cells run at once.
const AT_ONCE: usize = 24;

/// True where all cells are to run.
fn is_whole() -> bool {
    std::env::var_os("MULTIARCH_ENDURANCE").is_some()
}

/// The cells: in a sample, the first occurrence of each fault on each kind of request, in whichever of
/// the two runs makes more of them.
fn cells(scenes: &'static [Scene], rows: &'static [faults::Row], whole: bool) -> Vec<Cell> {
    let mut cells = Vec::new();
    for row in rows {
        for kind in Kind::ALL {
            let applies = (row.applies)(kind) && (whole || row.patience != Patience::Hanging);
            let mut scenes: Vec<&'static Scene> =
                scenes.iter().filter(|scene| applies && scene.count(kind) > 0).collect();
            scenes.sort_by_key(|scene| std::cmp::Reverse(scene.count(kind)));
            scenes.truncate(if whole { scenes.len() } else { 1 });
            for scene in scenes {
                let occurrences = Which::of(scene.count(kind));
                let occurrences = occurrences.into_iter().filter(|which| match row.patience {
                    _ if !whole => *which == Which::First,
                    // A server that hangs at every request takes as long as the sum of its requests.
                    Patience::Hanging => *which != Which::Every,
                    _ => true,
                });
                cells.extend(occurrences.map(|which| Cell { scene, row, kind, which }));
            }
        }
    }
    cells.retain(|cell| !cell.is_a_lie_about_tags());
    // The longest ones first, so that the end is not a wait for one of them.
    cells.sort_by_key(|cell| std::cmp::Reverse((cell.row.patience, cell.which == Which::Every)));
    cells
}

#[test]
fn every_fault_on_every_request() {
    // The servers' rules refer to both until the process ends.
    let scenes = Vec::leak(vec![Scene::import(), Scene::fusion()]);
    let wanted = std::env::var("MULTIARCH_MATRIX_ONLY").unwrap_or_default();
    let rows = Vec::leak(faults::rows().into_iter().chain(harbor::rows()).collect());
    let mut cells = cells(scenes, rows, is_whole());
    cells.retain(|cell| cell.to_string().contains(&wanted));
    let (next, verdicts) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict: Verdict = cell.run();
                    let mut verdicts = verdicts.lock().expect("no cell panics");
                    verdicts.insert(cell.to_string(), (cell, verdict));
                }
            });
        }
    });
    let verdicts = verdicts.into_inner().expect("no cell panics");
    let wrong = table::print(&verdicts);
    assert_eq!(wrong, 0, "cells that end as they should not: see above");
}
