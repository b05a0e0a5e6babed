//! The images that rendered manifests run.

use std::collections::BTreeSet;

use serde_json::Value;

use super::yaml;
use crate::{error::Result, image::Reference};

/// The images in what `helm template` prints: those of all containers, and other members `image` that are
/// references with a path, as operators read them.
///
/// # Errors
/// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) for a text that is not YAML.
pub(crate) fn rendered_images(manifests: &str) -> Result<BTreeSet<String>> {
    let mut images = BTreeSet::new();
    for manifest in documents(manifests) {
        let manifest = yaml::parse(manifest.as_bytes())?;
        // What a ConfigMap or a Secret holds are texts.
        if !matches!(manifest["kind"].as_str(), Some("ConfigMap" | "Secret")) {
            collect(&manifest, false, &mut images);
        }
    }
    Ok(images)
}

/// The documents of a stream of YAML.
fn documents(manifests: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in manifests.lines() {
        match documents.last_mut() {
            _ if line == "---" || line.starts_with("--- ") => documents.push(String::new()),
            Some(document) => {
                document.push_str(line);
                document.push('\n');
            }
            None => {}
        }
    }
    documents
}

/// Istio replaces this image by that of its proxy when the pod is created.
const INJECTED: &str = "auto";

fn collect(value: &Value, is_container: bool, images: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value.as_str() {
                    Some(image) if key == "image" && image != INJECTED => {
                        let is_reference =
                            || image.contains('/') && image.parse::<Reference>().is_ok();
                        if is_container || is_reference() {
                            images.insert(image.to_owned());
                        }
                    }
                    _ => {
                        let holds_containers = matches!(
                            key.as_str(),
                            "containers" | "initContainers" | "ephemeralContainers"
                        );
                        collect(value, holds_containers, images);
                    }
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, is_container, images)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_and_references() {
        let manifests = "\
---
# Source: c/templates/a.yaml
kind: Deployment
spec:
  template:
    spec:
      initContainers: [{name: i, image: busybox}]
      containers:
      - {name: a, image: 'r.io/a/b:v1', env: [{name: image, value: x}]}
      - {name: p, image: auto}
---
kind: CustomResourceDefinition
spec: {properties: {image: {type: string}}}
---
kind: Prometheus
spec: {image: 'r.io/p/q:v2', other: {image: word}}
---
kind: ConfigMap
data: {image: 'r.io/c/d:v3'}
";
        let images = rendered_images(manifests).expect("YAML");
        assert_eq!(Vec::from_iter(images), ["busybox", "r.io/a/b:v1", "r.io/p/q:v2"]);
        assert!(rendered_images("a: [\n").is_err());
    }
}
