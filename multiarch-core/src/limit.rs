//! How much is read of untrusted input: packages, charts, and what servers answer.
//!
//! Every limit stands in one table, [`table`], which `docs/design.md` repeats. A limit that counts over
//! several steps is spent from a [`Budget`].

pub(crate) mod decoding;
mod table;

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

pub(crate) use table::*;

use crate::error::{Error, ErrorKind, Result};

/// The most that is read of one kind of thing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) max: u64,
    unit: Unit,
    /// What is limited, for messages.
    what: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    Bytes,
    Count,
    Levels,
}

impl Limit {
    const fn bytes(max: u64, what: &'static str) -> Self {
        Self { max, unit: Unit::Bytes, what }
    }

    const fn count(max: u64, what: &'static str) -> Self {
        Self { max, unit: Unit::Count, what }
    }

    const fn levels(max: u64, what: &'static str) -> Self {
        Self { max, unit: Unit::Levels, what }
    }

    /// The same as a length in memory.
    pub(crate) fn length(self) -> usize {
        usize::try_from(self.max).unwrap_or(usize::MAX)
    }

    /// # Errors
    /// [`ErrorKind::TooLarge`] for more than the limit.
    pub(crate) fn check(self, amount: impl TryInto<u64>) -> Result<()> {
        match amount.try_into() {
            Ok(amount) if amount <= self.max => Ok(()),
            _ => Err(self.error()),
        }
    }

    pub(crate) fn error(self) -> Error {
        Error::new(ErrorKind::TooLarge, self.to_string())
    }

    /// All of it, to be spent.
    pub(crate) fn budget(self) -> Budget {
        Budget { left: self.max, limit: self }
    }
}

/// What is beyond the limit.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { max, what, .. } = self;
        match self.unit {
            Unit::Bytes => write!(f, "{what} of more than {}", size(*max)),
            Unit::Count => write!(f, "more than {max} {what}"),
            Unit::Levels => write!(f, "{what} nested deeper than {max} levels"),
        }
    }
}

fn size(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.iter().find(|(bits, _)| bytes >> bits << bits == bytes && bytes > 0);
    unit.map_or_else(
        || format!("{bytes} bytes"),
        |(bits, unit)| format!("{} {unit}", bytes >> bits),
    )
}

/// Fails for a JSON text of more values than the limit, before it takes memory: each value takes many times
/// its bytes.
pub(crate) fn check_json(text: &[u8], limit: Limit) -> Result<()> {
    let (mut values, mut in_string, mut escaped) = (0_u64, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b',' | b'[' | b'{' if !in_string => values += 1,
            _ => {}
        }
    }
    limit.check(values)
}

/// What may still be used of a [`Limit`].
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    left: u64,
    limit: Limit,
}

/// A budget that several threads spend.
#[derive(Debug)]
pub(crate) struct SharedBudget(Mutex<Budget>);

impl SharedBudget {
    /// # Errors
    /// As [`Budget::spend`].
    pub(crate) fn spend(&self, amount: impl TryInto<u64>) -> Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).spend(amount)
    }

    /// Spends where there is enough, and returns whether it did.
    pub(crate) fn take(&self, amount: u64) -> bool {
        self.attempt(|left| left.spend(amount)).is_ok()
    }

    /// Lets one after the other spend. What a failure has spent does not count, so that others still have it.
    ///
    /// # Errors
    /// That of `spender`.
    pub(crate) fn attempt<T>(&self, spender: impl FnOnce(&mut Budget) -> Result<T>) -> Result<T> {
        let mut budget = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tried = budget.clone();
        let done = spender(&mut tried)?;
        *budget = tried;
        Ok(done)
    }
}

impl Budget {
    pub(crate) fn shared(self) -> SharedBudget {
        SharedBudget(Mutex::new(self))
    }

    /// This much more of the same.
    pub(crate) fn raised(self, more: u64) -> Self {
        Self { left: self.left.saturating_add(more), ..self }
    }

    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// # Errors
    /// [`ErrorKind::TooLarge`] where less is left; nothing is, afterwards.
    pub(crate) fn spend(&mut self, amount: impl TryInto<u64>) -> Result<()> {
        let left = amount.try_into().ok().and_then(|amount| self.left.checked_sub(amount));
        self.left = left.unwrap_or(0);
        left.map(|_| ()).ok_or_else(|| self.limit.error())
    }
}
