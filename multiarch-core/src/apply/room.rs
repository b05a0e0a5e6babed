//! What a full project lacks.

use std::collections::BTreeMap;

use super::run::{Run, RunState};
use crate::{error::Detail, image::Digest, plan::Presence};

impl Run<'_> {
    /// Adds to the errors of full projects how many bytes they lack.
    pub(super) fn state_missing_room(&self, state: &mut RunState) {
        let RunState { observed, reports, .. } = state;
        let mut left: BTreeMap<&str, BTreeMap<&Digest, u64>> = BTreeMap::new();
        for image in &self.plan.images {
            let repository = image.name.repository();
            let blobs = image.pushes.iter().flat_map(|push| &push.blobs).filter(|blob| {
                observed.has_blob(repository, &blob.digest) != Presence::Present
                    && observed.source_of(&blob.digest, repository).is_none()
            });
            let blobs = blobs.map(|blob| (&blob.digest, blob.size));
            left.entry(self.blobs.project(repository)).or_default().extend(blobs);
        }
        for report in reports.values_mut() {
            let Some(blobs) = left.get(self.blobs.project(report.name.repository())) else {
                continue;
            };
            if report.error.as_ref().is_some_and(|error| error.case() == Some(Detail::Quota)) {
                let bytes: u64 = blobs.values().sum();
                let statement = format!("{bytes} bytes of blobs are left to send to this project");
                report.error = report.error.take().map(|error| error.saying(statement));
            }
        }
    }
}
