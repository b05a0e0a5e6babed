//! Names that the user gives to images, because their file does not name them.

use std::path::Path;

use super::Options;
use crate::{
    error::{Detail, Error, ErrorKind, Result},
    image::Reference,
    package::{Package, PackageImage},
};

/// A name for the images of one file, or of all files, that have none.
struct GivenName<'a> {
    file: Option<&'a str>,
    reference: &'a str,
}

impl<'a> GivenName<'a> {
    /// Reads `REFERENCE` or `FILE=REFERENCE`; a reference has no equals sign.
    fn parse(text: &'a str) -> Self {
        match text.rsplit_once('=') {
            Some((file, reference)) => Self { file: Some(file), reference },
            None => Self { file: None, reference: text },
        }
    }

    /// True where it is meant for the package with this path.
    fn is_for(&self, package: &str) -> bool {
        let name = Path::new(package).file_name();
        self.file.is_none_or(|file| file == package || name.is_some_and(|name| name == file))
    }

    /// The reference for an image. Where it has no tag, the tag that the image's file gives is taken.
    fn name(&self, image: &PackageImage) -> Result<String> {
        let parsed: Reference = self.reference.parse()?;
        Ok(match &image.tag {
            Some(tag) if parsed.tag().is_none() && parsed.digest().is_none() => {
                format!("{}:{tag}", self.reference)
            }
            _ => self.reference.to_owned(),
        })
    }
}

/// The name that the user gives to an image of this package; one for the very file counts more.
pub(super) fn given_name(
    options: &Options,
    package: &str,
    image: &PackageImage,
) -> Result<Option<String>> {
    let names = || options.image_names.iter().map(|text| GivenName::parse(text));
    let mut fitting = names().filter(|name| name.is_for(package));
    let of_file = names().find(|name| name.file.is_some() && name.is_for(package));
    of_file.or_else(|| fitting.next()).map(|name| name.name(image)).transpose()
}

impl Options {
    /// Fails where a given name is no reference, or there is no image without a name to give it to.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`].
    pub(crate) fn check_image_names<'p>(
        &self,
        packages: impl Iterator<Item = &'p Package> + Clone,
        unread: &[Error],
    ) -> Result<()> {
        for text in &self.image_names {
            let name = GivenName::parse(text);
            let wrong = |message: String| {
                Error::new(ErrorKind::Usage, message).with_detail(Detail::ImageName)
            };
            if name.reference.parse::<Reference>().is_err() {
                return Err(wrong(format!(
                    "{:?} is not the reference of an image",
                    name.reference
                )));
            }
            let unnamed = |image: &PackageImage| image.references.is_empty();
            let is_used = packages.clone().filter(|p| name.is_for(p.path())).any(|package| {
                let bundles = package.bundles().iter().flat_map(|bundle| bundle.images());
                bundles.chain(package.images()).any(|image| unnamed(image))
            });
            let is_unread = unread.iter().filter_map(Error::package).any(|file| name.is_for(file));
            if !is_used && !is_unread {
                return Err(wrong(format!("the name {text:?} fits no image without a name")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_meant_by_its_path_or_its_name() {
        let name = GivenName::parse("app.tar=quay.io/a/b:1");
        assert_eq!((name.file, name.reference), (Some("app.tar"), "quay.io/a/b:1"));
        assert!(name.is_for("dir/app.tar") && name.is_for("app.tar") && !name.is_for("b.tar"));
        let any = GivenName::parse("quay.io/a/b:1");
        assert!(any.is_for("b.tar"));
        assert!(!GivenName::parse("dir/app.tar=x").is_for("app.tar"));
    }
}
