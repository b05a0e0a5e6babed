//! Reads the section `imagesAndCharts`.

use super::{
    Credentials,
    destination::{ImagesAndCharts, REGISTRY_PORT},
    file::{ConfigFile, shown, wrong},
};
use crate::error::{Detail, Error, Result};

const SECTION: &str = "imagesAndCharts";
/// The port of the bootstrap node's ChartMuseum.
const CHARTS_PORT: u16 = 8081;

impl ConfigFile<'_> {
    /// Where images and charts go; `None` where the section is missing.
    pub(super) fn images_and_charts(&self) -> Result<Option<ImagesAndCharts>> {
        let Some((path, section)) = self.find(&[SECTION]) else { return Ok(None) };
        if !section.is_object() {
            return Err(wrong_type(&shown(&path), "is no mapping"));
        }
        let images = self.scalar(&[SECTION, "externalImageRepo"])?;
        let kind = self.scalar(&[SECTION, "type"])?;
        let place = || self.place(&[SECTION, "type"]);
        Ok(Some(match (kind.as_deref(), images) {
            // `buitin` is how the manual spells it.
            (Some("builtin" | "buitin"), _) => self.builtin()?,
            (Some("external") | None, Some(images)) => self.external(images)?,
            (Some("external"), None) => {
                let place = self.place(&[SECTION, "externalImageRepo"]);
                let error = wrong(&place, "is missing");
                return Err(error.with_detail(Detail::ClusterConfigRegistry));
            }
            (Some("official-service"), _) => ImagesAndCharts::OfficialService,
            (Some(_), _) => {
                let message = "is none of builtin, external and official-service";
                return Err(wrong_type(&place(), message));
            }
            (None, None) => return Err(wrong_type(&place(), "is missing")),
        }))
    }

    fn builtin(&self) -> Result<ImagesAndCharts> {
        Ok(ImagesAndCharts::Builtin {
            host: self.scalar(&["bootstrapNode"])?.filter(|host| host != "auto"),
            registry_port: self.port("registryPort", REGISTRY_PORT)?,
            charts_port: self.port("chartmuseumPort", CHARTS_PORT)?,
        })
    }

    fn port(&self, key: &str, default: u16) -> Result<u16> {
        let path = ["tinderKind", key];
        let Some(text) = self.scalar(&path)? else { return Ok(default) };
        let bad = || wrong(&self.place(&path), "is no port").with_detail(Detail::ClusterConfigPort);
        text.parse().ok().filter(|port| *port > 0).ok_or_else(bad)
    }

    fn external(&self, images: String) -> Result<ImagesAndCharts> {
        if let Some(kind) = self.scalar(&[SECTION, "externalChartRepoType"])?
            && !matches!(kind.to_ascii_lowercase().as_str(), "chartmuseum" | "harbor" | "oci")
        {
            let message = "is neither chartmuseum nor harbor, which is what charts can be sent to";
            return Err(wrong(&self.place(&[SECTION, "externalChartRepoType"]), message));
        }
        Ok(ImagesAndCharts::External {
            images,
            images_credentials: self.credentials(
                &["externalImageRepoUsername", "externalImageUsername"],
                &["externalImageRepoPassword", "externalImagePassword"],
            )?,
            charts: self.scalar(&[SECTION, "externalChartRepo"])?,
            charts_credentials: self.credentials(
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
        })
    }

    /// Both or none. Each has several spellings; messages show the first.
    fn credentials(&self, user: &[&str], password: &[&str]) -> Result<Option<Credentials>> {
        let missing = |key, why| Err(wrong(&self.place(&[SECTION, key]), why));
        match (self.either(SECTION, user)?, self.either(SECTION, password)?) {
            (Some(user), Some(password)) => Ok(Some(Credentials::basic(user, password))),
            (None, None) => Ok(None),
            (Some(_), None) => missing(password[0], "is missing beside the user"),
            (None, Some(_)) => missing(user[0], "is missing beside the password"),
        }
    }
}

fn wrong_type(path: &str, why: &str) -> Error {
    wrong(path, why).with_detail(Detail::ClusterConfigType)
}
