//! Values, merged as Helm merges them.

use serde_json::{Map, Value};

/// A chart's values.
pub(crate) type Values = Map<String, Value>;

const GLOBAL: &str = "global";

/// Merges a chart's values with those of its subcharts, as Helm's `chartutil.CoalesceValues` does: the
/// chart's values for a subchart win over the subchart's own, `global` is handed down, and a null
/// removes a default.
pub(super) fn coalesce(own: &Values, subcharts: &[Subchart<'_>]) -> Values {
    let mut merged = own.clone();
    for subchart in subcharts {
        let given = merged.entry(subchart.name).or_insert_with(|| Value::Object(Values::new()));
        // Helm refuses a chart whose values for a subchart are not a table. No hint can read a value
        // below them, so they are left as they are.
        let Value::Object(given) = given else { continue };
        let mut given = std::mem::take(given);
        hand_down_globals(&mut given, own.get(GLOBAL));
        let below = subchart.merge(given);
        merged.insert(subchart.name.into(), Value::Object(below));
    }
    merged
}

/// A subchart, and the key of its values in the parent: its name or an alias.
pub(super) struct Subchart<'a> {
    pub(super) name: &'a str,
    pub(super) chart: &'a super::Chart,
}

impl Subchart<'_> {
    /// The subchart's values, overruled by those that the parent gives.
    fn merge(&self, mut given: Values) -> Values {
        merge_defaults(&mut given, self.chart.own_values());
        self.chart.coalesce_onto(&given)
    }
}

/// Adds the defaults that `into` does not set; a null in `into` removes the default.
fn merge_defaults(into: &mut Values, defaults: &Values) {
    for (key, default) in defaults {
        match (into.get_mut(key), default) {
            (None, _) => {
                into.insert(key.clone(), default.clone());
            }
            (Some(Value::Null), _) => {
                into.shift_remove(key);
            }
            (Some(Value::Object(into)), Value::Object(defaults)) => merge_defaults(into, defaults),
            (Some(_), _) => {}
        }
    }
}

fn hand_down_globals(below: &mut Values, above: Option<&Value>) {
    let Some(Value::Object(above)) = above else { return };
    let mut globals = match below.shift_remove(GLOBAL) {
        Some(Value::Object(globals)) => globals,
        _ => Values::new(),
    };
    for (key, value) in above {
        match (globals.get(key), value) {
            // Two tables are merged; the parent's members win.
            (Some(Value::Object(below)), Value::Object(above)) => {
                let mut table = above.clone();
                merge_defaults(&mut table, below);
                globals.insert(key.clone(), Value::Object(table));
            }
            // Where only one side is a table, Helm keeps the value that is there already.
            (Some(Value::Object(_)), _) | (Some(_), Value::Object(_)) => {}
            _ => {
                globals.insert(key.clone(), value.clone());
            }
        }
    }
    below.insert(GLOBAL.into(), Value::Object(globals));
}
