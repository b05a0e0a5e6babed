//! Helm charts as far as their images need them: metadata, merged values, hints, names.

mod dependency;
mod edit;
mod edited;
mod files;
mod go;
mod hint;
mod likeness;
mod naming;
mod outline;
mod pack;
mod relocate;
mod target_name;
mod values;
mod version;
mod yaml;

pub use dependency::Chart;
pub use files::ChartFiles;
pub(crate) use files::MAX_CHART_SIZE;
pub(crate) use yaml::parse as parse_yaml;
pub use hint::{Hint, Overrides, parse_hints};
pub(crate) use likeness::{Likeness, compare};
pub use naming::{NameMode, Naming};
pub use pack::PackedChart;
pub(crate) use pack::file_name;
pub(crate) use relocate::rendered_alone;
pub use relocate::{Relocation, relocate};
pub use target_name::TargetName;
pub use values::Values;
pub use version::{compare_versions, is_newer};

/// The hints that a chart carries itself.
const OWN_HINTS: &str = ".relok8s-images.yaml";

/// The images that a packed chart's own hints render.
pub(crate) fn rendered_images(packed: &[u8]) -> crate::Result<Vec<crate::image::Reference>> {
    let files = ChartFiles::unpack(packed)?;
    let hints = files.get(OWN_HINTS).map(parse_hints).transpose()?.unwrap_or_default();
    let values = Chart::load(&files)?.merged_values();
    hints.iter().map(|hint| hint.reference(&values)).collect()
}
