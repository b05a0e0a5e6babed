//! The registry as a store, against one in memory.

use std::{num::NonZeroUsize, sync::mpsc, time::Duration};

use multiarch_testing::{Fault, Setup};

use crate::{
    image::Digest,
    plan::Options,
    registry::{Connector, Registry},
    run::Context,
    store::{BlobContent, ImageStore, Sent},
};

/// A blob that has to be copied is fetched from the server that it is sent to. With one request at a
/// time, fetching must not wait for the permit that sending holds.
#[test]
fn a_blob_can_be_copied_with_one_job() {
    const CONTENT: &[u8] = b"a blob";
    let setup = Setup { mounts: false, ..Setup::default() };
    let server = multiarch_testing::Registry::start(setup, |_| Fault::Nothing);
    let address = server.address().parse().expect("an address");
    let (sender, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let context = Context::default();
        let options = Options { jobs: NonZeroUsize::new(1), ..Options::default() };
        let registry = Registry::new(address, Connector::new(&options, &context));
        let registry = registry.expect("a registry");
        let digest = Digest::sha256(CONTENT);
        let local = BlobContent::in_memory(&digest, CONTENT);
        let sent = registry.put_blob("from/here", None, &local);
        let from = (&registry as &dyn ImageStore, "from/here");
        let remote = BlobContent::in_target(&digest, CONTENT.len() as u64, from, &context);
        let copied = registry.put_blob("to/there", Some("from/here"), &remote);
        let _ = sender.send((sent.expect("sent"), copied.expect("copied")));
    });
    let sent = ended.recv_timeout(Duration::from_secs(60)).expect("it does not wait for itself");
    assert_eq!(sent, (Sent::Uploaded, Sent::Uploaded));
    let digest = Digest::sha256(CONTENT).to_string();
    assert_eq!(server.blob("to/there", &digest).as_deref(), Some(CONTENT));
}
