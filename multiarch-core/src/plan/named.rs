//! Which image of a package a name means.

use std::collections::BTreeSet;

use super::{Options, clash::same_reference, learned::HintNames};
use crate::{
    chart::TargetName,
    error::{Error, ErrorKind, Result},
    image::Reference,
    package::{Bundle, Package, PackageImage},
};

/// A bundle whose images have names.
pub(super) struct Named<'a> {
    /// Its chart's place in the list.
    pub(super) place: usize,
    pub(super) package: &'a Package,
    pub(super) bundle: &'a Bundle,
    pub(super) names: HintNames,
}

type NamedImage<'a> = (TargetName, String, &'a PackageImage);

/// The names of a bundle's images: each hint's, and for images that no hint speaks of their own.
pub(super) fn name_bundle<'a>(
    bundle: &'a Bundle,
    hints: &HintNames,
    options: &Options,
) -> Result<Vec<NamedImage<'a>>> {
    let (mut named, mut hinted) = (Vec::new(), BTreeSet::new());
    for (hint, name) in bundle.hints().iter().zip(&hints.names) {
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
        named.push((name.clone(), rendered, image));
    }
    for (index, image) in bundle.images().iter().enumerate() {
        if hinted.contains(&(index, String::new())) {
            continue;
        }
        for (name, reference) in name_loose(image, options)? {
            if !hinted.contains(&(index, reference.clone())) {
                named.push((name, reference, image));
            }
        }
    }
    Ok(named)
}

/// The image that a rendered reference means. One that is named by digest has no name in the
/// archive: it is found by its digest, or by being the only one without a name.
fn find(bundle: &Bundle, rendered: &str) -> Option<usize> {
    let images = bundle.images();
    let named = |image: &PackageImage| image.references.iter().any(|r| same_reference(r, rendered));
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

/// The names of an image that no hint speaks of, each with the reference it comes from.
pub(super) fn name_loose(
    image: &PackageImage,
    options: &Options,
) -> Result<Vec<(TargetName, String)>> {
    if image.references.is_empty() {
        let digest = image.incoming.document().digest();
        let message = "the package does not say the image's name";
        return Err(Error::new(ErrorKind::Unnamed, message).with_digest(digest));
    }
    image
        .references
        .iter()
        .map(|text| {
            // A name that this library gave is kept as it is.
            if image.is_placed {
                return Ok((text.parse()?, text.clone()));
            }
            let reference: Reference = text.parse()?;
            Ok((options.names.of_reference(&reference)?, text.clone()))
        })
        .collect::<Result<_>>()
        .map_err(|e: Error| e.of_image(&image.references[0]))
}
