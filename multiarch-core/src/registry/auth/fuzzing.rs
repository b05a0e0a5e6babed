//! The private parts of authentication that `registry/fuzzing` looks at.

use std::collections::BTreeMap;

use reqwest::{Url, header::HeaderMap};

use super::{challenge::Challenge, syntax};

/// The challenges of a header: each scheme with its parameters.
pub(in crate::registry) fn challenges(text: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let challenges = syntax::challenges(text).into_iter();
    challenges.map(|found| (found.scheme, found.parameters.into_iter().collect())).collect()
}

/// Where the chosen challenge has tokens fetched.
pub(in crate::registry) fn realm(headers: &HeaderMap, origin: &Url) -> Option<Url> {
    match Challenge::choose(headers, origin) {
        Ok(Some(Challenge::Bearer(bearer))) => Some(bearer.realm),
        Ok(Some(Challenge::Basic) | None) | Err(_) => None,
    }
}
