//! What a live request costs in allocations, which is the same on every machine.
//!
//! The driver is counted over a scripted connection, and everything together, `async-nats` included, over a scripted server
//! of this process whose own allocations do not count.

// A global allocator cannot be written without `unsafe`; this one hands everything to the system's.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use blis_live::clock::Clock;
use blis_live::generator::driver::{Driver, Progress, Watch};
use blis_live::observers::Wanted;
use blis_live::run::observe::{Besides, observe};
use blis_live::run::observed::{Connected, Heard};
use blis_live::run::recent_ends::Recent;
use blis_live::target::access::Access;
use blis_live::target::{Permission, check};
use blis_live::wire::transport::{Incoming, Sent, Transport};
use blis_sim::event::{FlightId, Outcome, Reply, Request};
use blis_sim::measure::Measure;
use blis_sim::model::Model;
use blis_sim::runner::Epoch;
use blis_sim::spec;
use blis_sim::time::{Span, Time};
use blis_sim::users::mailbox::Key;
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};

thread_local! {
    static OF_THREAD: Cell<u64> = const { Cell::new(0) };
    /// Whether what this thread allocates is not counted with that of all.
    static IS_APART: Cell<bool> = const { Cell::new(false) };
}
/// Of all threads but those that are apart.
static OF_ALL: AtomicU64 = AtomicU64::new(0);

struct Counting;

