//! `clusterConfig.yaml`: which packages there are, and where images and charts go.

use serde_json::Value;

use super::{
    Credentials, Destination,
    destination::{ImagesAndCharts, REGISTRY_PORT},
    file::{ConfigFile, shown, wrong},
};
use crate::error::{Detail, Result};

/// What of a `clusterConfig.yaml` an import needs. Everything else in it is left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterConfig {
    /// The packages: `addonPackage.path`, or the older `addonOfflinePackagePath`.
    pub packages: Vec<String>,
    /// `imagesAndCharts`; `None` where there is none.
    images_and_charts: Option<ImagesAndCharts>,
}

const GROUP: &str = "provision.daocloud.io/";
const CHARTS_PORT: u16 = 8081;

impl ClusterConfig {
    /// Reads the text. Keys may stand below `spec` or at the top; unknown ones are left alone.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] with the path of what is missing or wrong, and what to write there. No
    /// value of a credential is repeated.
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
}

impl ClusterConfig {
    /// Where images and charts go; `None` where the configuration does not say. `own_address` gives
    /// this machine's own, where it says `auto`: see [`own_address`](crate::own_address).
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where nothing can be imported; what `own_address` returns.
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

    fn port(&self, key: &str, default: u16) -> Result<u16> {
        let path = ["tinderKind", key];
        let Some(text) = self.scalar(&path)? else { return Ok(default) };
        let bad = || wrong(&self.place(&path), "is no port").with_detail(Detail::ClusterConfigPort);
        text.parse().ok().filter(|port| *port > 0).ok_or_else(bad)
    }

    fn images_and_charts(&self) -> Result<Option<ImagesAndCharts>> {
        const SECTION: &str = "imagesAndCharts";
        let Some((path, section)) = self.find(&[SECTION]) else { return Ok(None) };
        if !section.is_object() {
            return Err(
                wrong(&shown(&path), "is no mapping").with_detail(Detail::ClusterConfigType)
            );
        }
        let images = self.scalar(&[SECTION, "externalImageRepo"])?;
        let kind = self.scalar(&[SECTION, "type"])?;
        let kind = match (kind.as_deref(), &images) {
            // The manual has it misspelt.
            (Some("builtin" | "buitin"), _) => "builtin",
            (Some("external"), _) | (None, Some(_)) => "external",
            (Some("official-service"), _) => return Ok(Some(ImagesAndCharts::OfficialService)),
            (Some(_), _) => {
                let message = "is none of builtin, external and official-service";
                let error = wrong(&self.place(&[SECTION, "type"]), message);
                return Err(error.with_detail(Detail::ClusterConfigType));
            }
            (None, None) => {
                let error = wrong(&self.place(&[SECTION, "type"]), "is missing");
                return Err(error.with_detail(Detail::ClusterConfigType));
            }
        };
        if kind == "builtin" {
            let host = self.scalar(&["bootstrapNode"])?.filter(|host| host != "auto");
            return Ok(Some(ImagesAndCharts::Builtin {
                host,
                registry_port: self.port("registryPort", REGISTRY_PORT)?,
                charts_port: self.port("chartmuseumPort", CHARTS_PORT)?,
            }));
        }
        let images = images.ok_or_else(|| {
            wrong(&self.place(&[SECTION, "externalImageRepo"]), "is missing")
                .with_detail(Detail::ClusterConfigRegistry)
        })?;
        if let Some(kind) = self.scalar(&[SECTION, "externalChartRepoType"])?
            && !matches!(kind.to_ascii_lowercase().as_str(), "chartmuseum" | "harbor" | "oci")
        {
            let message = "is neither chartmuseum nor harbor, which is what charts can be sent to";
            return Err(wrong(&self.place(&[SECTION, "externalChartRepoType"]), message));
        }
        let credential = |user: &[&str], password: &[&str]| -> Result<Option<Credentials>> {
            match (self.either(SECTION, user)?, self.either(SECTION, password)?) {
                (Some(user), Some(password)) => Ok(Some(Credentials::basic(user, password))),
                (None, None) => Ok(None),
                (Some(_), None) => {
                    Err(wrong(&self.place(&[SECTION, password[0]]), "is missing beside the user"))
                }
                (None, Some(_)) => {
                    Err(wrong(&self.place(&[SECTION, user[0]]), "is missing beside the password"))
                }
            }
        };
        Ok(Some(ImagesAndCharts::External {
            images,
            images_credentials: credential(
                &["externalImageRepoUsername", "externalImageUsername"],
                &["externalImageRepoPassword", "externalImagePassword"],
            )?,
            charts: self.scalar(&[SECTION, "externalChartRepo"])?,
            charts_credentials: credential(
                &[
                    "externalChartRepoUsername",
                    "externalChartUsername",
                    "externalChartMuseumUsername",
                ],
                &[
                    "externalChartRepoPassword",
                    "externalChartPassword",
                    "externalChartMuseumPassword",
                ],
            )?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ClusterConfig {
        ClusterConfig::parse(text.as_bytes()).expect(text)
    }

    fn says(text: &str) -> String {
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
            let said = says(text);
            assert!(said.contains(path) && !said.contains("hush"), "{text}: {said}");
        }
    }
}
