//! docker-archives: `manifest.json`, configs and layers, as `docker save` and go-containerregistry
//! write them. They hold no image manifests, so those are made here.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;

use super::{
    Blob, BlobPlace, BlobSource, Listing, Locator, PackageImage, StoredDocument,
    leftover::UnreadImage, listing::normalise,
};
use crate::{
    error::{Error, ErrorKind, Result},
    fuse::Incoming,
    image::{
        Compression, Descriptor, Digest, Document, DocumentType, Family, ImageConfig,
        layer_is_foreign, types,
    },
    limit,
};

/// One image of `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Option<Vec<String>>,
    /// Descriptors of layers that are not in the archive, by diff ID.
    #[serde(default)]
    layer_sources: Option<BTreeMap<String, Descriptor>>,
}

/// True where this is a docker-archive's list, and not some other program's `manifest.json`.
pub(super) fn is_list(text: &[u8]) -> bool {
    limit::check_json(text, limit::DOCUMENT_VALUES).is_err()
        || serde_json::from_slice::<Vec<Listed>>(text).is_ok()
}

/// Reads all images of the archive at `prefix`; each image that cannot be read is one failure.
pub(super) fn read(
    listing: &Listing,
    prefix: &str,
    source: &dyn BlobSource,
) -> Result<(Vec<PackageImage>, Vec<UnreadImage>)> {
    let path = format!("{prefix}manifest.json");
    let text = listing.read(&path, limit::MANIFEST, source)?;
    limit::check_json(&text, limit::DOCUMENT_VALUES).map_err(|e| e.at_path(&path))?;
    let listed: Vec<Listed> = serde_json::from_slice(&text).map_err(|e| {
        Error::caused_by(ErrorKind::Malformed, "not a docker-archive's list", e).at_path(&path)
    })?;
    let names = listed.iter().map(|listed| 1 + listed.repo_tags.as_ref().map_or(0, Vec::len));
    limit::IMAGES.check(names.sum::<usize>()).map_err(|e| e.at_path(&path))?;
    let archive = Archive { listing, prefix, source };
    let (mut images, mut failed) = (Vec::new(), Vec::new());
    for listed in listed {
        match archive.image(&listed) {
            Ok(image) => images.push(image),
            Err(error) => {
                let names = listed.repo_tags.unwrap_or_default();
                let name = names.first().map_or(listed.config.as_str(), String::as_str);
                let config = digest_in_name(&listed.config);
                failed.push(UnreadImage { error: error.of_image(name), config });
            }
        }
    }
    Ok((images, failed))
}

struct Archive<'a> {
    listing: &'a Listing,
    prefix: &'a str,
    source: &'a dyn BlobSource,
}

impl Archive<'_> {
    fn path(&self, listed: &str) -> Result<String> {
        let path = normalise(listed).ok_or_else(|| {
            let message = "the archive's list names a path outside the archive";
            Error::new(ErrorKind::UnsafePath, message).at_path(listed)
        })?;
        Ok(format!("{}{path}", self.prefix))
    }

    fn image(&self, listed: &Listed) -> Result<PackageImage> {
        let path = self.path(&listed.config)?;
        let text = self.listing.read(&path, limit::CONFIG, self.source)?;
        if let Some(digest) = digest_in_name(&path) {
            digest.verify(&text).map_err(|e| e.at_path(&path))?;
        }
        self.source.keep_config(&text).map_err(|e| e.at_path(&path))?;
        let config = ImageConfig::parse(&text).map_err(|e| e.at_path(&path))?;
        let (config_locator, _) = self.listing.file(&path)?;
        let paths = listed.layers.as_deref().unwrap_or_default();
        let diff_ids = config.diff_ids().unwrap_or_default();
        if paths.len() != diff_ids.len() {
            let message =
                format!("{} layers, but the config has {} diff IDs", paths.len(), diff_ids.len());
            return Err(Error::new(ErrorKind::Malformed, message).at_path(&path));
        }
        let mut layers = Vec::new();
        for (path, diff_id) in paths.iter().zip(diff_ids) {
            let source =
                listed.layer_sources.as_ref().and_then(|sources| sources.get(&diff_id.to_string()));
            layers.push(match source {
                Some(source) if layer_is_foreign(&source.media_type) => Layer::Foreign(source),
                _ => self.layer(path, diff_id)?,
            });
        }
        let config_size = text.len() as u64;
        let document = synthesise(config.digest(), config_size, &layers);
        let kind = if matches!(document.kind(), DocumentType::Manifest(Family::Docker)) {
            types::DOCKER_CONFIG
        } else {
            types::OCI_CONFIG
        };
        let mut blobs = vec![Blob {
            descriptor: Descriptor::new(kind, config.digest().clone(), config_size),
            place: BlobPlace::Package(config_locator),
        }];
        blobs.extend(layers.iter().map(Layer::blob));
        let incoming = Incoming::image(document.clone(), Arc::new(config));
        let documents = vec![StoredDocument { document, blobs }];
        let references = listed.repo_tags.clone().unwrap_or_default();
        Ok(PackageImage { references, ..PackageImage::new(incoming, documents) })
    }

    /// A layer's digest is in its file name, or is its diff ID where the layer is not compressed;
    /// otherwise it is computed, for which the layer is read once more.
    fn layer(&self, listed: &str, diff_id: &Digest) -> Result<Layer<'static>> {
        let path = self.path(listed)?;
        let (locator, member) = self.listing.file(&path)?;
        let digest = match (digest_in_name(&path), member.compression) {
            (Some(named), Compression::None) => named,
            (Some(named), _) if named != *diff_id => named,
            (None, Compression::None) => diff_id.clone(),
            _ => self.source.digest(&locator).map_err(|e| e.at_path(&path))?,
        };
        Ok(Layer::Stored { digest, locator, compression: member.compression })
    }
}

