//! Questions to the target, and their answers.

use crate::{
    chart::TargetName,
    fuse::TagChild,
    image::{Digest, Document},
};

/// A question to the target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Question {
    /// What does this tag hold?
    Tag(TargetName),
    /// What is this manifest or index, which the tag holds or lists?
    Child(TargetName, Digest),
    /// Is this manifest or index in this repository? The tag lists it, or something in the repository
    /// refers to it.
    Manifest(String, Digest),
    /// Is this blob, of this size, in this repository?
    Blob(String, Digest, u64),
    /// Does the registry list the documents that refer to a digest of this repository?
    ReferrersApi(String),
    /// Which tags refer to this digest (signatures, referrers)?
    Referrers(TargetName, Digest),
}

impl Question {
    /// The repository that it is about.
    pub(crate) fn repository(&self) -> &str {
        match self {
            Self::Tag(name) | Self::Child(name, _) | Self::Referrers(name, _) => name.repository(),
            Self::Manifest(repository, _)
            | Self::Blob(repository, ..)
            | Self::ReferrersApi(repository) => repository,
        }
    }
}

impl Answer {
    /// About how many bytes of memory it takes, with what is made of it.
    pub(crate) fn memory(&self) -> u64 {
        match self {
            Self::Tag(Some(document)) | Self::LostTag(document) => 3 * document.size(),
            Self::Child(TagChild::Image(config) | TagChild::Misfit(config)) => 2 * config.size(),
            Self::Child(TagChild::Index(index)) => {
                index.entries().iter().map(|entry| 2 * entry.raw().len() as u64).sum()
            }
            _ => 0,
        }
    }
}

/// The target's answer to a [`Question`].
#[derive(Debug)]
pub(crate) enum Answer {
    /// The tag holds this document, or does not exist.
    Tag(Option<Document>),
    /// The tag is for this document, which the target has lost.
    LostTag(Document),
    /// What the manifest or index is.
    Child(TagChild),
    /// The manifest is there, or not.
    Manifest(bool),
    /// The blob is there, or not.
    Blob(bool),
    /// The registry lists referrers, or not.
    ReferrersApi(bool),
    /// These tags refer to the digest.
    Referrers(Vec<String>),
}
