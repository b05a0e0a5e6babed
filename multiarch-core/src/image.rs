//! What an image is made of: parse what is there, keep the bytes.
//!
//! Nothing here re-serialises what it has read. A [`Document`] is the raw text with its digest and
//! media type; [`Manifest`], [`Index`] and [`ImageConfig`] are views of one.

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

pub use config::{ImageConfig, MAX_CONFIG_SIZE};
pub use descriptor::Descriptor;
pub use digest::{Algorithm, Digest, DigestReader, Hasher};
pub use document::{Document, MAX_DOCUMENT_SIZE};
pub(crate) use index::entries_text;
pub use index::{Entry, Index, REF_NAME, REFERENCE_DIGEST, REFERENCE_TYPE};
pub use manifest::Manifest;
pub use media_type::{Compression, DocumentType, Family, is_image_config, layer_is_foreign, types};
pub use platform::{Platform, PlatformKey};
pub use raw::RawObject;
pub use reference::{Reference, is_registry, is_repository, is_tag};
