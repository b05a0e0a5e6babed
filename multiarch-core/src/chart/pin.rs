//! Digests that a template appends to a reference, although no hint says so.
//!
//! Many charts have a value `digest` or `sha` beside registry, repository and tag. Where it is set, every pod
//! asks for that digest, which no target holds once another architecture is fused.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Hint, Values,
    hint::Role,
    values::{get_table, is_copy_of_global, leaves},
};

/// A value beside those of a hint that holds a digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pin {
    path: Vec<String>,
    /// True where its name says that it belongs to the hint's image.
    is_certain: bool,
}

/// The digests among a chart's values that no hint reads, by path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pins {
    /// Those that belong to a hint's image. They are emptied.
    pub(crate) certain: Vec<Vec<String>>,
    /// Others, which may belong to something else. They stay.
    pub(crate) doubtful: Vec<Vec<String>>,
}

impl Pins {
    /// The digests of a chart with hints.
    pub(crate) fn find(hints: &[Hint], values: &Values) -> Self {
        if hints.is_empty() {
            return Self::default();
        }
        let pins: BTreeSet<Pin> = hints.iter().flat_map(|hint| pins(hint, hints, values)).collect();
        let (certain, others): (Vec<Pin>, Vec<Pin>) =
            pins.into_iter().partition(|pin| pin.is_certain);
        let certain: BTreeSet<Vec<String>> = certain.into_iter().map(|pin| pin.path).collect();
        let mut doubtful: BTreeSet<Vec<String>> = others.into_iter().map(|pin| pin.path).collect();
        doubtful.extend(digests_elsewhere(hints, values));
        let doubtful = doubtful.difference(&certain).cloned().collect();
        Self { certain: certain.into_iter().collect(), doubtful }
    }

    /// The edits that empty them.
    pub(crate) fn edits(&self) -> impl Iterator<Item = (Vec<String>, String)> {
        self.certain.iter().map(|path| (path.clone(), String::new()))
    }
}

/// The digests beside the values of one hint that no hint reads.
fn pins(hint: &Hint, all: &[Hint], values: &Values) -> Vec<Pin> {
    let mut pins = Vec::new();
    if hint.placeholders().any(|(role, _)| role == Role::Digest) {
        return pins;
    }
    // A registry is often shared, and stands in a table of other things.
    for (_, path) in hint.placeholders().filter(|(role, _)| *role != Role::Registry) {
        // Beside the value, or beside its table: `image.digest` or `imageDigest`.
        let above = path.split_last().map_or(&[][..], |(_, above)| above);
        for (path, is_own_table) in [(path, true), (above, false)] {
            let Some((key, above)) = path.split_last() else { continue };
            for (other, value) in get_table(values, above).into_iter().flatten() {
                let path: Vec<String> = above.iter().chain([other]).cloned().collect();
                let is_certain = stem(other) == stem(key);
                if (is_certain || is_own_table)
                    && holds_digest(other, value)
                    && !is_read(&path, all)
                {
                    pins.push(Pin { path, is_certain });
                }
            }
        }
    }
    // Certain for one of the hint's values is certain.
    pins.sort_by(|a, b| a.path.cmp(&b.path).then(b.is_certain.cmp(&a.is_certain)));
    pins.dedup_by(|a, b| a.path == b.path);
    pins
}

/// The digests anywhere else in the values that no hint reads. They may pin an image, too.
fn digests_elsewhere(hints: &[Hint], values: &Values) -> Vec<Vec<String>> {
    let digests = leaves(values).into_iter().filter(|(_, value)| {
        let text = value.as_str().unwrap_or_default();
        text.trim_start_matches('@').starts_with("sha256:") && holds_digest("", value)
    });
    let paths = digests.map(|(path, _)| path);
    paths.filter(|path| !is_read(path, hints) && !is_copy_of_global(values, path)).collect()
}

fn is_read(path: &[String], hints: &[Hint]) -> bool {
    hints.iter().flat_map(Hint::placeholders).any(|(_, read)| *read == *path)
}

/// True for a digest, with or without its algorithm and an `@` before it.
fn holds_digest(key: &str, value: &Value) -> bool {
    let Some(text) = value.as_str() else { return false };
    let text = text.strip_prefix('@').unwrap_or(text);
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit())
    };
    let key = key.to_ascii_lowercase();
    match text.split_once(':') {
        Some(("sha256", hex)) => is_hex(hex, 64),
        Some(("sha512", hex)) => is_hex(hex, 128),
        Some(_) => false,
        None => is_hex(text, 64) && (key.contains("sha") || key.contains("digest")),
    }
}

/// Words that say which part of a reference a value is.
const PARTS: [&str; 11] = [
    "image",
    "repository",
    "repo",
    "registry",
    "name",
    "tag",
    "version",
    "digest",
    "sha256",
    "sha",
    "sum",
];

/// What is left of a key without such words at its end: `proxy` of `proxyImageTag`.
pub(super) fn stem(key: &str) -> String {
    let mut stem = key.to_ascii_lowercase();
    while let Some(part) = PARTS.iter().find(|part| stem.ends_with(*part)) {
        stem.truncate(stem.len() - part.len());
        stem.truncate(stem.trim_end_matches(['_', '-', '.']).len());
    }
    stem
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn digests_beside_hinted_values_are_found() {
        let hex = "5b".repeat(32);
        let Value::Object(values) = json!({
            "i": {"registry": "quay.io", "repository": "a/b", "tag": "v1", "digest": format!("sha256:{hex}"), "pullPolicy": "Always"},
            "j": {"repository": "a/c", "tag": "v1", "sha": hex, "other": hex, "digest": ""},
            "k": {"image": {"repository": "a/k", "tag": "v1"}, "imageDigest": format!("sha256:{hex}")},
            "proxyImage": "a/d", "proxyTag": "v1", "proxyImageDigest": format!("@sha256:{hex}"), "agentDigest": format!("sha256:{hex}"),
        }) else {
            unreachable!()
        };
        let found = |hint: &str| {
            let hint: Hint = hint.parse().expect("a hint");
            let pins = pins(&hint, std::slice::from_ref(&hint), &values);
            pins.into_iter().map(|pin| (pin.path.join("."), pin.is_certain)).collect::<Vec<_>>()
        };
        let i = found("{{ .i.registry }}/{{ .i.repository }}:{{ .i.tag }}");
        assert_eq!(i, [("i.digest".to_owned(), true)]);
        assert_eq!(found("quay.io/{{ .j.repository }}:{{ .j.tag }}"), [("j.sha".into(), true)]);
        let flat = [("agentDigest".into(), false), ("proxyImageDigest".into(), true)];
        let beside_table = found("{{ .k.image.repository }}:{{ .k.image.tag }}");
        assert_eq!(beside_table, [("k.imageDigest".into(), true)]);
        assert_eq!(found("{{ .proxyImage }}:{{ .proxyTag }}"), flat);
        assert_eq!(found("{{ .i.repository }}:{{ .i.tag }}@{{ .i.digest }}"), []);
    }
}
