//! File names of packages and bundles.

/// What a package's file name says. The architecture here is only declared: an image's true one is
/// in its config.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct PackageName {
    /// The name without version and architecture.
    pub stem: String,
    /// The version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The architecture, as Go spells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
}

const ENDINGS: [&str; 8] =
    [".tar.gz", ".tgz", ".tar.zst", ".tar.zstd", ".tar", ".gz", ".zst", ".bundle"];

/// Spellings of architectures in file names, and how Go spells each.
const ARCHITECTURES: [(&str, &str); 10] = [
    ("amd64", "amd64"),
    ("x86_64", "amd64"),
    ("x86-64", "amd64"),
    ("arm64", "arm64"),
    ("aarch64", "arm64"),
    ("armv7", "arm"),
    ("arm", "arm"),
    ("ppc64le", "ppc64le"),
    ("s390x", "s390x"),
    ("riscv64", "riscv64"),
];

impl PackageName {
    /// Reads `addon-offline-full-package-<version>-<architecture>.tar.gz` and names like it; both
    /// parts may be missing.
    ///
    /// ```
    /// use multiarch_core::PackageName;
    /// let name = PackageName::parse("gpu-addon-offline-package-v0.18.0-amd64.tar.gz");
    /// assert_eq!(name.stem, "gpu-addon-offline-package");
    /// assert_eq!(name.version.as_deref(), Some("v0.18.0"));
    /// assert_eq!(name.architecture.as_deref(), Some("amd64"));
    /// ```
    pub fn parse(file_name: &str) -> Self {
        let mut stem = file_name;
        while let Some(shorter) = ENDINGS.iter().find_map(|ending| stem.strip_suffix(ending)) {
            stem = shorter;
        }
        let mut architecture = None;
        for (spelling, name) in ARCHITECTURES {
            let shorter = stem.strip_suffix(spelling).and_then(|rest| {
                rest.strip_suffix(['-', '_', '.']).or(rest.is_empty().then_some(""))
            });
            if let Some(shorter) = shorter {
                (stem, architecture) = (shorter, Some(name.to_owned()));
                break;
            }
        }
        let version = stem
            .match_indices('-')
            .map(|(at, _)| &stem[at + 1..])
            .find(|rest| is_version(rest))
            .map(ToOwned::to_owned);
        let stem = match &version {
            Some(version) => &stem[..stem.len() - version.len() - 1],
            None => stem,
        };
        Self { stem: stem.into(), version, architecture }
    }
}

fn is_version(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || ".+-_".contains(c))
}

/// What a bundle's file name says: `<chart>_<version>.bundle.tar`, or with a hyphen from older
/// tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BundleName {
    /// The chart's name.
    pub chart: String,
    /// The chart's version.
    pub version: String,
}

impl BundleName {
    /// Reads a file name; `None` where it is not a bundle's.
    pub(crate) fn parse(file_name: &str) -> Option<Self> {
        let stem = file_name.strip_suffix(".bundle.tar")?;
        let split = stem.split_once('_').or_else(|| {
            let hyphens = stem.match_indices('-').map(|(at, _)| at);
            hyphens.map(|at| (&stem[..at], &stem[at + 1..])).find(|(_, v)| is_version(v))
        });
        let (chart, version) = split.unwrap_or((stem, ""));
        Some(Self { chart: chart.into(), version: version.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages() {
        for (file, stem, version, architecture) in [
            (
                "addon-offline-full-package-v0.9.0-amd64.tar.gz",
                "addon-offline-full-package",
                "v0.9.0",
                "amd64",
            ),
            (
                "standard-addon-offline-package-v0.18.0-arm64.tar.gz",
                "standard-addon-offline-package",
                "v0.18.0",
                "arm64",
            ),
            (
                "addon-offline-full-package-v0.9.0-rc1-aarch64.tar",
                "addon-offline-full-package",
                "v0.9.0-rc1",
                "arm64",
            ),
            ("images-amd64-v0.37.0.tar.gz", "images-amd64", "v0.37.0", ""),
            ("images-x86_64.tar.zst", "images", "", "amd64"),
            ("charm.tar", "charm", "", ""),
            ("arm64.tar", "", "", "arm64"),
            ("whatever", "whatever", "", ""),
            ("", "", "", ""),
        ] {
            let name = PackageName::parse(file);
            assert_eq!(name.stem, stem, "{file}");
            assert_eq!(name.version.unwrap_or_default(), version, "{file}");
            assert_eq!(name.architecture.unwrap_or_default(), architecture, "{file}");
        }
    }

    #[test]
    fn bundles() {
        for (file, chart, version) in [
            ("nvidia-vgpu_2.9.0+3.bundle.tar", "nvidia-vgpu", "2.9.0+3"),
            ("kuberhealthy_90.bundle.tar", "kuberhealthy", "90"),
            ("etcd-4.8.0.bundle.tar", "etcd", "4.8.0"),
            ("dao-2048-bak-1.2.1.bundle.tar", "dao", "2048-bak-1.2.1"),
            ("ghippo.bundle.tar", "ghippo", ""),
        ] {
            let name = BundleName::parse(file).expect(file);
            assert_eq!((name.chart.as_str(), name.version.as_str()), (chart, version));
        }
        assert_eq!(BundleName::parse("images.tar"), None);
    }
}
