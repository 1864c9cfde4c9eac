//! The pages of a server's monitoring, over HTTP or HTTPS.
//!
//! Connections go to the address that the guard of targets has checked and to no other: neither a proxy of the environment
//! nor a redirect is followed. An answer that is late or too long is none.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::config::Config;
use ureq::http::{Response, Uri};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body};

use super::asking::Traffic;
use crate::target::Monitor;
use crate::wire::told::count;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most bytes of an answer.
const MOST: u64 = 4 << 20;

/// Where the pages of a monitoring are read.
#[derive(Debug, Clone)]
pub struct Pages {
    agent: Agent,
    monitor: Monitor,
}

/// Every name leads to the address that was checked.
#[derive(Debug)]
struct Checked(std::net::SocketAddr);

impl Resolver for Checked {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(self.0);
        Ok(addresses)
    }
}

impl Pages {
    /// Opens no connection yet.
    ///
    /// # Errors
    /// The file with certificates of authorities cannot be read.
    pub fn of(monitor: &Monitor) -> io::Result<Pages> {
        let config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent("")
            .accept("");
        let config = match monitor.tls {
            true => config.tls_config(trusting(monitor)?),
            false => config,
        };
        let resolver = Checked(monitor.address);
        Ok(Pages {
            agent: Agent::with_parts(config.build(), DefaultConnector::default(), resolver),
            monitor: monitor.clone(),
        })
    }

    /// Whose they are.
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// Reads a page; `None` when it holds no JSON.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn get(&self, path: &str, traffic: &Arc<Traffic>) -> io::Result<Option<Value>> {
        let scheme = if self.monitor.tls { "https" } else { "http" };
        let name = &self.monitor.name;
        let url = format!("{scheme}://{name}{path}");
        traffic.ask(format!("GET {path} HTTP/1.1\r\nhost: {name}\r\n\r\n").len());
        let agent = self.agent.clone();
        let asked = tokio::task::spawn_blocking(move || read(&agent, &url)).await;
        match asked.map_err(io::Error::other).and_then(|answer| answer) {
            Ok((size, value)) => {
                traffic.answer(size);
                Ok(value)
            }
            Err(why) => {
                count(&traffic.unanswered);
                Err(why)
            }
        }
    }
}

/// The bytes of an answer and the JSON in it.
fn read(agent: &Agent, url: &str) -> io::Result<(usize, Option<Value>)> {
    let mut answer = match agent.get(url).call() {
        // Somebody who does not speak HTTP: what it said is not counted.
        Err(ureq::Error::Protocol(_)) => return Ok((0, None)),
        answer => answer.map_err(ureq::Error::into_io)?,
    };
    let body = answer.body_mut().with_config().limit(MOST).read_to_vec();
    let body = body.map_err(ureq::Error::into_io)?;
    let value = (answer.status() == 200).then(|| serde_json::from_slice(&body).ok());
    Ok((size_of_head(&answer) + body.len(), value.flatten()))
}

/// The bytes of a status line and of headers.
fn size_of_head(answer: &Response<Body>) -> usize {
    let reason = answer.status().canonical_reason().unwrap_or_default();
    let headers = answer.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    "HTTP/1.1 200 \r\n\r\n".len() + reason.len() + headers.sum::<usize>()
}

/// The authorities of this machine, and those of the file that was given.
fn trusting(monitor: &Monitor) -> io::Result<TlsConfig> {
    let known = rustls_native_certs::load_native_certs().certs;
    let mut trusted: Vec<Certificate<'static>> = known
        .iter()
        .map(|each| Certificate::from_der(each).to_owned())
        .collect();
    if let Some(path) = &monitor.ca {
        for item in parse_pem(&std::fs::read(path)?) {
            if let PemItem::Certificate(certificate) = item.map_err(ureq::Error::into_io)? {
                trusted.push(certificate);
            }
        }
    }
    let roots = RootCerts::Specific(Arc::new(trusted));
    Ok(TlsConfig::builder().root_certs(roots).build())
}
