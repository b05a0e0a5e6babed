//! Credentials in the document of options. No message shows what stands there.

use serde_json::{Value, json};

use crate::{Credentials, Error, ErrorKind, Result};

/// Reads a login; `member` names it in errors.
///
/// # Errors
/// [`ErrorKind::Usage`] for what has another form than these.
pub(super) fn read(value: &Value, member: &str) -> Result<Credentials> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let members = value.as_object().map_or(0, serde_json::Map::len);
    let found = match (text("username"), text("password")) {
        _ if value == "none" => Some(Credentials::Anonymous),
        (Some(user), Some(password)) if members == 2 => Some(Credentials::basic(user, password)),
        _ if members == 1 => {
            let identity = text("identity_token").map(Credentials::IdentityToken);
            identity.or_else(|| text("access_token").map(Credentials::AccessToken))
        }
        _ => None,
    };
    found.ok_or_else(|| {
        let message = format!(
            "{member}: neither \"none\" nor an object with username and password, identity_token, or access_token"
        );
        Error::new(ErrorKind::Usage, message)
    })
}

/// A login in the form that [`read`] takes.
pub(super) fn write(credentials: &Credentials) -> Value {
    match credentials {
        Credentials::Basic { user, password } => json!({"username": user, "password": password}),
        Credentials::IdentityToken(token) => json!({"identity_token": token}),
        Credentials::AccessToken(token) => json!({"access_token": token}),
        _ => json!("none"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for login in [
            Credentials::Anonymous,
            Credentials::basic("u", "p"),
            Credentials::IdentityToken("t".into()),
            Credentials::AccessToken("t".into()),
        ] {
            assert_eq!(read(&write(&login), "credentials").expect("a login"), login);
        }
    }
}
