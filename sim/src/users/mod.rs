//! Virtual users: who sends what when.
//!
//! Users know neither a clock nor a backend. They are polled with the time ([`Users::wake`]) and told how
//! their requests ended ([`Users::done`]); they answer with a request to send and the time at which they
//! want to be polled again. The simulated and the live world drive the very same code.
//!
//! Guarantees:
//! - User `u` of `N` closed users sends its first request at `u·Z/N`, `Z` being the mean think time; the next
//!   one comes at completion + think time, exactly. At most one request of a user is in flight.
//! - One budget counts the requests of all clients in the order in which they are intended.
//! - No request is intended after the horizon.
//! - Every session that started ends in exactly one way, and is reported to the sink when it does.

pub mod mailbox;
mod population;
mod replayed;
#[cfg(test)]
mod tests;

use crate::event::{Event, Outcome, Request, SessionEnd, Sink, UserId};
use crate::model::{ClientId, Limits, Model};
use crate::time::{Span, Time};
use population::{ENDLESS, Population};
pub use replayed::{NoScript, Script};
use replayed::{REPLAYED, Replayed};

/// What a user wants to be woken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wake {
    /// The next arrival of a member of an open client.
    Arrival(ProcessId),
    /// A user's next request.
    User(UserId),
}

/// The arrival process of one member of an open client: its position among those of all clients, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProcessId(pub u32);

impl ProcessId {
    #[inline]
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// The arrival process of one member of an open client, of which a run may hold millions: 24 bytes.
#[derive(Debug, Clone, Copy)]
struct Process {
    /// Arrivals so far.
    arrivals: u64,
    /// The operational time of the next arrival, where the rate has a shape.
    operational: Time,
    member: u32,
    client: ClientId,
}

/// A user's answer to being woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Woken {
    /// What it sends now.
    pub send: Option<Request>,
    /// When the client wants to be woken for its next arrival.
    pub next: Option<(Time, Wake)>,
}

/// One virtual user: 24 bytes, of which a run may hold millions.
#[derive(Debug, Clone, Copy)]
struct User {
    /// Its number within its client; for an open client, the session's.
    number: u64,
    /// Requests it has intended and finished, retries not counted.
    requests: u64,
    /// Rounds its session has left, the current one included; 0 outside a session.
    rounds_left: u32,
    client: ClientId,
    /// Which try its current request is.
    attempt: u16,
}

/// What a user remembers of the tries of its current request.
#[derive(Debug, Clone, Copy, Default)]
struct Tries {
    /// When the first one was intended.
    first: Time,
    /// How much later than intended those that have ended were sent, together.
    lag: Span,
    /// How the last of those that were sent ended.
    sent: Option<Outcome>,
}

impl Tries {
    /// The outcome of them all where the last one ended so: one that was not sent says nothing where others were.
    fn outcome(&self, last: Outcome) -> Outcome {
        match last {
            Outcome::Dropped => self.sent.unwrap_or(last),
            _ => last,
        }
    }
}

/// The user of a session that is a single request without retries: nothing needs to be remembered of it.
const SINGLE_SHOT: UserId = UserId(u32::MAX);

/// The last instant of the clock: what comes at [`Time::NEVER`] does not come.
const LAST: Time = Time::from_nanos(u64::MAX - 1);

/// All virtual users of a run.
#[derive(Debug, Clone)]
pub struct Users {
    populations: Vec<Population>,
    /// The arrival processes of open clients' members.
    processes: Vec<Process>,
    /// The closed clients' users, then those of open clients' sessions.
    users: Vec<User>,
    /// By user; empty where no client tries again.
    tries: Vec<Tries>,
    /// Whether some client tries again.
    retries: bool,
    /// How many are closed clients' users.
    closed: usize,
    /// Users of open clients whose session has ended, to be used again.
    free: Vec<UserId>,
    /// How many requests may be intended; `u64::MAX` without a budget.
    budget: u64,
    horizon: Time,
    intended: u64,
    /// What they send in the place of what they would.
    replayed: Option<Box<Replayed>>,
}