fn count() {
    OF_THREAD.set(OF_THREAD.get() + 1);
    if !IS_APART.get() {
        OF_ALL.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator as it came; counting neither allocates nor panics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`, and the block came from the system.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`, and the block came from the system.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SUBJECT: &str = "bench.echo";
const IN_FLIGHT: u32 = 50;

fn model(run: &str, client: &str) -> Model {
    let text = format!(
        "{{blis: 1, name: counts, run: {run}, connections: shared, clients: {{load: {{{client}, do: ask}}}}, \
         actions: {{ask: {{path: [reply], payload: {{size: 128B}}, live: {{request: {SUBJECT}}}}}}}}}"
    );
    let spec = spec::read(&text).unwrap_or_else(|errors| panic!("{errors:#?}"));
    spec::lower(&spec)
        .unwrap_or_else(|errors| panic!("{errors:#?}"))
        .model
}

/// A connection that answers each request after 100 us, and the clock that shows it.
#[derive(Clone, Default)]
struct Scripted(Rc<RefCell<Stage>>);

#[derive(Default)]
struct Stage {
    now: Time,
    coming: VecDeque<(Time, FlightId)>,
    sent: u64,
    /// The allocations of the thread at each thousandth request.
    counts: Vec<u64>,
}

fn done((at, flight): (Time, FlightId)) -> Incoming {
    Incoming::Done {
        flight,
        epoch: Epoch::FIRST,
        ending: Ok(()),
        reply: Reply::default(),
        at,
    }
}

impl Clock<Incoming> for Scripted {
    fn now(&self) -> Time {
        self.0.borrow().now
    }

    fn wait(&mut self, until: Time) -> Option<Incoming> {
        let mut stage = self.0.borrow_mut();
        let next = stage.coming.front().map_or(Time::NEVER, |(at, _)| *at);
        stage.now = stage.now.max(next.min(until));
        let comes = next <= until;
        comes.then(|| stage.coming.pop_front()).flatten().map(done)
    }

    fn poll(&mut self) -> Option<Incoming> {
        let mut stage = self.0.borrow_mut();
        let now = stage.now;
        let comes = stage.coming.front().is_some_and(|(at, _)| *at <= now);
        comes.then(|| stage.coming.pop_front()).flatten().map(done)
    }
}

impl Transport for Scripted {
    fn send(&mut self, now: Time, flight: FlightId, _request: &Request) -> Sent {
        let mut stage = self.0.borrow_mut();
        stage.sent += 1;
        if stage.sent.is_multiple_of(1_000) {
            stage.counts.push(OF_THREAD.get());
        }
        let at = now + Span::from_nanos(100_000);
        stage.coming.push_back((at, flight));
        Sent::Waiting(0)
    }

    fn hand_over(&mut self) {}

    fn key(&mut self, _flight: FlightId) -> Option<Key> {
        None
    }

    fn had(&self, _connection: u32, _flight: FlightId) -> bool {
        true
    }

    fn had_sent(&self, _connection: u32, _flight: FlightId, _subject: u64) -> bool {
        true
    }

    fn written(&mut self, _connection: u32) -> u64 {
        u64::MAX
    }

    fn flush(&mut self) {}
}

#[test]
fn the_driver_allocates_nothing_for_a_request() {
    IS_APART.set(true);
    for client in [
        "concurrency: 50",
        "concurrency: 50, timeout: 1s, think: 1ms",
        "rate: 20k/s, timeout: 1s",
    ] {
        let model = model("{requests: 100k, drain: 1s}", client);
        let scripted = Scripted::default();
        scripted.0.borrow_mut().counts.reserve(1_000);
        let sink = (Measure::new(&model), Recent::default());
        let clock = scripted.clone();
        let driver = Driver::new(
            Epoch::FIRST,
            &model,
            scripted.clone(),
            clock,
            sink,
            Arc::default(),
        );
        let watch = Watch {
            stop: &|| false,
            enough: &|| false,
            show: &mut |_, _| (),
        };
        driver.run(watch);
        let stage = scripted.0.borrow();
        assert_eq!(stage.sent, 100_000, "{client}");
        // The first ones fill what is used again and again.
        let (half, end) = (stage.counts[49], stage.counts[99]);
        assert_eq!(end - half, 0, "{client}: allocations of 50000 requests");
    }
}

/// Plays a server that answers requests to one subject, and has nobody at any other.
fn serve(stream: TcpStream) -> std::io::Result<()> {
    IS_APART.set(true);
    let mut out = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    out.write_all(
        b"INFO {\"server_id\":\"a\",\"server_name\":\"a\",\"version\":\"2.12.0\",\"go\":\"\",\"host\":\"127.0.0.1\",\
          \"port\":4222,\"headers\":true,\"max_payload\":1048576,\"proto\":1,\"client_id\":1}\r\n",
    )?;
    // Subjects with a wildcard at their end, and their numbers.
    let mut subscriptions: Vec<(String, String)> = Vec::new();
    let mut answers: Vec<u8> = Vec::new();
    let (mut line, mut payload) = (String::new(), Vec::new());
    loop {
        if reader.buffer().is_empty() && !answers.is_empty() {
            out.write_all(&answers)?;
            answers.clear();
        }
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace();
        let kind = words.next().unwrap_or_default();
        let words: Vec<&str> = words.collect();
        match (kind, words.as_slice()) {
            ("PING", _) => answers.extend_from_slice(b"PONG\r\n"),
            ("SUB", [subject, .., sid]) => {
                let start = subject.trim_end_matches(['*', '>']);
                subscriptions.push((start.to_owned(), (*sid).to_owned()));
            }
            ("PUB" | "HPUB", [subject, rest @ .., length]) => {
                payload.resize(length.parse::<usize>().unwrap_or_default() + 2, 0);
                reader.read_exact(&mut payload)?;
                let reply = rest.first().copied().unwrap_or_default();
                let known = subscriptions
                    .iter()
                    .find(|(start, _)| reply.starts_with(start));
                if let Some((_, sid)) = known {
                    match *subject == SUBJECT {
                        true => write!(answers, "MSG {reply} {sid} 0\r\n\r\n")?,
                        false => {
                            write!(
                                answers,
                                "HMSG {reply} {sid} 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"
                            )?;
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

/// A server on a free port, for as long as the process runs.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it has one").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    format!("nats://127.0.0.1:{port}")
}

/// The allocations of a run of `blis observe`, without a record.
fn observed(url: &str, requests: u64) -> u64 {
    let before = OF_ALL.load(Ordering::Relaxed);
    let run = format!("{{requests: {requests}, drain: 5s}}");
    let model = model(&run, &format!("concurrency: {IN_FLIGHT}"));
    let target = check(url, false, &Permission::default()).expect("loopback");
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
    let observed = observed.unwrap_or_else(|why| panic!("{why}"));
    let answered = observed.measure.total().requests().ended(Outcome::Ok);
    assert_eq!(answered, requests);
    OF_ALL.load(Ordering::Relaxed) - before
}

/// Those of a loop that asks again for every reply that is there, with unlike subjects, and knows nothing else.
fn bare(url: &str, requests: u64) -> u64 {
    let before = OF_ALL.load(Ordering::Relaxed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let client = async_nats::connect(url).await.expect("it accepts");
        let inbox = client.new_inbox();
        let mut replies = client.subscribe(format!("{inbox}.*")).await.expect("up");
        let payload = Bytes::from(vec![b'x'; 128]);
        let mut asked = 0;
        let mut ask = || {
            asked += 1;
            (asked <= requests).then(|| {
                client.publish_with_reply(SUBJECT, format!("{inbox}.{asked}"), payload.clone())
            })
        };
        for _ in 0..IN_FLIGHT {
            if let Some(asks) = ask() {
                asks.await.expect("up");
            }
        }
        let mut answered = 0;
        while answered < requests {
            let mut next = replies.next().await;
            while next.take().is_some() {
                answered += 1;
                if let Some(asks) = ask() {
                    asks.await.expect("up");
                }
                next = replies.next().now_or_never().flatten();
            }
        }
    });
    drop(runtime);
    OF_ALL.load(Ordering::Relaxed) - before
}

#[test]
fn over_the_client_library_a_request_allocates_no_more_than_a_bare_loop() {
    let url = server();
    let each = |of: &dyn Fn(&str, u64) -> u64| {
        let few = of(&url, 20_000);
        (of(&url, 120_000) as f64 - few as f64) / 100_000.0
    };
    let (ours, bare) = (each(&observed), each(&bare));
    assert!(bare >= 1.0, "{bare:.3}: the counting allocator counts");
    assert!(
        ours <= bare,
        "{ours:.3} a request, {bare:.3} of a bare loop"
    );
}