enum Layer<'a> {
    Foreign(&'a Descriptor),
    Stored { digest: Digest, locator: Locator, compression: Compression },
}

impl Layer<'_> {
    fn blob(&self) -> Blob {
        match self {
            Self::Foreign(descriptor) => {
                Blob { descriptor: (*descriptor).clone(), place: BlobPlace::Foreign }
            }
            Self::Stored { digest, locator, compression } => {
                let media_type = match compression {
                    Compression::Gzip => types::DOCKER_LAYER.to_owned(),
                    other => other.oci_layer(),
                };
                let descriptor = Descriptor::new(&media_type, digest.clone(), locator.size);
                Blob { descriptor, place: BlobPlace::Package(*locator) }
            }
        }
    }
}

/// The digest in a name such as `sha256:<hex>`, `<hex>.json`, `<hex>.tar.gz` or
/// `blobs/sha256/<hex>`. In `<id>/layer.tar` the id is not a digest.
pub(super) fn digest_in_name(path: &str) -> Option<Digest> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.strip_prefix("sha256:").unwrap_or(name);
    Digest::from_sha256_hex(name.split('.').next().unwrap_or(name))
}

/// The manifest of an image. Where every layer is gzip, it is byte-equal to the one that charts-syncer
/// pushes (docker, indented by three); otherwise it is an OCI manifest with each layer's true type.
fn synthesise(config: &Digest, config_size: u64, layers: &[Layer<'_>]) -> Document {
    let gzip = |layer: &Layer<'_>| match layer {
        Layer::Foreign(_) => true,
        Layer::Stored { compression, .. } => *compression == Compression::Gzip,
    };
    if layers.iter().all(gzip) {
        return docker_manifest(config, config_size, layers);
    }
    let layers: Vec<Descriptor> = layers
        .iter()
        .map(|layer| {
            let mut descriptor = layer.blob().descriptor;
            if descriptor.media_type == types::DOCKER_LAYER {
                descriptor.media_type = Compression::Gzip.oci_layer();
            }
            descriptor
        })
        .collect();
    let text = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": types::OCI_MANIFEST,
        "config": Descriptor::new(types::OCI_CONFIG, config.clone(), config_size),
        "layers": layers,
    });
    Document::written(text.to_string().into_bytes(), DocumentType::Manifest(Family::Oci))
}

fn docker_manifest(config: &Digest, config_size: u64, layers: &[Layer<'_>]) -> Document {
    let descriptor = |media_type: &str, size: u64, digest: &Digest, urls: &[String]| {
        let mut value =
            serde_json::json!({"mediaType": media_type, "size": size, "digest": digest});
        if !urls.is_empty() {
            value["urls"] = urls.into();
        }
        value
    };
    let layers: Vec<_> = layers
        .iter()
        .map(|layer| {
            let Descriptor { media_type, size, digest, urls, .. } = layer.blob().descriptor;
            descriptor(&media_type, size, &digest, &urls)
        })
        .collect();
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": types::DOCKER_MANIFEST,
        "config": descriptor(types::DOCKER_CONFIG, config_size, config, &[]),
        "layers": layers,
    });
    let mut text = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"   ");
    let mut writer = serde_json::Serializer::with_formatter(&mut text, indent);
    serde::Serialize::serialize(&manifest, &mut writer).expect("writing JSON to memory");
    Document::written(text, DocumentType::Manifest(Family::Docker))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_in_names() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for name in ["sha256:X", "X.json", "X.tar.gz", "X.tar", "blobs/sha256/X", "a/X.tar.gz"] {
            let digest = digest_in_name(&name.replace('X', hex)).expect(name);
            assert_eq!(digest.hex(), hex);
        }
        assert_eq!(digest_in_name(&format!("{hex}/layer.tar")), None);
    }

    // What go-containerregistry v0.19.1 makes of a docker-archive without layers, indented as
    // charts-syncer v0.0.23 indents it.
    #[test]
    fn a_manifest_without_layers_is_that_of_charts_syncer() {
        let config = Digest::sha256(b"x");
        let expected = format!(
            "{{\n   \"schemaVersion\": 2,\n   \"mediaType\": \"{}\",\n   \"config\": {{\n      \"mediaType\": \"{}\",\n      \"size\": 1,\n      \"digest\": \"{config}\"\n   }},\n   \"layers\": []\n}}",
            types::DOCKER_MANIFEST,
            types::DOCKER_CONFIG
        );
        assert_eq!(synthesise(&config, 1, &[]).raw(), expected.as_bytes());
    }
}
