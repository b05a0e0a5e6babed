//! Reads the configuration's values by their paths.

use serde_json::Value;

use crate::{
    chart::{parse_yaml, scalar_text},
    error::{Detail, Error, ErrorKind, Result},
};

/// The configuration, as text and as values.
pub(super) struct ConfigFile<'a> {
    text: &'a str,
    values: Value,
}

/// An error about the value at a path.
pub(super) fn wrong(path: &str, why: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("{path} {why}").trim().to_owned())
}

/// A path as it is written in messages.
pub(super) fn shown(path: &[&str]) -> String {
    path.iter().map(|key| format!(".{key}")).collect()
}

impl<'a> ConfigFile<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let values = parse_yaml(bytes).map_err(|e| {
            // The parser's message contains a position, not a value, so it shows no secret.
            Error::caused_by(ErrorKind::Usage, "the configuration is no YAML", e)
        })?;
        let text = std::str::from_utf8(bytes)
            .map_err(|e| Error::caused_by(ErrorKind::Usage, "the configuration is no text", e))?;
        if !values.is_object() {
            return Err(
                wrong("", "the configuration is no mapping").with_detail(Detail::ClusterConfig)
            );
        }
        Ok(Self { text, values })
    }

    /// The value of a key below `spec` or at the top, with its full path.
    pub(super) fn find<'p>(&self, path: &[&'p str]) -> Option<(Vec<&'p str>, &Value)> {
        let below: Vec<&'p str> = std::iter::once("spec").chain(path.iter().copied()).collect();
        [below, path.to_vec()].into_iter().find_map(|path| {
            let value = path.iter().try_fold(&self.values, |value, key| value.get(key))?;
            (!value.is_null()).then_some((path, value))
        })
    }

    /// A scalar as it was written, because `0123` may be a password and not a number.
    pub(super) fn scalar(&self, path: &[&str]) -> Result<Option<String>> {
        let Some((path, value)) = self.find(path) else { return Ok(None) };
        if value.is_array() || value.is_object() {
            return Err(
                wrong(&shown(&path), "is no single value").with_detail(Detail::ClusterConfigScalar)
            );
        }
        Ok(scalar_text(self.text, &path)?.filter(|text| !text.is_empty()))
    }

    /// The value of the first of several spellings of a key that is set.
    pub(super) fn either(&self, section: &str, keys: &[&str]) -> Result<Option<String>> {
        for key in keys {
            if let Some(text) = self.scalar(&[section, key])? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// The path at which a key is, or should be, as messages show it.
    pub(super) fn place(&self, path: &[&str]) -> String {
        match self.find(path) {
            Some((path, _)) => shown(&path),
            None if self.find(&path[..1]).is_some_and(|(found, _)| found[0] != "spec") => {
                shown(path)
            }
            None => format!(".spec{}", shown(path)),
        }
    }
}
