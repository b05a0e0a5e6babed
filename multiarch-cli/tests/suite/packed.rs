//! Packed charts without Helm: only what the generator's charts need.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use multiarch_generator::{Entry, gzip, tar};
use serde_json::Value;

use crate::{server::Server, unpacked};

/// Fetches a chart that is stored as an artifact.
pub(crate) fn pull(server: &Server, repository: &str, version: &str, folder: &Path) -> PathBuf {
    let manifest = server.manifest(&format!("{repository}:{}", version.replace('+', "_")));
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    let digest = manifest["layers"][0]["digest"].as_str().expect("a layer");
    let content = server.registry.blob(repository, digest).expect("the chart");
    let name = repository.rsplit('/').next().expect("a name");
    let path = folder.join(format!("{name}-{version}.tgz"));
    std::fs::write(&path, content).expect("written");
    path
}

/// The images that a chart's own template prints.
pub(crate) fn images(chart: &Path) -> Vec<String> {
    let content = std::fs::read(chart).expect("a packed chart");
    let files = unpacked::unpack(&content).expect("a chart");
    let text = |(path, content)| (path, String::from_utf8(content).expect("text"));
    let files: BTreeMap<String, String> = files.into_iter().map(text).collect();
    let mut values = BTreeMap::new();
    for (path, text) in &files {
        // A subchart's values are below its name, and the parent's values override them.
        if let Some(name) =
            path.strip_prefix("charts/").and_then(|p| p.strip_suffix("/values.yaml"))
        {
            values.extend(leaves(text, &format!("{name}.")));
        }
    }
    values.extend(files.get("values.yaml").map(|text| leaves(text, "")).unwrap_or_default());
    let template = files.get("templates/images.yaml").map_or("", String::as_str);
    let images = template.lines().filter_map(|l| l.trim().strip_prefix("image-")?.split_once(": "));
    images.map(|(_, image)| rendered(image, &values)).collect()
}

/// Fills in values where the template says `{{ index .Values "a" "b" }}`.
fn rendered(image: &str, values: &BTreeMap<String, String>) -> String {
    let image = image.strip_prefix('"').and_then(|image| image.strip_suffix('"')).expect("quoted");
    let mut text = String::new();
    for part in image.split("{{") {
        let (action, literal) = part.split_once("}}").unwrap_or(("", part));
        if let Some(keys) = action.trim().strip_prefix("index .Values ") {
            let path = keys.replace("\" \"", ".");
            let value = values.get(path.trim_matches('"'));
            text.push_str(value.unwrap_or_else(|| panic!("no value {path} in {values:?}")));
        }
        text.push_str(literal);
    }
    text
}

/// Path → text, for mappings written as blocks.
fn leaves(text: &str, before: &str) -> BTreeMap<String, String> {
    let (mut found, mut above) = (BTreeMap::new(), Vec::<(usize, &str)>::new());
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let indent = key.len() - key.trim_start().len();
        above.retain(|(other, _)| *other < indent);
        above.push((indent, key.trim()));
        let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        let path: Vec<&str> = above.iter().map(|(_, key)| *key).collect();
        found.insert(format!("{before}{}", path.join(".")), value.to_owned());
    }
    found
}

/// Packs a chart's folder.
pub(crate) fn pack(chart: &Path) -> Vec<u8> {
    let mut entries = Vec::new();
    let mut folders = vec![chart.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).expect("a folder") {
            let path = item.expect("an item").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(chart.parent().expect("a folder")).expect("below it");
            let content = std::fs::read(&path).expect("read");
            entries.push(Entry::file(name.display().to_string(), content));
        }
    }
    gzip(&tar(&entries))
}
