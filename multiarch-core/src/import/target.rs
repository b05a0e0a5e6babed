//! Where images go.

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

#[cfg(feature = "registry")]
use crate::registry::{Address, Connector, Registry};
use crate::{
    error::{Detail, Error, ErrorKind, Result},
    layout::OciLayout,
    run::Cancel,
    store::{Administration, ChartRepos, ImageStore, OpenTarget},
};

/// Where images go: an OCI layout directory, a registry, or the caller's own store.
///
/// ```
/// use multiarch_core::Target;
/// let target = Target::open("docker://registry.example.com:5000/platform")?;
/// assert_eq!(target.registry().as_deref(), Some("registry.example.com:5000/platform"));
/// assert!(Target::open("ftp://registry.example.com").is_err());
/// # Ok::<(), multiarch_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Target {
    text: String,
    kind: TargetKind,
}

#[derive(Clone)]
enum TargetKind {
    Layout(PathBuf),
    #[cfg(feature = "registry")]
    Registry(Address),
    Store(Arc<dyn ImageStore>),
}

impl Target {
    /// Parses `oci:DIR`, an OCI layout directory, or a registry's address:
    /// `docker://host[:port][/path]`, `https://…`, `http://…`, or `host[:port][/path]`. Makes no
    /// request yet.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for anything else.
    pub fn open(text: &str) -> Result<Self> {
        let refused = |message: &str| {
            Err(Error::new(ErrorKind::Usage, message).with_detail(Detail::TargetAddress))
        };
        // As a path it would be a folder in the root directory.
        if text.strip_prefix("oci://").is_some_and(|rest| !rest.starts_with('/')) {
            return refused("oci:// is a chart repository's; a registry for images is docker://");
        }
        if text.contains('\0') {
            return refused("the target has a NUL in it");
        }
        if let Some(path) = text.strip_prefix("oci:").filter(|path| !path.is_empty()) {
            return Ok(Self { text: text.into(), kind: TargetKind::Layout(path.into()) });
        }
        #[cfg(feature = "registry")]
        if !text.starts_with("oci:") {
            let address: Address = text.parse()?;
            return Ok(Self { text: address.to_string(), kind: TargetKind::Registry(address) });
        }
        refused("the target is no OCI layout directory")
    }

    /// A store of your own. Plans and reports show `name` in place of an address. A saved plan of it is
    /// read with [`Import::from_saved_plan_into`](crate::Import::from_saved_plan_into).
    pub fn new(name: impl Into<String>, store: Arc<dyn ImageStore>) -> Self {
        Self { text: name.into(), kind: TargetKind::Store(store) }
    }

    /// Where a cluster pulls the target's images from: a host, and perhaps a path that all names begin
    /// with; `None` where the target is not a registry.
    pub fn registry(&self) -> Option<String> {
        match &self.kind {
            #[cfg(feature = "registry")]
            TargetKind::Registry(address) => Some(address.registry()),
            TargetKind::Layout(_) | TargetKind::Store(_) => None,
        }
    }

    /// Opens the store for reading and writing.
    pub(super) fn connect(
        &self,
        cancel: &Cancel,
        #[cfg(feature = "registry")] connector: &Connector,
    ) -> Result<OpenTarget> {
        type Ports = (Arc<dyn ImageStore>, Option<Arc<dyn Administration>>);
        let (images, administration): Ports = match &self.kind {
            TargetKind::Layout(path) => {
                let layout = Arc::new(OciLayout::new(path, cancel));
                (layout.clone(), Some(layout))
            }
            #[cfg(feature = "registry")]
            TargetKind::Registry(address) => {
                let registry = Arc::new(Registry::new(address.clone(), connector.clone())?);
                (registry.clone(), Some(registry))
            }
            TargetKind::Store(store) => (store.clone(), None),
        };
        let (name, registry) = (self.text.clone(), self.registry());
        let is_own_store = matches!(self.kind, TargetKind::Store(_));
        let charts = ChartRepos::default();
        Ok(OpenTarget { name, is_own_store, images, administration, registry, charts })
    }
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::open(text)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.text)
    }
}
