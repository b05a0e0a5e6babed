//! Users of registries that ask for a password.

/// A user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    pub(crate) name: &'static str,
    pub(crate) password: &'static str,
}

/// The password contains `:` and `/`, which other syntaxes use as separators.
pub(crate) const SOMEONE: Account = Account { name: "someone", password: "s3cr3t:with/colon" };

/// The user in the installer's manual.
pub(crate) const ADMIN: Account = Account { name: "admin", password: "Harbor12345" };
