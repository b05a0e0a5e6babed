//! Fusion: the document that a tag must hold to keep all of its platforms and gain the incoming ones.
//!
//! Pure: data in, data out. The rules, in the order of `docs/design.md`:
//!
//! 1. The platform of an image is the one that its entry in an index states, completed by its config; the
//!    config's where there is no entry. The same holds for what comes in and for what the tag holds.
//! 2. Platforms are compared [normalised](crate::image::Platform::key).
//! 3. A tag never loses a platform, whatever comes in.
//! 4. Where the tag already has the platform, the incoming image is *present* (same digest), *restored*
//!    (same digest, but the target lost it), the *same* (another manifest of the same image; the tag's
//!    manifest stays) or a conflict, which the [`ConflictPolicy`] decides.
//! 5. One source is one statement: its images are compared with what the tag held before, and never with
//!    each other.
//! 6. Where the tag then holds just what the source's own index lists, it gets that index itself.
//! 7. Attestations follow their subject.
//! 8. JSON members that this code does not know are kept as raw text.
//! 9. A document in which nothing changes keeps its bytes.
//!
//! [`TagState`] is the document at a tag, and what is known about the manifests that it lists.
//! [`TagState::unknown_children`] lists the manifests that must be read before [`fuse`] can decide.

mod incoming;
mod merge;
mod rivals;
mod slot;
mod tag_state;
mod upstream;

pub(crate) use incoming::is_image;
pub use incoming::{Incoming, IncomingImage};
pub use merge::fuse;
pub(crate) use merge::{add_attestations, fuse_again, put_back};
pub(crate) use tag_state::TagChild;
pub use tag_state::TagState;

use serde::{Deserialize, Serialize};

use crate::image::{Digest, Document, PlatformKey};

/// What happens where the tag holds another image for an incoming platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ConflictPolicy {
    /// The incoming image replaces it for that platform, as an upgrade of a floating tag needs.
    #[default]
    Incoming,
    /// The image at the tag stays.
    Existing,
    /// Fusing fails, and the tag stays as it is.
    Fail,
}

/// When a single image is written as an index of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum IndexMode {
    /// An index is written only for two platforms or more.
    #[default]
    WhenNeeded,
    /// An index is written even for a single platform.
    Always,
}

/// The options of fusion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
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
    /// One decision per incoming platform, in the order of the incoming images.
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
    /// The tag did not have the platform.
    Added,
    /// The tag already had this very manifest.
    Present,
    /// The tag listed this very manifest, but the target did not have it as a whole. It is sent again, and
    /// the tag keeps its bytes.
    Restored,
    /// The tag had another manifest of the same image, which stays.
    Same {
        /// The manifest that stays.
        #[serde(rename = "kept")]
        stays: Digest,
    },
    /// The tag had another image, which is replaced.
    Replaced {
        /// The replaced manifests: several where the index listed several for the platform.
        from: Vec<Digest>,
    },
    /// The tag had another image, which stays.
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
    /// The conflict policy decides so.
    Policy,
    /// Its sources disagree about its platform: entry and config, or config and package.
    Mislabelled,
    /// The other image is listed in a nested index, and nested indexes are not rewritten.
    Nested,
    /// Another writer put the other image there after this run had written the tag.
    Newer,
    /// The other image comes from a package of a later version.
    LaterVersion,
    /// It comes from an earlier import, which gave it another name in the target.
    #[serde(rename = "earlier")]
    PreviousName,
}

impl Change {
    /// True where the incoming image becomes part of the tag's document.
    pub fn is_written(&self) -> bool {
        matches!(self, Self::Added | Self::Replaced { .. })
    }
}
