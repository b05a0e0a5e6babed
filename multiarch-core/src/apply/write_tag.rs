//! Writes one tag.

use std::time::{Duration, Instant};

use crate::{
    chart::TargetName,
    error::{ErrorKind, Result},
    image::{Digest, Document},
    run::Cancel,
    store::ImageStore,
};

/// How one attempt to write a tag ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// The tag was written, this long after it was read.
    Written { gap: Duration },
    /// The tag no longer holds what the document was fused from, and was left as it is.
    Stale,
}

/// Reads a tag, and writes it if it still holds `before`. Registries have no compare-and-set for tags,
/// so another writer may still come between the read and the write. To keep that unlikely, nothing
/// else happens between them.
pub(super) fn write_tag(
    store: &dyn ImageStore,
    name: &TargetName,
    before: Option<&Digest>,
    document: &Document,
) -> Result<Attempt> {
    let begun = Instant::now();
    if read_tag(store, name)?.as_ref() != before {
        return Ok(Attempt::Stale);
    }
    match store.put_tag(name, before, document) {
        Ok(()) => Ok(Attempt::Written { gap: begun.elapsed() }),
        Err(error) if error.kind() == ErrorKind::Contended => Ok(Attempt::Stale),
        Err(error) => Err(error),
    }
}

/// The digest of what a tag holds; `None` where the tag does not exist.
pub(super) fn read_tag(store: &dyn ImageStore, name: &TargetName) -> Result<Option<Digest>> {
    Ok(store.get_tag(name)?.map(|document| document.digest().clone()))
}

/// How many attempts are made to write a tag while another writer keeps changing it.
pub(super) const MAX_ROUNDS: u32 = 8;
/// The pause before the first repetition; it doubles with each one, up to 640 ms.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits before a tag is fused again.
pub(super) fn pause(round: u32, cancel: &Cancel) -> Result<()> {
    // The jitter depends on the process, so that two runs that disturb each other do not stay in step.
    let jitter = Duration::from_micros(u64::from(std::process::id() % 997) * 20);
    cancel.sleep(PAUSE * 2u32.pow(round.min(5)) + jitter)
}
