//! Where images and charts go by a configuration.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};

/// The port that a registry's address leaves out.
pub(super) const REGISTRY_PORT: u16 = 443;

/// Where images and charts go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImagesAndCharts {
    /// The registry and the ChartMuseum of the bootstrap node.
    Builtin {
        /// `bootstrapNode`; `None` for `auto`, this machine's own address.
        host: Option<String>,
        /// `tinderKind.registryPort`
        registry_port: u16,
        /// `tinderKind.chartmuseumPort`
        charts_port: u16,
    },
    /// Servers of the user's own.
    External {
        /// `externalImageRepo`: a host, perhaps with a scheme, port and path.
        images: String,
        /// Who may push there.
        images_credential: Option<Credential>,
        /// `externalChartRepo`, if there is one.
        charts: Option<String>,
        /// Who may push there.
        charts_credential: Option<Credential>,
    },
    /// The vendor's own service, which nothing is imported into.
    OfficialService,
}

/// User and password. Printing it shows no secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credential {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
}

impl Credential {
    /// User and password.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: user.into(), password: password.into() }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential {{ user: {:?}, password: … }}", self.user)
    }
}

/// Where an import goes by a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Destination {
    /// The target for images.
    pub images: String,
    /// Who may push images.
    pub images_credential: Option<Credential>,
    /// The chart repository.
    pub charts: Option<String>,
    /// Who may push charts.
    pub charts_credential: Option<Credential>,
}

impl ImagesAndCharts {
    /// The addresses. `own_address` tells this machine's own, where the configuration says `auto`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where nothing can be imported; what `own_address` returns.
    pub fn destination(&self, own_address: impl FnOnce() -> Result<String>) -> Result<Destination> {
        match self {
            Self::Builtin { host, registry_port, charts_port } => {
                let host = host.clone().map_or_else(own_address, Ok)?;
                let port = match *registry_port {
                    REGISTRY_PORT => String::new(),
                    port => format!(":{port}"),
                };
                // What the installer's manual gives the ChartMuseum that it sets up.
                let (user, password) = ("rootuser".into(), "rootpass123".into());
                Ok(Destination {
                    images: format!("docker://{host}{port}"),
                    images_credential: None,
                    charts: Some(format!("http://{host}:{charts_port}")),
                    charts_credential: Some(Credential { user, password }),
                })
            }
            Self::External { images, images_credential, charts, charts_credential } => {
                Ok(Destination {
                    images: images.clone(),
                    images_credential: images_credential.clone(),
                    charts: charts.clone(),
                    charts_credential: charts_credential.clone(),
                })
            }
            Self::OfficialService => {
                let message = "imagesAndCharts.type is official-service: there is no registry of your own to import into; write builtin or external, or name the target with --to";
                Err(Error::new(ErrorKind::Usage, message))
            }
        }
    }
}
