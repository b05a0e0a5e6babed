//! Globs by which a user names what is meant.

use std::{fmt, str::FromStr};

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};

/// One glob: `*`, `?`, `[…]` and `{a,b}`, where `*` also goes over slashes. With a `!` in front, what it fits is
/// left out.
#[derive(Clone)]
pub(crate) struct Pattern {
    text: String,
    pub(super) leaves_out: bool,
    glob: GlobMatcher,
}

impl Pattern {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn fits(&self, candidates: &[String]) -> bool {
        candidates.iter().any(|text| self.glob.is_match(text))
    }
}

impl FromStr for Pattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let glob = text.strip_prefix('!').unwrap_or(text);
        let refused = |message: String| Error::new(ErrorKind::Usage, message);
        if glob.is_empty() {
            return Err(refused(format!("{text:?} selects nothing: it has no name in it")));
        }
        let built = GlobBuilder::new(glob).literal_separator(false).case_insensitive(true).build();
        let built = built.map_err(|e| refused(format!("{text:?} is no pattern: {e}")))?;
        let leaves_out = text.starts_with('!');
        Ok(Self { text: text.into(), leaves_out, glob: built.compile_matcher() })
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
