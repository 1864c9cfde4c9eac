//! The guard of targets: which servers may be loaded.
//!
//! Loopback may. Any other server has to be named a second time, by its host or by a network that all its addresses are
//! in; an address that the public internet routes needs a further word. Names are resolved once, here; connections are
//! made to the addresses that were checked. TLS needs the name, so there the connection is made by name after this
//! check, and a name that changes its address in between is not noticed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use async_nats::ServerAddr;

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
#[derive(Debug, Clone)]
pub struct Target {
    /// Where to connect.
    pub servers: Vec<ServerAddr>,
    /// `host:port` of each, without user and password.
    pub names: Vec<String>,
    /// The user of the first URL that names one, and its password.
    pub user: Option<(String, Option<String>)>,
}

/// Why a server may not be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The text is not the URL of a server.
    #[error(
        "`{0}` is not the URL of a NATS server: write nats://HOST:PORT, several with commas between"
    )]
    NoUrl(String),
    /// The host has no address.
    #[error("the host {host} cannot be resolved: {why}")]
    Unknown {
        /// The host.
        host: String,
        /// What the resolver says.
        why: String,
    },
    /// It is not this machine and was not named a second time.
    #[error(
        "{host} ({address}) is not this machine: name it again with --allow-target {host}, if you may put load on it"
    )]
    NotNamed {
        /// The host.
        host: String,
        /// Its address.
        address: IpAddr,
    },
    /// The public internet routes to it.
    #[error(
        "{host} ({address}) is a public address: give --allow-public too, if you really may put load on it"
    )]
    Public {
        /// The host.
        host: String,
        /// Its address.
        address: IpAddr,
    },
}

/// Checks a comma-separated list of URLs. Opens no connection; names are resolved.
///
/// # Errors
/// The first server that is refused.
pub fn check(urls: &str, permission: &Permission) -> Result<Target, Refused> {
    let mut target = Target {
        servers: Vec::new(),
        names: Vec::new(),
        user: None,
    };
    for text in urls
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        // What is told of a URL must not hold its password.
        let shown = || text.rsplit('@').next().unwrap_or_default().to_owned();
        let server: ServerAddr = text.parse().map_err(|_| Refused::NoUrl(shown()))?;
        let host = server.host().to_owned();
        if host.is_empty() {
            return Err(Refused::NoUrl(shown()));
        }
        let port = server.port();
        let unknown = |why: std::io::Error| Refused::Unknown {
            host: host.clone(),
            why: why.to_string(),
        };
        let addresses: Vec<SocketAddr> = (host.as_str(), port)
            .to_socket_addrs()
            .map_err(unknown)?
            .collect();
        let Some(first) = addresses.first() else {
            return Err(unknown(std::io::Error::other("it has no address")));
        };
        for address in &addresses {
            admit(&host, address.ip(), permission)?;
        }
        if target.user.is_none() {
            let password = server.password().map(str::to_owned);
            target.user = server.username().map(|user| (user.to_owned(), password));
        }
        target.names.push(format!("{host}:{port}"));
        target.servers.push(literal(&server, *first));
    }
    match target.servers.is_empty() {
        true => Err(Refused::NoUrl(urls.to_owned())),
        false => Ok(target),
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

/// The server by the address that was checked, unless TLS has to check its name.
fn literal(server: &ServerAddr, address: SocketAddr) -> ServerAddr {
    let mut url = server.clone().into_inner();
    if server.tls_required() || url.set_ip_host(address.ip()).is_err() {
        return server.clone();
    }
    ServerAddr::from_url(url).unwrap_or_else(|_| server.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(urls: &str, named: &[&str], public: bool) -> Refused {
        check(urls, &permission(named, public)).expect_err("refused")
    }

    fn permission(named: &[&str], public: bool) -> Permission {
        let named = named
            .iter()
            .map(|text| text.parse().expect("a target"))
            .collect();
        Permission { named, public }
    }

    #[test]
    fn loopback_is_free_and_connected_to_by_address() {
        let target = check("nats://localhost:4333, 127.0.0.2", &Permission::default())
            .expect("this machine");
        assert_eq!(target.names, ["localhost:4333", "127.0.0.2:4222"]);
        assert_eq!(
            target.servers[0]
                .host()
                .parse::<IpAddr>()
                .map(|ip| ip.is_loopback()),
            Ok(true)
        );
    }

    #[test]
    fn others_are_named_again() {
        let why = refused("nats://10.1.2.3", &[], false);
        assert!(matches!(why, Refused::NotNamed { .. }), "{why}");
        assert!(check("nats://10.1.2.3", &permission(&["10.0.0.0/8"], false)).is_ok());
        assert!(check("nats://10.1.2.3", &permission(&["10.1.2.3"], false)).is_ok());
        let why = refused("nats://10.1.2.3,nats://10.1.3.3", &["10.1.2.0/24"], true);
        assert!(
            why.to_string()
                .starts_with("10.1.3.3 (10.1.3.3) is not this machine"),
            "{why}"
        );
        assert!(check("nats://[fd00::1]:4222", &permission(&["fd00::/8"], false)).is_ok());
    }

    #[test]
    fn public_addresses_need_a_further_word() {
        let why = refused("nats://8.8.8.8", &["8.8.8.8"], false);
        assert!(matches!(why, Refused::Public { .. }), "{why}");
        assert!(check("nats://8.8.8.8", &permission(&["8.8.8.8"], true)).is_ok());
        for mapped in ["::ffff:8.8.8.8", "2001:db9::1"] {
            let url = format!("nats://[{mapped}]");
            assert!(
                matches!(refused(&url, &["::/0"], false), Refused::Public { .. }),
                "{mapped}"
            );
        }
        for local in [
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.1.1",
            "100.64.0.1",
            "fe80::1",
            "fd00::1",
        ] {
            assert!(!is_public(local.parse().expect("an address")), "{local}");
        }
        for public in ["100.63.255.255", "172.32.0.1", "1.1.1.1"] {
            assert!(is_public(public.parse().expect("an address")), "{public}");
        }
    }

    #[test]
    fn a_refusal_does_not_tell_the_password() {
        let why = refused("nats://me:canary@10.1.2.3", &[], false).to_string();
        assert!(!why.contains("canary"), "{why}");
        let why = refused("http://me:canary@10.1.2.3", &[], false).to_string();
        assert!(!why.contains("canary"), "{why}");
        assert_eq!(refused(" , ", &[], false), Refused::NoUrl(" , ".to_owned()));
    }

    #[test]
    fn targets_are_hosts_or_networks() {
        assert_eq!("db.test".parse(), Ok(Named::Host("db.test".to_owned())));
        assert!("10.0.0.0/33".parse::<Named>().is_err());
        assert!("ten/8".parse::<Named>().is_err());
        assert!("".parse::<Named>().is_err());
        assert!(within(
            "0.0.0.0".parse().expect("any"),
            0,
            "9.9.9.9".parse().expect("one")
        ));
    }
}
