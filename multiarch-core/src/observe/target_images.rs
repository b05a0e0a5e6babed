//! Reads the images that a target holds under names that no chart will render any more, so that they
//! can be stored under new names in the same target.

use std::sync::Arc;

use crate::{
    error::{Error, ErrorKind, Result},
    image::{Descriptor, Digest, Document, layer_is_foreign},
    limit,
    package::{BlobPlace, DocumentStore, read_image},
    plan::EarlierImport,
    run::{Context, workers},
    store::{ImageStore, OpenTarget},
};

/// One repository of a target.
struct Repository<'a> {
    store: &'a dyn ImageStore,
    name: &'a str,
}

impl DocumentStore for Repository<'_> {
    fn document(&self, descriptor: &Descriptor) -> Result<Option<Document>> {
        self.store.get_manifest(self.name, &descriptor.digest)
    }

    fn config(&self, digest: &Digest) -> Result<Arc<[u8]>> {
        match self.store.get_blob(self.name, digest, limit::CONFIG.max)? {
            Some(text) => Ok(text.into()),
            None => Err(no_config(digest)),
        }
    }

    fn place(&self, descriptor: &Descriptor) -> Result<BlobPlace> {
        Ok(match layer_is_foreign(&descriptor.media_type) {
            true => BlobPlace::Foreign,
            false => BlobPlace::Target(self.name.into()),
        })
    }
}

/// The error for an image whose config is missing in the target.
fn no_config(digest: &Digest) -> Error {
    let message = "the config of an image at the tag is not there";
    Error::new(ErrorKind::Missing, message).with_digest(digest)
}

/// Reads the images at the previous names, and adds them to the earlier import.
pub(super) fn read(
    target: &OpenTarget,
    earlier: &mut EarlierImport,
    context: &Context,
) -> Result<()> {
    let names: Vec<_> = earlier.previous_names().into_iter().collect();
    if names.is_empty() {
        return Ok(());
    }
    let store = &*target.images;
    let answers = workers::ask(store.jobs(), &names, context, |name| {
        let repository = Repository { store, name: name.repository() };
        store.get_tag(name)?.map(|document| read_image(&repository, document, None)).transpose()
    })?;
    for (name, image) in names.into_iter().zip(answers) {
        earlier.add_previous(name, image);
    }
    Ok(())
}
