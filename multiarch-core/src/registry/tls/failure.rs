//! Why a request got no answer: the certificate, the protocol, the name, the proxy, or the network.

use std::{
    error::Error as StdError,
    io,
    time::{Duration, SystemTime},
};

use rustls::{
    AlertDescription, CertificateError, Error as TlsError, InvalidMessage, pki_types::UnixTime,
};

use super::{Identity, Verifier};
use crate::{
    error::{Detail, Error, ErrorKind},
    registry::resolver::NoSuchHost,
};

/// Turns the failure of a request into an error that says why, as far as that is known.
pub(in crate::registry) fn explain(
    error: reqwest::Error,
    verifier: &Verifier,
    identity: &Identity,
    proxy: Option<&str>,
) -> Error {
    // The error names the path already, and the URL's query may hold an upload session.
    let error = error.without_url();
    let found = causes(&error).find_map(|cause| {
        let tls = cause.downcast_ref::<TlsError>()?;
        of_tls(tls, verifier)
    });
    let (kind, detail, message) = match found {
        Some(found) => found,
        // Some servers close the connection where they get no certificate, some send an alert.
        None if identity.is_missing() => wants_certificate(),
        None => of_connection(&error, proxy, !verifier.has_seen_one()),
    };
    let message = match (kind, identity.is_shown()) {
        (ErrorKind::Network, true) => format!("{message}, after the server got our certificate"),
        _ => message,
    };
    let explained = Error::caused_by(kind, message, error);
    match detail {
        Some(detail) => explained.with_detail(detail),
        None => explained,
    }
}

type FailureClass = (ErrorKind, Option<Detail>, String);

fn wants_certificate() -> FailureClass {
    let message = "the server wants a client certificate, and none is given for it";
    (ErrorKind::Unauthorized, Some(Detail::ClientCertificate), message.into())
}

fn of_tls(error: &TlsError, verifier: &Verifier) -> Option<FailureClass> {
    Some(match error {
        TlsError::InvalidCertificate(error) => {
            let (detail, why) = of_certificate(error);
            let fingerprint = verifier.refused().unwrap_or_default();
            let message = format!(
                "the certificate is not trusted: {why}; its SHA-256 fingerprint is {fingerprint}"
            );
            (ErrorKind::Untrusted, detail, message)
        }
        TlsError::AlertReceived(AlertDescription::CertificateRequired) => wants_certificate(),
        // An answer in plain HTTP begins with other bytes than a TLS record does.
        TlsError::InvalidMessage(InvalidMessage::InvalidContentType) => {
            let message = "the server speaks plain HTTP where TLS was expected";
            (ErrorKind::Network, Some(Detail::PlainHttp), message.into())
        }
        TlsError::PeerIncompatible(_)
        | TlsError::AlertReceived(
            AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion,
        ) => {
            let message = "the server takes no TLS version or algorithm that is secure today";
            (ErrorKind::Network, Some(Detail::TlsVersion), message.into())
        }
        _ => return None,
    })
}

fn of_certificate(error: &CertificateError) -> (Option<Detail>, String) {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            (Some(Detail::CertificateExpired), format!("it expired on {}", date(*not_after)))
        }
        CertificateError::Expired => (Some(Detail::CertificateExpired), "it has expired".into()),
        CertificateError::NotValidYetContext { not_before, .. } => (
            Some(Detail::CertificateNotYetValid),
            format!("it is valid only from {} on", date(*not_before)),
        ),
        CertificateError::NotValidYet => {
            (Some(Detail::CertificateNotYetValid), "it is not valid yet".into())
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().take(8).map(|name| shown(name)).collect();
            let names = if names.is_empty() { "no name".into() } else { names.join(", ") };
            let why = format!("it is for {names}, and not for {}", expected.to_str());
            (Some(Detail::CertificateName), why)
        }
        CertificateError::NotValidForName => {
            (Some(Detail::CertificateName), "it is not for this host".into())
        }
        CertificateError::BadSignature => {
            let message = "its signature is wrong, or its key is too weak (RSA below 2048 bits)";
            (Some(Detail::CertificateForm), message.into())
        }
        CertificateError::InvalidPurpose
        | CertificateError::InvalidPurposeContext { .. }
        | CertificateError::UnhandledCriticalExtension => {
            (Some(Detail::CertificateForm), error.to_string())
        }
        CertificateError::Other(why)
            if why.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity) =>
        {
            (None, "it is that of an authority, and not trusted itself".into())
        }
        CertificateError::Other(why) => {
            let message = format!("it is of a form that is not accepted ({})", why.0);
            (Some(Detail::CertificateForm), message)
        }
        CertificateError::UnknownIssuer => (None, "its authority is not known here".into()),
        other => (None, other.to_string()),
    }
}

/// `DnsName("a.example.com")` as `a.example.com`.
fn shown(name: &str) -> String {
    match name.split_once('(') {
        Some((_, name)) => name.trim_end_matches(')').trim_matches('"').to_owned(),
        None => name.to_owned(),
    }
}

fn date(time: UnixTime) -> String {
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs()));
    time.map_or_else(|| "a far date".into(), httpdate::fmt_http_date)
}

fn of_connection(
    error: &reqwest::Error,
    proxy: Option<&str>,
    without_certificate: bool,
) -> FailureClass {
    // The server was reached, and said nothing that is TLS.
    let ends_handshake =
        |kind| matches!(kind, io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset);
    let kinds =
        || causes(error).filter_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind()));
    let (detail, message) = if causes(error).any(|cause| cause.is::<NoSuchHost>()) {
        (Some(Detail::NoSuchHost), "the name of the host is not known".to_owned())
    } else if let (Some(proxy), true) = (proxy, error.is_connect()) {
        let message = format!("the proxy {proxy} did not connect to the server");
        (Some(Detail::Proxy), message)
    } else if without_certificate && error.is_connect() && kinds().any(ends_handshake) {
        (None, "the server ended the connection during the TLS handshake".into())
    } else {
        (None, "the request failed".into())
    };
    (ErrorKind::Network, detail, message)
}

/// The error and its causes, those inside of I/O errors included.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let first: &(dyn StdError + 'static) = error;
    std::iter::successors(Some(first), |error| {
        let error: &(dyn StdError + 'static) = *error;
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| error.source())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::ServerName;

    #[test]
    fn certificates_in_words() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let name = |text: &'static str| ServerName::try_from(text).expect("a name");
        // The date of RFC 9110, section 5.6.7.
        let (then, now) = (at(784_111_777), at(784_111_000));
        for (error, detail, words) in [
            (
                CertificateError::ExpiredContext { time: at(784_200_000), not_after: then },
                Some(Detail::CertificateExpired),
                "it expired on Sun, 06 Nov 1994 08:49:37 GMT",
            ),
            (
                CertificateError::NotValidYetContext { time: now, not_before: then },
                Some(Detail::CertificateNotYetValid),
                "it is valid only from Sun, 06 Nov 1994 08:49:37 GMT on",
            ),
            (
                CertificateError::NotValidForNameContext {
                    expected: name("h.example.com"),
                    presented: vec!["DnsName(\"a.example.com\")".into(), "DnsName(\"b\")".into()],
                },
                Some(Detail::CertificateName),
                "it is for a.example.com, b, and not for h.example.com",
            ),
            (CertificateError::UnknownIssuer, None, "its authority is not known here"),
        ] {
            assert_eq!(of_certificate(&error), (detail, words.to_owned()));
        }
    }
}
