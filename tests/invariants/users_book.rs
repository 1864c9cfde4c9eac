//! What users must do, kept as a book of its own: the rules of requests and sessions, recomputed from the model and
//! the keyed draws, event by event.

use std::collections::HashMap;

use blis_sim::event::{Outcome, Request, SessionEnd};
use blis_sim::model::{ActionId, Arrival, Client, ClientId, Model, Rounds, Source};
use blis_sim::random::{Draw, Key, Kind, Purpose};
use blis_sim::time::{Span, Time};

use crate::record::{Kept, Run};

/// A user's number within its client.
type Who = (ClientId, u64);

/// Where a user is in its round.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// Its next request is due at an instant; `order` counts what was scheduled before.
    Due {
        at: Time,
        order: u64,
    },
    Waiting,
    Gone,
}

#[derive(Debug, Clone, Copy)]
struct User {
    state: State,
    number: u64,
    attempt: u16,
    in_session: bool,
    /// Rounds left in the session, the current one included; none for a closed user.
    rounds: Option<u64>,
}

/// The next arrival of a member of an open client.
#[derive(Debug, Clone, Copy)]
struct Next {
    /// Its number within the member, from 0.
    number: u64,
    at: Time,
    /// Its time on the clock that a shape stretches.
    operational: Time,
    /// What was scheduled before it.
    order: u64,
}

/// The member that a session's number belongs to.
fn member(session: u64) -> usize {
    (session >> 40) as usize
}

pub struct UsersBook<'a> {
    model: &'a Model,
    users: HashMap<Who, User>,
    /// The next arrival of each member of each open client.
    arrivals: Vec<Vec<Next>>,
    scheduled: u64,
    /// The last wake-up: wake-ups of one instant happen in the order in which they were scheduled.
    last: (Time, u64),
    intended: u64,
    load_ended: Option<Time>,
    session_started: Option<ClientId>,
    session_ends: Option<(ClientId, SessionEnd)>,
    in_flight: u64,
}

impl<'a> UsersBook<'a> {
    pub fn new(model: &'a Model) -> UsersBook<'a> {
        let mut book = UsersBook {
            model,
            users: HashMap::new(),
            arrivals: vec![Vec::new(); model.clients.len()],
            scheduled: 0,
            last: (Time::ZERO, 0),
            intended: 0,
            load_ended: None,
            session_started: None,
            session_ends: None,
            in_flight: 0,
        };
        for (index, client) in model.clients.iter().enumerate() {
            let id = ClientId(index as u16);
            match &client.source {
                Source::Closed { concurrency, think } => {
                    let n = u64::from(concurrency.get());
                    let mean = Span::from_nanos_f64(think.mean()).as_nanos();
                    for number in 0..n * u64::from(client.population.get()) {
                        book.scheduled += 1;
                        let place = u128::from(number % n);
                        let at =
                            Time::from_nanos((place * u128::from(mean) / u128::from(n)) as u64);
                        let state = State::Due {
                            at,
                            order: book.scheduled,
                        };
                        let user = User {
                            state,
                            number: 0,
                            attempt: 0,
                            in_session: false,
                            rounds: None,
                        };
                        book.users.insert((id, number), user);
                    }
                }
                Source::Open { .. } => {
                    for member in 0..client.population.get() {
                        book.arrivals[index].push(Next {
                            number: 0,
                            at: Time::ZERO,
                            operational: Time::ZERO,
                            order: 0,
                        });
                        book.schedule_arrival(id, member as usize, 0);
                    }
                }
            }
        }
        book
    }

    fn client(&self, id: ClientId) -> &'a Client {
        &self.model.clients[id.index()]
    }

    fn draw(&self, client: ClientId, purpose: Purpose, index: u64, ordinal: u64) -> Draw {
        self.key(client, purpose).draw(index, ordinal)
    }

    fn key(&self, client: ClientId, purpose: Purpose) -> Key {
        Key::new(
            self.model.seed,
            Kind::Client,
            &self.client(client).name,
            purpose,
        )
    }

    fn schedule_arrival(&mut self, client: ClientId, member: usize, number: u64) {
        self.scheduled += 1;
        let Source::Open { arrival, shape, .. } = &self.client(client).source else {
            return;
        };
        let before = self.arrivals[client.index()][member];
        let previous = before.operational;
        let operational = match arrival {
            Arrival::Constant { rate } => {
                Time::ZERO + Span::from_nanos_f64((number + 1) as f64 * 1e9 / rate)
            }
            Arrival::Renewal { interarrival } => {
                let mut draw = self.draw(client, Purpose::Arrival, member as u64, number + 1);
                previous + interarrival.sample_span(&mut draw)
            }
            Arrival::Recorded(recording) => {
                let at = recording.times.get(number as usize);
                at.copied().unwrap_or(Time::NEVER)
            }
            Arrival::Burst { count, at } if number < *count => *at,
            Arrival::Burst { .. } => Time::NEVER,
        };
        let at = shape.as_ref().map_or(operational, |shape| {
            shape.instant(operational.as_nanos()).max(before.at)
        });
        self.arrivals[client.index()][member] = Next {
            number,
            at,
            operational,
            order: self.scheduled,
        };
    }

