//! `clusterConfig.yaml`: which packages there are, and where images and charts go.

use serde_json::Value;

use super::{
    Destination,
    destination::ImagesAndCharts,
    file::{ConfigFile, shown, wrong},
};
use crate::error::{Detail, Result};

/// The part of a `clusterConfig.yaml` that an import needs. The rest is ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterConfig {
    /// The packages: `addonPackage.path`, or the older `addonOfflinePackagePath`.
    pub packages: Vec<String>,
    /// `imagesAndCharts`; `None` where the key is missing.
    images_and_charts: Option<ImagesAndCharts>,
}

const GROUP: &str = "provision.daocloud.io/";

impl ClusterConfig {
    /// Parses the text. Keys may be below `spec` or at the top; unknown ones are ignored.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) with the path of what is missing or wrong. It never contains a credential.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let file = ConfigFile::parse(text)?;
        if let Some(version) = file.scalar(&["apiVersion"])?
            && !version.starts_with(GROUP)
        {
            let message = format!("is not of {GROUP}");
            return Err(wrong(".apiVersion", &message).with_detail(Detail::ClusterConfig));
        }
        if let Some(kind) = file.scalar(&["kind"])?
            && kind != "ClusterConfig"
        {
            return Err(wrong(".kind", "is not ClusterConfig").with_detail(Detail::ClusterConfig));
        }
        Ok(Self { packages: file.packages()?, images_and_charts: file.images_and_charts()? })
    }

    /// Where images and charts go; `None` where the configuration does not say. Where it says `auto`,
    /// `own_address` is called for this machine's address; see [`own_address`](crate::own_address).
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) where nothing can be imported; the error of `own_address`.
    pub fn destination(
        &self,
        own_address: impl FnOnce() -> Result<String>,
    ) -> Result<Option<Destination>> {
        self.images_and_charts.as_ref().map(|to| to.destination(own_address)).transpose()
    }
}

impl ConfigFile<'_> {
    fn packages(&self) -> Result<Vec<String>> {
        let Some((path, value)) = self.find(&["addonPackage", "path"]) else {
            let older = self.scalar(&["addonOfflinePackagePath"])?;
            return Ok(older.into_iter().collect());
        };
        let Value::Array(items) = value else {
            return Ok(self.scalar(&["addonPackage", "path"])?.into_iter().collect());
        };
        items
            .iter()
            .filter(|item| !item.is_null() && item.as_str() != Some(""))
            .map(|item| match item {
                Value::String(text) => Ok(text.clone()),
                _ => Err(wrong(&shown(&path), "lists something that is no path of a package")),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Credentials;

    fn parse(text: &str) -> ClusterConfig {
        ClusterConfig::parse(text.as_bytes()).expect(text)
    }

    fn error_of(text: &str) -> String {
        ClusterConfig::parse(text.as_bytes()).expect_err(text).to_string()
    }

    #[test]
    fn packages_in_every_spelling() {
        for (text, packages) in [
            ("spec: {addonPackage: {path: /a.tar.gz}}", vec!["/a.tar.gz"]),
            (
                "spec:\n  addonPackage:\n    path:\n    - /a\n    - \"/b\"\n    -\n",
                vec!["/a", "/b"],
            ),
            ("addonPackage: {path: /a}", vec!["/a"]),
            ("spec: {addonOfflinePackagePath: /old}", vec!["/old"]),
            ("spec: {addonPackage: {path: \"\"}, addonOfflinePackagePath: /old}", vec![]),
            ("spec: {addonPackage: }", vec![]),
            (
                "apiVersion: provision.daocloud.io/v1alpha1\nkind: ClusterConfig\nspec: {other: 1}",
                vec![],
            ),
        ] {
            assert_eq!(parse(text).packages, packages, "{text}");
        }
    }

    #[test]
    fn builtin() {
        let text = "spec: {imagesAndCharts: {type: buitin}, bootstrapNode: auto}";
        let expected = |host, registry_port, charts_port| {
            Some(ImagesAndCharts::Builtin { host, registry_port, charts_port })
        };
        assert_eq!(parse(text).images_and_charts, expected(None, 443, 8081));
        let text = "spec:\n  imagesAndCharts: {type: builtin}\n  bootstrapNode: 10.1.2.3\n  tinderKind: {registryPort: 5443, chartmuseumPort: '8082'}\n";
        assert_eq!(parse(text).images_and_charts, expected(Some("10.1.2.3".into()), 5443, 8082));
    }

    #[test]
    fn external_with_credentials_as_they_were_written() {
        let text = "\
spec:
  imagesAndCharts:
    type: external
    externalImageRepo: https://harbor.example.com
    externalImageRepoUsername: admin
    externalImageRepoPassword: 01234567
    externalChartRepoType: chartmuseum
    externalChartRepo: http://10.0.0.1:8080
    externalChartUsername: rootuser # one example has it so
    externalChartMuseumPassword: 1e3
";
        let credential = |user: &str, password: &str| Some(Credentials::basic(user, password));
        let expected = ImagesAndCharts::External {
            images: "https://harbor.example.com".into(),
            images_credentials: credential("admin", "01234567"),
            charts: Some("http://10.0.0.1:8080".into()),
            charts_credentials: credential("rootuser", "1e3"),
        };
        let config = parse(text);
        assert!(!format!("{config:?}").contains("01234567"));
        assert_eq!(config.images_and_charts, Some(expected));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_path() {
        for (text, path) in [
            ("a: [", "no YAML"),
            ("[]", "no mapping"),
            ("apiVersion: v1\nkind: Pod\n", ".apiVersion"),
            ("kind: Manifest", ".kind"),
            ("spec: {imagesAndCharts: {type: extern}}", ".spec.imagesAndCharts.type"),
            ("spec: {imagesAndCharts: {x: 1}}", ".spec.imagesAndCharts.type"),
            ("imagesAndCharts: {type: external}", ".imagesAndCharts.externalImageRepo"),
            ("spec: {imagesAndCharts: [a]}", ".spec.imagesAndCharts"),
            (
                "spec: {imagesAndCharts: {type: external, externalImageRepo: a.b, externalImageRepoPassword: hush}}",
                ".spec.imagesAndCharts.externalImageRepoUsername",
            ),
            (
                "spec: {imagesAndCharts: {type: builtin}, tinderKind: {registryPort: x}}",
                ".spec.tinderKind.registryPort",
            ),
            ("spec: {addonPackage: {path: {a: 1}}}", ".spec.addonPackage.path"),
        ] {
            let error = error_of(text);
            assert!(error.contains(path) && !error.contains("hush"), "{text}: {error}");
        }
    }
}
