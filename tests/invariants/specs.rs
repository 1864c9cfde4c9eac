//! Generated specs: the whole language, in sizes that a run finishes in milliseconds.
//!
//! Whatever is generated is a spec that the reader accepts; one that it refuses is a defect of this module and fails
//! the test. Times are often small constants on a common grid, so that many events fall on one instant.

use blis_sim::spec;
use proptest::prelude::*;

/// A generated spec in parts, so that a test can add entities to it.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    pub run: String,
    /// Lines of the form `name: {...}`.
    pub clients: Vec<String>,
    pub actions: Vec<String>,
    pub services: Vec<String>,
    pub network: Option<String>,
}

impl Plan {
    /// The text of the spec.
    pub fn text(&self) -> String {
        let section = |name: &str, lines: &[String]| format!("{name}:\n  {}\n", lines.join("\n  "));
        let network = self.network.as_ref();
        let network = network.map_or(String::new(), |one_way| {
            format!("network: {{one_way: {one_way}}}\n")
        });
        format!(
            "blis: 1\nname: generated\nseed: {}\nrun: {{{}}}\n{}{}{}{network}",
            self.seed,
            self.run,
            section("clients", &self.clients),
            section("actions", &self.actions),
            section("services", &self.services),
        )
    }
}

/// What specs a property is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole language.
    Whole,
    /// Every path begins with a visit and there is no network: the events tell which request a visit belongs to.
    Linked,
    /// What the plain way to simulate knows: no retries, paths of visits and a reply, services that let work stay and whose
    /// members do not ask for the least loaded one.
    Plain,
    /// As `Linked`, and nothing that one client does decides which requests another one sends: a horizon alone
    /// ends the load, there are no timeouts and no full lines.
    Independent,
}

/// A time of some milliseconds; constants on a grid more often than not.
fn time() -> impl Strategy<Value = String> {
    let text = |text: &'static str| Just(text.to_owned());
    prop_oneof![
        3 => text("0s"),
        4 => text("1ms"),
        4 => text("{constant: 2ms}"),
        3 => text("5ms"),
        1 => text("1ns"),
        3 => text("{exponential: {mean: 2ms}}"),
        1 => text("{uniform: {min: 0s, max: 4ms}}"),
        1 => text("{erlang: {k: 2, mean: 3ms}}"),
        1 => text("{gamma: {mean: 2ms, cv: 1.5}}"),
        1 => text("{weibull: {shape: 0.8, scale: 2ms}}"),
        1 => text("{lognormal: {mean: 2ms, cv: 1}}"),
        1 => text("{hyperexponential: {mean: 2ms, cv: 2}}"),
        1 => text("{empirical: {values: [0s, 1ms, 1ms, 7ms]}}"),
    ]
}

/// A time that cannot be none at all.
fn lasting(time: &str) -> String {
    match time {
        "0s" | "1ns" => "3ms".to_owned(),
        other => other.to_owned(),
    }
}

#[derive(Debug, Clone)]
enum Piece {
    Visit(usize),
    Delay(String),
    /// The first way goes on; another one may fail.
    Branch(Vec<(u8, Vec<Piece>, Option<&'static str>)>),
}

fn failure() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["app_error", "rejected", "transport_error"])
}

fn piece() -> impl Strategy<Value = Piece> {
    let leaf = prop_oneof![
        4 => (0usize..6).prop_map(Piece::Visit),
        1 => time().prop_map(Piece::Delay),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let way = (
            1u8..10,
            prop::collection::vec(inner, 0..3),
            prop::option::weighted(0.3, failure()),
        );
        prop::collection::vec(way, 2..4).prop_map(Piece::Branch)
    })
}

