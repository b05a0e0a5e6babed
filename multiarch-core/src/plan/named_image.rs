//! Gives the images of a package their names in the target.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Options, Origin, SolvedChart, given_name::given_name};
use crate::{
    chart::{Hint, Naming, OwnTag, TargetName},
    error::{Error, ErrorKind, Result},
    fuse::Incoming,
    image::{Reference, canonical_reference, same_reference},
    package::{Bundle, PackageImage, Referrer},
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
    /// Its tag only stands in for a registry's list of referrers.
    pub(crate) is_fallback: bool,
}

impl NamedImage {
    pub(super) fn new(
        name: TargetName,
        origin: Origin,
        reference: String,
        image: &Arc<PackageImage>,
    ) -> Self {
        let (image, incoming) = (image.clone(), image.incoming.clone());
        Self { name, origin, reference, image, incoming, is_fallback: false }
    }

    /// Its manifests, each under a tag of its own in the same repository.
    pub(super) fn tagged_manifests(&self) -> Vec<Self> {
        let children = self.incoming.images().iter().filter_map(|child| {
            let document = child.document();
            let stored = self.image.documents.iter();
            let stored = stored.filter(|s| s.document.digest() == document.digest()).cloned();
            let incoming = Incoming::artifact(document.clone());
            let image = Arc::new(PackageImage::new(incoming, stored.collect()));
            let tag = OwnTag::Child.of(document.digest());
            let name = TargetName::new(self.name.repository(), &tag).ok()?;
            Some(Self::new(name, self.origin, self.reference.clone(), &image))
        });
        children.collect()
    }

    /// What refers to this image, under its name in the same repository.
    pub(super) fn referrers(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for Referrer { tag, is_fallback, image } in &self.image.referrers {
            let Ok(name) = TargetName::new(self.name.repository(), tag) else { continue };
            let named = Self::new(name, self.origin, self.reference.clone(), image);
            all.extend(named.referrers());
            all.push(Self { is_fallback: *is_fallback, ..named });
        }
        all
    }
}

/// Names a bundle's images: by the hints, and where no hint refers to an image, by its own references.
pub(super) fn name_bundle(
    bundle: &Bundle,
    solved: &SolvedChart,
    (package, origin): (&str, Origin),
    options: &Options,
    naming: &Naming,
) -> Result<Vec<NamedImage>> {
    let (mut named, mut hinted, mut taken) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    let images = ImagesByReference::new(bundle);
    for (hint, name) in bundle.hints().iter().zip(&solved.names) {
        let rendered = hint.render(&bundle.values)?;
        if !bundle.has_images {
            continue;
        }
        let found = images.find(&rendered);
        if found.is_empty() && bundle.left_out.contains(&canonical_reference(&rendered)) {
            continue;
        }
        if found.is_empty() {
            let message =
                format!("hint {:?} names an image that the bundle does not hold", hint.to_string());
            return Err(Error::new(ErrorKind::Missing, message).of_image(&rendered));
        }
        for index in found {
            let image = &bundle.images()[index];
            let spoken = image.references.iter().filter(|r| same_reference(r, &rendered)).cloned();
            hinted.extend(spoken.map(|reference| (index, reference)));
            if image.references.is_empty() {
                hinted.insert((index, String::new()));
            }
            // Several hints may name one image.
            if taken.insert((name, index, rendered.clone())) {
                named.push(NamedImage::new(name.clone(), origin, rendered.clone(), image));
            }
        }
    }
    for (index, image) in bundle.images().iter().enumerate() {
        if hinted.contains(&(index, String::new())) {
            continue;
        }
        let others = name_loose(image, (package, origin), options, naming)?;
        named
            .extend(others.into_iter().filter(|n| !hinted.contains(&(index, n.reference.clone()))));
    }
    Ok(named)
}

/// The names of a bundle's images that the user left out, as far as hints say them.
pub(super) fn left_out_names<'s>(
    bundle: &'s Bundle,
    solved: &'s SolvedChart,
) -> impl Iterator<Item = &'s TargetName> {
    let is_left_out = |hint: &Hint| {
        let rendered = hint.render(&bundle.values);
        rendered.is_ok_and(|text| bundle.left_out.contains(&canonical_reference(&text)))
    };
    let hints = bundle.hints().iter().zip(&solved.names);
    hints.filter(move |(hint, _)| is_left_out(hint)).map(|(_, name)| name)
}

/// The images of a bundle by what their references mean.
struct ImagesByReference<'b> {
    images: &'b [Arc<PackageImage>],
    places: BTreeMap<String, BTreeSet<usize>>,
}

impl<'b> ImagesByReference<'b> {
    fn new(bundle: &'b Bundle) -> Self {
        let (images, mut places) = (bundle.images(), BTreeMap::<_, BTreeSet<usize>>::new());
        for (place, image) in images.iter().enumerate() {
            for reference in &image.references {
                places.entry(canonical_reference(reference)).or_default().insert(place);
            }
        }
        Self { images, places }
    }

    /// The positions of the images that a rendered reference means: several where a bundle has an archive
    /// for each architecture. An archive has no name for an image that is referenced by digest, so it is
    /// found by its digest, or as the only image without a name.
    fn find(&self, rendered: &str) -> Vec<usize> {
        if let Some(named) = self.places.get(&canonical_reference(rendered)) {
            return named.iter().copied().collect();
        }
        let reference = rendered.parse::<Reference>().ok();
        let Some(digest) = reference.as_ref().and_then(Reference::digest) else {
            return Vec::new();
        };
        let places = |is_meant: &dyn Fn(&PackageImage) -> bool| -> Vec<usize> {
            (0..self.images.len()).filter(|place| is_meant(&self.images[*place])).collect()
        };
        let by_digest = places(&|image| image.incoming.document().digest() == digest);
        let unnamed = places(&|image| image.references.is_empty());
        if by_digest.is_empty() && unnamed.len() == 1 { unnamed } else { by_digest }
    }
}

/// Names an image that no hint refers to, once for each of its references, or by the name that the user
/// gives.
pub(super) fn name_loose(
    image: &Arc<PackageImage>,
    (package, origin): (&str, Origin),
    options: &Options,
    naming: &Naming,
) -> Result<Vec<NamedImage>> {
    let mut references = image.references.clone();
    if references.is_empty() {
        references.extend(given_name(options, package, image)?);
    }
    let Some(first) = references.first() else {
        let digest = image.incoming.document().digest();
        let message = "the package does not say the image's name";
        return Err(Error::new(ErrorKind::Unnamed, message).with_digest(digest));
    };
    references
        .iter()
        .map(|text| {
            // An OCI layout that this library wrote has names that must not be derived again.
            let name = if image.has_target_names && !image.references.is_empty() {
                text.parse()?
            } else {
                naming.of_reference(&text.parse()?)?
            };
            Ok(NamedImage::new(name, origin, text.clone(), image))
        })
        .collect::<Result<_>>()
        .map_err(|e: Error| e.of_image(first))
}
