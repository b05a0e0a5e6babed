//! Platforms, compared as containerd compares them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// The platform an image runs on, as it was written.
///
/// Compare platforms by their [normalised](Platform::key) forms: a cluster takes two spellings of one
/// platform as equal. The fields have the names of the [image index] and of the image config.
///
/// ```
/// use multiarch_core::Platform;
/// let written: Platform = "linux/aarch64".parse()?;
/// assert_eq!(written.key(), "linux/arm64/v8".parse::<Platform>()?.key());
/// assert_eq!(written.to_string(), "linux/aarch64");
/// # Ok::<(), multiarch_core::Error>(())
/// ```
///
/// [image index]: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// CPU architecture, as Go's `GOARCH` names it.
    #[serde(default, deserialize_with = "super::descriptor::or_default")]
    pub architecture: String,
    /// Operating system, as Go's `GOOS` names it.
    #[serde(default, deserialize_with = "super::descriptor::or_default")]
    pub os: String,
    /// Version of the operating system; on Windows it decides whether an image runs.
    #[serde(
        rename = "os.version",
        default,
        deserialize_with = "super::descriptor::or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub os_version: String,
    /// Features that the operating system must have.
    #[serde(
        rename = "os.features",
        default,
        deserialize_with = "super::descriptor::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub os_features: Vec<String>,
    /// Variant of the CPU architecture, such as `v7`.
    #[serde(
        default,
        deserialize_with = "super::descriptor::or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub variant: String,
}

/// A [`Platform`] in normal form, by which platforms are compared, sorted and fused.
///
/// The order is os, architecture, variant, os.version, os.features.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlatformKey {
    os: String,
    architecture: String,
    variant: String,
    os_version: String,
    os_features: Vec<String>,
}

/// The values of GOARCH of all releases of Go (`go/build/syslist.go`, without reserved names).
const GO_ARCHITECTURES: [&str; 15] = [
    "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64",
    "ppc64le", "riscv64", "s390x", "sparc64", "wasm",
];

impl Platform {
    /// A platform with an operating system and an architecture only.
    pub fn new(os: &str, architecture: &str) -> Self {
        Self { os: os.into(), architecture: architecture.into(), ..Self::default() }
    }

    /// The normal form: containerd's rules for names and variants (`x86_64` is `amd64`, `aarch64`
    /// and `arm64/v8` are `arm64`, `arm` is `arm/v7`, `amd64/v1` is `amd64`), os.features as a set.
    pub fn key(&self) -> PlatformKey {
        let os = match self.os.to_lowercase() {
            os if os == "macos" => "darwin".into(),
            os => os,
        };
        let variant = self.variant.to_lowercase();
        let (architecture, variant) = match self.architecture.to_lowercase().as_str() {
            "i386" => ("386".into(), String::new()),
            "x86_64" | "x86-64" | "amd64" => {
                ("amd64".into(), if variant == "v1" { String::new() } else { variant })
            }
            "aarch64" | "arm64" => match variant.as_str() {
                "8" | "v8" | "v8.0" => ("arm64".into(), String::new()),
                _ => ("arm64".into(), variant),
            },
            "armhf" => ("arm".into(), "v7".into()),
            "armel" => ("arm".into(), "v6".into()),
            "arm" => match variant.as_str() {
                "" | "7" => ("arm".into(), "v7".into()),
                "5" | "6" | "8" => ("arm".into(), format!("v{variant}")),
                _ => ("arm".into(), variant),
            },
            other => (other.into(), variant),
        };
        let mut os_features = self.os_features.clone();
        os_features.sort();
        os_features.dedup();
        PlatformKey { os, architecture, variant, os_version: self.os_version.clone(), os_features }
    }

    /// This platform with what it leaves out and `other` says, where both have the same os and
    /// architecture.
    pub(crate) fn completed_by(&self, other: &Self) -> Self {
        let mut platform = self.clone();
        if !self.is_of_one_kind(other) {
            return platform;
        }
        if platform.variant.is_empty() {
            platform.variant.clone_from(&other.variant);
        }
        if platform.os_version.is_empty() {
            platform.os_version.clone_from(&other.os_version);
        }
        if platform.os_features.is_empty() {
            platform.os_features.clone_from(&other.os_features);
        }
        platform
    }

    /// True where both are platforms, and differ in os, architecture or in a variant that both name.
    pub(crate) fn contradicts(&self, other: &Self) -> bool {
        if self.is_unknown() || other.is_unknown() {
            return false;
        }
        let name_variant = !self.variant.is_empty() && !other.variant.is_empty();
        !self.is_of_one_kind(other) || (name_variant && self.key().variant != other.key().variant)
    }

    fn is_of_one_kind(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.key(), other.key());
        (mine.os, mine.architecture) == (theirs.os, theirs.architecture)
    }

    /// True for an architecture that some release of Go knows; container runtimes are written in Go.
    pub(crate) fn is_known_architecture(&self) -> bool {
        GO_ARCHITECTURES.contains(&self.key().architecture.as_str())
    }

    /// True where os or architecture is missing or `unknown`: that is not a platform.
    pub fn is_unknown(&self) -> bool {
        let unknown = |s: &str| s.is_empty() || s.eq_ignore_ascii_case("unknown");
        unknown(&self.os) || unknown(&self.architecture)
    }
}