fn pieces(pieces: &[Piece], services: usize, may_fail: bool) -> Vec<String> {
    let one = |piece: &Piece| match piece {
        Piece::Visit(service) => format!("{{visit: s{}}}", service % services),
        Piece::Delay(time) => format!("{{delay: {time}}}"),
        Piece::Branch(ways) => {
            let way =
                |(number, (weight, path, failure)): (usize, &(u8, Vec<Piece>, Option<&str>))| {
                    let mut path = self::pieces(path, services, may_fail);
                    if let Some(failure) = failure.filter(|_| may_fail && number > 0) {
                        path.push(format!("{{fail: {failure}}}"));
                    }
                    format!("{{weight: {weight}, path: [{}]}}", path.join(", "))
                };
            let ways: Vec<String> = ways.iter().enumerate().map(way).collect();
            format!("{{branch: [{}]}}", ways.join(", "))
        }
    };
    pieces.iter().map(one).collect()
}

#[derive(Debug, Clone)]
struct Path {
    first: usize,
    before: Vec<Piece>,
    /// The ends of the path: `reply`, one failure, or a choice between `reply` and a failure.
    end: (bool, Option<&'static str>),
    after: Vec<Piece>,
}

fn path() -> impl Strategy<Value = Path> {
    let end = prop_oneof![
        8 => Just((true, None)),
        1 => failure().prop_map(|failure| (false, Some(failure))),
        1 => failure().prop_map(|failure| (true, Some(failure))),
    ];
    let before = prop::collection::vec(piece(), 0..3);
    let after = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(piece(), 1..3)];
    (0usize..6, before, end, after).prop_map(|(first, before, end, after)| Path {
        first,
        before,
        end,
        after,
    })
}

impl Path {
    fn text(&self, services: usize, scope: Scope) -> String {
        let mut steps = pieces(&self.before, services, true);
        if scope != Scope::Whole {
            steps.insert(0, format!("{{visit: s{}}}", self.first % services));
        }
        steps.push(match self.end {
            (true, Some(failure)) => format!(
                "{{branch: [{{weight: 3, path: [reply]}}, {{weight: 1, path: [{{fail: {failure}}}]}}]}}"
            ),
            (false, Some(failure)) => format!("{{fail: {failure}}}"),
            (_, None) => "reply".to_owned(),
        });
        if self.end.0 {
            steps.extend(pieces(&self.after, services, false));
        }
        format!("{{path: [{}]}}", steps.join(", "))
    }
}

#[derive(Debug, Clone)]
enum Kind {
    Closed {
        users: u32,
        think: Option<String>,
    },
    Open {
        rate: u32,
        arrival: Option<&'static str>,
        shape: Option<&'static str>,
        session: Option<(&'static str, Option<String>)>,
    },
}

#[derive(Debug, Clone)]
struct Client {
    population: Option<u32>,
    kind: Kind,
    mix: Vec<(usize, u8)>,
    timeout: Option<&'static str>,
    retry: Option<(u8, Option<String>)>,
    respawn: Option<bool>,
}

/// Shapes of the rate that send something within the first millisecond.
fn shape() -> impl Strategy<Value = Option<&'static str>> {
    let shape = prop::sample::select(vec![
        "constant",
        "{ramp: {from: 0.5, to: 2, at: 3ms, over: 20ms}}",
        "{stairs: {levels: [1, 0, 2], every: 10ms}}",
        "{spike: {at: 5ms, for: 10ms, factor: 3}}",
        "{drain: {at: 10ms, over: 20ms}}",
        "{diurnal: {period: 20ms, low: 0, high: 2, peak_at: 5ms}}",
        "{diurnal: {period: 8ms, levels: [2, 0, 1]}}",
        "{windows: [{at: 0s, for: 10ms}, {at: 20ms, for: 30ms}]}",
    ]);
    prop::option::weighted(0.4, shape)
}

