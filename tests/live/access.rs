//! Every way in, from flags, variables and contexts, with canaries in the place of secrets: whatever comes of a run,
//! none of them is ever seen.

use std::path::Path;

use nkeys::KeyPair;
use serde_json::{Value, json};

use crate::keys::{Authority, Operator, credentials};
use crate::programs::{Ran, document, number, run_with};
use crate::server::Server;
use crate::wire::Wire;

/// A place of a secret in a command line, the environment or a file.
const CANARY: &str = "canary7Qx";

/// A run of four requests with these words and variables, whose output holds no canary.
fn observed(folder: &Path, words: &[&str], variables: &[(&str, &str)]) -> Ran {
    let out = folder.join("run").display().to_string();
    let load = [
        "observe",
        "--quiet",
        "--force",
        "--concurrency",
        "2",
        "--num-requests",
        "4",
        "--think-time-ms",
        "1",
        "--out",
        &out,
    ];
    // A plan has no document.
    let json: &[&str] = if words.contains(&"--dry-run") {
        &[]
    } else {
        &["--json"]
    };
    let ran = run_with(&[&load[..], json, words].concat(), variables);
    keeps_secrets(&ran, Path::new(&out), &[]);
    ran
}

fn keeps_secrets(ran: &Ran, out: &Path, secrets: &[&str]) {
    let mut seen = vec![ran.stdout.clone(), ran.stderr.clone()];
    if out.exists() {
        for entry in std::fs::read_dir(out).expect("a folder") {
            let path = entry.expect("an entry").path();
            seen.push(String::from_utf8_lossy(&std::fs::read(path).expect("a file")).into_owned());
        }
    }
    for text in seen {
        for secret in [&[CANARY], secrets].concat() {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

/// Whether it was let in, which has its result. Nobody answers the four requests.
fn lets_in(ran: &Ran) {
    assert_eq!(number(&document(ran), "/requests/intended"), 4);
}

fn keeps_out(ran: &Ran, code: i32, sentence: &str) {
    assert_eq!(ran.code, Some(code), "{}", ran.stderr);
    assert!(ran.stderr.contains(sentence), "{}", ran.stderr);
    assert_eq!(ran.stderr.trim_end().lines().count(), 1, "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

fn saved(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(&path, text).expect("a file");
    path.display().to_string()
}

/// A context file with these fields.
fn context(server: &Server, name: &str, fields: Value) -> String {
    saved(server.folder(), name, &fields.to_string())
}

#[test]
fn user_and_password_let_in() {
    let server = Server::start(&format!(
        "authorization {{user: me, password: \"{CANARY}/@1\"}}"
    ));
    let (url, password) = (server.url(), format!("{CANARY}/@1"));
    let with =
        |words: &[&str], variables: &[(&str, &str)]| observed(server.folder(), words, variables);
    lets_in(&with(
        &["--url", &url, "--user", "me", "--password", &password],
        &[],
    ));
    lets_in(&with(
        &["--url", &url],
        &[("NATS_USER", "me"), ("NATS_PASSWORD", &password)],
    ));
    let in_url = url.replace("//", &format!("//me:{CANARY}%2F%401@"));
    lets_in(&with(&["--url", &in_url], &[]));
    lets_in(&with(&[], &[("NATS_URL", &in_url)]));
    let path = context(
        &server,
        "me.json",
        json!({"url": url, "user": "me", "password": password}),
    );
    lets_in(&with(&["--context", &path], &[]));
    lets_in(&with(&[], &[("NATS_CONTEXT", &path)]));
    // A flag comes before a variable, and that before the context.
    let variables = [("NATS_CONTEXT", path.as_str()), ("NATS_PASSWORD", "wrong")];
    keeps_out(
        &with(&[], &variables),
        4,
        "refuses the connection: authorization violation",
    );
    lets_in(&with(&["--password", &password], &variables));
    let wrong = format!("{CANARY}2");
    let refused = "give --user and --password, --token, --creds or --nkey that it accepts";
    keeps_out(
        &with(&["--url", &url, "--user", "me", "--password", &wrong], &[]),
        4,
        refused,
    );
    keeps_out(&with(&["--url", &url], &[]), 4, refused);
    let ran = with(&["--url", &in_url, "--dry-run"], &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[test]
fn refusals_before_the_connection_keep_secrets() {
    let folder = tempfile::tempdir().expect("a folder");
    let with = |words: &[&str]| observed(folder.path(), words, &[]);
    let url = |place: &str| format!("nats://me:{CANARY}@{place}");
    keeps_out(
        &with(&["--url", &url("10.1.2.3")]),
        3,
        "--allow-target 10.1.2.3",
    );
    keeps_out(
        &with(&["--url", &url("nowhere.invalid")]),
        4,
        "the host nowhere.invalid cannot be resolved",
    );
    keeps_out(
        &with(&["--url", &url("127.0.0.1:99999")]),
        2,
        "is not the URL of a NATS server",
    );
    keeps_out(
        &with(&["--url", &format!("ws://{CANARY}@127.0.0.1")]),
        2,
        "give nats://HOST:PORT",
    );
    keeps_out(
        &with(&["--url", &url("127.0.0.1:1")]),
        4,
        "no NATS server answers at 127.0.0.1:1: ",
    );
    let seed = KeyPair::new_user().seed().expect("a seed");
    let ran = with(&["--url", "nats://127.0.0.1", "--nkey", &seed]);
    keeps_out(&ran, 2, "--nkey takes a file, not the seed itself");
    keeps_secrets(&ran, folder.path(), &[&seed]);
}

#[test]
fn a_token_lets_in() {
    let server = Server::start(&format!("authorization {{token: {CANARY}}}"));
    let url = server.url();
    let with = |words: &[&str], variables: &[(&str, &str)]| {
        observed(
            server.folder(),
            &[&["--url", &url], words].concat(),
            variables,
        )
    };
    lets_in(&with(&["--token", CANARY], &[]));
    lets_in(&with(&[], &[("NATS_TOKEN", CANARY)]));
    // A user without a password is a token.
    lets_in(&with(&["--user", CANARY], &[]));
    let path = context(&server, "token.json", json!({"token": CANARY}));
    lets_in(&with(&["--context", &path], &[]));
    let in_url = url.replace("//", &format!("//{CANARY}@"));
    lets_in(&observed(server.folder(), &["--url", &in_url], &[]));
    keeps_out(
        &with(&["--token", "canary7Qxx"], &[]),
        4,
        "refuses the connection",
    );
}

#[test]
fn an_nkey_lets_in() {
    let key = KeyPair::new_user();
    let server = Server::start(&format!(
        "authorization {{users: [{{nkey: {}}}]}}",
        key.public_key()
    ));
    let seed = key.seed().expect("a seed");
    let url = server.url();
    let file = saved(server.folder(), "me.nk", &format!("# mine\n{seed}\n"));
    let with = |words: &[&str], variables: &[(&str, &str)]| {
        let ran = observed(
            server.folder(),
            &[&["--url", &url], words].concat(),
            variables,
        );
        keeps_secrets(&ran, &server.folder().join("run"), &[&seed]);
        ran
    };
    lets_in(&with(&["--nkey", &file], &[]));
    lets_in(&with(&[], &[("NATS_NKEY", &file)]));
    let path = context(&server, "nkey.json", json!({"nkey": "$KEYS/me.nk"}));
    let folder = server.folder().display().to_string();
    lets_in(&with(&["--context", &path], &[("KEYS", &folder)]));
    let other = KeyPair::new_user().seed().expect("a seed");
    let file = saved(server.folder(), "other.nk", &other);
    keeps_out(&with(&["--nkey", &file], &[]), 4, "refuses the connection");
    let file = saved(server.folder(), "broken.nk", &format!("S{CANARY}"));
    keeps_out(&with(&["--nkey", &file], &[]), 2, "the nkey cannot be used");
    let file = saved(server.folder(), "empty.nk", CANARY);
    keeps_out(&with(&["--nkey", &file], &[]), 2, "has no nkey seed");
}

#[test]
fn credentials_let_in() {
    let operator = Operator::new();
    let server = Server::start(operator.configuration());
    let url = server.url();
    let folder = server.folder().display().to_string();
    let file = saved(server.folder(), "me.creds", &operator.credentials());
    let with = |words: &[&str], variables: &[(&str, &str)]| {
        let ran = observed(
            server.folder(),
            &[&["--url", &url], words].concat(),
            variables,
        );
        keeps_secrets(
            &ran,
            &server.folder().join("run"),
            &[&operator.jwt, &operator.seed],
        );
        ran
    };
    lets_in(&with(&["--creds", &file], &[]));
    lets_in(&with(&[], &[("NATS_CREDS", &file)]));
    let variables = [
        ("NATS_JWT", operator.jwt.as_str()),
        ("NATS_SEED", operator.seed.as_str()),
    ];
    lets_in(&with(&[], &variables));
    let fields = [
        json!({"creds": "~/me.creds"}),
        json!({"creds": format!("file://{file}")}),
        json!({"user_jwt": operator.jwt, "user_seed": operator.seed}),
    ];
    for fields in fields {
        let path = context(&server, "creds.json", fields);
        lets_in(&with(&["--context", &path], &[("HOME", &folder)]));
    }
    let stranger = Operator::new();
    let other = saved(server.folder(), "other.creds", &stranger.credentials());
    keeps_out(
        &with(&["--creds", &other], &[]),
        4,
        "refuses the connection",
    );
    let mixed = credentials(&operator.jwt, &stranger.seed);
    let other = saved(server.folder(), "mixed.creds", &mixed);
    keeps_out(
        &with(&["--creds", &other], &[]),
        4,
        "refuses the connection",
    );
    let other = saved(
        server.folder(),
        "broken.creds",
        &credentials(&operator.jwt, CANARY),
    );
    keeps_out(
        &with(&["--creds", &other], &[]),
        2,
        "broken.creds cannot be used",
    );
    keeps_out(
        &with(&["--creds", "nowhere.creds"], &[]),
        2,
        "nowhere.creds cannot be used",
    );
    let path = context(
        &server,
        "op.json",
        json!({"creds": format!("op://{CANARY}")}),
    );
    let ran = with(&["--context", &path], &[]);
    keeps_out(&ran, 2, "the field `creds` of the NATS context");
    let path = context(
        &server,
        "seed.json",
        json!({"user_jwt": operator.jwt, "user_seed": CANARY}),
    );
    keeps_out(
        &with(&["--context", &path], &[]),
        2,
        "the JWT and its seed cannot be used",
    );
}

#[test]
fn tls_connects_by_name_with_the_authority_that_is_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new(folder.path());
    authority.issue("server", &["localhost"]);
    let file = |name: &str| authority.file(name);
    let server = Server::start(&format!(
        "tls {{cert_file: {:?}, key_file: {:?}}}",
        file("server.pem"),
        file("server.key")
    ));
    let ca = file("ca.pem");
    let with = |scheme: &str, host: &str, words: &[&str]| {
        let url = format!("{scheme}://{host}:{}", server.port);
        observed(folder.path(), &[&["--url", &url], words].concat(), &[])
    };
    lets_in(&with("tls", "localhost", &["--tlsca", &ca]));
    // Whoever gives an authority wants TLS, whatever the URL says.
    lets_in(&with("nats", "localhost", &["--tlsca", &ca]));
    let path = context(&server, "tls.json", json!({"ca": ca}));
    lets_in(&with("tls", "localhost", &["--context", &path]));
    let failed = "the TLS connection to";
    keeps_out(&with("tls", "127.0.0.1", &["--tlsca", &ca]), 4, failed);
    keeps_out(
        &with("tls", "localhost", &["--tlsca", &ca, "--tlscert", &ca]),
        2,
        "give --tlscert and --tlskey",
    );
    keeps_out(
        &with("tls", "localhost", &["--tlsca", "nowhere.pem"]),
        2,
        "nowhere.pem cannot be used",
    );
    let stranger = tempfile::tempdir().expect("a folder");
    let stranger = Authority::new(stranger.path());
    keeps_out(
        &with("tls", "localhost", &["--tlsca", &stranger.file("ca.pem")]),
        4,
        failed,
    );
    // A server without TLS is not spoken to in the clear.
    let plain = Server::start("");
    let ran = observed(folder.path(), &["--url", &plain.url(), "--tlsca", &ca], &[]);
    keeps_out(&ran, 4, failed);
}

#[test]
fn a_monitoring_is_read_over_tls_with_the_authority_that_is_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new(folder.path());
    authority.issue("server", &["localhost"]);
    let file = |name: &str| authority.file(name);
    let server = Server::start(&format!(
        "https: \"127.0.0.1:-1\"\ntls {{cert_file: {:?}, key_file: {:?}}}",
        file("server.pem"),
        file("server.key")
    ));
    let url = format!("tls://localhost:{}", server.port);
    let port = server.monitor.expect("a monitoring");
    let with = |scheme: &str, host: &str| {
        let monitor = format!("{scheme}://{host}:{port}");
        let words = [
            "--url",
            &url,
            "--tlsca",
            &file("ca.pem"),
            "--monitor",
            &monitor,
        ];
        observed(folder.path(), &words, &[])
    };
    lets_in(&with("https", "localhost"));
    // The certificate is for the name, whatever address it has.
    let unread = format!("the monitoring at 127.0.0.1:{port} cannot be read");
    keeps_out(&with("https", "127.0.0.1"), 4, &unread);
    keeps_out(
        &with("http", "localhost"),
        2,
        "is not the monitoring of a NATS server",
    );
}

#[test]
fn a_client_certificate_lets_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new(folder.path());
    authority.issue("server", &["localhost"]);
    authority.issue("client", &["client.test"]);
    let file = |name: &str| authority.file(name);
    let server = Server::start(&format!(
        "tls {{cert_file: {:?}, key_file: {:?}, ca_file: {:?}, verify: true, handshake_first: true}}",
        file("server.pem"),
        file("server.key"),
        file("ca.pem"),
    ));
    let url = format!("tls://localhost:{}", server.port);
    let (ca, certificate, key) = (file("ca.pem"), file("client.pem"), file("client.key"));
    let with = |words: &[&str], variables: &[(&str, &str)]| {
        let all = [&["--url", &url, "--tlsca", &ca], words].concat();
        observed(folder.path(), &all, variables)
    };
    let mine = ["--tlsfirst", "--tlscert", &certificate, "--tlskey", &key];
    lets_in(&with(&mine, &[]));
    lets_in(&with(
        &["--tlsfirst"],
        &[("NATS_CERT", &certificate), ("NATS_KEY", &key)],
    ));
    let fields = json!({"cert": certificate, "key": key, "tls_first": true});
    let path = context(&server, "client.json", fields);
    lets_in(&with(&["--context", &path], &[]));
    keeps_out(
        &with(&["--tlsfirst"], &[]),
        4,
        "requires a client certificate",
    );
    let other = tempfile::tempdir().expect("a folder");
    let other = Authority::new(other.path());
    other.issue("client", &["client.test"]);
    let (certificate, key) = (other.file("client.pem"), other.file("client.key"));
    let theirs = ["--tlsfirst", "--tlscert", &certificate, "--tlskey", &key];
    keeps_out(&with(&theirs, &[]), 4, "requires a client certificate");
}

#[test]
fn contexts_are_named_and_wholly_understood() {
    let server = Server::start("");
    let folder = server.folder().to_owned();
    let home = folder.display().to_string();
    let url = server.url();
    let fields = json!({
        "description": "mine", "url": url, "inbox_prefix": "mine.", "jetstream_domain": "", "socks_proxy": "", "nsc": null,
        "color_scheme": "red", "jetstream_event_prefix": "events"
    });
    saved(&folder, "nats/context/mine.json", &fields.to_string());
    saved(&folder, "nats/context.txt", "mine");
    let variables = [("XDG_CONFIG_HOME", home.as_str())];
    // The selected context is not taken unasked.
    keeps_out(&observed(&folder, &[], &variables), 2, "no target is given");
    let mut wire = Wire::connect(server.port);
    wire.subscribe("demo.ask");
    let words = ["--context", "mine", "--timeout", "50ms"];
    let ran = observed(&folder, &words, &variables);
    lets_in(&ran);
    for _ in 0..4 {
        let reply = wire.next().expect("a request").reply;
        assert!(reply.starts_with("mine."), "{reply}");
    }
    keeps_out(
        &observed(&folder, &["--context", "yours"], &variables),
        2,
        "the NATS context yours cannot be used",
    );
    keeps_out(
        &observed(&folder, &["--context", "../mine"], &variables),
        2,
        "is not the name of a NATS context",
    );
    for (fields, sentence) in [
        (
            json!({"socks_proxy": CANARY}),
            "its field `socks_proxy` is not supported",
        ),
        (json!({"nsc": CANARY}), "its field `nsc` is not supported"),
        (
            json!({"windows_cert_store": CANARY}),
            "its field `windows_cert_store` is not supported",
        ),
        (
            json!({"password": [CANARY]}),
            "its field `password` is not a string",
        ),
        (
            json!({"tls_first": CANARY}),
            "its field `tls_first` is neither true nor false",
        ),
        (json!([CANARY]), "it is not a JSON object"),
    ] {
        let path = context(&server, "other.json", fields);
        let words = ["--url", &url, "--context", &path];
        keeps_out(&observed(&folder, &words, &[]), 2, sentence);
    }
    // What an editor leaves behind: its place is told, no value of it is.
    for (text, sentence) in [
        (
            format!("{{\"token\": \"{CANARY}\",\n}}"),
            "it is not JSON: trailing comma at line 2 column 1",
        ),
        (
            format!("{{\"token\": \"{CANARY}"),
            "it is not JSON: EOF while parsing a string at line 1",
        ),
        (format!("\"{CANARY}\""), "it is not a JSON object"),
    ] {
        let path = saved(&folder, "broken.json", &text);
        keeps_out(
            &observed(&folder, &["--url", &url, "--context", &path], &[]),
            2,
            sentence,
        );
    }
    let marked = saved(
        &folder,
        "marked.json",
        "\u{feff}{\"description\": \"mine\"}",
    );
    let ran = observed(
        &folder,
        &["--url", &url, "--context", &marked, "--dry-run"],
        &[],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let proxy = [("NATS_SOCKS_PROXY", CANARY)];
    keeps_out(
        &observed(&folder, &["--url", &url], &proxy),
        2,
        "the environment variable NATS_SOCKS_PROXY is not supported",
    );
}

#[test]
fn secrets_of_requests_come_from_the_environment() {
    let server = Server::start("");
    let text = "blis: 1\nname: secret\nrun: {requests: 4}\nclients:\n  users: {concurrency: 2, do: ask}\nactions:\n  ask: \
                {path: [{visit: api}, reply], live: {publish: demo.ask, headers: {Authorization: \"Bearer {env:TOKEN}\"}}, \
                payload: {text: \"{env:BODY} of {user}\"}}\nservices:\n  api: {workers: 1, time: 1ms}\n";
    let path = saved(server.folder(), "secret.yaml", text);
    let out = server.folder().join("run").display().to_string();
    let url = server.url();
    let body = format!("{CANARY} in\nlines");
    let with = |more: &[&str], token: &str| {
        let words = [
            &["observe", "--quiet", "--url", &url, "--spec", &path],
            more,
        ]
        .concat();
        let ran = run_with(&words, &[("TOKEN", token), ("BODY", &body)]);
        keeps_secrets(&ran, Path::new(&out), &[]);
        ran
    };
    let mut wire = Wire::connect(server.port);
    wire.subscribe("demo.ask");
    for form in ["json", "text", "markdown"] {
        let ran = with(&["--format", form, "--out", &out, "--force"], CANARY);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        for _ in 0..4 {
            let message = wire.next().expect("a message");
            assert_eq!(
                message.header("Authorization"),
                Some(&*format!("Bearer {CANARY}"))
            );
            assert!(
                message
                    .payload
                    .starts_with(format!("{body} of ").as_bytes())
            );
        }
    }
    let ran = with(&["--dry-run"], CANARY);
    assert!(ran.stdout.contains("{env:BODY} of 0"), "{}", ran.stdout);
    keeps_out(&with(&[], &format!("{CANARY}\n")), 2, "has several lines");
    let ran = run_with(
        &["observe", "--url", &url, "--spec", &path],
        &[("TOKEN", CANARY)],
    );
    keeps_out(
        &ran,
        2,
        "the environment variable BODY, which action ask sends as {env:BODY}, is not set; set it",
    );
}

#[test]
fn a_test_site_may_be_named_in_the_environment() {
    let with = |url: &str, named: &str| {
        let words = ["observe", "--dry-run", "--url", url];
        run_with(&words, &[("BLIS_ALLOW_TARGET", named)])
    };
    let named = "site.test, 10.0.0.0/8,192.0.2.0/24";
    assert_eq!(with("nats://10.1.2.3", named).code, Some(0));
    keeps_out(
        &with("nats://10.1.2.3", "10.1.2.4"),
        3,
        "--allow-target 10.1.2.3",
    );
    // A public address needs a further word, which no variable gives.
    keeps_out(&with("nats://192.0.2.1", named), 3, "add --allow-public");
    keeps_out(
        &with("nats://10.1.2.3", "10.0.0.0/33"),
        2,
        "BLIS_ALLOW_TARGET: `10.0.0.0/33`",
    );
}
