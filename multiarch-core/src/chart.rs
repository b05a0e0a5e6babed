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
pub use hint::{Hint, Overrides, parse_hints};
pub(crate) use likeness::{Likeness, compare};
pub use naming::{NameMode, Naming};
pub(crate) use outline::scalar_text;
pub use pack::PackedChart;
pub(crate) use pack::file_name;
pub(crate) use relocate::rendered_alone;
pub use relocate::{Relocation, relocate};
pub use target_name::TargetName;
pub use values::Values;
pub use version::{compare_versions, is_newer};
pub(crate) use yaml::parse as parse_yaml;