fn kind() -> impl Strategy<Value = Kind> {
    let arrival = prop::option::of(prop::sample::select(vec![
        "constant",
        "poisson",
        "{gamma: {cv: 2}}",
        "{weibull: {cv: 0.5}}",
    ]));
    let rounds = prop::sample::select(vec![
        "1",
        "3",
        "{uniform: {min: 1, max: 4}}",
        "{exponential: {mean: 2}}",
    ]);
    let session = prop::option::of((rounds, prop::option::of(time())));
    prop_oneof![
        (1u32..40, prop::option::weighted(0.8, time()))
            .prop_map(|(users, think)| Kind::Closed { users, think }),
        (
            prop::sample::select(vec![50, 500, 1000, 3000]),
            arrival,
            shape(),
            session
        )
            .prop_map(|(rate, arrival, shape, session)| Kind::Open {
                rate,
                arrival,
                shape,
                session
            }),
    ]
}

fn client() -> impl Strategy<Value = Client> {
    let mix = prop::collection::vec((0usize..6, 1u8..10), 1..4);
    let timeout = prop::option::of(prop::sample::select(vec![
        "1ms", "2ms", "4ms", "10ms", "1s",
    ]));
    let retry = prop::option::weighted(0.4, (1u8..4, prop::option::of(time())));
    let respawn = prop::option::weighted(0.3, any::<bool>());
    let population = prop::option::weighted(0.3, 1u32..5);
    (population, kind(), mix, timeout, retry, respawn).prop_map(
        |(population, kind, mix, timeout, retry, respawn)| Client {
            population,
            kind,
            mix,
            timeout,
            retry,
            respawn,
        },
    )
}

impl Client {
    /// `bounded`: a budget ends the load, so that users may go round without time going by.
    fn text(&self, actions: usize, bounded: bool, scope: Scope) -> String {
        let mut keys = Vec::new();
        let think = |think: &Option<String>| match think {
            Some(think) if bounded => Some(think.clone()),
            Some(think) => Some(lasting(think)),
            None if bounded => None,
            None => Some("2ms".to_owned()),
        };
        let population = self.population;
        keys.extend(population.map(|members| format!("population: {members}")));
        match &self.kind {
            Kind::Closed {
                users,
                think: written,
            } => {
                keys.push(format!("concurrency: {users}"));
                keys.extend(think(written).map(|think| format!("think: {think}")));
            }
            Kind::Open {
                rate,
                arrival,
                shape,
                session,
            } => {
                keys.push(format!("rate: {rate}/s"));
                keys.extend(arrival.map(|arrival| format!("arrival: {arrival}")));
                keys.extend(shape.map(|shape| format!("shape: {shape}")));
                keys.extend(session.as_ref().map(|(rounds, think)| {
                    let think = think
                        .as_ref()
                        .map_or(String::new(), |think| format!(", think: {think}"));
                    format!("session: {{rounds: {rounds}{think}}}")
                }));
            }
        }
        keys.push(format!("do: {}", self.mix(actions)));
        if scope != Scope::Independent {
            keys.extend(self.timeout.map(|timeout| format!("timeout: {timeout}")));
        }
        keys.extend(self.on_failure());
        format!("{{{}}}", keys.join(", "))
    }

    /// A closed client whose users do not come back after a failure.
    fn retiring(self) -> Client {
        let kind = match self.kind {
            Kind::Open { .. } => Kind::Closed {
                users: 5,
                think: None,
            },
            closed => closed,
        };
        Client {
            kind,
            respawn: Some(false),
            ..self
        }
    }

    fn mix(&self, actions: usize) -> String {
        let mut weights = vec![0u32; actions];
        for (action, weight) in &self.mix {
            weights[action % actions] += u32::from(*weight);
        }
        let named = weights
            .iter()
            .enumerate()
            .filter(|(_, weight)| **weight > 0);
        let named: Vec<String> = named
            .map(|(action, weight)| format!("a{action}: {weight}"))
            .collect();
        format!("{{{}}}", named.join(", "))
    }

