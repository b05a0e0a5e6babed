//! Lists and maps of a cached index, whose values take many times the bytes that they are written with.
//!
//! serde hands no state down to what it decodes, so what is left is kept beside the thread.

use std::{cell::RefCell, collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};

use super::{Budget, CACHED_VALUES};

thread_local!(static LEFT: RefCell<Budget> = RefCell::new(CACHED_VALUES.budget()));

/// Decodes one index: what is left counts from here on.
pub(crate) fn decoding<T>(decode: impl FnOnce() -> T) -> T {
    LEFT.set(CACHED_VALUES.budget());
    decode()
}

/// For `deserialize_with`.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(CountedList(PhantomData))
}

/// For `deserialize_with`.
pub(crate) fn map<'de, D: Deserializer<'de>, K: Deserialize<'de> + Ord, V: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<K, V>, D::Error> {
    deserializer.deserialize_map(CountedMap(PhantomData))
}

/// Counts an item before the next one is read.
fn counted<T, E: Error>(item: T) -> Result<T, E> {
    LEFT.with_borrow_mut(|left| left.spend(1_u64)).map_err(E::custom)?;
    Ok(item)
}

struct CountedList<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for CountedList<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let next = || items.next_element().transpose();
        std::iter::from_fn(next).map(|item| counted(item?)).collect()
    }
}

struct CountedMap<K, V>(PhantomData<(K, V)>);

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Visitor<'de> for CountedMap<K, V> {
    type Value = BTreeMap<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let next = || items.next_entry().transpose();
        std::iter::from_fn(next).map(|item| counted(item?)).collect()
    }
}
