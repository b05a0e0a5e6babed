//! A tag in a live registry that another tool wrote, and imports onto it.

use multiarch_generator::{Image, Layer, images_tar};
use serde_json::Value;

use crate::{
    desk::Desk,
    server::{Kind, Server},
};

pub(crate) const NAME: &str = "demo/app:v1";
const REPOSITORY: &str = "demo/app";
pub(crate) const KINDS: [Kind; 2] = [Kind::Debian, Kind::V3];

/// A registry, and images of one name in archives.
pub(crate) struct Stage {
    pub(crate) desk: Desk,
    pub(crate) server: Server,
}

impl Stage {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { desk: Desk::new(), server: Server::start(kind) }
    }

    pub(crate) fn archive(&self, file: &str, image: &Image) -> String {
        self.desk.write(file, images_tar(&[("quay.io/demo/app:v1", image)]))
    }

    /// Puts an image at a tag.
    pub(crate) fn push(&self, image: &Image, name: &str) {
        self.server.push(image, name);
    }

    /// Puts raw bytes at the tag.
    pub(crate) fn put(&self, media_type: &str, text: &str) {
        let (_, tag) = NAME.split_once(':').expect("a tag");
        self.server.put(REPOSITORY, tag, media_type, text);
    }

    /// Puts raw bytes into the same repository without a tag. Returns their digest.
    pub(crate) fn put_beside(&self, media_type: &str, text: &str) -> String {
        self.server.put(REPOSITORY, "", media_type, text)
    }

    /// Puts a blob and returns its digest.
    pub(crate) fn put_blob(&self, content: &str) -> String {
        self.server.put_blob(REPOSITORY, content)
    }

    /// Imports an image. Returns the exit code and the output.
    pub(crate) fn import(&self, image: &Image, more: &[&str]) -> (Option<i32>, String) {
        let archive = self.archive("incoming.tar", image);
        let target = self.server.target();
        let mut words = vec!["import", &archive, "--to", &target, "--quiet"];
        words.extend(more);
        let run = self.desk.run(&words);
        (run.code, run.out + &run.err)
    }

    pub(crate) fn manifest(&self) -> String {
        self.server.manifest(NAME)
    }

    /// Architecture and digest of each entry in the tag's index, in order.
    pub(crate) fn entries(&self) -> Vec<(String, String)> {
        let manifest: Value = serde_json::from_str(&self.manifest()).expect("JSON");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entries = manifest["manifests"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|e| (text(&e["platform"]["architecture"]), text(&e["digest"]))).collect()
    }
}

pub(crate) fn image(architecture: &str, content: &str) -> Image {
    Image::of(architecture, "", vec![Layer::gzip("file", content)])
}
