//! Helm charts as far as their images need them: metadata, merged values, hints, names.

mod dependency;
mod files;
mod go;
mod hint;
mod names;
mod values;
mod version;
mod yaml;

pub use dependency::Chart;
pub use files::ChartFiles;
pub use hint::{Hint, parse_hints};
pub use names::{NameMode, TargetName};
pub use values::Values;
pub use version::{compare_versions, is_newer};
