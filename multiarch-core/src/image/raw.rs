//! A JSON object as raw text, so that members can be kept byte for byte.

use std::fmt;

use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind};

/// The members of a JSON object in their original order, each value as the original text.
///
/// A `serde_json::Value` would drop duplicate members and round large numbers; both change a document's
/// digest, and perhaps its meaning.
#[derive(Clone, Debug)]
pub(crate) struct RawObject(Vec<(Box<RawValue>, Box<RawValue>)>);

impl RawObject {
    /// Reads an object.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] where the text is not a JSON object.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(text)
            .map_err(|e| Error::caused_by(ErrorKind::Malformed, "not a JSON object", e))
    }

    /// The text of the member with this name.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] where there are two, because readers differ in which of them they take.
    pub(crate) fn get(&self, name: &str) -> Result<Option<&str>, Error> {
        let mut found = self.0.iter().filter(|(key, _)| Self::is_named(key, name));
        let first = found.next().map(|(_, value)| value.get());
        if found.next().is_some() {
            let message = format!("the member {name:?} stands there twice");
            return Err(Error::new(ErrorKind::Malformed, message));
        }
        Ok(first)
    }

    /// The members in their order: each name, and the text of its value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (String, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (serde_json::from_str(key.get()).unwrap_or_default(), value.get()))
    }

    /// Sets a member, as the last one, or removes it.
    pub(crate) fn set(&mut self, name: &str, value: Option<Box<RawValue>>) {
        self.0.retain(|(key, _)| !Self::is_named(key, name));
        let key = serde_json::value::to_raw_value(name).expect("a name is JSON");
        self.0.extend(value.map(|value| (key, value)));
    }

    /// Writes the object compactly. `replace` gives the new text of a member, or `None` to keep the
    /// original text.
    pub(crate) fn write(&self, replace: impl Fn(&str) -> Option<String>) -> Vec<u8> {
        let mut out = String::from("{");
        for (i, (key, value)) in self.0.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            out.push_str(key.get());
            out.push(':');
            match serde_json::from_str::<String>(key.get()).ok().and_then(|name| replace(&name)) {
                Some(text) => out.push_str(&text),
                None => out.push_str(value.get()),
            }
        }
        out.push('}');
        out.into_bytes()
    }

    fn is_named(key: &RawValue, name: &str) -> bool {
        serde_json::from_str::<String>(key.get()).is_ok_and(|key| key == name)
    }
}

impl<'de> Deserialize<'de> for RawObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = RawObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawObject, A::Error> {
                let mut members = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    members.push(entry);
                }
                Ok(RawObject(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_numbers_and_duplicates() {
        let text = r#"{"b":1e400,"a":12345678901234567890123,"a":{"x":1,"x":2},"\u0061b":null}"#;
        let object = RawObject::parse(text.as_bytes()).expect("an object");
        assert_eq!(object.write(|_| None), text.as_bytes());
        assert_eq!(object.get("ab").expect("one"), Some("null"));
        assert!(object.get("a").is_err());
        assert_eq!(object.get("c").expect("none"), None);
        let changed = object.write(|name| (name == "b").then(|| "0".into()));
        assert!(changed.starts_with(br#"{"b":0,"a":1234"#));
    }
}
