//! The platforms for which a chart's images are available.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{chart::TargetName, image::PlatformKey};

/// The platforms for which a chart's images are available.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Coverage {
    /// Platforms that every image has.
    pub all_images_for: Vec<PlatformKey>,
    /// Platforms that only some images have, with the names of those that lack them.
    pub some_images_for: BTreeMap<String, Vec<TargetName>>,
}

impl Coverage {
    /// Computes the coverage from the images' names and platforms.
    pub(crate) fn new<'a>(
        images: impl Iterator<Item = (&'a TargetName, &'a [PlatformKey])>,
    ) -> Self {
        let images: Vec<_> = images.collect();
        let platforms: BTreeSet<&PlatformKey> =
            images.iter().flat_map(|(_, platforms)| *platforms).collect();
        let mut coverage = Self::default();
        for platform in platforms {
            let incomplete = images.iter().filter(|(_, platforms)| !platforms.contains(platform));
            let incomplete: Vec<TargetName> = incomplete.map(|(name, _)| (*name).clone()).collect();
            if incomplete.is_empty() {
                coverage.all_images_for.push(platform.clone());
            } else {
                coverage.some_images_for.insert(platform.to_string(), incomplete);
            }
        }
        coverage
    }

    /// Both lists of platforms as texts for a table.
    pub(crate) fn texts(&self) -> [String; 2] {
        let all: Vec<String> = self.all_images_for.iter().map(ToString::to_string).collect();
        let some: Vec<&str> = self.some_images_for.keys().map(String::as_str).collect();
        [all.join(", "), some.join(", ")]
    }
}
