//! Helm charts, as far as importing their images needs them: metadata, merged values, hints, names.

mod alias;

mod dependency_tree;
mod edit;
mod edited;
mod files;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod go;
mod hint;
mod likeness;
mod mentions;
mod metadata;
mod model;
mod naming;
mod outline;
mod own_tag;
mod pack;
mod pin;
mod quote;
mod relocate;
mod rendered;
mod schema;
mod shared_values;
mod target_name;
mod unhinted;
mod values;
mod version;
mod version_range;
mod yaml;

pub(crate) use files::ChartFiles;
pub(crate) use hint::{Hint, Overrides, parse_hints};
pub(crate) use likeness::{Likeness, compare};
pub(crate) use mentions::Mentions;
pub(crate) use model::Chart;
pub use naming::{NameMode, Naming};
pub(crate) use outline::scalar_text;
pub(crate) use own_tag::OwnTag;
pub(crate) use pack::PackedChart;
pub(crate) use pack::file_name;
pub(crate) use pin::Pins;
pub(crate) use relocate::names_by_charts_syncer;
pub(crate) use relocate::{Relocation, relocate};
pub(crate) use rendered::rendered_images;
pub(crate) use schema::SchemaRule;
pub use target_name::TargetName;
pub(crate) use unhinted::{KnownImages, UnhintedImage, unhinted_images};
pub(crate) use values::{Values, get_value, memory_of};
pub(crate) use version::{compare_versions, is_newer};
pub(crate) use yaml::parse as parse_yaml;
pub(crate) use yaml::parse_index as parse_yaml_index;