    fn on_failure(&self) -> Option<String> {
        let closed = matches!(self.kind, Kind::Closed { .. });
        let mut keys: Vec<String> = Vec::new();
        keys.extend(
            self.respawn
                .filter(|_| closed)
                .map(|respawn| format!("respawn: {respawn}")),
        );
        keys.extend(self.retry.as_ref().map(|(times, backoff)| {
            let backoff = backoff
                .as_ref()
                .map_or(String::new(), |backoff| format!(", backoff: {backoff}"));
            format!("retry: {{times: {times}{backoff}}}")
        }));
        (!keys.is_empty()).then(|| format!("on_failure: {{{}}}", keys.join(", ")))
    }
}

#[derive(Debug, Clone)]
struct Service {
    workers: u32,
    members: u32,
    /// The workers and the speed of the first member, where it differs from the others.
    kinds: Option<(u32, &'static str)>,
    dispatch: Option<&'static str>,
    time: String,
    limit: Option<u32>,
    errors: Option<&'static str>,
    on_timeout: Option<&'static str>,
}

fn service() -> impl Strategy<Value = Service> {
    (
        1u32..5,
        prop_oneof![2 => Just(1u32), 1 => 2u32..5],
        prop::option::of((1u32..4, prop::sample::select(vec!["0.5", "1", "3"]))),
        prop::option::of(prop::sample::select(vec![
            "random",
            "shared",
            "least_loaded",
        ])),
        time(),
        prop::option::weighted(0.4, prop_oneof![Just(0u32), 1u32..6]),
        prop::option::weighted(0.3, prop::sample::select(vec!["10%", "100%"])),
        prop::option::weighted(0.7, prop::sample::select(vec!["stay", "leave", "abandon"])),
    )
        .prop_map(
            |(workers, members, kinds, dispatch, time, limit, errors, on_timeout)| Service {
                workers,
                members,
                kinds,
                dispatch,
                time,
                limit,
                errors,
                on_timeout,
            },
        )
}

impl Service {
    /// `timeouts`: some client has one, so that `on_timeout` has an effect.
    fn text(&self, timeouts: bool, scope: Scope) -> String {
        let mut keys = vec![format!("time: {}", self.time)];
        // Members that share a line have one speed, and who is least loaded depends on everybody else.
        let may_differ = match self.dispatch {
            Some("shared") => false,
            Some("least_loaded") => scope != Scope::Independent,
            _ => true,
        };
        match self.kinds {
            Some((workers, speed)) if may_differ && self.members > 1 => {
                let count = self.members - 1;
                keys.push(format!(
                    "members: [{{workers: {workers}, speed: {speed}}}, {{workers: {}, count: {count}}}]",
                    self.workers
                ));
            }
            _ => {
                keys.push(format!("workers: {}", self.workers));
                if self.members > 1 {
                    keys.push(format!("members: {}", self.members));
                }
            }
        }
        if self.members > 1 {
            keys.extend(
                self.dispatch
                    .map(|dispatch| format!("dispatch: {dispatch}")),
            );
        }
        if scope != Scope::Independent {
            keys.extend(self.limit.map(|limit| format!("queue: {{limit: {limit}}}")));
        }
        keys.extend(self.errors.map(|errors| format!("errors: {errors}")));
        let on_timeout = self.on_timeout.filter(|kind| timeouts || *kind == "stay");
        keys.extend(on_timeout.map(|on_timeout| format!("on_timeout: {on_timeout}")));
        format!("{{{}}}", keys.join(", "))
    }
}

#[derive(Debug, Clone)]
struct Limits {
    budget: Option<u32>,
    horizon_ms: Option<u32>,
    warmup: bool,
    drain: &'static str,
}

fn limits() -> impl Strategy<Value = Limits> {
    let bound = prop_oneof![
        (1u32..1500).prop_map(|budget| (Some(budget), None)),
        (1u32..60).prop_map(|budget| (Some(budget), None)),
        (5u32..150).prop_map(|horizon| (None, Some(horizon))),
        (100u32..3000, 5u32..300).prop_map(|(budget, horizon)| (Some(budget), Some(horizon))),
    ];
    let drain = prop::sample::select(vec!["0s", "1ms", "6ms", "50ms", "30s"]);
    (bound, any::<bool>(), drain).prop_map(|((budget, horizon_ms), warmup, drain)| Limits {
        budget,
        horizon_ms,
        warmup,
        drain,
    })
}

impl Limits {
    fn text(&self) -> String {
        let mut keys = Vec::new();
        keys.extend(self.budget.map(|budget| format!("requests: {budget}")));
        keys.extend(
            self.horizon_ms
                .map(|horizon| format!("horizon: {horizon}ms")),
        );
        if self.warmup {
            keys.push("warmup: 4ms".to_owned());
        }
        keys.push(format!("drain: {}", self.drain));
        keys.join(", ")
    }
}

/// Whether somebody can send before the horizon: a load that is certainly empty is refused, as it should be.
fn is_a_load(plan: &Plan) -> bool {
    let lowered = spec::read(&plan.text()).and_then(|spec| spec::lower(&spec));
    let errors = lowered.err().unwrap_or_default();
    let empty =
        |error: &spec::SpecError| error.message.contains("sends nothing before the horizon");
    !errors.iter().any(empty)
}

/// Nothing that the plain way to simulate does not know.
fn plain(clients: &mut [Client], paths: &mut [Path], services: &mut [Service]) {
    for client in clients {
        client.retry = None;
    }
    for path in paths {
        path.before.retain(|piece| matches!(piece, Piece::Visit(_)));
        path.end = (true, None);
        path.after.clear();
    }
    for service in services {
        service.on_timeout = None;
        service.kinds = service.kinds.map(|(workers, _)| (workers, "1"));
        if service.dispatch == Some("least_loaded") {
            service.dispatch = Some("random");
        }
    }
}

/// Specs of this scope.
pub fn plan(scope: Scope) -> impl Strategy<Value = Plan> {
    let network = prop::option::weighted(0.3, time());
    (
        any::<u64>(),
        limits(),
        prop::collection::vec(client(), 1..4),
        prop::collection::vec(path(), 1..4),
        prop::collection::vec(service(), 1..4),
        network,
        prop::bool::weighted(0.1),
    )
        .prop_map(
            move |(seed, mut limits, mut clients, mut paths, mut services, network, retire)| {
                if scope == Scope::Plain {
                    plain(&mut clients, &mut paths, &mut services);
                }
                if retire {
                    clients = clients.into_iter().map(Client::retiring).collect();
                    limits = Limits {
                        budget: Some(2000),
                        horizon_ms: None,
                        ..limits
                    };
                }
                if scope == Scope::Independent {
                    limits = Limits {
                        budget: None,
                        horizon_ms: Some(60),
                        warmup: false,
                        drain: "30s",
                    };
                }
                let bounded = limits.budget.is_some();
                let timeouts = scope != Scope::Independent
                    && clients.iter().any(|client| client.timeout.is_some());
                let client = |(k, client): (usize, &Client)| {
                    format!("c{k}: {}", client.text(paths.len(), bounded, scope))
                };
                let action = |(k, path): (usize, &Path)| {
                    format!("a{k}: {}", path.text(services.len(), scope))
                };
                let service = |(k, service): (usize, &Service)| {
                    format!("s{k}: {}", service.text(timeouts, scope))
                };
                Plan {
                    seed,
                    run: limits.text(),
                    clients: clients.iter().enumerate().map(client).collect(),
                    actions: paths.iter().enumerate().map(action).collect(),
                    services: services.iter().enumerate().map(service).collect(),
                    network: network.filter(|_| matches!(scope, Scope::Whole | Scope::Plain)),
                }
            },
        )
        .prop_filter("somebody can send", is_a_load)
}
