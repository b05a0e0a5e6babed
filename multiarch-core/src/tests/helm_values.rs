//! The values of chart trees, compared with those that `helm template` prints.
//!
//! `ci/tools/helm/answers` makes the trees and asks Helm.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::chart::{Chart, ChartFiles, PackedChart};

const TREES: &str = include_str!("../../tests/helm/chart_trees.jsonl");

/// Known faults of Helm: a table is imported into the very table that is read, and whether the new members
/// are then imported, too, is left to chance.
const IMPORTS_INTO_ITSELF: [usize; 1] = [388];

/// A tree, and Helm's answer: its values, or why it refuses the chart, or that its answers vary.
#[derive(Deserialize)]
struct Answer {
    files: BTreeMap<String, String>,
    values: Option<Value>,
    error: Option<String>,
    #[serde(default)]
    varies: bool,
}

/// The files of a chart. Those below `NAME.tgz/` are of a packed subchart.
fn files(texts: &BTreeMap<String, String>) -> ChartFiles {
    let mut files = ChartFiles::default();
    let mut packed: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (path, text) in texts {
        match path.split_once(".tgz/") {
            Some((archive, below)) => {
                let inner = packed.entry(format!("{archive}.tgz")).or_default();
                inner.insert(below.to_owned(), text.clone());
            }
            None => files.insert(path, text.as_bytes()),
        }
    }
    for (path, texts) in packed {
        let inner = PackedChart::new(&self::files(&texts)).expect("packs");
        files.insert(path, inner.bytes());
    }
    files
}

#[test]
fn values_are_those_of_helm() {
    let (mut equal, mut refused, mut varied) = (0, 0, 0);
    for (number, line) in TREES.lines().enumerate() {
        let answer: Answer = serde_json::from_str(line).expect("an answer");
        let chart = Chart::load(&files(&answer.files));
        let ours = chart.as_ref().map_err(Clone::clone).and_then(Chart::merged_values);
        let varies = match chart.as_ref().map(Chart::varying_values) {
            Ok(Ok(paths)) => !paths.is_empty(),
            // Helm may have given the same answer each time, although another one is possible.
            Ok(Err(error)) => error.message().contains("by chance") || ours.is_ok(),
            Err(_) => false,
        };
        match (ours, &answer) {
            _ if IMPORTS_INTO_ITSELF.contains(&number) => varied += 1,
            _ if answer.varies || varies => {
                assert!(varies, "tree {number}: {line}");
                varied += 1;
            }
            (Ok(ours), Answer { values: Some(theirs), .. }) => {
                let ours = Value::Object(ours);
                assert!(same(&ours, theirs), "tree {number}: {line}\nours {ours}");
                equal += 1;
            }
            (Err(_), Answer { error: Some(_), .. }) => refused += 1,
            (ours, _) => panic!("tree {number}: {line}\nours {ours:?}"),
        }
    }
    assert!(equal >= 500 && refused >= 20 && varied >= 20, "{equal} {refused} {varied}");
}

/// Equal, where numbers are compared by their value: 1 and 1.0 are one number to Helm.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}
