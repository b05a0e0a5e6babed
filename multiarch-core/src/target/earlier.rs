//! Images that a target holds, as a package: so that they can go under other names of the same target.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
};

use super::questions::ask_all;
use crate::{
    apply::{Cancel, Progress},
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    image::{Algorithm, Descriptor, Digest, Document, Hasher, MAX_CONFIG_SIZE, layer_is_foreign},
    package::{
        BlobSource, Identity, Locator, Package, PackageImage, PackageName, Shelf, SpaceId,
        read_image,
    },
    target::{ImageStore, Target},
};

/// A blob that a registry does not mount has to be read; larger ones would fill the memory.
const MAX_READ: u64 = 64 << 20;

/// One repository of a store.
struct Repository<'a> {
    store: &'a dyn ImageStore,
    name: &'a str,
    blobs: &'a Mutex<Vec<(String, Digest)>>,
}

impl Shelf for Repository<'_> {
    fn document(&self, descriptor: &Descriptor) -> Result<Option<Document>> {
        self.store.get_manifest(self.name, &descriptor.digest)
    }

    fn config(&self, digest: &Digest) -> Result<Arc<[u8]>> {
        match self.store.get_blob(self.name, digest, MAX_CONFIG_SIZE)? {
            Some(text) => Ok(text.into()),
            None => {
                let message = "the config of an image at the tag is not there";
                Err(Error::new(ErrorKind::Missing, message).with_digest(digest))
            }
        }
    }

    fn place(&self, descriptor: &Descriptor) -> Result<Option<Locator>> {
        if layer_is_foreign(&descriptor.media_type) {
            return Ok(None);
        }
        let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        blobs.push((self.name.to_owned(), descriptor.digest.clone()));
        let offset = blobs.len() as u64 - 1;
        Ok(Some(Locator { space: SpaceId(0), offset, size: descriptor.size }))
    }
}

/// Reads blobs back where they cannot be mounted.
struct Blobs {
    target: Target,
    /// Repository and digest, by the offset of their locator.
    blobs: Vec<(String, Digest)>,
}

impl BlobSource for Blobs {
    fn open(&self, locator: &Locator) -> io::Result<Box<dyn Read + Send + '_>> {
        let place = usize::try_from(locator.offset).ok().and_then(|at| self.blobs.get(at));
        let (repository, digest) = place.ok_or(io::ErrorKind::NotFound)?;
        if locator.size > MAX_READ {
            let message = "the registry does not mount a blob of another repository, and it is too large to be copied";
            return Err(Error::new(ErrorKind::TooLarge, message).with_digest(digest).into());
        }
        let content = self.target.store().get_blob(repository, digest, locator.size)?;
        Ok(Box::new(io::Cursor::new(content.ok_or(io::ErrorKind::NotFound)?)))
    }

    fn is_local(&self) -> bool {
        false
    }
}

/// The images at these names.
pub(super) fn package(
    target: &Target,
    names: &BTreeSet<TargetName>,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Package> {
    let (store, blobs) = (target.store(), Mutex::new(Vec::new()));
    let (mut images, mut problems) = (Vec::new(), Vec::new());
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let names: Vec<&TargetName> = names.iter().collect();
    let answers = ask_all(store.jobs(), &names, progress, cancel, |name| {
        let shelf = Repository { store, name: name.repository(), blobs: &blobs };
        store.get_tag(name)?.map(|document| read_image(&shelf, document)).transpose()
    })?;
    for (name, image) in names.into_iter().zip(answers) {
        match image {
            Ok(Some(image)) => {
                hasher
                    .update(format!("{name} {}\n", image.incoming.document().digest()).as_bytes());
                images.push(PackageImage { references: vec![name.to_string()], ..image });
            }
            Ok(None) => {}
            Err(error) => problems.push(error.of_image(name)),
        }
    }
    let blobs = blobs.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Package {
        path: target.to_string(),
        name: PackageName::default(),
        identity: Identity { size: 0, modified: 0, listing: hasher.finish() },
        bundles: Vec::new(),
        images,
        findings: Vec::new(),
        problems,
        source: Arc::new(Blobs { target: target.clone(), blobs }),
    })
}

/// Where each blob of such a package is already.
pub(super) fn repositories(package: &Package) -> BTreeMap<&Digest, &str> {
    let mut places = BTreeMap::new();
    for image in package.images() {
        let Some(name) = image.references.first() else { continue };
        let repository = name.rsplit_once(':').map_or(name.as_str(), |(repository, _)| repository);
        for blob in image.parts.iter().flat_map(|part| &part.blobs) {
            places.insert(&blob.descriptor.digest, repository);
        }
    }
    places
}
