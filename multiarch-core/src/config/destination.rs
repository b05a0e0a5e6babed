//! Where images and charts go, by the installer's configuration.

use super::Credentials;
use crate::error::{Detail, Error, ErrorKind, Result};

/// The default port of HTTPS, which a registry's address leaves out.
pub(super) const REGISTRY_PORT: u16 = 443;

/// Where images and charts go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ImagesAndCharts {
    /// The registry and the ChartMuseum of the bootstrap node.
    Builtin {
        /// `bootstrapNode`; `None` for `auto`, this machine's own address.
        host: Option<String>,
        /// `tinderKind.registryPort`
        registry_port: u16,
        /// `tinderKind.chartmuseumPort`
        charts_port: u16,
    },
    /// The user's own servers.
    External {
        /// `externalImageRepo`: a host, perhaps with a scheme, port and path.
        images: String,
        /// Credentials there.
        images_credentials: Option<Credentials>,
        /// `externalChartRepo`, if it is set.
        charts: Option<String>,
        /// Credentials there.
        charts_credentials: Option<Credentials>,
    },
    /// The vendor's own service; nothing can be imported into it.
    OfficialService,
}

/// Where an import goes, by the installer's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Destination {
    /// The target for images.
    pub images: String,
    /// Credentials for the target.
    pub images_credentials: Option<Credentials>,
    /// The chart repository.
    pub charts: Option<String>,
    /// Credentials for the chart repository.
    pub charts_credentials: Option<Credentials>,
}

impl ImagesAndCharts {
    /// The addresses. `own_address` is called for this machine's, where the configuration says `auto`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where nothing can be imported; the error of `own_address`.
    pub(super) fn destination(
        &self,
        own_address: impl FnOnce() -> Result<String>,
    ) -> Result<Destination> {
        match self {
            Self::Builtin { host, registry_port, charts_port } => {
                let host = host.clone().map_or_else(own_address, Ok)?;
                let port = match *registry_port {
                    REGISTRY_PORT => String::new(),
                    port => format!(":{port}"),
                };
                // User and password are those that the installer's manual gives for its ChartMuseum.
                Ok(Destination {
                    images: format!("docker://{host}{port}"),
                    images_credentials: None,
                    charts: Some(format!("http://{host}:{charts_port}")),
                    charts_credentials: Some(Credentials::basic("rootuser", "rootpass123")),
                })
            }
            Self::External { images, images_credentials, charts, charts_credentials } => {
                Ok(Destination {
                    images: images.clone(),
                    images_credentials: images_credentials.clone(),
                    charts: charts.clone(),
                    charts_credentials: charts_credentials.clone(),
                })
            }
            Self::OfficialService => {
                let message = "imagesAndCharts.type is official-service: there is no registry of your own to import into";
                Err(Error::new(ErrorKind::Usage, message).with_detail(Detail::OfficialService))
            }
        }
    }
}
