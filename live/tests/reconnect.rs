//! A driver that runs its connections itself loses one and gets it back while it waits.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};

use blis_live::generator::driver::{Progress, Watch};
use blis_live::observers::Wanted;
use blis_live::run::observe::{Besides, observe};
use blis_live::run::observed::{Connected, Heard};
use blis_live::run::recent_ends::Recent;
use blis_live::target::access::Access;
use blis_live::target::{Permission, check};
use blis_live::wire::event_loop::RunBy;
use blis_sim::event::Outcome;

const REQUESTS: u64 = 4_000;
/// The request of all at which the connection is closed, unanswered.
const BREAKS: u64 = 1_000;
const SUBJECT: &str = "lost.echo";

/// Plays a server that answers requests to one subject, has nobody at any other, and closes one connection once.
fn serve(stream: TcpStream, asked: &AtomicU64) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    out.write_all(
        b"INFO {\"server_id\":\"a\",\"server_name\":\"a\",\"version\":\"2.12.0\",\"go\":\"\",\"host\":\"127.0.0.1\",\
          \"port\":4222,\"headers\":true,\"max_payload\":1048576,\"proto\":1,\"client_id\":1}\r\n",
    )?;
    let mut subscriptions: Vec<(String, String)> = Vec::new();
    let (mut line, mut payload) = (String::new(), Vec::new());
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["PING"] => out.write_all(b"PONG\r\n")?,
            ["SUB", subject, .., sid] => {
                let start = subject.trim_end_matches(['*', '>']);
                subscriptions.push((start.to_owned(), (*sid).to_owned()));
            }
            ["PUB" | "HPUB", subject, rest @ .., length] => {
                payload.resize(length.parse::<usize>().unwrap_or_default() + 2, 0);
                reader.read_exact(&mut payload)?;
                let reply = rest.first().copied().unwrap_or_default();
                let mut known = subscriptions.iter();
                let Some((_, sid)) = known.find(|(start, _)| reply.starts_with(start)) else {
                    continue;
                };
                if *subject != SUBJECT {
                    write!(out, "HMSG {reply} {sid} 16 16\r\nNATS/1.0 503\r\n\r\n\r\n")?;
                } else if asked.fetch_add(1, Ordering::Relaxed) + 1 == BREAKS {
                    return Ok(());
                } else {
                    write!(out, "MSG {reply} {sid} 0\r\n\r\n")?;
                }
            }
            _ => {}
        }
    }
}

/// A server on a free port, for as long as the process runs.
fn server() -> String {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it has one").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream, &ASKED));
        }
    });
    format!("nats://127.0.0.1:{port}")
}

#[test]
fn a_connection_that_is_lost_comes_back_and_every_request_ends() {
    let text = format!(
        "{{blis: 1, name: lost, run: {{requests: {REQUESTS}, drain: 5s}}, connections: shared, \
         clients: {{load: {{concurrency: 20, do: ask, on_failure: {{respawn: true}}}}}}, \
         actions: {{ask: {{path: [reply], live: {{request: {SUBJECT}}}}}}}}}"
    );
    let spec = blis_sim::spec::read(&text).expect("it reads");
    let model = blis_sim::spec::lower(&spec).expect("it lowers").model;
    assert_eq!(RunBy::of(&model), RunBy::Driver);
    let target = check(&server(), false, &Permission::default()).expect("loopback");
    let mut show = |_: Progress, _: &mut Heard| ();
    let watch = Watch {
        stop: &|| false,
        enough: &|| false,
        show: &mut show,
    };
    let besides = Besides {
        wanted: Wanted::default(),
        warn: &|_| (),
        begin: |_: &Connected| Ok(None::<Recent>),
    };
    let observed = observe(&model, &target, &Access::default(), besides, watch);
    let mut observed = observed.unwrap_or_else(|why| panic!("{why}"));
    let intended = observed.ended.intended;
    observed
        .measure
        .finish(intended)
        .expect("the books balance");
    assert_eq!(intended, REQUESTS);
    assert!(!observed.ended.lost);
    assert_eq!(observed.told.lost.load(Ordering::Relaxed), 1);
    let requests = observed.measure.total().requests();
    let (ok, lost) = (
        requests.ended(Outcome::Ok),
        requests.ended(Outcome::TransportError),
    );
    assert_eq!(ok + lost, REQUESTS);
    // Those in flight, and those of users who found no connection until it was there again.
    assert!((1..1_000).contains(&lost), "{lost} were lost");
}
