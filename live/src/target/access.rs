//! Access to a server and to its API: what a connection needs besides the address.
//!
//! Access data is never written anywhere: it has no text, and failures name files, never their contents.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::ConnectOptions;

use crate::os_error::unnumbered;
use crate::target::connect_failure::ConnectFailure;

/// Messages that may wait to be written to a connection's socket.
pub const ROOM: usize = 8192;
/// How long opening a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How a server lets one in. Nothing of it is ever written anywhere.
#[derive(Clone, Default)]
pub struct Access {
    /// User and password.
    pub user: Option<(String, String)>,
    /// A token.
    pub token: Option<String>,
    /// A file with a JWT and the seed of its key.
    pub creds: Option<PathBuf>,
    /// The seed of a key.
    pub nkey: Option<String>,
    /// A JWT and the seed of its key, where it has one.
    pub jwt: Option<(String, Option<String>)>,
    /// A file with further certificates of authorities.
    pub ca: Option<PathBuf>,
    /// Files with the client's certificate and key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Whether TLS comes before the server's first word, instead of after it.
    pub tls_first: bool,
    /// What replies' subjects start with, instead of `_INBOX`.
    pub inbox_prefix: Option<String>,
    /// What the subjects of the JetStream API start with, instead of `$JS.API`.
    pub api_prefix: Option<String>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access { .. }")
    }
}

impl Access {
    /// Whether TLS is wanted, whatever the server says.
    pub fn wants_tls(&self) -> bool {
        self.ca.is_some() || self.certificate.is_some() || self.tls_first
    }

    /// The subject of a function of the JetStream API.
    pub fn api(&self, function: &str) -> String {
        format!("{}.{function}", self.api_root())
    }

    /// What the subjects of the JetStream API start with.
    pub fn api_root(&self) -> &str {
        self.api_prefix.as_deref().unwrap_or("$JS.API")
    }

    /// The options of a connection of this name.
    ///
    /// # Errors
    /// What is wrong with a file that is needed.
    pub(crate) async fn options(&self, name: &str) -> Result<ConnectOptions, ConnectFailure> {
        let mut options = ConnectOptions::new()
            .name(name)
            .client_capacity(ROOM)
            .subscription_capacity(1 << 20)
            .connection_timeout(CONNECT_TIMEOUT)
            .request_timeout(Some(CONNECT_TIMEOUT))
            .ignore_discovered_servers()
            .retain_servers_order()
            .require_tls(self.wants_tls());
        if self.tls_first {
            options = options.tls_first();
        }
        if let Some(path) = &self.ca {
            readable(path)?;
            options = options.add_root_certificates(path.clone());
        }
        if let Some((certificate, key)) = &self.certificate {
            readable(certificate)?;
            readable(key)?;
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        if let Some(prefix) = &self.inbox_prefix {
            options = options.custom_inbox_prefix(prefix);
        }
        if let Some(token) = &self.token {
            options = options.token(token.clone());
        }
        self.identified(options).await
    }

    /// The options with the first identity that there is, in the order of the `nats` command line.
    async fn identified(&self, options: ConnectOptions) -> Result<ConnectOptions, ConnectFailure> {
        if let Some((user, password)) = &self.user {
            return Ok(options.user_and_password(user.clone(), password.clone()));
        }
        if let Some(path) = &self.creds {
            let loaded = options.credentials_file(path).await;
            return loaded.map_err(|why| unusable(path, unnumbered(&why)));
        }
        if let Some(seed) = &self.nkey {
            return Ok(options.nkey(seed.clone()));
        }
        match &self.jwt {
            Some((jwt, Some(seed))) => {
                // The client reads both from one text, as a file of credentials has them.
                let text = format!(
                    "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
                     -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
                );
                let loaded = options.credentials(&text);
                loaded.map_err(|_| ConnectFailure::Key("the JWT and its seed".to_owned()))
            }
            Some((jwt, None)) => Ok(options.jwt(jwt.clone(), |_| async { Ok(Vec::new()) })),
            None => Ok(options),
        }
    }
}

fn readable(path: &Path) -> Result<(), ConnectFailure> {
    let opened = std::fs::File::open(path);
    opened
        .map(drop)
        .map_err(|why| unusable(path, unnumbered(&why)))
}

fn unusable(path: &Path, why: String) -> ConnectFailure {
    ConnectFailure::File {
        path: path.to_owned(),
        why,
    }
}
