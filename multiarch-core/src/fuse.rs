//! Fusion: what a tag must hold so that it has every platform that was there and the incoming ones.
//!
//! Pure: data in, data out. The rules, in the order of `docs/design.md`:
//!
//! 1. The platform of an incoming image is what its config says.
//! 2. Platforms are compared [normalised](crate::image::Platform::key).
//! 3. Every platform that was there stays there, for every input.
//! 4. A platform that is there already is *present* (same digest), the *same* (another manifest of
//!    the same image; the one that is there stays) or a conflict, which the [`ConflictPolicy`]
//!    decides.
//! 5. Attestations follow their subject.
//! 6. What is not understood is kept as raw text.
//! 7. A result that nothing changes keeps its bytes.
//!
//! [`TagState`] is what the tag holds and what was learnt about it; [`TagState::unknown_children`] says what is still
//! to be learnt before [`fuse`] can decide.

mod incoming;
mod merge;
mod slot;
mod tag_state;

pub(crate) use incoming::is_image;
pub use incoming::{Incoming, IncomingImage};
pub use merge::fuse;
pub(crate) use tag_state::Child;
pub use tag_state::TagState;

use serde::{Deserialize, Serialize};

use crate::image::{Digest, Document, PlatformKey};

/// What happens where the tag holds another image for an incoming platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ConflictPolicy {
    /// The incoming image replaces it for that platform: an upgrade of a floating tag.
    #[default]
    Incoming,
    /// What is there stays.
    Existing,
    /// The tag is left alone, and that is an error.
    Fail,
}

/// When a single image is written as an index of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum IndexMode {
    /// Only once there are two platforms.
    #[default]
    WhenNeeded,
    /// From the start.
    Always,
}

/// The options of fusion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct FuseOptions {
    /// What happens where the tag holds another image for an incoming platform.
    pub on_conflict: ConflictPolicy,
    /// When a single image is written as an index of one.
    pub index: IndexMode,
}

/// The result of fusing.
#[derive(Clone, Debug)]
pub struct Fusion {
    /// The document the tag must hold; `None` where nothing changes.
    pub document: Option<Document>,
    /// One decision per incoming platform, in the order they came.
    pub decisions: Vec<Decision>,
    /// What the tag holds afterwards, ready for the next fusion.
    pub state: TagState,
}

/// What was decided for one incoming image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The platform.
    pub platform: PlatformKey,
    /// The incoming manifest.
    pub digest: Digest,
    /// What becomes of it.
    #[serde(flatten)]
    pub change: Change,
}

/// What becomes of an incoming image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Change {
    /// The platform was not there.
    Added,
    /// This very manifest was there.
    Present,
    /// Another manifest of the same image was there, and stays.
    Same {
        /// The manifest that stays.
        #[serde(rename = "kept")]
        stays: Digest,
    },
    /// Another image was there and has been replaced.
    Replaced {
        /// The manifests that were there: more than one only where the index listed several.
        from: Vec<Digest>,
    },
    /// Another image was there, and stays.
    #[serde(rename = "kept")]
    NotTaken {
        /// The manifest that stays.
        #[serde(rename = "kept")]
        stays: Digest,
        /// Why it stays.
        because: Reason,
    },
}

/// Why one image gives way to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// The policy says so.
    Policy,
    /// It is not of the platform that its package declares.
    Mislabelled,
    /// The other one stands in a nested index, which is not rewritten.
    Nested,
    /// The other one comes from a package of a later version.
    LaterVersion,
    /// It was in the target before, under another name.
    #[serde(rename = "earlier")]
    PreviousName,
}

impl Change {
    /// True where the incoming image becomes part of what the tag holds.
    pub fn is_written(&self) -> bool {
        matches!(self, Self::Added | Self::Replaced { .. })
    }
}
