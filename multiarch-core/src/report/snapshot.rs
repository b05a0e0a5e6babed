//! What tags hold before an import, so that it can be taken back.

use serde::{Deserialize, Deserializer, Serialize};

use super::{ImageState, Report};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    image::Digest,
    plan::{Plan, PlannedImage},
};

/// What the tags hold that an import writes, before and after it. It serialises to JSON of the schema
/// [`Snapshot::SCHEMA`], has no secrets, and is what [`Rollback`](crate::Rollback) goes by.
///
/// A snapshot is taken before the first write, and completed with what was really written: one that was never
/// completed, because the run was killed, is good as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    #[serde(deserialize_with = "of_our_schema")]
    schema: String,
    /// The target, as the user named it.
    pub target: String,
    /// The tags, sorted by name.
    pub tags: Vec<SavedTag>,
    /// The charts that the import uploads, as `name-version`. A rollback leaves them where they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charts: Vec<String>,
}

/// What one tag holds before an import and after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SavedTag {
    /// The name.
    pub name: TargetName,
    /// What it held; `None` where it did not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Digest>,
    /// What the import writes.
    pub after: Digest,
}

fn of_our_schema<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<String, D::Error> {
    let schema = String::deserialize(deserializer)?;
    if schema == Snapshot::SCHEMA {
        return Ok(schema);
    }
    let message = format!("a document of schema {schema}, not {}", Snapshot::SCHEMA);
    Err(serde::de::Error::custom(message))
}

impl Snapshot {
    /// Name and version of the JSON form.
    pub const SCHEMA: &'static str = "multiarch.snapshot/v1";

    /// True where there is nothing to take back.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// The same with what the run has written in place of what it was going to write. Tags that it has left as they were
    /// are no longer in it; those of which it does not know that stay.
    #[must_use]
    pub fn completed(mut self, report: &Report) -> Self {
        self.tags.retain_mut(|tag| {
            let Some(image) = report.images.iter().find(|image| image.name == tag.name) else {
                return false;
            };
            match image.state {
                ImageState::Written => {
                    if let Some(after) = &image.after {
                        tag.after.clone_from(after);
                    }
                    true
                }
                ImageState::Unchanged | ImageState::Restored => false,
                // A refusal is an answer; without one, the tag may have been written.
                ImageState::Failed | ImageState::NotReached => {
                    image.error.as_ref().is_none_or(|error| error.is_retryable())
                        && image.state != ImageState::NotReached
                }
            }
        });
        self
    }

    /// The same after an earlier one of the same target: what both hold was before what the earlier one says.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where it is of another target.
    pub fn after(mut self, earlier: Self) -> Result<Self> {
        if earlier.target != self.target {
            let message = format!("it holds a snapshot of another target, {}", earlier.target);
            return Err(Error::new(ErrorKind::Usage, message));
        }
        for old in earlier.tags {
            match self.tags.iter_mut().find(|tag| tag.name == old.name) {
                Some(tag) => tag.before = old.before,
                None => self.tags.push(old),
            }
        }
        self.tags.sort_by(|a, b| a.name.cmp(&b.name));
        self.charts.extend(earlier.charts);
        self.charts.sort();
        self.charts.dedup();
        Ok(self)
    }
}

impl Plan {
    /// What the tags hold now that this plan will write. Empty for a plan that writes none.
    pub fn snapshot(&self) -> Snapshot {
        let tag = |image: &PlannedImage| {
            let (name, before) = (image.name.clone(), image.before.clone());
            Some(SavedTag { name, before, after: image.after.clone()? })
        };
        let uploads = self
            .charts
            .iter()
            .filter(|chart| chart.upload.as_ref().is_some_and(|u| !u.action.keeps_stored()));
        Snapshot {
            schema: Snapshot::SCHEMA.into(),
            target: self.target.clone(),
            tags: self.images.iter().filter_map(tag).collect(),
            charts: uploads.filter_map(|chart| chart.title()).collect(),
        }
    }
}
