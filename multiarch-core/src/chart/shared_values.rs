//! Values whose tables are shared, merged as Helm merges them.
//!
//! Helm hands globals down by copying the uppermost table only. What a subchart adds to a table below is
//! therefore also seen by its parent and by the other subcharts, and charts render what comes of it.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use serde_json::Value;

use super::Values;
use crate::{
    error::{Error, ErrorKind, Result},
    limit::{self, Budget},
};

/// A table that several values may share.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedTable(Rc<RefCell<BTreeMap<String, SharedValue>>>);

#[derive(Clone, Debug)]
pub(super) enum SharedValue {
    /// Anything but a table.
    Single(Value),
    Table(SharedTable),
}

/// What a null does to the value that it overrules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nulls {
    /// It takes its place.
    Stay,
    /// It removes it, and is removed itself.
    Remove,
}

const GLOBAL: &str = "global";
/// More than values that were read can have; only a table that holds itself is deeper.
const MAX_DEPTH: usize = 1000;

impl From<&Values> for SharedTable {
    fn from(values: &Values) -> Self {
        let members = values.iter().map(|(key, value)| (key.clone(), SharedValue::from(value)));
        Self(Rc::new(RefCell::new(members.collect())))
    }
}

impl From<&Value> for SharedValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::Object(members) => Self::Table(members.into()),
            single => Self::Single(single.clone()),
        }
    }
}

impl SharedTable {
    /// A copy of everything in it, which shares nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] where a table holds itself; [`ErrorKind::TooLarge`] where shared tables make it
    /// more than is taken.
    pub(super) fn to_values(&self) -> Result<Values> {
        self.copy(0, &mut limit::MERGED_VALUES.budget())
    }

    fn copy(&self, depth: usize, budget: &mut Budget) -> Result<Values> {
        if depth > MAX_DEPTH {
            let message = "Helm cannot load the chart: a table of its values holds itself";
            return Err(Error::new(ErrorKind::Malformed, message));
        }
        let mut copy = |value: &SharedValue| match value {
            SharedValue::Single(value) => {
                budget.spend(weight(value))?;
                Ok(value.clone())
            }
            SharedValue::Table(table) => table.copy(depth + 1, budget).map(Value::Object),
        };
        let members = self.0.borrow();
        members.iter().map(|(key, value)| Ok((key.clone(), copy(value)?))).collect()
    }

    /// A table with the same members, which shares the tables among them.
    fn shallow(&self) -> Self {
        Self(Rc::new(RefCell::new(self.0.borrow().clone())))
    }

    /// The members as they are now, so that none is borrowed while others change.
    fn members(&self) -> Vec<(String, SharedValue)> {
        self.0.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    pub(super) fn get(&self, key: &str) -> Option<SharedValue> {
        self.0.borrow().get(key).cloned()
    }

    pub(super) fn insert(&self, key: &str, value: SharedValue) {
        self.0.borrow_mut().insert(key.to_owned(), value);
    }

    /// The table at a path of keys that are separated by dots; of an empty one, a copy.
    pub(super) fn table_at(&self, path: &str) -> Option<Self> {
        let table =
            path.split('.').try_fold(self.clone(), |table, key| match table.get(key)? {
                SharedValue::Table(table) => Some(table),
                SharedValue::Single(_) => None,
            })?;
        Some(if table.0.borrow().is_empty() { Self::default() } else { table })
    }

    /// A table that holds this one at such a path; `.` is this table itself.
    pub(super) fn below(self, path: &str) -> Self {
        if path == "." {
            return self;
        }
        path.rsplit('.').fold(self, |table, key| {
            let above = Self::default();
            above.insert(key, SharedValue::Table(table));
            above
        })
    }

    /// Adds what is not set; tables are merged. As with Helm, the defaults get the nulls that overrule them,
    /// which is seen where they are shared.
    pub(super) fn add_defaults(&self, defaults: &Self, nulls: Nulls) {
        let before = defaults.members();
        for (key, value) in self.members().into_iter().filter(|(_, value)| value.is_null()) {
            defaults.insert(&key, value);
        }
        for (key, default) in before {
            match (self.get(&key), default) {
                (None, default) => self.insert(&key, default),
                (Some(SharedValue::Single(Value::Null)), default)
                    if nulls == Nulls::Remove && !default.is_null() =>
                {
                    self.0.borrow_mut().remove(&key);
                }
                (Some(SharedValue::Table(own)), SharedValue::Table(defaults)) => {
                    own.add_defaults(&defaults, nulls);
                }
                (Some(_), _) => {}
            }
        }
    }

    /// Adds a chart's own values to those that are given for it. A null removes a value of the chart
    /// whatever it is, and what is given for one of its subcharts keeps nulls, which concern the subchart.
    pub(super) fn add_own_values(
        &self,
        own: &Values,
        is_subchart: impl Fn(&str) -> bool,
        nulls: Nulls,
    ) {
        for (key, default) in own {
            match (self.get(key), SharedValue::from(default)) {
                (None, default) => self.insert(key, default),
                (Some(SharedValue::Single(Value::Null)), _) if nulls == Nulls::Remove => {
                    self.0.borrow_mut().remove(key);
                }
                (Some(SharedValue::Table(given)), SharedValue::Table(defaults)) => {
                    let nulls = if is_subchart(key) { Nulls::Stay } else { nulls };
                    given.add_defaults(&defaults, nulls);
                }
                (Some(_), _) => {}
            }
        }
    }

    /// Gives a subchart's values the globals of its parent, which overrule its own. Where one side is no
    /// table, they are left as they are.
    ///
    /// Returns how many members were copied.
    pub(super) fn hand_globals_to(&self, below: &Self) -> u64 {
        let (above, own) = match (self.get(GLOBAL), below.get(GLOBAL)) {
            (Some(SharedValue::Single(_)), _) | (_, Some(SharedValue::Single(_))) => return 0,
            (above, own) => (above.unwrap_or_default(), own.unwrap_or_default()),
        };
        let (SharedValue::Table(above), SharedValue::Table(own)) = (above, own) else { return 0 };
        let mut copied = 0;
        for (key, value) in above.members() {
            copied += 1 + value.members();
            match (own.get(&key), value) {
                (Some(SharedValue::Table(own_table)), SharedValue::Table(table)) => {
                    let table = table.shallow();
                    table.add_defaults(&own_table, Nulls::Stay);
                    own.insert(&key, SharedValue::Table(table));
                }
                (None, SharedValue::Table(table)) => {
                    own.insert(&key, SharedValue::Table(table.shallow()));
                }
                (Some(SharedValue::Table(_)), _) | (Some(_), SharedValue::Table(_)) => {}
                (_, single) => own.insert(&key, single),
            }
        }
        below.insert(GLOBAL, SharedValue::Table(own));
        copied
    }
}

impl SharedValue {
    /// How many members a table has.
    fn members(&self) -> u64 {
        match self {
            Self::Table(table) => table.0.borrow().len() as u64,
            Self::Single(_) => 0,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Single(Value::Null))
    }
}

impl Default for SharedValue {
    fn default() -> Self {
        Self::Table(SharedTable::default())
    }
}

/// How many values there are in one; a long text counts as several.
pub(super) fn weight(value: &Value) -> u64 {
    let below = match value {
        Value::Object(members) => members.values().map(weight).sum(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::String(text) => text.len() as u64 / 100,
        _ => 0,
    };
    1 + below
}
