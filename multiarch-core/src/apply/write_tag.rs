//! Writing one tag.

use std::time::{Duration, Instant};

use crate::{
    chart::TargetName,
    error::Result,
    image::{Digest, Document},
    run::Cancel,
    store::ImageStore,
};

/// How one attempt to write a tag ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// It was written, this long after it was read.
    Written { gap: Duration },
    /// It does not hold what the document was fused from, and was left as it is.
    Stale,
}

/// Reads a tag, and writes it if it still holds `before`. Nothing stands between the read and the
/// write: the shorter the time between them, the smaller the chance that another writer comes in
/// between, which no registry can tell us.
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
    store.put_tag(name, before, document)?;
    Ok(Attempt::Written { gap: begun.elapsed() })
}

/// The digest of what a tag holds; `None` where the tag does not exist.
pub(super) fn read_tag(store: &dyn ImageStore, name: &TargetName) -> Result<Option<Digest>> {
    Ok(store.get_tag(name)?.map(|document| document.digest().clone()))
}

/// How often a tag is fused again while another writer changes it.
pub(super) const MAX_ROUNDS: u32 = 8;
/// The pause before the first repetition; it doubles with each one.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits before a tag is fused again.
pub(super) fn pause(round: u32, cancel: &Cancel) -> Result<()> {
    // Two runs that wait for each other must not wait equally long.
    let jitter = Duration::from_micros(u64::from(std::process::id() % 997) * 20);
    cancel.sleep(PAUSE * 2u32.pow(round.min(5)) + jitter)
}
