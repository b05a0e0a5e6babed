//! Values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// A chart's values.
pub(crate) type Values = Map<String, Value>;

/// About how many bytes of memory a value takes.
pub(super) fn memory_of_value(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Object(values) => memory_of(values),
            Value::Array(list) => list.iter().map(memory_of_value).sum(),
            Value::String(text) => text.len() + size_of::<Value>(),
            _ => 0,
        }
}

/// About how many bytes of memory values take.
pub(crate) fn memory_of(values: &Values) -> usize {
    /// A table has memory for eleven members in one piece, which is at least half full where there are more.
    const PIECE: usize = 640;
    const MEMBERS: usize = 5;
    let members = values.iter().map(|(key, value)| key.len() + memory_of_value(value));
    values.len().div_ceil(MEMBERS) * PIECE + members.sum::<usize>()
}

/// The table at a path of keys that are separated by dots.
fn table_at<'v>(values: &'v Values, path: &str) -> Option<&'v Values> {
    path.split('.').try_fold(values, |table, key| table.get(key)?.as_object())
}

/// The value at such a path that is no table.
pub(super) fn value_at<'v>(values: &'v Values, path: &str) -> Option<&'v Value> {
    let (table, key) = match path.rsplit_once('.') {
        Some((above, key)) => (table_at(values, above)?, key),
        None => (values, path),
    };
    table.get(key).filter(|value| !value.is_object())
}

/// Adds the paths at which two tables differ.
pub(super) fn note_differences(
    a: &Values,
    b: &Values,
    path: &mut Vec<String>,
    found: &mut Vec<Vec<String>>,
) {
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    for key in keys {
        path.push(key.clone());
        match (a.get(key), b.get(key)) {
            (Some(Value::Object(a)), Some(Value::Object(b))) => {
                note_differences(a, b, path, found);
            }
            (a, b) if a == b => {}
            _ => found.push(path.clone()),
        }
        path.pop();
    }
}

/// The value at a path.
pub(crate) fn get_value<'v>(values: &'v Values, path: &[String]) -> Option<&'v Value> {
    let (key, above) = path.split_last()?;
    get_table(values, above)?.get(key)
}

/// The table at a path; the values themselves for an empty one.
pub(super) fn get_table<'v>(values: &'v Values, path: &[String]) -> Option<&'v Values> {
    path.iter().try_fold(values, |table, key| table.get(key)?.as_object())
}

/// True for a value in a subchart's `global` that comes from a chart above.
pub(super) fn is_copy_of_global(values: &Values, path: &[String]) -> bool {
    let Some(global) = path.iter().position(|key| key == "global") else { return false };
    (0..global).any(|above| {
        let original: Vec<String> = path[..above].iter().chain(&path[global..]).cloned().collect();
        get_value(values, &original).is_some()
    })
}

/// Every value that is no table, by its path.
pub(super) fn leaves(values: &Values) -> BTreeMap<Vec<String>, &Value> {
    fn add<'v>(
        values: &'v Values,
        path: &mut Vec<String>,
        found: &mut BTreeMap<Vec<String>, &'v Value>,
    ) {
        for (key, value) in values {
            path.push(key.clone());
            match value {
                Value::Object(table) => add(table, path, found),
                single => drop(found.insert(path.clone(), single)),
            }
            path.pop();
        }
    }
    let mut found = BTreeMap::new();
    add(values, &mut Vec::new(), &mut found);
    found
}

/// Adds the values that are not set; tables are merged.
pub(super) fn add_missing(into: &mut Values, others: Values) {
    for (key, other) in others {
        match (into.get_mut(&key), other) {
            (None, other) => drop(into.insert(key, other)),
            (Some(Value::Object(into)), Value::Object(others)) => add_missing(into, others),
            (Some(_), _) => {}
        }
    }
}
