//! What an import will do, as a value: everything that is sent, written and kept, with sizes in bytes.
//!
//! Pure. An [`Inventory`] lists the images and charts of the packages under their names in the target,
//! which an [`EarlierImport`] or the options decide. [`Observed`] is what the target holds, filled in by
//! answering its [`Question`]s. [`Plan::new`] computes the plan from both.

mod asking;
mod chart_relocation;
mod chart_upload;
mod check;
mod clash;
mod compare;
mod cost;
mod earlier_import;
mod given_name;
mod image;
mod inventory;
mod model;
mod named_image;
mod observed;
mod options;
mod origin;
mod plan_image;
mod preflight;
mod print;
mod push;
mod question;
mod referrer_list;
mod solved_chart;
mod stored_chart;
mod table;
mod upload;

pub use check::{Check, CheckResult, CheckSubject};
pub use cost::Cost;
pub use image::{PlannedDecision, PlannedImage};
pub use model::{Plan, PlannedChart};
pub use options::Options;
pub use origin::Origin;
pub use upload::{ChartAction, PlannedUpload};

pub(crate) use chart_relocation::{RelocatedChart, RenderedChart};
pub(crate) use earlier_import::{ChartKey, EarlierImport, StoredAnswer};

pub(crate) use inventory::Inventory;
pub(crate) use model::{LivePlan, titled};
pub(crate) use named_image::NamedImage;
pub(crate) use observed::{Observed, Presence};
pub(crate) use origin::BlobOrigin;
pub(crate) use plan_image::{plan_image, plan_images, platforms};
pub(crate) use preflight::{Preflight, missing_projects};
pub(crate) use print::{Bytes, decisions_text, write_left_out};
pub(crate) use push::{PlannedBlob, Push};
pub(crate) use question::{Answer, Question};
use solved_chart::SolvedChart;
pub(crate) use stored_chart::StoredChart;
pub(crate) use table::{Amount, Weight, table, weighted};
