//! Small documents for the tests, written with `serde_json` and not with the code under test.

use std::sync::Arc;

use crate::{
    fuse::{FuseOptions, Fusion, Incoming, IncomingImage, TagChild, TagState, fuse},
    image::{Digest, Document, Entry, Family, ImageConfig, Index, Platform, PlatformKey, types},
};
use serde_json::{Value, json};

/// An image: its manifest and its config.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) document: Document,
    pub(crate) config: Arc<ImageConfig>,
}

pub(crate) fn config_text(platform: &str, content: &str) -> String {
    let platform: Platform = platform.parse().expect("a platform");
    let mut config = serde_json::to_value(&platform).expect("JSON");
    config["config"] = json!({"Cmd": [content]});
    config["rootfs"] = json!({"type": "layers", "diff_ids": [Digest::sha256(content.as_bytes())]});
    config.to_string()
}

impl Image {
    pub(crate) fn new(family: Family, platform: &str, content: &str) -> Self {
        Self::of_config(family, &config_text(platform, content))
    }

    pub(crate) fn of_config(family: Family, config: &str) -> Self {
        let (manifest, config_type, layer) = match family {
            Family::Docker => (types::DOCKER_MANIFEST, types::DOCKER_CONFIG, types::DOCKER_LAYER),
            Family::Oci => (
                types::OCI_MANIFEST,
                types::OCI_CONFIG,
                "application/vnd.oci.image.layer.v1.tar+gzip",
            ),
        };
        let text = json!({
            "schemaVersion": 2,
            "mediaType": manifest,
            "config": {"mediaType": config_type, "digest": Digest::sha256(config.as_bytes()), "size": config.len()},
            "layers": [{"mediaType": layer, "digest": Digest::sha256(b"layer"), "size": 5}],
        });
        Self {
            document: Document::new(text.to_string().into_bytes(), None).expect("a manifest"),
            config: Arc::new(ImageConfig::parse(config.as_bytes()).expect("a config")),
        }
    }

    pub(crate) fn digest(&self) -> Digest {
        self.document.digest().clone()
    }

    pub(crate) fn key(&self) -> PlatformKey {
        self.config.platform().key()
    }

    pub(crate) fn incoming(&self) -> Incoming {
        Incoming::image(self.document.clone(), self.config.clone())
    }

    /// The entry an index has for this image, written by hand.
    pub(crate) fn entry(&self) -> Value {
        let platform = serde_json::to_value(self.config.platform()).expect("JSON");
        json!({
            "mediaType": self.document.media_type(),
            "digest": self.digest(),
            "size": self.document.size(),
            "platform": platform,
        })
    }
}

/// An index entry for an attestation of an image, as BuildKit writes it.
pub(crate) fn attestation(of: &Image, content: &str) -> Value {
    json!({
        "mediaType": types::OCI_MANIFEST,
        "digest": Digest::sha256(content.as_bytes()),
        "size": 7,
        "annotations": {
            "vnd.docker.reference.digest": of.digest(),
            "vnd.docker.reference.type": "attestation-manifest",
        },
        "platform": {"architecture": "unknown", "os": "unknown"},
    })
}

pub(crate) fn index_text(media_type: &str, entries: &[Value]) -> String {
    json!({"schemaVersion": 2, "mediaType": media_type, "manifests": entries}).to_string()
}

pub(crate) fn document(text: &str) -> Document {
    Document::new(text.as_bytes(), None).expect("a document")
}

/// An incoming index. The entries for `images` are its images, all others are other entries.
pub(crate) fn incoming_index(text: &str, images: &[&Image]) -> Incoming {
    let document = document(text);
    let index = Index::from_document(&document).expect("an index");
    let (mut parts, mut others) = (Vec::new(), Vec::new());
    for entry in index.entries() {
        match images.iter().find(|image| image.digest() == *entry.digest()) {
            Some(image) => parts.push(IncomingImage::new(
                image.document.clone(),
                image.config.clone(),
                Some(entry.clone()),
            )),
            None => others.push(entry.clone()),
        }
    }
    Incoming::index(document, parts, others, &[]).expect("an index")
}

/// A tag that holds this document, with the configs of these images known.
pub(crate) fn tag_of(text: &str, images: &[&Image]) -> TagState {
    let mut tag = TagState::new(document(text));
    for image in images {
        tag.add_child(image.digest(), TagChild::Image(image.config.clone()));
    }
    tag
}

/// A tag that holds this single image.
pub(crate) fn tag_of_image(image: &Image) -> TagState {
    let mut tag = TagState::new(image.document.clone());
    tag.add_child(image.digest(), TagChild::Image(image.config.clone()));
    tag
}

pub(crate) fn fused(tag: &TagState, incoming: &Incoming) -> Fusion {
    let unknown = tag.unknown_children(std::slice::from_ref(incoming)).expect("readable");
    assert_eq!(unknown, Vec::<Digest>::new(), "the test must add these children to the tag first");
    fuse(tag, incoming, &FuseOptions::default()).expect("fuses")
}

/// The text of the tag's document after fusing.
pub(crate) fn text_after(fusion: &Fusion) -> String {
    let document = fusion.state.document().expect("the tag exists");
    String::from_utf8(document.raw().to_vec()).expect("text")
}

pub(crate) fn entry(value: &Value) -> Entry {
    Index::parse(json!({"manifests": [value]}).to_string().as_bytes()).expect("an index").entries()
        [0]
    .clone()
}
