//! A server that the test plays itself, and a run of `blis observe` on it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use blis_live::generator::driver::{LoadProgress, LoadWatch};
use blis_live::observers::Wanted;
use blis_live::run::observe::{Besides, observe};
use blis_live::run::observed::{Connected, Heard, Observed};
use blis_live::run::recent_ends::Recent;
use blis_live::target::access::Access;
use blis_live::target::{Permission, check};
use blis_sim::model::Model;

/// The one subject that somebody answers at.
pub const SUBJECT: &str = "played.echo";

/// A server on a free port, for as long as the process runs. Each of its threads begins with `begin`; it answers a request as
/// long as `answers`, and closes the connection otherwise.
pub fn server(begin: fn(), answers: impl Fn() -> bool + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it has one").port();
    let answers = Arc::new(answers);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = Arc::clone(&answers);
            std::thread::spawn(move || {
                begin();
                serve(stream, &*answers)
            });
        }
    });
    format!("nats://127.0.0.1:{port}")
}

fn serve(stream: TcpStream, answers: &dyn Fn() -> bool) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    out.write_all(
        b"INFO {\"server_id\":\"a\",\"server_name\":\"a\",\"version\":\"2.12.0\",\"go\":\"\",\"host\":\"127.0.0.1\",\
          \"port\":4222,\"headers\":true,\"max_payload\":1048576,\"proto\":1,\"client_id\":1}\r\n",
    )?;
    // Subjects with a wildcard at their end, and their numbers.
    let mut subscriptions: Vec<(String, String)> = Vec::new();
    let mut said: Vec<u8> = Vec::new();
    let (mut line, mut payload) = (String::new(), Vec::new());
    loop {
        if reader.buffer().is_empty() && !said.is_empty() {
            out.write_all(&said)?;
            said.clear();
        }
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["PING"] => said.extend_from_slice(b"PONG\r\n"),
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
                    write!(said, "HMSG {reply} {sid} 16 16\r\nNATS/1.0 503\r\n\r\n\r\n")?;
                } else if answers() {
                    write!(said, "MSG {reply} {sid} 0\r\n\r\n")?;
                } else {
                    // What was answered before is on its way.
                    return out.write_all(&said);
                }
            }
            _ => {}
        }
    }
}

/// What `blis observe` does for a model on this server, without a record.
pub fn observed(model: &Model, url: &str) -> Observed<Option<Recent>> {
    let target = check(url, false, &Permission::default()).expect("loopback");
    let mut show = |_: LoadProgress, _: &mut Heard| ();
    let watch = LoadWatch {
        stop: &|| false,
        enough: &|| false,
        show: &mut show,
    };
    let besides = Besides {
        wanted: Wanted::default(),
        warn: &|_| (),
        begin: |_: &Connected| Ok(None::<Recent>),
    };
    observe(model, &target, &Access::default(), besides, watch)
        .unwrap_or_else(|why| panic!("{why}"))
}