impl Users {
    /// The users of a model, none of which has been woken yet.
    pub fn new<P>(model: &Model<P>) -> Users {
        let populations: Vec<Population> = model
            .clients
            .iter()
            .map(|client| Population::new(model, client))
            .collect();
        let closed = populations.iter().map(|p| p.closed_users() as usize).sum();
        let mut users = Vec::with_capacity(closed);
        let mut processes = Vec::new();
        for (index, population) in populations.iter().enumerate() {
            let client = ClientId(index as u16);
            users.extend((0..population.closed_users()).map(|number| User {
                number,
                requests: 0,
                rounds_left: 0,
                client,
                attempt: 0,
            }));
            processes.extend((0..population.processes()).map(|member| Process {
                arrivals: 0,
                operational: Time::ZERO,
                member,
                client,
            }));
        }
        let Limits {
            requests, horizon, ..
        } = model.limits;
        let retries = populations.iter().any(Population::retries);
        let remembered = if retries { users.len() } else { 0 };
        Users {
            tries: vec![Tries::default(); remembered],
            retries,
            processes,
            populations,
            closed: users.len(),
            users,
            free: Vec::new(),
            budget: requests.map_or(u64::MAX, |budget| budget.get()),
            horizon: horizon.unwrap_or(Time::NEVER).min(LAST),
            intended: 0,
            replayed: None,
        }
    }

    /// The first wake-ups, in the order of the clients and of the users within them.
    pub fn start(&mut self, mut wake_at: impl FnMut(Time, Wake)) {
        if self.replayed.is_some() {
            return self.start_script(wake_at);
        }
        let (mut user, mut process) = (0, 0);
        for population in &self.populations {
            for number in 0..population.closed_users() {
                let at = population.first_request(number);
                if at <= self.horizon {
                    wake_at(at, Wake::User(UserId(user)));
                }
                user += 1;
            }
            for _ in 0..population.processes() {
                let id = ProcessId(process);
                let first = &mut self.processes[id.index()];
                let at = next_arrival(population, first, 1, Time::ZERO);
                if at <= self.horizon {
                    wake_at(at, Wake::Arrival(id));
                }
                process += 1;
            }
        }
    }

    /// How many arrivals of all clients stand in the spec, by recordings and bursts, or in the script.
    pub fn given_arrivals(&self) -> u64 {
        if let Some(replayed) = &self.replayed {
            return replayed.requests();
        }
        self.populations
            .iter()
            .map(Population::given_arrivals)
            .sum()
    }

    /// How many requests were intended: the count of the budget.
    pub fn intended(&self) -> u64 {
        self.intended
    }

    /// How many sessions of open clients have a user of their own.
    pub fn open_sessions(&self) -> usize {
        self.users.len() - self.closed - self.free.len()
    }

    /// The client of a user.
    pub fn client_of(&self, user: UserId) -> ClientId {
        self.users[user.index()].client
    }

    /// The client of an arrival process.
    pub fn client_of_process(&self, process_id: ProcessId) -> Option<ClientId> {
        let of_process = self.processes.get(process_id.index());
        let client = of_process.map(|process| process.client);
        client.or_else(|| replayed::client_of(process_id))
    }

    /// The client of whoever wants to be woken.
    pub fn client_of_wake(&self, wake: Wake) -> Option<ClientId> {
        match wake {
            Wake::Arrival(process) => self.client_of_process(process),
            Wake::User(user) => Some(self.client_of(user)),
        }
    }

    /// Has a user's record fetched from memory; nothing else comes of it.
    #[inline]
    pub fn touch(&self, user: UserId) {
        if let Some(user) = self.users.get(user.index()) {
            std::hint::black_box(user.client);
        }
    }

    /// Whether the budget is used up.
    #[inline]
    pub fn exhausted(&self) -> bool {
        self.intended >= self.budget
    }

    /// Polls whoever asked to be woken at `now`, which is the instant that its request is intended at.
    #[inline(always)]
    pub fn wake<S: Sink>(&mut self, now: Time, wake: Wake, sink: &mut S) -> Woken {
        match wake {
            Wake::User(user) => Woken {
                send: self.request(now, user, sink),
                next: None,
            },
            Wake::Arrival(process) if process.0 >= REPLAYED => {
                self.follow_script(now, process, sink)
            }
            Wake::Arrival(process) => self.arrive(now, process, sink),
        }
    }

