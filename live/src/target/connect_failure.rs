//! Reasons why a connection could not be opened, separated by what to do about them.
//!
//! The client has few kinds of errors; the relevant one is often further inside: that of TLS, or the error of the server.
//! Messages never contain access data.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use async_nats::rustls::{AlertDescription, Error as TlsError};
use async_nats::{ConnectError, ConnectErrorKind, ServerError};

use crate::os_error::unnumbered;
use crate::target::{Refused, Target};

/// Why a connection could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectFailure {
    /// Nobody answers there.
    #[error("no NATS server answers at {target}: {why}; start one there, or give another --url")]
    Unreachable {
        /// `host:port`.
        target: String,
        /// What went wrong.
        why: String,
    },
    /// The server does not let one in.
    #[error(
        "the server at {target} refuses the connection: {why}; give --user and --password, --token, --creds or --nkey that \
         it accepts"
    )]
    Refused {
        /// `host:port`.
        target: String,
        /// What it says.
        why: String,
    },
    /// The server takes no more connections.
    #[error(
        "the server at {target} accepts no more connections: {why}; raise its limit, or use fewer, such as \
         `connections: {{pool: 8}}`"
    )]
    Full {
        /// `host:port`.
        target: String,
        /// What it says.
        why: String,
    },
    /// There is no agreement on TLS.
    #[error(
        "the TLS connection to {target} failed: {why}; give --tlsca with the CA of its certificate, and use tls:// with \
         a host that the certificate names"
    )]
    Tls {
        /// `host:port`.
        target: String,
        /// What went wrong.
        why: String,
    },
    /// The server wants to see a certificate.
    #[error(
        "the server at {target} requires a client certificate ({why}); give --tlscert and --tlskey"
    )]
    Certificate {
        /// `host:port`.
        target: String,
        /// What it says.
        why: String,
    },
    /// A file with credentials cannot be used.
    #[error("the credentials in {} cannot be used: {why}; give another file", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// What proves who one is cannot be used.
    #[error("{0} cannot be used: the seed is not an nkey seed; give one that starts with SU")]
    Key(String),
    /// The server may not be loaded any more: its name has another address by now.
    #[error(transparent)]
    Target(#[from] Refused),
    /// The inbox could not be opened.
    #[error("the inbox of a connection could not be opened: {0}; run again")]
    Inbox(String),
}

impl ConnectFailure {
    /// Of what the client says.
    pub fn of(target: &Target, error: &ConnectError) -> ConnectFailure {
        let target = target.names.join(", ");
        if let Some(tls) = within::<TlsError>(error) {
            let why = tls.to_string();
            return match tls {
                TlsError::AlertReceived(alert) if wants_certificate(*alert) => {
                    ConnectFailure::Certificate { target, why }
                }
                _ => ConnectFailure::Tls { target, why },
            };
        }
        if let Some(ServerError::Other(why)) = within::<ServerError>(error) {
            let why = why.clone();
            return match why.to_lowercase().contains("connections exceeded") {
                true => ConnectFailure::Full { target, why },
                false => ConnectFailure::Refused { target, why },
            };
        }
        match error.kind() {
            ConnectErrorKind::AuthorizationViolation => ConnectFailure::Refused {
                target,
                why: "authorization violation".to_owned(),
            },
            ConnectErrorKind::Authentication => ConnectFailure::Key("the nkey".to_owned()),
            ConnectErrorKind::Tls => ConnectFailure::Tls {
                target,
                why: innermost(error),
            },
            _ => ConnectFailure::Unreachable {
                target,
                why: innermost(error),
            },
        }
    }
}

fn wants_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
    )
}

/// The error of this type among those that led to another. Errors of input and output hold others in a place of
/// their own.
fn within<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let held = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match held {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}

/// What the first of all causes says, which is about the network and not about the client.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    unnumbered(&error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Permission, check};

    fn told(error: ConnectError) -> String {
        let target = check("nats://127.0.0.1:4222", false, &Permission::default());
        ConnectFailure::of(&target.expect("this machine"), &error).to_string()
    }

    #[test]
    fn what_is_further_in_decides() {
        let io = |inner: TlsError| io::Error::new(io::ErrorKind::InvalidData, inner);
        let alert = TlsError::AlertReceived(AlertDescription::CertificateRequired);
        let text = told(ConnectError::with_source(ConnectErrorKind::Io, io(alert)));
        assert!(text.contains("requires a client certificate"), "{text}");
        let text = told(ConnectError::with_source(
            ConnectErrorKind::Io,
            io(TlsError::DecryptError),
        ));
        assert!(
            text.starts_with("the TLS connection to 127.0.0.1:4222 failed"),
            "{text}"
        );
        let full = ServerError::Other("maximum connections exceeded".to_owned());
        let text = told(ConnectError::with_source(ConnectErrorKind::Io, full));
        assert!(text.contains("accepts no more connections"), "{text}");
        let expired = ServerError::Other("user authentication expired".to_owned());
        let text = told(ConnectError::with_source(ConnectErrorKind::Io, expired));
        assert!(
            text.contains("refuses the connection: user authentication expired;"),
            "{text}"
        );
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let text = told(ConnectError::with_source(ConnectErrorKind::Io, refused));
        assert_eq!(
            text,
            "no NATS server answers at 127.0.0.1:4222: connection refused; start one there, or give another --url"
        );
    }
}