    fn exhausted(&self) -> bool {
        self.model
            .limits
            .requests
            .is_some_and(|budget| budget.get() == self.intended)
    }

    fn horizon(&self) -> Time {
        self.model.limits.horizon.unwrap_or(Time::NEVER)
    }

    /// Takes the next event of the run.
    pub fn event(&mut self, at: Time, event: &Kept) {
        match event {
            Kept::SessionEnded(client, end) if self.session_ends.is_some() => {
                assert_eq!(Some((*client, *end)), self.session_ends.take());
                return;
            }
            // The sessions that are open when the run ends.
            Kept::SessionEnded(client, end) => return self.cut(*client, *end),
            // Between the end of a request and that of its session; held against the tries elsewhere.
            Kept::Settled { .. } => return,
            _ => {}
        }
        assert_eq!(
            self.session_ends, None,
            "the session ends with its request, before {event:?}"
        );
        match event {
            Kept::SessionStarted(client) => {
                assert_eq!(self.session_started.replace(*client), None);
                return;
            }
            Kept::Intended(request) => self.intends(at, request),
            Kept::Done {
                request,
                sent,
                outcome,
            } => self.done(at, request, *sent, *outcome),
            Kept::LoadEnded => {
                assert_eq!(self.load_ended.replace(at), None, "the load ended twice");
            }
            _ => {}
        }
        assert_eq!(
            self.session_started, None,
            "a session starts with its first request"
        );
    }

    fn intends(&mut self, at: Time, request: &Request) {
        assert_eq!(self.load_ended, None, "a request after the end of the load");
        assert!(at <= self.horizon());
        assert_eq!(request.intended, at);
        self.intended += 1;
        self.in_flight += 1;
        let who = (request.client, request.user_number);
        if !self.users.contains_key(&who) {
            self.arrives(who);
        }
        let user = self.users[&who];
        let State::Due { at: due, order } = user.state else {
            panic!("not due: {user:?} {request:?}")
        };
        assert_eq!(at, due, "the instant of {request:?}");
        assert!(
            (at, order) > self.last,
            "wake-ups of one instant come in the order of scheduling"
        );
        self.last = (at, order);
        assert_eq!(
            (request.number, request.attempt),
            (user.number, user.attempt)
        );
        assert_eq!(request.action, self.choice(who, user.number));
        let started = self.session_started.take();
        assert_eq!(started, (!user.in_session).then_some(who.0), "{request:?}");
        self.users.insert(
            who,
            User {
                state: State::Waiting,
                in_session: true,
                ..user
            },
        );
    }

    /// An open client's next arrival.
    fn arrives(&mut self, who: Who) {
        let member = member(who.1);
        let Next {
            number, at, order, ..
        } = self.arrivals[who.0.index()][member];
        let expected = ((member as u64) << 40) + number;
        assert_eq!(who.1, expected, "arrivals are numbered in their order");
        let Source::Open { session, .. } = &self.client(who.0).source else {
            panic!("a closed client has no user {number}")
        };
        let rounds = session
            .as_ref()
            .map_or(1, |session| self.rounds(&session.rounds, who));
        let state = State::Due { at, order };
        let user = User {
            state,
            number: 0,
            attempt: 0,
            in_session: false,
            rounds: Some(rounds),
        };
        self.users.insert(who, user);
        self.schedule_arrival(who.0, member, number + 1);
    }

    fn rounds(&self, rounds: &Rounds, who: Who) -> u64 {
        let mut draw = self.draw(who.0, Purpose::Rounds, who.1, 0);
        match rounds {
            Rounds::Constant(rounds) => u64::from(rounds.get()),
            Rounds::Uniform { min, max } => {
                let (min, max) = (u64::from(min.get()), u64::from(max.get()));
                min + draw.below(max - min + 1)
            }
            Rounds::Rounded(dist) => dist.sample(&mut draw).round().max(1.0) as u64,
        }
    }

    fn choice(&self, who: Who, number: u64) -> ActionId {
        let shares = &self.client(who.0).mix.shares;
        if let [(only, _)] = shares[..] {
            return only;
        }
        let unit = self.draw(who.0, Purpose::Choice, who.1, number).unit();
        let mut sum = 0.0;
        for (action, share) in &shares[..shares.len() - 1] {
            sum += share;
            if unit < sum {
                return *action;
            }
        }
        shares[shares.len() - 1].0
    }

    fn done(&mut self, at: Time, request: &Request, sent: Time, outcome: Outcome) {
        self.in_flight -= 1;
        assert!(request.intended <= sent && sent <= at);
        assert_eq!(request.intended, sent, "nothing holds requests back");
        self.times_out_exactly(at, request, sent, outcome);
        let who = (request.client, request.user_number);
        let mut user = self.users[&who];
        assert_eq!(user.state, State::Waiting);
        assert_eq!(
            (request.number, request.attempt),
            (user.number, user.attempt)
        );
        match self.follow_up(at, who, &mut user, outcome) {
            Follow::Next(at) => {
                self.scheduled += 1;
                user.state = State::Due {
                    at,
                    order: self.scheduled,
                };
            }
            Follow::End(end, next) => {
                self.session_ends = Some((who.0, end));
                user.in_session = false;
                user.state = State::Gone;
                if let Some(at) = next {
                    self.scheduled += 1;
                    user.state = State::Due {
                        at,
                        order: self.scheduled,
                    };
                }
            }
        }
        self.users.insert(who, user);
    }

