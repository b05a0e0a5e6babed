//! Gives the images of a package their names in the target.

use std::{collections::BTreeSet, sync::Arc};

use super::{Options, Origin, SolvedChart, clash::same_reference};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    fuse::Incoming,
    image::Reference,
    package::{Bundle, PackageImage},
};

/// One image under its name in the target.
#[derive(Clone, Debug)]
pub(crate) struct NamedImage {
    pub(crate) name: TargetName,
    pub(crate) origin: Origin,
    /// The reference in the package.
    pub(crate) reference: String,
    pub(crate) image: Arc<PackageImage>,
    /// What is fused of it: images that give way to another package's are left out.
    pub(crate) incoming: Incoming,
}

impl NamedImage {
    pub(super) fn new(
        name: TargetName,
        origin: Origin,
        reference: String,
        image: &Arc<PackageImage>,
    ) -> Self {
        Self { name, origin, reference, image: image.clone(), incoming: image.incoming.clone() }
    }
}

/// Names a bundle's images: by the hints, and where no hint refers to an image, by its own references.
pub(super) fn name_bundle(
    bundle: &Bundle,
    solved: &SolvedChart,
    origin: Origin,
    options: &Options,
) -> Result<Vec<NamedImage>> {
    let (mut named, mut hinted) = (Vec::new(), BTreeSet::new());
    for (hint, name) in bundle.hints().iter().zip(&solved.names) {
        let rendered = hint.render(&bundle.values)?;
        if !bundle.has_images {
            continue;
        }
        let index = find(bundle, &rendered).ok_or_else(|| {
            let message =
                format!("hint {:?} names an image that the bundle does not hold", hint.to_string());
            Error::new(ErrorKind::Missing, message).of_image(&rendered)
        })?;
        let image = &bundle.images()[index];
        let spoken: Vec<_> =
            image.references.iter().filter(|r| same_reference(r, &rendered)).cloned().collect();
        hinted.extend(spoken.into_iter().map(|reference| (index, reference)));
        if image.references.is_empty() {
            hinted.insert((index, String::new()));
        }
        named.push(NamedImage::new(name.clone(), origin, rendered, image));
    }
    for (index, image) in bundle.images().iter().enumerate() {
        if hinted.contains(&(index, String::new())) {
            continue;
        }
        let others = name_loose(image, origin, options)?;
        named
            .extend(others.into_iter().filter(|n| !hinted.contains(&(index, n.reference.clone()))));
    }
    Ok(named)
}

/// The position of the image that a rendered reference means. An archive has no name for an image that
/// is referenced by digest, so it is found by its digest, or as the only image without a name.
fn find(bundle: &Bundle, rendered: &str) -> Option<usize> {
    let images = bundle.images();
    let named =
        |image: &Arc<PackageImage>| image.references.iter().any(|r| same_reference(r, rendered));
    if let Some(index) = images.iter().position(named) {
        return Some(index);
    }
    let reference: Reference = rendered.parse().ok()?;
    let digest = reference.digest()?;
    let by_digest = images.iter().position(|i| i.incoming.document().digest() == digest);
    let mut unnamed = images.iter().enumerate().filter(|(_, image)| image.references.is_empty());
    by_digest.or(match (unnamed.next(), unnamed.next()) {
        (Some((index, _)), None) => Some(index),
        _ => None,
    })
}

/// Names an image that no hint refers to, once for each of its references.
pub(super) fn name_loose(
    image: &Arc<PackageImage>,
    origin: Origin,
    options: &Options,
) -> Result<Vec<NamedImage>> {
    if image.references.is_empty() {
        let digest = image.incoming.document().digest();
        let message = "the package does not say the image's name";
        return Err(Error::new(ErrorKind::Unnamed, message).with_digest(digest));
    }
    image
        .references
        .iter()
        .map(|text| {
            // An OCI layout that this library wrote has names that must not be derived again.
            let name = if image.has_target_names {
                text.parse()?
            } else {
                options.names.of_reference(&text.parse()?)?
            };
            Ok(NamedImage::new(name, origin, text.clone(), image))
        })
        .collect::<Result<_>>()
        .map_err(|e: Error| e.of_image(&image.references[0]))
}
