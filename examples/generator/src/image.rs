//! Images: layers, config, and the manifest that charts-syncer pushes for them.

use serde_json::json;

use crate::archive::{Entry, gzip, sha256, tar, zstd};

/// A layer: its bytes as they are stored in an archive, and the digest of its uncompressed tar.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The blob.
    pub blob: Vec<u8>,
    /// SHA-256 of the uncompressed tar, in hex.
    pub diff_id: String,
}

impl Layer {
    /// A gzip layer with one file.
    pub fn gzip(path: &str, content: &str) -> Self {
        let (diff_id, tar) = Self::content(path, content);
        Self { blob: gzip(&tar), diff_id }
    }

    /// The same in Zstandard.
    pub fn zstd(path: &str, content: &str) -> Self {
        let (diff_id, tar) = Self::content(path, content);
        Self { blob: zstd(&tar), diff_id }
    }

    /// The same without compression.
    pub fn plain(path: &str, content: &str) -> Self {
        let (diff_id, blob) = Self::content(path, content);
        Self { blob, diff_id }
    }

    fn content(path: &str, content: &str) -> (String, Vec<u8>) {
        let tar = tar(&[Entry::file(path, content)]);
        (sha256(&tar), tar)
    }

    /// SHA-256 of the blob, in hex.
    pub fn digest(&self) -> String {
        sha256(&self.blob)
    }
}

/// An image: a config and layers.
#[derive(Clone, Debug)]
pub struct Image {
    /// The config's text.
    pub config: Vec<u8>,
    /// The layers.
    pub layers: Vec<Layer>,
}

impl Image {
    /// An image with a base layer of its architecture and one of its own.
    pub fn new(architecture: &str, name: &str) -> Self {
        let base = Layer::gzip("bin/busybox", &format!("a program for {architecture}\n"));
        let own = Layer::gzip(&format!("usr/share/{name}"), &format!("{name} on {architecture}\n"));
        Self::of(architecture, "", vec![base, own])
    }

    /// An image of these layers.
    pub fn of(architecture: &str, variant: &str, layers: Vec<Layer>) -> Self {
        let diff_ids: Vec<_> = layers.iter().map(|l| format!("sha256:{}", l.diff_id)).collect();
        let mut config = json!({
            "architecture": architecture,
            "config": {"Cmd": ["/bin/busybox"]},
            "created": "2023-07-01T00:00:00Z",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        if !variant.is_empty() {
            config["variant"] = variant.into();
        }
        Self { config: config.to_string().into_bytes(), layers }
    }

    /// SHA-256 of the config, in hex.
    pub fn config_digest(&self) -> String {
        sha256(&self.config)
    }

    /// The manifest that charts-syncer v0.0.23 pushes for an image whose layers are gzip: Go's
    /// `json.MarshalIndent` with three spaces.
    pub fn manifest(&self) -> String {
        let entry = |media_type: &str, size: usize, digest: &str, indent: &str| {
            format!(
                "{{\n{indent}   \"mediaType\": \"{media_type}\",\n{indent}   \"size\": {size},\n{indent}   \"digest\": \"sha256:{digest}\"\n{indent}}}"
            )
        };
        let layers: Vec<String> = self
            .layers
            .iter()
            .map(|layer| {
                let media_type = "application/vnd.docker.image.rootfs.diff.tar.gzip";
                format!("      {}", entry(media_type, layer.blob.len(), &layer.digest(), "      "))
            })
            .collect();
        let layers = if layers.is_empty() {
            "[]".to_owned()
        } else {
            format!("[\n{}\n   ]", layers.join(",\n"))
        };
        let config = entry(
            "application/vnd.docker.container.image.v1+json",
            self.config.len(),
            &self.config_digest(),
            "   ",
        );
        format!(
            "{{\n   \"schemaVersion\": 2,\n   \"mediaType\": \"application/vnd.docker.distribution.manifest.v2+json\",\n   \"config\": {config},\n   \"layers\": {layers}\n}}"
        )
    }

    /// Digest of that manifest, as registries print it.
    pub fn digest(&self) -> String {
        format!("sha256:{}", sha256(self.manifest().as_bytes()))
    }
}
