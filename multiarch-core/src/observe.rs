//! Gathers what a plan needs to know: from the packages what is brought, from the target and the chart
//! repository what is there.

mod doctor;
mod earlier_import;
mod examination;
mod helm;
mod inventory;
mod preflight;
mod referrers;
mod rollback;
mod status;
mod stored_charts;
mod tags;
mod target_images;

pub(crate) use doctor::diagnose;
pub(crate) use earlier_import::read_earlier_import;
pub(crate) use inventory::{observe, take_inventory};
pub(crate) use preflight::{preflight, survey};
pub(crate) use rollback::rollback;
pub(crate) use status::status;
pub(crate) use tags::{observe_image, tag_state};