    /// A session of an open client starts, and the next arrival is due.
    #[inline(always)]
    fn arrive<S: Sink>(&mut self, now: Time, id: ProcessId, sink: &mut S) -> Woken {
        if self.exhausted() {
            return Woken::default();
        }
        let process = &mut self.processes[id.index()];
        let client = process.client;
        let population = &self.populations[client.index()];
        let number = Population::session_number(process.member, process.arrivals);
        process.arrivals += 1;
        let nth = process.arrivals + 1;
        let at = match population.is_stationary() {
            true => population.next_arrival(process.member, nth, now),
            false => next_arrival(population, process, nth, now),
        };
        let next = (at <= self.horizon).then_some((at, Wake::Arrival(id)));

        let newcomer = User {
            number,
            requests: 0,
            rounds_left: 0,
            client,
            attempt: 0,
        };
        if population.is_single_shot() {
            self.intended += 1;
            sink.record(now, Event::SessionStarted { client });
            let request = intend(now, SINGLE_SHOT, &newcomer, population, sink);
            return Woken {
                send: Some(request),
                next,
            };
        }
        Woken {
            send: self.first_round(now, newcomer, sink),
            next,
        }
    }

    /// The first request of a session that has its own user.
    #[inline(never)]
    fn first_round<S: Sink>(&mut self, now: Time, newcomer: User, sink: &mut S) -> Option<Request> {
        let user = match self.free.pop() {
            Some(user) => {
                self.users[user.index()] = newcomer;
                user
            }
            None => {
                self.users.push(newcomer);
                if self.retries {
                    self.tries.push(Tries::default());
                }
                UserId((self.users.len() - 1) as u32)
            }
        };
        self.request(now, user, sink)
    }

    /// The user's next request, unless the budget is used up.
    #[inline(always)]
    fn request<S: Sink>(&mut self, now: Time, id: UserId, sink: &mut S) -> Option<Request> {
        if self.exhausted() {
            self.cut_tries(now, id, sink);
            self.end_session(now, id, SessionEnd::BudgetExhausted, sink);
            return None;
        }
        self.intended += 1;
        let user = &mut self.users[id.index()];
        let population = &self.populations[user.client.index()];
        if user.attempt == 0
            && let Some(tries) = self.tries.get_mut(id.index())
        {
            *tries = Tries {
                first: now,
                lag: Span::ZERO,
                sent: None,
            };
        }
        if user.rounds_left == 0 {
            user.rounds_left = population.rounds(user.number);
            sink.record(
                now,
                Event::SessionStarted {
                    client: user.client,
                },
            );
        }
        Some(intend(now, id, user, population, sink))
    }

    /// Tells a user how its request, which was sent at `sent`, ended; it answers with when it wants to be woken next.
    #[inline(always)]
    pub fn done<S: Sink>(
        &mut self,
        now: Time,
        request: &Request,
        sent: Time,
        outcome: Outcome,
        sink: &mut S,
    ) -> Option<(Time, Wake)> {
        let id = request.user;
        if id.0 >= REPLAYED && id != SINGLE_SHOT {
            self.done_by_script(now, request, sent, outcome, sink);
            return None;
        }
        if id == SINGLE_SHOT {
            let end = match outcome {
                Outcome::Ok => SessionEnd::Completed,
                Outcome::Unresolved => SessionEnd::HorizonInterrupted,
                _ => SessionEnd::Cancelled,
            };
            sink.record(
                now,
                Event::SessionEnded {
                    client: request.client,
                    end,
                },
            );
            return None;
        }
        if outcome != Outcome::Ok {
            return self.failed(now, request, sent, outcome, sink);
        }
        if self.retries {
            self.settle(now, request, sent, outcome, sink);
        }
        let exhausted = self.exhausted();
        let user = &mut self.users[id.index()];
        let number = user.requests;
        user.requests += 1;
        user.attempt = 0;
        let end = match user.rounds_left {
            1 => SessionEnd::Completed,
            _ if exhausted => SessionEnd::BudgetExhausted,
            rounds_left => {
                if rounds_left != ENDLESS {
                    user.rounds_left -= 1;
                }
                let population = &self.populations[user.client.index()];
                let at = now + population.think(user.number, number);
                if at <= self.horizon {
                    return Some((at, Wake::User(id)));
                }
                SessionEnd::HorizonInterrupted
            }
        };
        self.end_session(now, id, end, sink);
        None
    }

