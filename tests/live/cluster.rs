//! Servers that go away: one that comes back, a node of a cluster, the leader of a stream, and a node that was
//! advertised and not allowed.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::programs::{document, end, interrupt, number, start};
use crate::server::Server;
use crate::wire::Wire;
use crate::{FAST, saved, spec};

/// Servers with routes between them.
fn cluster(size: usize, streams: bool) -> Vec<Server> {
    let held: Vec<TcpListener> = (0..size)
        .map(|_| TcpListener::bind("127.0.0.1:0").expect("a port"))
        .collect();
    let ports: Vec<u16> = held
        .iter()
        .map(|held| held.local_addr().expect("its address").port())
        .collect();
    drop(held);
    let routes: Vec<String> = ports
        .iter()
        .map(|port| format!("nats-route://127.0.0.1:{port}"))
        .collect();
    let configuration = |node: usize| {
        format!(
            "server_name: n{node}\nhttp: \"127.0.0.1:-1\"\ncluster {{name: c, listen: \"127.0.0.1:{}\", routes: [{}]}}",
            ports[node],
            routes.join(", ")
        )
    };
    let nodes = (0..size).map(|node| match streams {
        true => Server::start(&configuration(node)),
        false => Server::without_streams(&configuration(node)),
    });
    nodes.collect()
}

/// A stream with a copy on each of three nodes, and the node that leads it.
fn replicated(nodes: &[Server], wire: &mut Wire) -> usize {
    for node in nodes {
        node.says("etadata leader");
    }
    let asked = "{\"name\":\"ORDERS\",\"subjects\":[\"orders.*\"],\"storage\":\"memory\",\"num_replicas\":3}";
    let answer = wire.ask("$JS.API.STREAM.CREATE.ORDERS", asked);
    assert!(!answer.contains("\"error\""), "{answer}");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let leader = answer.pointer("/cluster/leader").and_then(Value::as_str);
    let node = leader.and_then(|name| name.strip_prefix('n')?.parse().ok());
    node.unwrap_or_else(|| panic!("{answer:#}"))
}

/// Messages of the stream. While another leader is elected there may be no answer, or that there is none yet.
fn stored(node: &Server) -> u64 {
    loop {
        let mut wire = Wire::connect(node.port);
        let answer = wire.try_ask("$JS.API.STREAM.INFO.ORDERS", Duration::from_secs(1));
        let answer: Option<Value> = answer.and_then(|answer| serde_json::from_str(&answer).ok());
        let messages = answer.and_then(|answer| answer.pointer("/state/messages")?.as_u64());
        if let Some(messages) = messages {
            return messages;
        }
    }
}

#[test]
fn the_leader_of_a_stream_is_killed_under_load() {
    let mut nodes = cluster(3, true);
    let mut wire = Wire::connect(nodes[0].port);
    let leader = replicated(&nodes, &mut wire);
    let survivor = (leader + 1) % 3;
    // The load is connected to the leader, and may go to the others.
    let order = [leader, survivor, (leader + 2) % 3];
    let urls: Vec<String> = order.iter().map(|node| nodes[*node].url()).collect();
    let text = spec(
        "{horizon: 10m, drain: 2s}",
        "concurrency: 6, think: 10ms, do: ask, timeout: 1s",
        "live: {jetstream: \"orders.{user}\"}",
        FAST,
    );
    let path = saved(
        &nodes[survivor],
        "killed.yaml",
        &format!("{text}connections: {{pool: 3}}\n"),
    );
    let child = start(&[
        "observe",
        "--url",
        &urls.join(","),
        "--spec",
        &path,
        "--json",
        "--quiet",
    ]);
    while stored(&nodes[survivor]) < 50 {}
    nodes[leader].kill();
    // Another one is elected among those that are left.
    let others: Vec<&Server> = order[1..].iter().map(|node| &nodes[*node]).collect();
    Server::one_says(&others, "new stream leader for");
    let before = stored(&nodes[survivor]);
    while stored(&nodes[survivor]) < before + 50 {}
    interrupt(&child);
    let ran = end(child);
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    let result = document(&ran);
    assert_eq!(result["ended_by"], "interrupted");
    assert_eq!(number(&result, "/live/incidents/connections_lost"), 3);
    let (ok, intended) = (
        number(&result, "/requests/ok"),
        number(&result, "/requests/intended"),
    );
    assert!(ok >= 100 && ok < intended, "{ok} of {intended}");
    // What was acknowledged is kept, whoever leads.
    let kept = stored(&nodes[survivor]);
    assert!(
        kept >= ok && kept <= intended,
        "{kept} kept, {ok} acknowledged"
    );
}

