//! The guard of targets: which servers may be loaded.
//!
//! Loopback is allowed. Any other server must be named again, by its host or by a network that contains all its addresses;
//! public addresses need a second flag. Names are resolved once, here; connections use the checked addresses. TLS needs the
//! name, so there the connection is made by name: its addresses are checked again right before ([`Target::check_again`]).
//! A name that changes its address between that check and the connection, or before a reconnection, is not noticed.
//!
//! User data in a URL is removed here, so that no later message about a server can show it.
//!
//! Beside it: [`access`] is how a server lets one in, [`connect_failure`] why a connection could not be opened.

pub mod access;
pub mod connect_failure;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;

use async_nats::ServerAddr;

use crate::os_error::unnumbered;

/// A server or a network that was named as a target on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A host by the name or the address that the URL has.
    Host(String),
    /// A network: an address and the length of its prefix.
    Network(IpAddr, u8),
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Named, String> {
        let Some((address, prefix)) = text.split_once('/') else {
            return match text.is_empty() || text.contains(char::is_whitespace) {
                true => Err("is neither a host nor a network such as 10.0.0.0/8".to_owned()),
                false => Ok(Named::Host(text.to_owned())),
            };
        };
        let address: IpAddr = address
            .parse()
            .map_err(|_| format!("`{address}` is not the address of a network"))?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        match prefix.parse::<u8>() {
            Ok(prefix) if prefix <= most => Ok(Named::Network(address, prefix)),
            _ => Err(format!(
                "`{prefix}` is not the length of a prefix up to {most}"
            )),
        }
    }
}

impl Named {
    fn holds(&self, host: &str, address: IpAddr) -> bool {
        match self {
            Named::Host(named) => named.eq_ignore_ascii_case(host) || named.parse() == Ok(address),
            Named::Network(network, prefix) => within(*network, *prefix, address),
        }
    }
}

fn within(network: IpAddr, prefix: u8, address: IpAddr) -> bool {
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (
            u128::from(u32::from(network)),
            u128::from(u32::from(address)),
            32,
        ),
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            (u128::from(network), u128::from(address), 128)
        }
        _ => return false,
    };
    let differing = network ^ address;
    prefix == 0 || differing >> (width - u32::from(prefix)) == 0
}

/// What may be loaded beside loopback.
#[derive(Debug, Clone, Default)]
pub struct Permission {
    /// These.
    pub named: Vec<Named>,
    /// And among them addresses that the public internet routes.
    pub public: bool,
}

/// Servers that may be loaded: the addresses to connect to, and what to call them.
#[derive(Clone)]
pub struct Target {
    /// Where to connect, without user and password.
    pub servers: Vec<ServerAddr>,
    /// `host:port` of each, without user and password.
    pub names: Vec<String>,
    /// The user of the first URL that names one, and its password.
    pub user: Option<(String, Option<String>)>,
    /// Those that are connected to as they were named, because of TLS.
    as_named: Vec<(String, u16)>,
    permission: Permission,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({:?})", self.names)
    }
}

impl Target {
    /// Checks the servers again that are connected to by name. Those with literal addresses cannot have changed.
    ///
    /// # Errors
    /// The first server that is refused by now.
    pub fn check_again(&self) -> Result<(), Refused> {
        for (host, port) in &self.as_named {
            resolve(host, *port, &self.permission)?;
        }
        Ok(())
    }
}

/// Why a server may not be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The text is not the URL of a server.
    #[error(
        "`{0}` is not the URL of a NATS server; give nats://HOST:PORT or tls://HOST:PORT, several separated by commas"
    )]
    NoUrl(String),
    /// The text is not the URL of a server's monitoring.
    #[error("`{0}` is not a monitoring URL; give http://HOST:PORT or https://HOST:PORT")]
    NoMonitor(String),
    /// The host has no address.
    #[error("the host {host} cannot be resolved: {why}; correct its name, or give its address")]
    Unknown {
        /// The host.
        host: String,
        /// What the resolver says.
        why: String,
    },
    /// It is not this machine and was not named a second time.
    #[error(
        "{host} ({address}) is not this machine; if you may put load on it, add --allow-target {host}"
    )]
    NotNamed {
        /// The host.
        host: String,
        /// Its address.
        address: IpAddr,
    },
    /// The public internet routes to it.
    #[error(
        "{host} ({address}) is a public address; if you may put load on it, add --allow-public"
    )]
    Public {
        /// The host.
        host: String,
        /// Its address.
        address: IpAddr,
    },
}

