//! The monitoring of a server: `/varz` and `/jsz`.

use std::io;
use std::sync::Arc;

use blis_sim::result::{ObservedJetStream, ObservedServer};
use serde_json::Value;

use super::asking::Traffic;
use super::pages::Pages;
use crate::os_error::unnumbered;
use crate::target::Monitor;

/// Why the monitoring did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// Nobody is there, or it was too slow.
    #[error(
        "the monitoring at {name} cannot be read: {}; {next}, or give another --monitor URL",
        unnumbered(.why)
    )]
    Unreachable {
        /// `host:port`.
        name: String,
        /// What went wrong.
        why: io::Error,
        /// What would mend it.
        next: &'static str,
    },
    /// It is not a monitoring.
    #[error("{name} is not the monitoring of a NATS server; give another --monitor URL")]
    Unclear {
        /// `host:port`.
        name: String,
    },
}

impl Unread {
    fn unreachable(monitor: &Monitor, why: io::Error) -> Unread {
        Unread::Unreachable {
            name: monitor.name.clone(),
            why,
            next: match monitor.tls {
                false => "start the server with http_port",
                true => {
                    "start the server with https_port, use a name that its certificate has, name its authority with --tlsca"
                }
            },
        }
    }
}

/// What a server's monitoring said over a run.
#[derive(Debug)]
pub struct Watched {
    pages: Pages,
    first: (Varz, Option<Jsz>),
    last: (Varz, Option<Jsz>),
    samples: u64,
    cpu_sum: f64,
    most: Varz,
}

/// What is taken of `/varz`.
#[derive(Debug, Clone, Copy)]
struct Varz {
    cpu: f64,
    memory: u64,
    connections: u64,
    slow_consumers: u64,
    in_msgs: u64,
    out_msgs: u64,
    in_bytes: u64,
    out_bytes: u64,
}

/// What is taken of `/jsz`.
#[derive(Debug, Clone, Copy)]
struct Jsz {
    messages: u64,
    bytes: u64,
    requests: u64,
    errors: u64,
}

impl Watched {
    /// Asks for the first time.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn start(monitor: &Monitor, traffic: &Arc<Traffic>) -> Result<Watched, Unread> {
        let pages = Pages::of(monitor).map_err(|why| Unread::unreachable(monitor, why))?;
        let varz = varz(&pages, traffic).await?;
        let jsz = jsz(&pages, traffic).await;
        Ok(Watched {
            pages,
            first: (varz, jsz),
            last: (varz, jsz),
            samples: 1,
            cpu_sum: varz.cpu,
            most: varz,
        })
    }

    /// Asks once more; an answer that does not come is left out.
    pub async fn look(&mut self, traffic: &Arc<Traffic>) {
        let Ok(now) = varz(&self.pages, traffic).await else {
            return;
        };
        self.samples += 1;
        self.cpu_sum += now.cpu;
        self.most.cpu = self.most.cpu.max(now.cpu);
        self.most.memory = self.most.memory.max(now.memory);
        self.most.connections = self.most.connections.max(now.connections);
        self.last.0 = now;
    }

    /// Asks for the last time.
    pub async fn finish(mut self, traffic: &Arc<Traffic>) -> ObservedServer {
        self.look(traffic).await;
        if self.first.1.is_some() {
            self.last.1 = jsz(&self.pages, traffic).await;
        }
        self.observed()
    }

    /// What there is without asking again. Counters of a server that was started anew in between count from there.
    pub fn observed(self) -> ObservedServer {
        let (before, after) = (self.first.0, self.last.0);
        let grown = |before: u64, after: u64| match after >= before {
            true => after - before,
            false => after,
        };
        let jetstream = self.first.1.zip(self.last.1);
        ObservedServer {
            monitor: self.pages.monitor().name.clone(),
            varz_samples: self.samples,
            cpu_percent_mean: self.cpu_sum / self.samples as f64,
            cpu_percent_max: self.most.cpu,
            memory_bytes_max: self.most.memory,
            connections_max: self.most.connections,
            slow_consumers_before: before.slow_consumers,
            slow_consumers_after: after.slow_consumers,
            in_msgs: grown(before.in_msgs, after.in_msgs),
            out_msgs: grown(before.out_msgs, after.out_msgs),
            in_bytes: grown(before.in_bytes, after.in_bytes),
            out_bytes: grown(before.out_bytes, after.out_bytes),
            jetstream: jetstream.map(|(before, after)| ObservedJetStream {
                messages_before: before.messages,
                messages_after: after.messages,
                bytes_before: before.bytes,
                bytes_after: after.bytes,
                api_requests: grown(before.requests, after.requests),
                api_errors: grown(before.errors, after.errors),
            }),
        }
    }
}

async fn varz(pages: &Pages, traffic: &Arc<Traffic>) -> Result<Varz, Unread> {
    let read = pages.get("/varz", traffic).await;
    let answer = read.map_err(|why| Unread::unreachable(pages.monitor(), why))?;
    let number = |field: &str| answer.as_ref()?.get(field)?.as_u64();
    let read = || {
        Some(Varz {
            cpu: answer.as_ref()?.get("cpu")?.as_f64()?,
            memory: number("mem")?,
            connections: number("connections")?,
            slow_consumers: number("slow_consumers")?,
            in_msgs: number("in_msgs")?,
            out_msgs: number("out_msgs")?,
            in_bytes: number("in_bytes")?,
            out_bytes: number("out_bytes")?,
        })
    };
    read().ok_or_else(|| Unread::Unclear {
        name: pages.monitor().name.clone(),
    })
}

async fn jsz(pages: &Pages, traffic: &Arc<Traffic>) -> Option<Jsz> {
    let answer = pages.get("/jsz", traffic).await.ok()??;
    let number = |pointer: &str| answer.pointer(pointer)?.as_u64();
    if answer.get("disabled") == Some(&Value::Bool(true)) {
        return None;
    }
    Some(Jsz {
        messages: number("/messages")?,
        bytes: number("/bytes")?,
        requests: number("/api/total")?,
        errors: number("/api/errors")?,
    })
}
