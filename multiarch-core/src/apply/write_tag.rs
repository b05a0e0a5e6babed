//! Reads and writes single tags.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    chart::TargetName,
    error::{Detail, Error, ErrorKind, Result},
    image::{Digest, Document},
    run::{Cancel, backoff},
    store::ImageStore,
};

/// The tags of a store, and which of them this run has seen there.
///
/// A registry with replicas or a cache may answer 404 for a tag for some moments after it was written. To
/// believe it would mean to write the tag without the platforms that it holds.
pub(super) struct Tags<'a> {
    pub(super) store: &'a dyn ImageStore,
    cancel: &'a Cancel,
    seen: Mutex<BTreeSet<TargetName>>,
}

/// How long a server may show a tag as it was before it was written.
const LAG: Duration = Duration::from_secs(15);

/// How often a tag is asked for again that was there before, and is not there now.
const MAX_DOUBTS: u32 = 8;

impl<'a> Tags<'a> {
    /// The tags of a store, of which these are known to be there.
    pub(super) fn new(
        store: &'a dyn ImageStore,
        cancel: &'a Cancel,
        seen: BTreeSet<TargetName>,
    ) -> Self {
        Self { store, cancel, seen: Mutex::new(seen) }
    }

    /// Notes that a tag is there.
    fn note(&self, name: &TargetName) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.contains(name) {
            seen.insert(name.clone());
        }
    }

    fn was_seen(&self, name: &TargetName) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    /// What a tag holds. A tag that was seen before is asked for again where it is not there now; one
    /// that stays away is an error, and is not taken for absent.
    pub(super) fn read(&self, name: &TargetName) -> Result<Option<Document>> {
        for round in 0..MAX_DOUBTS {
            if let Some(document) = self.store.get_tag(name)? {
                self.note(name);
                return Ok(Some(document));
            }
            if self.store.compares_and_sets_tags() || !self.was_seen(name) {
                return Ok(None);
            }
            pause(round, self.cancel)?;
        }
        let message = "the tag was there before, and the server says now that it is not";
        let error = Error::new(ErrorKind::UnreadableTag, message);
        Err(self.store.place(error, name.repository(), name.tag()))
    }

    /// The digest of a tag that held `before` and was written to hold `after`. A server with replicas or a
    /// cache may show the former for some time; to write again would not change it.
    pub(super) fn digest_after(
        &self,
        name: &TargetName,
        before: Option<&Digest>,
        after: Option<&Digest>,
    ) -> Result<Option<Digest>> {
        let until = Instant::now() + LAG;
        let (mut now, mut round) = (self.digest(name)?, 0);
        while before.is_some()
            && before != after
            && now.as_ref() == before
            && Instant::now() <= until
        {
            pause(round, self.cancel)?;
            round += 1;
            now = self.digest(name)?;
        }
        Ok(now)
    }

    /// The digest of what a tag holds.
    pub(super) fn digest(&self, name: &TargetName) -> Result<Option<Digest>> {
        Ok(self.read(name)?.map(|document| document.digest().clone()))
    }

    /// Makes one attempt to write a tag that holds `before`. Registries have no compare-and-set for tags,
    /// so another writer may still come between the read and the write. To keep that unlikely, nothing
    /// else happens between them.
    pub(super) fn write(
        &self,
        name: &TargetName,
        before: Option<&Digest>,
        document: &Document,
    ) -> Result<Attempt> {
        let begun = Instant::now();
        if !self.store.compares_tags() && self.digest(name)?.as_ref() != before {
            return Ok(Attempt::Stale);
        }
        let put = self.store.put_tag(name, before, document);
        let gap = begun.elapsed();
        match put {
            Ok(()) => {
                self.note(name);
                Ok(Attempt::Written { gap })
            }
            Err(error) if error.kind() == ErrorKind::Contended => Ok(Attempt::Stale),
            Err(error) if may_have_written(&error) => Ok(Attempt::Unclear { gap, error }),
            Err(error) => Err(error),
        }
    }
}

/// How one attempt to write a tag ended.
#[derive(Debug)]
pub(super) enum Attempt {
    /// The tag holds already what it must hold.
    Needless,
    /// The tag was written, this long after it was read.
    Written { gap: Duration },
    /// The tag no longer holds what the document was fused from, and was left as it is.
    Stale,
    /// The server did not say whether it wrote the tag.
    Unclear { gap: Duration, error: Error },
}

/// True where a server failed in such a way that it may have done what it was asked for, or would do it
/// a little later.
fn may_have_written(error: &Error) -> bool {
    error.kind() == ErrorKind::Network || error.detail() == Some(Detail::Busy.text())
}

/// The attempts to write one tag. Each one begins by reading the tag, also where the one before failed:
/// meanwhile another writer may have written it.
pub(super) struct Attempts<'a> {
    cancel: &'a Cancel,
    stale: u32,
    unclear: u32,
}

/// How many attempts are made to write a tag while another writer keeps changing it.
pub(super) const MAX_ROUNDS: u32 = 8;
/// How many attempts are made while the server fails.
const MAX_FAILURES: u32 = 6;

impl<'a> Attempts<'a> {
    pub(super) fn new(cancel: &'a Cancel) -> Self {
        Self { cancel, stale: 0, unclear: 0 }
    }

    /// Waits before the next attempt, because another writer has changed the tag.
    pub(super) fn after_change(&mut self) -> Result<()> {
        self.stale += 1;
        if self.stale >= MAX_ROUNDS {
            let message = "the tag kept changing while it was written";
            return Err(Error::new(ErrorKind::Contended, message));
        }
        pause(self.stale - 1, self.cancel)
    }

    /// Waits before the next attempt, because the server failed.
    pub(super) fn after_failure(&mut self, error: Error) -> Result<()> {
        self.unclear += 1;
        if self.unclear >= MAX_FAILURES {
            return Err(error);
        }
        self.cancel.sleep(backoff::pause(self.unclear, std::process::id()))
    }
}

/// The pause before the first repetition; it doubles with each one, up to 1.3 s.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits before a tag is read again.
pub(super) fn pause(round: u32, cancel: &Cancel) -> Result<()> {
    // The jitter depends on the process, so that two runs that disturb each other do not stay in step.
    let jitter = Duration::from_micros(u64::from(std::process::id() % 997) * 20);
    cancel.sleep(PAUSE * 2u32.pow(round.min(6)) + jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After each of these failures the tag may hold what was sent; after a refusal it does not.
    #[test]
    fn a_server_that_fails_may_have_written() {
        assert!(may_have_written(&Error::new(ErrorKind::Network, "no answer")));
        assert!(may_have_written(&Error::new(ErrorKind::Server, "503").with_detail(Detail::Busy)));
        assert!(!may_have_written(&Error::new(ErrorKind::Denied, "403")));
    }
}