    fn times_out_exactly(&self, at: Time, request: &Request, sent: Time, outcome: Outcome) {
        let timeout = self.client(request.client).timeout;
        let deadline = timeout.map_or(Time::NEVER, |timeout| sent + timeout);
        match outcome {
            Outcome::TimedOut => assert_eq!(at, deadline, "a timeout fires at sent + timeout"),
            Outcome::Unresolved => assert!(at < deadline, "a timeout was due before the end"),
            _ => assert!(at <= deadline, "a timeout was due before the reply"),
        }
    }

    /// What follows the end of a request. What is due after the horizon ends the session instead.
    fn follow_up(&self, at: Time, who: Who, user: &mut User, outcome: Outcome) -> Follow {
        let client = self.client(who.0);
        let number = user.number;
        let retries = user.attempt < client.on_failure.retries;
        if outcome != Outcome::Ok && outcome != Outcome::Unresolved && retries {
            if self.exhausted() {
                user.number += 1;
                user.attempt = 0;
                return Follow::End(SessionEnd::BudgetExhausted, None);
            }
            user.attempt += 1;
            let backoff = self.backoff(who, number, user.attempt);
            return self.due(at + backoff);
        }
        user.number += 1;
        user.attempt = 0;
        match outcome {
            Outcome::Ok => {
                user.rounds = user.rounds.map(|rounds| rounds - 1);
                if user.rounds == Some(0) {
                    return Follow::End(SessionEnd::Completed, None);
                }
                if self.exhausted() {
                    return Follow::End(SessionEnd::BudgetExhausted, None);
                }
                self.due(at + self.think(who, number))
            }
            Outcome::Unresolved => Follow::End(SessionEnd::HorizonInterrupted, None),
            _ => {
                let again = user.rounds.is_none() && client.on_failure.respawn && !self.exhausted();
                let next = at + self.think(who, number);
                Follow::End(
                    SessionEnd::Cancelled,
                    (again && next <= self.horizon()).then_some(next),
                )
            }
        }
    }

    fn due(&self, at: Time) -> Follow {
        if at <= self.horizon() {
            Follow::Next(at)
        } else {
            Follow::End(SessionEnd::HorizonInterrupted, None)
        }
    }

    fn think(&self, who: Who, number: u64) -> Span {
        let think = match &self.client(who.0).source {
            Source::Closed { think, .. } => think,
            Source::Open {
                session: Some(session),
                ..
            } => &session.think,
            Source::Open { session: None, .. } => return Span::ZERO,
        };
        think.sample_span(&mut self.draw(who.0, Purpose::Think, who.1, number))
    }

    fn backoff(&self, who: Who, number: u64, attempt: u16) -> Span {
        let key = self.key(who.0, Purpose::Backoff);
        let mut draw = key.draw(key.identity(who.1, number), u64::from(attempt));
        self.client(who.0).on_failure.backoff.sample_span(&mut draw)
    }

    /// A session that was open when the run ended: nothing of it is in flight any more.
    fn cut(&mut self, client: ClientId, end: SessionEnd) {
        assert_eq!(self.in_flight, 0, "sessions are cut after the last request");
        assert!(self.load_ended.is_some());
        let expected = if self.exhausted() {
            SessionEnd::BudgetExhausted
        } else {
            SessionEnd::HorizonInterrupted
        };
        assert_eq!(end, expected);
        let open = self
            .users
            .iter()
            .find(|((other, _), user)| *other == client && user.in_session);
        let (&who, _) = open.expect("a session ended that was not open");
        self.users
            .entry(who)
            .and_modify(|user| user.in_session = false);
    }

    /// The run is over.
    pub fn close(self, run: &Run) {
        assert_eq!(self.session_ends, None);
        assert_eq!(self.in_flight, 0);
        assert!(
            self.users.values().all(|user| !user.in_session),
            "every session ended"
        );
        let load_ended = self.load_ended.expect("the load ended");
        let by_budget = self.exhausted();
        let missed = |at: Time| {
            if by_budget {
                at < load_ended
            } else {
                at <= load_ended
            }
        };
        for (who, user) in &self.users {
            if let State::Due { at, .. } = user.state {
                assert!(!missed(at), "{who:?} did not send what was due at {at:?}");
            }
        }
        for (client, members) in self.arrivals.iter().enumerate() {
            for Next { number, at, .. } in members {
                assert!(
                    !missed(*at),
                    "arrival {number} of client {client} at {at:?}"
                );
            }
        }
        assert_eq!(self.intended, run.intended);
    }
}

enum Follow {
    Next(Time),
    End(SessionEnd, Option<Time>),
}