/// Checks a comma-separated list of URLs. Opens no connection; names are resolved. With `tls` servers are connected to by
/// name also where their URLs do not ask for it.
///
/// # Errors
/// The first server that is refused.
pub fn check(urls: &str, tls: bool, permission: &Permission) -> Result<Target, Refused> {
    let mut target = Target {
        servers: Vec::new(),
        names: Vec::new(),
        user: None,
        as_named: Vec::new(),
        permission: permission.clone(),
    };
    // What is told of URLs must not hold a password, and one with a comma in it is spread over several pieces.
    let (secret, last) = urls.rsplit_once('@').unwrap_or(("", urls));
    let shown = |text: &str| if secret.is_empty() { text } else { last }.to_owned();
    for text in urls
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        let server: ServerAddr = text.parse().map_err(|_| Refused::NoUrl(shown(text)))?;
        if server.host().is_empty() || server.is_websocket() {
            return Err(Refused::NoUrl(shown(text)));
        }
        let addresses = resolve(server.host(), server.port(), permission)?;
        if target.user.is_none() {
            let password = server.password().map(decoded);
            target.user = server.username().map(|user| (decoded(user), password));
        }
        let name = host_and_port(server.host(), server.port());
        target.names.push(name);
        if tls || server.tls_required() {
            let named = (server.host().to_owned(), server.port());
            target.as_named.push(named);
            target.servers.push(bare(&server, None));
            continue;
        }
        let literal = addresses.iter().map(|at| bare(&server, Some(at.ip())));
        target.servers.extend(literal);
    }
    match target.servers.is_empty() {
        true => Err(Refused::NoUrl(shown(urls))),
        false => Ok(target),
    }
}

/// Where a server's monitoring answers: the address that was checked, and what to call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitor {
    /// Where to connect.
    pub address: SocketAddr,
    /// `host:port`.
    pub name: String,
    /// Whether it is read over TLS.
    pub tls: bool,
    /// A file with further certificates of authorities.
    pub ca: Option<PathBuf>,
}

/// The port of a server's monitoring unless the URL has one.
const MONITORING: u16 = 8222;

/// Checks the URL of a server's monitoring by the rules of servers. Opens no connection; a name is resolved.
///
/// # Errors
/// Why it is refused.
pub fn check_monitor(url: &str, permission: &Permission) -> Result<Monitor, Refused> {
    let shown = || Refused::NoMonitor(url.rsplit('@').next().unwrap_or_default().to_owned());
    let (scheme, place) = url.split_once("://").ok_or_else(shown)?;
    let tls = match scheme {
        "http" => false,
        "https" => true,
        _ => return Err(shown()),
    };
    let place = place.strip_suffix('/').unwrap_or(place);
    if place.is_empty() || place.contains(['/', '@', '?', '#', ',']) {
        return Err(shown());
    }
    let server: ServerAddr = place.parse().map_err(|_| shown())?;
    let host = server.host().to_owned();
    let port = server.into_inner().port().unwrap_or(MONITORING);
    let address = resolve(&host, port, permission)?[0];
    let name = host_and_port(&host, port);
    Ok(Monitor {
        address,
        name,
        tls,
        ca: None,
    })
}

/// `host:port`, with brackets about an IPv6 address.
fn host_and_port(host: &str, port: u16) -> String {
    match host.contains(':') && !host.starts_with('[') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// The addresses of a host, at least one, all of which may be loaded.
fn resolve(host: &str, port: u16, permission: &Permission) -> Result<Vec<SocketAddr>, Refused> {
    let unknown = |why: std::io::Error| Refused::Unknown {
        host: host.to_owned(),
        why: unnumbered(&why),
    };
    let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(unknown)?.collect();
    for address in &addresses {
        admit(host, address.ip(), permission)?;
    }
    match addresses.is_empty() {
        true => Err(unknown(std::io::Error::other("it has no address"))),
        false => Ok(addresses),
    }
}

fn admit(host: &str, address: IpAddr, permission: &Permission) -> Result<(), Refused> {
    let host = host.to_owned();
    if address.is_loopback() {
        return Ok(());
    }
    if !permission
        .named
        .iter()
        .any(|named| named.holds(&host, address))
    {
        return Err(Refused::NotNamed { host, address });
    }
    if is_public(address) && !permission.public {
        return Err(Refused::Public { host, address });
    }
    Ok(())
}

/// Whether the public internet routes to an address: it is in none of the ranges kept for other uses (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = within(Ipv4Addr::new(100, 64, 0, 0).into(), 10, address);
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || shared)
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_public(v4.into()),
            None => {
                let local = within(
                    Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0).into(),
                    7,
                    address,
                );
                let link = within(
                    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0).into(),
                    10,
                    address,
                );
                !(v6.is_loopback() || v6.is_unspecified() || local || link)
            }
        },
    }
}

/// The server without its user, by the address that was checked where there is one.
fn bare(server: &ServerAddr, address: Option<IpAddr>) -> ServerAddr {
    let mut url = server.clone().into_inner();
    // Hosts that are not empty take all of this.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if let Some(address) = address {
        let _ = url.set_ip_host(address);
    }
    ServerAddr::from_url(url).unwrap_or_else(|_| server.clone())
}

/// A user or a password of a URL, which writes some characters as `%` and two digits.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let byte = after
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