    /// After a failure: a retry, or the end of the session.
    #[inline(never)]
    fn failed<S: Sink>(
        &mut self,
        now: Time,
        request: &Request,
        sent: Time,
        outcome: Outcome,
        sink: &mut S,
    ) -> Option<(Time, Wake)> {
        let id = request.user;
        let exhausted = self.exhausted();
        let user = &mut self.users[id.index()];
        let population = &self.populations[user.client.index()];
        let retry = user.attempt < population.on_failure.retries;
        let (end, next) = if outcome == Outcome::Unresolved {
            (SessionEnd::HorizonInterrupted, None)
        } else if retry && exhausted {
            (SessionEnd::BudgetExhausted, None)
        } else if retry {
            user.attempt += 1;
            let at = now + population.backoff(user.number, user.requests, user.attempt);
            if at <= self.horizon {
                let tries = &mut self.tries[id.index()];
                tries.lag = tries.lag + sent.since(request.intended);
                if outcome != Outcome::Dropped {
                    tries.sent = Some(outcome);
                }
                return Some((at, Wake::User(id)));
            }
            (SessionEnd::HorizonInterrupted, None)
        } else {
            let at = now + population.think(user.number, user.requests);
            let again = population.is_closed() && population.on_failure.respawn;
            let again = again && at <= self.horizon && !exhausted;
            (SessionEnd::Cancelled, again.then_some((at, Wake::User(id))))
        };
        user.requests += 1;
        user.attempt = 0;
        // Where another try should have followed, the user has not got to the end of its request.
        let outcome = if retry { Outcome::Unresolved } else { outcome };
        if self.retries {
            self.settle(now, request, sent, outcome, sink);
        }
        self.end_session(now, id, end, sink);
        next
    }

    /// The last try of a request ended.
    #[inline(never)]
    fn settle<S: Sink>(
        &mut self,
        now: Time,
        request: &Request,
        sent: Time,
        outcome: Outcome,
        sink: &mut S,
    ) {
        if self.populations[request.client.index()].retries() {
            let tries = self.tries[request.user.index()];
            let event = Event::Settled {
                request,
                first: tries.first,
                lag: tries.lag + sent.since(request.intended),
                outcome: tries.outcome(outcome),
            };
            sink.record(now, event);
        }
    }

    /// The run is over for a user that was about to try again.
    fn cut_tries<S: Sink>(&mut self, now: Time, id: UserId, sink: &mut S) {
        let user = &mut self.users[id.index()];
        let Some(attempt) = user.attempt.checked_sub(1) else {
            return;
        };
        user.attempt = 0;
        let Tries { first, lag, .. } = self.tries[id.index()];
        let population = &self.populations[user.client.index()];
        let request = Request {
            user: id,
            client: user.client,
            action: population.choose(user.number, user.requests),
            attempt,
            user_number: user.number,
            number: user.requests,
            intended: first,
        };
        let event = Event::Settled {
            request: &request,
            first,
            lag,
            outcome: Outcome::Unresolved,
        };
        sink.record(now, event);
    }

    /// Ends the user's session if it is in one, and frees the user of an open client.
    #[inline]
    fn end_session<S: Sink>(&mut self, now: Time, id: UserId, end: SessionEnd, sink: &mut S) {
        let user = &mut self.users[id.index()];
        if std::mem::take(&mut user.rounds_left) != 0 {
            sink.record(
                now,
                Event::SessionEnded {
                    client: user.client,
                    end,
                },
            );
        }
        // Closed users come first.
        if id.index() >= self.closed {
            self.free.push(id);
        }
    }

    /// Ends every session that is still open when the run ends.
    pub fn finish<S: Sink>(&mut self, now: Time, sink: &mut S) {
        let end = if self.exhausted() {
            SessionEnd::BudgetExhausted
        } else {
            SessionEnd::HorizonInterrupted
        };
        self.finish_script(now, end, sink);
        for index in 0..self.users.len() {
            if self.users[index].rounds_left != 0 {
                self.cut_tries(now, UserId(index as u32), sink);
                self.end_session(now, UserId(index as u32), end, sink);
            }
        }
    }
}

/// The instant of arrival number `nth` of a process, at `now` or later; [`Time::NEVER`] when there is none.
#[inline(never)]
fn next_arrival(population: &Population, process: &mut Process, nth: u64, now: Time) -> Time {
    let Some(shape) = population.shape() else {
        return population.next_arrival(process.member, nth, now);
    };
    process.operational = population.next_arrival(process.member, nth, process.operational);
    // Rounding at the ends of a shape's pieces could take an instant back by a nanosecond.
    shape.instant(process.operational.as_nanos()).max(now)
}

/// The request that a user intends now.
#[inline(always)]
fn intend<S: Sink>(
    now: Time,
    id: UserId,
    user: &User,
    population: &Population,
    sink: &mut S,
) -> Request {
    let request = Request {
        user: id,
        client: user.client,
        action: population.choose(user.number, user.requests),
        attempt: user.attempt,
        user_number: user.number,
        number: user.requests,
        intended: now,
    };
    sink.record(now, Event::Intended { request: &request });
    request
}