#[test]
fn a_node_that_was_not_allowed_is_never_connected_to() {
    let mut nodes = cluster(2, false);
    let other = format!("127.0.0.1:{}", nodes[1].port);
    // The first node tells of the second one as soon as it knows it.
    while !Wire::connect(nodes[0].port).info.contains(&other) {}
    let connected = |node: &Server| number(&monitored(node), "/total_connections");
    let before = connected(&nodes[1]);
    let path = {
        let text = spec(
            "{horizon: 40s}",
            "concurrency: 3, think: 20ms, do: ask, timeout: 100ms",
            "live: {request: lost.ask}",
            FAST,
        );
        saved(&nodes[1], "lost.yaml", &text)
    };
    let mut wire = Wire::connect(nodes[0].port);
    wire.subscribe("lost.ask");
    let url = nodes[0].url();
    let child = start(&[
        "observe", "--url", &url, "--spec", &path, "--json", "--quiet",
    ]);
    for _ in 0..10 {
        wire.next().expect("a message");
    }
    nodes[0].kill();
    let ran = end(child);
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    let result = document(&ran);
    assert_eq!(number(&result, "/live/incidents/connections_lost"), 3);
    assert_eq!(connected(&nodes[1]), before);
    // A node that was named is gone to.
    let mut nodes = cluster(2, false);
    let urls = format!("{},{}", nodes[0].url(), nodes[1].url());
    let mut wire = Wire::connect(nodes[1].port);
    wire.subscribe("lost.ask");
    while !Wire::connect(nodes[0].port)
        .info
        .contains(&nodes[1].port.to_string())
    {}
    let child = start(&[
        "observe", "--url", &urls, "--spec", &path, "--json", "--quiet",
    ]);
    for _ in 0..10 {
        wire.next().expect("a message");
    }
    nodes[0].kill();
    while wire.next().expect("a message").subject != "lost.ask" {}
    while number(&monitored(&nodes[1]), "/total_connections") < 4 {}
    interrupt(&child);
    let ran = end(child);
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    assert_eq!(
        number(&document(&ran), "/live/incidents/connections_lost"),
        3
    );
}

/// What a server's monitoring says of it.
fn monitored(node: &Server) -> Value {
    let port = node.monitor.expect("a monitoring");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream
        .write_all(b"GET /varz HTTP/1.0\r\n\r\n")
        .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).expect("JSON")
}

#[test]
fn every_kind_of_connection_comes_back() {
    for (kind, connections) in [("per_user", 4), ("shared", 1), ("{pool: 2}", 2)] {
        let mut server = Server::start("");
        let text = spec(
            "{horizon: 10m}",
            "concurrency: 4, think: 10ms, do: ask, timeout: 100ms",
            "live: {request: \"back.{user}\"}",
            FAST,
        );
        let path = saved(
            &server,
            "back.yaml",
            &format!("{text}connections: {kind}\n"),
        );
        let mut wire = Wire::connect(server.port);
        wire.subscribe("back.*");
        let child = start(&[
            "observe",
            "--url",
            &server.url(),
            "--spec",
            &path,
            "--json",
            "--quiet",
        ]);
        all_users_send(&mut wire);
        server.kill();
        let again = Server::start_at(i32::from(server.port), "");
        let mut wire = Wire::connect(again.port);
        wire.subscribe("back.*");
        all_users_send(&mut wire);
        interrupt(&child);
        let ran = end(child);
        assert_eq!(ran.code, Some(130), "{kind}: {}", ran.stderr);
        let result = document(&ran);
        assert_eq!(
            number(&result, "/live/incidents/connections_lost"),
            connections,
            "{kind}"
        );
        assert!(
            number(&result, "/requests/transport_error") >= 4,
            "{kind}: {result:#}"
        );
        assert_eq!(number(&result, "/requests/ok"), 0);
    }
}

/// Waits until each of four users has sent.
fn all_users_send(wire: &mut Wire) {
    let mut seen = BTreeSet::new();
    while seen.len() < 4 {
        seen.insert(wire.next().expect("a message").subject);
    }
}
