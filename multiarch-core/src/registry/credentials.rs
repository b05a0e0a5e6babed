//! Finds credentials: given ones, then the environment, then docker's and podman's configuration.

use docker_credential::{CredentialRetrievalError, DockerCredential};

use super::Connector;
use crate::{
    config::Credentials,
    error::{Error, ErrorKind, Result},
};

/// Environment variables; they apply to all registries of a run.
const USER: &str = "MULTIARCH_USERNAME";
const PASSWORD: &str = "MULTIARCH_PASSWORD";

/// The credentials for a host; `None` if no source has any, which may be right.
///
/// Credentials that are configured but cannot be read are an error: without them the server would refuse
/// the request, and its message would not name the cause.
pub(super) fn find(connector: &Connector, host: &str) -> Result<Option<Credentials>> {
    if let Some(credentials) = &connector.credentials {
        return Ok(Some(credentials.clone()));
    }
    if let (Ok(user), Ok(password)) = (std::env::var(USER), std::env::var(PASSWORD)) {
        return Ok(Some(Credentials::basic(user, password)));
    }
    for server in [host.to_owned(), format!("https://{host}"), format!("http://{host}")] {
        for lookup in [docker_credential::get_credential, docker_credential::get_podman_credential]
        {
            match lookup(&server) {
                Ok(DockerCredential::UsernamePassword(user, password)) if !user.is_empty() => {
                    return Ok(Some(Credentials::basic(user, password)));
                }
                Ok(DockerCredential::IdentityToken(token)) => {
                    return Ok(Some(Credentials::IdentityToken(token)));
                }
                Ok(DockerCredential::UsernamePassword(..)) => {}
                Err(error) => check_error(&error, host)?,
            }
        }
    }
    Ok(None)
}

/// Fails if configured credentials cannot be read. A configuration file that cannot be read counts as
/// absent, because `docker_credential` reports a missing file in the same way. The message does not
/// repeat the output of the credential helper, which may hold a secret.
fn check_error(error: &CredentialRetrievalError, host: &str) -> Result<()> {
    let what = match error {
        CredentialRetrievalError::HelperCommunicationError => "the credential helper cannot be run",
        CredentialRetrievalError::MalformedHelperResponse => {
            "the credential helper's answer cannot be read"
        }
        CredentialRetrievalError::CredentialDecodingError => "the credentials cannot be decoded",
        _ => return Ok(()),
    };
    let message = format!("docker's configuration: {what}");
    Err(Error::new(ErrorKind::Unauthorized, message).at_host(host))
}
