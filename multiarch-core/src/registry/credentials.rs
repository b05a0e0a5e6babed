//! Logins: where other tools keep them, and which one is for which repository.

mod auth_file;
mod helper;
mod login;
mod lookup;

pub(super) use login::{Login, Logins};
pub(super) use lookup::find;
