//! The way back.

use super::Import;
use crate::{
    apply,
    error::{Error, ErrorKind, Result},
    observe,
    report::{Rollback, RollbackOptions, Snapshot},
};

impl Import {
    /// Looks at the tags that an import has written, and says what [`Rollback::apply`] would do. The packages are
    /// not needed.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where the snapshot is of another target; where the target as a whole cannot be read.
    pub fn rollback(&self, snapshot: &Snapshot, options: RollbackOptions) -> Result<Rollback> {
        if snapshot.target != self.target.to_string() {
            let message = format!("the snapshot is of the target {}", snapshot.target);
            return Err(Error::new(ErrorKind::Usage, message));
        }
        observe::rollback(&self.connect(&[])?, snapshot, options, &self.context)
    }
}

impl Rollback {
    /// Writes to the target, and gives the same list with what was done.
    #[must_use = "it says which tags could not be put back"]
    pub fn apply(&self) -> Self {
        apply::roll_back(self)
    }
}
