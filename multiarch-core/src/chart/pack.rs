//! Packs a chart into one file; the same files always give the same bytes.

use std::io::Write;

use serde_json::{Map, Value};

use super::{ChartFiles, go, yaml};
use crate::{
    error::{Error, ErrorKind, Result},
    image::Digest,
};

/// A packed chart, ready for a chart repository.
#[derive(Clone, Debug)]
pub(crate) struct PackedChart {
    name: String,
    version: String,
    metadata: Map<String, Value>,
    bytes: Vec<u8>,
    digest: Digest,
}

/// Members of `Chart.yaml` that are not strings ([Helm's `chart.Metadata`]).
///
/// [Helm's `chart.Metadata`]: https://helm.sh/docs/topics/charts/#the-chartyaml-file
const STRUCTURED: [&str; 6] =
    ["dependencies", "maintainers", "keywords", "sources", "annotations", "deprecated"];

impl PackedChart {
    /// Packs a chart's files into a `.tgz` with sorted entries, without times and owners.
    ///
    /// # Errors
    /// Where `Chart.yaml` is missing, or has no usable name or version.
    pub(crate) fn new(files: &ChartFiles) -> Result<Self> {
        let missing = || Error::new(ErrorKind::Missing, "the chart has no Chart.yaml");
        let text = files.get("Chart.yaml").ok_or_else(missing)?;
        let metadata = match yaml::parse(text).map_err(|e| e.at_path("Chart.yaml"))? {
            Value::Object(metadata) => with_helm_types(metadata),
            _ => return Err(missing()),
        };
        let text = |key: &str| match metadata.get(key).and_then(Value::as_str) {
            Some(text) if !text.is_empty() && !text.contains('/') => Ok(text.to_owned()),
            _ => {
                let message = format!("the chart has no usable {key}");
                Err(Error::new(ErrorKind::Malformed, message).at_path("Chart.yaml"))
            }
        };
        let (name, version) = (text("name")?, text("version")?);
        let bytes = pack(&name, files).map_err(|e| Error::from_io("packing a chart", e))?;
        let digest = Digest::sha256(&bytes);
        Ok(Self { name, version, metadata, bytes, digest })
    }

    /// The chart's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The chart's version, an opaque string.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// The content of `Chart.yaml`, with the types that Helm gives its members.
    pub(crate) fn metadata(&self) -> &Map<String, Value> {
        &self.metadata
    }

    /// The packed chart.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Digest of the packed chart.
    pub(crate) fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The name that Helm gives the file.
    pub(crate) fn file_name(&self) -> String {
        file_name(&self.name, &self.version)
    }
}

/// The name that Helm gives a packed chart's file.
pub(crate) fn file_name(name: &str, version: &str) -> String {
    format!("{name}-{version}.tgz")
}

fn pack(name: &str, files: &ChartFiles) -> std::io::Result<Vec<u8>> {
    let level = flate2::Compression::default();
    let encoder = flate2::GzBuilder::new().mtime(0).write(Vec::new(), level);
    let mut archive = tar::Builder::new(encoder);
    // The metadata comes first, as in Helm's own packages, for readers that stop early.
    let first = |path: &str| if path == "Chart.yaml" { 0 } else { 1 };
    let mut all: Vec<(&str, &[u8])> = files.iter().collect();
    all.sort_by_key(|(path, _)| (first(path), *path));
    for (path, content) in all {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        archive.append_data(&mut header, format!("{name}/{path}"), content)?;
    }
    let mut encoder = archive.into_inner()?;
    encoder.flush()?;
    encoder.finish()
}

/// Helm reads most members as strings, even if YAML has a number: `version: 90`.
fn with_helm_types(mut metadata: Map<String, Value>) -> Map<String, Value> {
    let text = |value: &mut Value| match value {
        Value::Number(number) => *value = Value::String(go::as_text(number)),
        Value::Bool(truth) => *value = Value::String(truth.to_string()),
        _ => {}
    };
    metadata.retain(|_, value| !value.is_null());
    for (key, value) in &mut metadata {
        match value {
            Value::Object(annotations) if key == "annotations" => {
                annotations.values_mut().for_each(text);
            }
            Value::Array(dependencies) if key == "dependencies" => {
                for dependency in dependencies.iter_mut().filter_map(Value::as_object_mut) {
                    dependency.get_mut("version").map(text);
                }
            }
            _ if !STRUCTURED.contains(&key.as_str()) => text(value),
            _ => {}
        }
    }
    metadata
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_is_reproducible_and_reversible() {
        let mut files = ChartFiles::default();
        let long = format!("templates/{}.yaml", "x".repeat(150));
        for path in ["values.yaml", "Chart.yaml", "files/中文.txt", &long] {
            files.insert(path, format!("name: c\nversion: 90\nfile: {path}\n").into_bytes());
        }
        let packed = PackedChart::new(&files).expect("packs");
        assert_eq!(packed.bytes(), PackedChart::new(&files).expect("packs").bytes());
        assert_eq!(packed.file_name(), "c-90.tgz");
        assert_eq!(packed.metadata()["version"], "90");
        files.insert("Chart.yaml", &b"name: c\nversion: 20240101\nappVersion: 1.10\n"[..]);
        let packed = PackedChart::new(&files).expect("packs");
        assert_eq!(packed.file_name(), "c-20240101.tgz");
        assert_eq!(packed.metadata()["appVersion"], "1.1");
        let again = ChartFiles::unpack(packed.bytes()).expect("unpacks");
        assert_eq!(again.iter().collect::<Vec<_>>(), files.iter().collect::<Vec<_>>());
    }
}
