//! Image configs: the platform of an image, and whether two configs describe the same image.

use serde_json::{Map, Value};

use super::{Digest, Platform};
use crate::{
    error::{Error, ErrorKind},
    limit,
};

/// An image config ([OCI config]), Docker's or OCI's.
///
/// [OCI config]: https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
#[derive(Clone, Debug)]
pub struct ImageConfig {
    digest: Digest,
    platform: Platform,
    diff_ids: Option<Vec<Digest>>,
    members: Map<String, Value>,
    /// Bytes of the text.
    size: u64,
}

/// Members that the OCI specification defines. A converter between Docker and OCI keeps them all.
const OCI_MEMBERS: [&str; 9] = [
    "created",
    "author",
    "architecture",
    "os",
    "os.version",
    "os.features",
    "variant",
    "config",
    "history",
];
/// Members of `config` that the OCI specification defines.
const OCI_RUNTIME_MEMBERS: [&str; 9] = [
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "Labels",
    "StopSignal",
];

impl ImageConfig {
    /// Reads a config.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`], or [`ErrorKind::Malformed`] where the text is not a JSON object with
    /// members of the right types.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        let digest = Digest::sha256(text);
        Self::parse_members(text, &digest).map_err(|e| e.with_digest(&digest))
    }

    fn parse_members(text: &[u8], digest: &Digest) -> Result<Self, Error> {
        let malformed =
            |e: serde_json::Error| Error::caused_by(ErrorKind::Malformed, "not an image config", e);
        limit::CONFIG.check(text.len())?;
        limit::check_json(text, limit::CONFIG_VALUES)?;
        let members: Map<String, Value> = serde_json::from_slice(text).map_err(malformed)?;
        let platform = serde_json::from_value(Value::Object(members.clone())).map_err(malformed)?;
        let diff_ids = match members.get("rootfs") {
            None | Some(Value::Null) => None,
            Some(rootfs) => match rootfs.get("diff_ids") {
                None | Some(Value::Null) => Some(Vec::new()),
                Some(list) => Some(serde_json::from_value(list.clone()).map_err(malformed)?),
            },
        };
        let size = text.len() as u64;
        Ok(Self { digest: digest.clone(), platform, diff_ids, members, size })
    }

    /// Digest of the text.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Size of the text in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The platform.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// The digests of the uncompressed layers; `None` where there is no `rootfs`, because the config is
    /// not that of an image.
    pub fn diff_ids(&self) -> Option<&[Digest]> {
        self.diff_ids.as_deref()
    }

    /// True where both describe the same image: the text is the same, or the layers and the content
    /// are, as after one tool wrote the image for Docker and another one for OCI.
    ///
    /// Members that the specification defines must be equal; an empty member equals an absent one. Other
    /// members count only where both have them, because converters drop members that they do not know.
    pub fn is_same_image(&self, other: &Self) -> bool {
        if self.digest == other.digest {
            return true;
        }
        let (Some(mine), Some(theirs)) = (self.diff_ids(), other.diff_ids()) else {
            return false;
        };
        mine == theirs
            && agree(&self.members, &other.members, &OCI_MEMBERS, &["rootfs", "config"])
            && match (self.members.get("config"), other.members.get("config")) {
                (Some(Value::Object(mine)), Some(Value::Object(theirs))) => {
                    agree(mine, theirs, &OCI_RUNTIME_MEMBERS, &[])
                }
                (mine, theirs) => normal(mine) == normal(theirs),
            }
    }
}

fn agree(a: &Map<String, Value>, b: &Map<String, Value>, defined: &[&str], skip: &[&str]) -> bool {
    a.keys().chain(b.keys()).filter(|name| !skip.contains(&name.as_str())).all(|name| {
        let (a, b) = (normal(a.get(name)), normal(b.get(name)));
        a == b || (!defined.contains(&name.as_str()) && (a.is_none() || b.is_none()))
    })
}

/// The value to compare: `None` for an empty one, so that empty equals absent at every level.
fn normal(value: Option<&Value>) -> Option<Value> {
    match value? {
        Value::Null => None,
        Value::Bool(false) => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(list) if list.is_empty() => None,
        Value::Array(list) => {
            Some(Value::Array(list.iter().map(|v| normal(Some(v)).unwrap_or_default()).collect()))
        }
        Value::Object(members) => {
            // `{"80/tcp": {}}` is a set: its members count, although they are empty.
            let mut members: Vec<_> = members
                .iter()
                .filter(|(_, v)| !v.is_null())
                .map(|(k, v)| (k.clone(), normal(Some(v)).unwrap_or_default()))
                .collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            (!members.is_empty()).then(|| Value::Object(members.into_iter().collect()))
        }
        other => Some(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn config(extra: &str) -> ImageConfig {
        let text = format!(
            r#"{{"architecture":"arm64","os":"linux","rootfs":{{"type":"layers","diff_ids":["{DIFF}"]}}{extra}}}"#
        );
        ImageConfig::parse(text.as_bytes()).expect("a config")
    }

    #[test]
    fn same_image_across_converters() {
        let docker = config(
            r#","variant":"v8","docker_version":"20","container":"c","config":{"Cmd":["/a"],"Env":null,"Image":"","Healthcheck":{"Test":["x"]}}"#,
        );
        let oci = config(r#","config":{"Cmd":["/a"]},"variant":"v8""#);
        assert!(docker.is_same_image(&oci) && oci.is_same_image(&docker));
        for other in [
            r#","variant":"v8","config":{"Cmd":["/b"]}"#,
            r#","variant":"v8","config":{"Cmd":["/a"],"Env":["A=1"]}"#,
            r#","variant":"v8","config":{"Cmd":["/a"]},"created":"2024-01-01T00:00:00Z""#,
            r#","variant":"v8","config":{"Cmd":["/a"]},"docker_version":"21""#,
        ] {
            assert!(!docker.is_same_image(&config(other)), "{other}");
        }
        let ports = config(r#","config":{"ExposedPorts":{"80/tcp":{}}}"#);
        assert!(!ports.is_same_image(&config("")));
    }

    #[test]
    fn artifacts_are_never_the_same_image() {
        let parse = |text: &str| ImageConfig::parse(text.as_bytes()).expect("JSON");
        assert!(!parse("{}").is_same_image(&parse("{ }")));
        assert!(parse("{}").is_same_image(&parse("{}")));
        assert!(parse("{}").diff_ids().is_none());
        assert!(ImageConfig::parse(b"not json").is_err());
        assert!(ImageConfig::parse(br#"{"architecture":5}"#).is_err());
    }
}
