//! The documents an image is made of: parsed for what they say, kept as the bytes they are.
//!
//! Nothing here re-serialises a document that was read, because that would change its digest. A
//! [`Document`] is the raw text with its digest and media type; [`Manifest`] and [`Index`] are views of
//! one, and [`ImageConfig`] is one of a config.

mod config;
mod descriptor;
mod digest;
mod document;
mod index;
mod manifest;
mod media_type;
mod platform;
mod raw;
mod reference;

pub use config::ImageConfig;
pub use digest::Digest;
pub use document::Document;
pub use index::Entry;
pub use platform::{Platform, PlatformKey};

pub(crate) use descriptor::Descriptor;
pub(crate) use digest::{Algorithm, Hasher};
pub(crate) use index::{Index, REF_NAME, entries_text};
pub(crate) use manifest::Manifest;
pub(crate) use media_type::{
    Compression, DocumentType, Family, is_image_config, layer_is_foreign, layer_is_rootfs, types,
};
pub(crate) use raw::RawObject;
#[cfg(feature = "registry")]
pub(crate) use reference::has_usable_port;
pub(crate) use reference::{
    Reference, canonical_reference, is_registry, is_repository, is_tag, same_reference,
};