impl PlatformKey {
    /// Operating system.
    pub fn os(&self) -> &str {
        &self.os
    }

    /// CPU architecture, without the variant.
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// Variant of the architecture, such as `v7`; may be empty.
    pub fn variant(&self) -> &str {
        &self.variant
    }
}

fn write_platform(
    f: &mut fmt::Formatter<'_>,
    os: &str,
    architecture: &str,
    variant: &str,
    os_version: &str,
    os_features: &[String],
) -> fmt::Result {
    f.write_str(os)?;
    if !os_version.is_empty() || !os_features.is_empty() {
        write!(f, "({os_version}")?;
        os_features.iter().try_for_each(|feature| write!(f, "+{feature}"))?;
        f.write_str(")")?;
    }
    write!(f, "/{architecture}")?;
    if !variant.is_empty() {
        write!(f, "/{variant}")?;
    }
    Ok(())
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { os, architecture, variant, os_version, os_features } = self;
        write_platform(f, os, architecture, variant, os_version, os_features)
    }
}

impl fmt::Display for PlatformKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { os, architecture, variant, os_version, os_features } = self;
        write_platform(f, os, architecture, variant, os_version, os_features)
    }
}

impl Serialize for PlatformKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PlatformKey {
    /// Reads the text that [`Serialize`] writes. A malformed architecture with a slash is split
    /// differently, but prints as the same text.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (os, rest) = text.split_once('/').unwrap_or((&text, ""));
        let (os, inner) = os.split_once('(').unwrap_or((os, ""));
        let mut inner = inner.trim_end_matches(')').split('+');
        let os_version = inner.next().unwrap_or_default().to_owned();
        let (architecture, variant) = rest.rsplit_once('/').unwrap_or((rest, ""));
        Ok(Self {
            os: os.into(),
            architecture: architecture.into(),
            variant: variant.into(),
            os_version,
            os_features: inner.map(Into::into).collect(),
        })
    }
}

impl FromStr for Platform {
    type Err = Error;

    /// Reads `os/architecture[/variant]`, with an optional `(os.version+feature…)` after the os.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || {
            Error::new(
                ErrorKind::Malformed,
                format!("{text:?} is no platform: expected os/architecture[/variant]"),
            )
        };
        let (os, rest, version) = match text.split_once('(') {
            Some((os, rest)) => {
                let (inner, rest) = rest.split_once(')').ok_or_else(bad)?;
                (os, rest.strip_prefix('/').ok_or_else(bad)?, inner)
            }
            None => {
                let (os, rest) = text.split_once('/').ok_or_else(bad)?;
                (os, rest, "")
            }
        };
        let (architecture, variant) = rest.split_once('/').unwrap_or((rest, ""));
        let word = |s: &str| s.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        let mut version = version.split('+');
        let os_version = version.next().unwrap_or_default();
        let os_features: Vec<String> = version.map(Into::into).collect();
        let empty = os.is_empty() || architecture.is_empty() || rest.ends_with('/');
        let words = [os, architecture, variant, os_version];
        if empty || !words.into_iter().chain(os_features.iter().map(String::as_str)).all(word) {
            return Err(bad());
        }
        Ok(Self {
            os: os.into(),
            architecture: architecture.into(),
            variant: variant.into(),
            os_version: os_version.into(),
            os_features,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Pairs taken from containerd's platforms_test.go and database.go.
    #[test]
    fn normalises_as_containerd_does() {
        for (written, normal) in [
            ("linux/x86_64", "linux/amd64"),
            ("linux/x86-64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v3", "linux/amd64/v3"),
            ("Linux/AMD64", "linux/amd64"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm64/8", "linux/arm64"),
            ("linux/arm64/v9", "linux/arm64/v9"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/armhf", "linux/arm/v7"),
            ("linux/armel", "linux/arm/v6"),
            ("linux/arm/5", "linux/arm/v5"),
            ("linux/i386", "linux/386"),
            ("macos/arm64", "darwin/arm64"),
            ("linux/riscv64", "linux/riscv64"),
            ("windows(10.0.17763.1)/amd64", "windows(10.0.17763.1)/amd64"),
            ("windows(10.0+b+a+b)/amd64", "windows(10.0+a+b)/amd64"),
        ] {
            let platform: Platform = written.parse().expect(written);
            assert_eq!(platform.to_string(), written);
            assert_eq!(platform.key().to_string(), normal, "{written}");
            let again: Platform = normal.parse().expect(normal);
            assert_eq!(again.key(), platform.key());
            let text = serde_json::to_string(&platform.key()).expect("JSON");
            let read: PlatformKey = serde_json::from_str(&text).expect("a key");
            assert_eq!(read, platform.key());
        }
    }

    #[test]
    fn refuses_malformed_platforms() {
        for text in ["", "linux", "/amd64", "linux/", "linux/amd64/", "windows(1/amd64", "a b/c"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }

    #[test]
    fn json_uses_the_dotted_names() {
        let text = r#"{"architecture":"amd64","os":"windows","os.version":"10.0","os.features":["win32k"]}"#;
        let platform: Platform = serde_json::from_str(text).expect("valid");
        assert_eq!(platform.os_version, "10.0");
        assert_eq!(serde_json::to_string(&platform).expect("serialises"), text);
        let empty: Platform = serde_json::from_str(r#"{"os":null}"#).expect("valid");
        assert!(empty.is_unknown());
    }
}
