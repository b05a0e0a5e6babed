//! Prints how the cells ended.

use std::collections::BTreeMap;

use crate::{
    cell::Cell,
    judgement::{Ending, Verdict},
    requests::Kind,
};

/// Prints the counts by kind of request and by fault, and every cell that did not end as it should.
/// Returns the number of these.
#[expect(clippy::print_stdout, reason = "the table is what the test is run for")]
pub(crate) fn print(verdicts: &BTreeMap<String, (&Cell, Verdict)>) -> usize {
    let mut by_kind: BTreeMap<Kind, Counts> = BTreeMap::new();
    let mut by_fault: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut all = Counts::default();
    for (cell, verdict) in verdicts.values() {
        let counts = [
            by_kind.entry(cell.kind).or_default(),
            by_fault.entry(&cell.row.name).or_default(),
            &mut all,
        ];
        counts.into_iter().for_each(|counts| counts.add(verdict));
    }
    let head = format!("{:34} {}", "", Counts::HEAD);
    println!("\n{head}");
    by_kind.iter().for_each(|(kind, counts)| println!("{:34} {counts}", format!("{kind:?}")));
    println!("{head}");
    by_fault.iter().for_each(|(name, counts)| println!("{name:34} {counts}"));
    println!("{:34} {all}", "all");
    let shows = std::env::var_os("MULTIARCH_MATRIX_SHOW").is_some();
    for (name, (_, verdict)) in verdicts {
        let wrong = if verdict.complaints.is_empty() { "" } else { "WRONG " };
        if shows || !wrong.is_empty() {
            println!(
                "{wrong}{name}: {:?} after {:.1?}, {} hits",
                verdict.ending, verdict.took, verdict.hits
            );
            verdict.complaints.iter().for_each(|complaint| println!("    - {complaint}"));
            verdict.said.iter().for_each(|said| println!("    said: {}", said.replace('\n', " ")));
        }
    }
    all.wrong
}

#[derive(Default)]
struct Counts {
    cells: usize,
    succeeded: usize,
    failed: usize,
    /// The run made no such request, so that the fault did not happen.
    missed: usize,
    wrong: usize,
    longest: f64,
}

impl Counts {
    const HEAD: &str = "cells  succeeded  failed  not met  wrong  longest";

    fn add(&mut self, verdict: &Verdict) {
        self.cells += 1;
        match verdict.ending {
            Ending::Success => self.succeeded += 1,
            Ending::Failure => self.failed += 1,
        }
        self.missed += usize::from(verdict.hits == 0);
        self.wrong += usize::from(!verdict.complaints.is_empty());
        self.longest = self.longest.max(verdict.took.as_secs_f64());
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { cells, succeeded, failed, missed, wrong, longest } = self;
        write!(f, "{cells:5} {succeeded:10} {failed:7} {missed:8} {wrong:6} {longest:6.1} s")
    }
}
