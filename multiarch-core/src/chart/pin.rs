//! Digests that a template appends to a reference, although no hint says so.
//!
//! Many charts have a value `digest` or `sha` beside registry, repository and tag. Where it is set, every pod
//! asks for that digest, which no target holds once another architecture is fused.

use serde_json::Value;

use super::{Hint, Values, hint::Role, values::get_value};

/// A value beside those of a hint that holds a digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pin {
    pub(super) path: Vec<String>,
    /// True where its name says that it belongs to the hint's image.
    pub(super) is_certain: bool,
}

/// The digests beside the values of one hint that no hint reads.
pub(super) fn pins(hint: &Hint, all: &[Hint], values: &Values) -> Vec<Pin> {
    let mut pins = Vec::new();
    if hint.placeholders().any(|(role, _)| role == Role::Digest) {
        return pins;
    }
    for (role, path) in hint.placeholders() {
        let Some((key, above)) = path.split_last() else { continue };
        let table = if above.is_empty() {
            Some(values)
        } else {
            get_value(values, above).and_then(Value::as_object)
        };
        // A registry is often shared, and stands in a table of other things.
        let Some(table) = table.filter(|_| role != Role::Registry) else { continue };
        for (other, value) in table {
            let path: Vec<String> = above.iter().chain([other]).cloned().collect();
            let is_read = all.iter().flat_map(Hint::placeholders).any(|(_, read)| *read == path);
            if !is_read && holds_digest(other, value) {
                pins.push(Pin { path, is_certain: stem(other) == stem(key) });
            }
        }
    }
    // Certain for one of the hint's values is certain.
    pins.sort_by(|a, b| a.path.cmp(&b.path).then(b.is_certain.cmp(&a.is_certain)));
    pins.dedup_by(|a, b| a.path == b.path);
    pins
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
fn stem(key: &str) -> String {
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
        assert_eq!(found("{{ .proxyImage }}:{{ .proxyTag }}"), flat);
        assert_eq!(found("{{ .i.repository }}:{{ .i.tag }}@{{ .i.digest }}"), []);
    }
}
