//! A stranger's service: what is sent to it by flags alone and by a spec without paths, and what is said of it.

use crate::programs::{document, number, observe, run};
use crate::saved;
use crate::server::Server;
use crate::wire::Wire;

/// A service of the test's own that answers every request; it ends with the server.
fn answering(server: &Server, subject: &str) {
    let mut wire = Wire::connect(server.port);
    wire.subscribe(subject);
    std::thread::spawn(move || {
        while let Some(message) = wire.next() {
            wire.publish_with(&message.reply, &[], b"{}");
        }
    });
}

#[test]
fn flags_alone_send_what_they_say() {
    let server = Server::start("");
    answering(&server, "my.svc.*");
    let mut wire = Wire::connect(server.port);
    wire.subscribe("my.svc.*");
    let words = [
        "--subject",
        "my.svc.{user}",
        "--payload",
        r#"{"id": {n}}"#,
        "--header",
        "Tenant: north/{user}",
        "--header",
        "Colons: a:b",
        "--concurrency",
        "2",
        "--num-requests",
        "6",
    ];
    let result = observe(&server.url(), &words);
    assert_eq!(number(&result, "/requests/ok"), 6);
    let mut found = Vec::new();
    for _ in 0..6 {
        let message = wire.next().expect("a message");
        let user = message
            .subject
            .rsplit('.')
            .next()
            .expect("a user")
            .to_owned();
        assert_eq!(
            message.header("Tenant"),
            Some(format!("north/{user}").as_str())
        );
        assert_eq!(message.header("Colons"), Some("a:b"));
        found.push((user, String::from_utf8(message.payload).expect("text")));
    }
    // Who had how many is chance, the numbers of each are not.
    for who in ["0", "1"] {
        let of_user = found.iter().filter(|(user, _)| user == who);
        let payloads: Vec<&String> = of_user.map(|(_, payload)| payload).collect();
        let expected: Vec<String> = (0..payloads.len())
            .map(|n| format!("{{\"id\": {n}}}"))
            .collect();
        assert!(payloads.iter().copied().eq(&expected), "{found:?}");
    }
    let setting = |key: &str| &result["configuration"][key];
    for (key, value, source) in [
        ("actions.request.live.request", "my.svc.{user}", "--subject"),
        (
            "actions.request.payload.text",
            r#"{"id": {n}}"#,
            "--payload",
        ),
        ("clients.users.concurrency", "2", "--concurrency"),
        ("clients.users.timeout", "5s", "default"),
        ("run.requests", "6", "--num-requests"),
    ] {
        assert_eq!(setting(key)["value"], value, "{key}");
        assert_eq!(setting(key)["source"], source, "{key}");
    }
    assert!(result.get("verdict").is_none(), "no objective applies");
    for made_up in ["bottleneck", "constraints", "falling_behind_rps"] {
        assert!(result.get(made_up).is_none(), "{made_up}");
    }
    assert!(result.get("not_measured").is_none());
    assert_eq!(
        result["theory"].as_object().map(serde_json::Map::len),
        Some(1)
    );
}

#[test]
fn an_open_schedule_with_a_payload_from_a_file_is_kept_reported_and_traced() {
    let server = Server::start("");
    answering(&server, "my.svc");
    let payload = saved(&server, "order.json", "{\"order\": \"{uuid}\"}");
    let out = server.folder().join("run").display().to_string();
    let url = server.url();
    let ran = run(&[
        "observe",
        "--url",
        &url,
        "--subject",
        "my.svc",
        "--payload-file",
        &payload,
        "--rate",
        "200/s",
        "--horizon",
        "1s",
        "--slo",
        "errors=1%",
        "--quiet",
        "--out",
        &out,
    ]);
    assert!(
        matches!(ran.code, Some(0 | 5)),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    // The answer is first, and the generator last.
    assert!(ran.stdout.starts_with("  verdict     "), "{}", ran.stdout);
    let place = |what: &str| {
        let at = ran.stdout.find(what);
        at.unwrap_or_else(|| panic!("no {what} in\n{}", ran.stdout))
    };
    let order = [
        place("  verdict     "),
        place("\n  throughput "),
        place("\n  response "),
        place(
            "\nbounded by horizon 1s (no spec, --subject; change it with --horizon or --num-requests)\n",
        ),
        place("\n  actions.request.live.request "),
        place("\n  generator "),
    ];
    assert!(order.is_sorted(), "{order:?}");
    for made_up in ["theory", "utilisation", "quickstart"] {
        assert!(
            !ran.stdout.contains(made_up),
            "{made_up} in\n{}",
            ran.stdout
        );
    }
    let report = run(&["report", &out]);
    assert_eq!((report.code, report.stdout), (Some(0), ran.stdout));
    let trace = run(&["trace", &out]);
    assert_eq!(trace.code, Some(0), "{}", trace.stderr);
    let rows = trace
        .stdout
        .lines()
        .filter(|line| line.contains(",request,"))
        .count();
    assert!(rows > 100, "{}", trace.stdout);
    let refused = run(&["explain", &out]);
    assert_eq!(refused.code, Some(2));
    for part in [
        "the action `request` has no path",
        "spec.yaml:",
        "add `path:",
    ] {
        assert!(
            refused.stderr.contains(part),
            "no {part} in {}",
            refused.stderr
        );
    }
}

#[test]
fn a_spec_without_paths_is_observed_and_what_has_one_is_played() {
    let server = Server::start("");
    answering(&server, "strange.ask");
    let text = "blis: 1\nname: half\nrun: {requests: 60}\nclients:\n  users: {concurrency: 3, do: {ask: 1, tell: 1}}\nactions:\n  \
                ask: {live: {request: strange.ask}, slo: {errors: 1%}}\n  tell: {path: [{visit: api}, reply], live: {request: \
                own.tell}}\nservices: {api: {workers: 8, time: 1ms}}\n";
    let path = saved(&server, "half.yaml", text);
    let double = crate::programs::Double::start(&server.url(), &[&path]);
    let ran = run(&[
        "observe",
        "--url",
        &server.url(),
        "--json",
        "--quiet",
        &path,
    ]);
    let result = document(&ran);
    assert_eq!(number(&result, "/requests/ok"), 60);
    assert_eq!(result["not_measured"], serde_json::json!(["services"]));
    let asked = number(&result, "/actions/tell/requests/ok");
    let said = double.stop();
    assert_eq!(said.code, Some(0));
    assert!(
        said.stdout
            .starts_with(&format!("Received {asked} requests: {asked} ok\n")),
        "{}",
        said.stdout
    );
    // What is not played is said before there is a connection.
    let alone = run(&["serve", "--url", "nats://127.0.0.1:1", &path]);
    let told = "no double for ask: actions without a `path` are not played";
    assert!(alone.stderr.contains(told), "{}", alone.stderr);
}
