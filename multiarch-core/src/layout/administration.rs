//! How much room there is for a layout.

use std::collections::BTreeSet;

use super::OciLayout;
use crate::{
    error::Result,
    store::{Administration, Survey},
};

impl Administration for OciLayout {
    fn survey(&self, _repositories: &BTreeSet<&str>) -> Result<Survey> {
        // The folder may have to be made.
        let root = std::path::absolute(self.files.root()).ok();
        let there = root.as_deref().and_then(|root| root.ancestors().find(|path| path.is_dir()));
        let file_system = there.and_then(|path| rustix::fs::statvfs(path).ok());
        let free_bytes = file_system.map(|s| s.f_bavail.saturating_mul(s.f_frsize));
        let kind = match self.files.root().exists() {
            true => "an OCI layout",
            false => "an OCI layout, which is not there yet",
        };
        let is_read_only = Some(false);
        Ok(Survey { kind: kind.into(), is_read_only, free_bytes, ..Survey::default() })
    }
}
