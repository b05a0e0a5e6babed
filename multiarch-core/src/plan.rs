//! What will be done, as a value: everything that is sent, written and kept, with bytes.
//!
//! Pure. [`Wanted`] says which image of which package goes by which name; [`Observed`] is what the
//! target holds, filled by answering its [`Question`]s; [`Plan::new`] puts both together.

mod clash;
mod cost;
mod image;
mod learned;
mod model;
mod named;
mod observed;
mod options;
mod print;
mod saved;
mod upload;
mod wanted;

pub use cost::Cost;
pub use image::{PlannedBlob, PlannedDecision, PlannedImage, Push};
pub use learned::Learned;
pub use model::{Plan, PlannedChart, PlannedPackage};
pub use observed::{Answer, Observed, Question};
pub use options::Options;
pub use saved::SavedPlan;
pub use upload::{ChartAction, PlannedUpload};
pub use wanted::{Want, Wanted};

pub(crate) use image::{plan_image, platforms};
pub(crate) use learned::stored_chart;
pub(crate) use print::{Bytes, decisions_text, table};
