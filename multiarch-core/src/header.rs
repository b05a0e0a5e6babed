//! Headers of answers whose grammar is more than a word: text in, what it says out.

mod challenge;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod link;

#[cfg(feature = "registry")]
pub(crate) use challenge::{ParsedChallenge, challenges};
#[cfg(feature = "registry")]
pub(crate) use link::next_link;
