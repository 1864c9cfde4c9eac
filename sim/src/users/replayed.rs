//! Requests as they were recorded, at their recorded instants, whatever becomes of them.
//!
//! In the place of users who wait for replies there is a script of all requests. What users would have made of the replies is still
//! kept: sessions begin and end, tries of a request belong together. Where every request ends as it did when it was recorded, so
//! does every session; where it does not, the script goes on as it is written. Guarantees:
//! - A request has the client, the user's number, its own number and the try that it was recorded with: the model draws for it what
//!   it drew then.
//! - Requests that a client sends at one instant come in the order in which its users had asked to be woken. What else happens at that
//!   very nanosecond may come before or after them.

use super::population::ENDLESS;
use super::{ProcessId, Tries, Users, Wake, Woken};
use crate::event::{Event, Outcome, Request, SessionEnd, Sink, UserId};
use crate::model::{ActionId, ClientId, Model};
use crate::time::Time;
use crate::trace::Row;

/// From here on the numbers of users and processes are those of a script.
pub(super) const REPLAYED: u32 = 1 << 31;

/// Requests to be sent as they were recorded.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// By client, in the order in which they are sent.
    clients: Vec<Vec<Line>>,
    /// How many users there are, and requests whose tries are one.
    users: u32,
    chains: u32,
}

/// Why recorded requests are no script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoScript {
    /// There are too many to be told apart.
    #[error(
        "{0} recorded requests of one client are too many to replay; use at most 2,000,000,000"
    )]
    TooMany(usize),
}

/// A request of a script.
#[derive(Debug, Clone, Copy)]
struct Line {
    at: Time,
    user_number: u64,
    number: u64,
    action: ActionId,
    attempt: u16,
    /// Whose books it is in.
    book: u32,
    /// Which tries it is one of.
    chain: u32,
    /// Whether its user sends another one later.
    is_followed: bool,
    /// Whether that one is another try of the same.
    is_tried_again: bool,
}

/// What the tries of a recorded request have come to.
#[derive(Debug, Clone, Copy, Default)]
struct Chain {
    tries: Tries,
    /// The try that failed and should be followed by another one.
    failed: Option<Request>,
    /// Whether one of them was sent.
    is_begun: bool,
    /// Whether it is known how they ended.
    is_settled: bool,
}

/// A script that is being sent.
#[derive(Debug, Clone)]
pub(super) struct Replayed {
    script: Script,
    /// How many of each client were sent.
    sent: Vec<usize>,
    /// By user: rounds that its session has left, the current one included; 0 outside a session.
    rounds_left: Vec<u32>,
    /// Empty where nobody tries again.
    chains: Vec<Chain>,
}

impl Script {
    /// The script of recorded requests, whose clients and actions are those of a model of this many clients; in the order in which they
    /// ended.
    ///
    /// # Errors
    /// Where there are too many.
    pub fn new(rows: &[Row], clients: usize) -> Result<Script, NoScript> {
        let mut of_client: Vec<Vec<(usize, &Row)>> = vec![Vec::new(); clients];
        for (ended, row) in rows.iter().enumerate() {
            if let Some(rows) = of_client.get_mut(usize::from(row.client.0)) {
                rows.push((ended, row));
            }
        }
        let (mut users, mut chains) = (0, 0);
        let mut scripts = Vec::with_capacity(clients);
        for rows in of_client {
            if rows.len() >= REPLAYED as usize - 1 {
                return Err(NoScript::TooMany(rows.len()));
            }
            scripts.push(lines(rows, &mut users, &mut chains));
        }
        Ok(Script {
            clients: scripts,
            users,
            chains,
        })
    }

    /// How many requests there are.
    pub fn requests(&self) -> u64 {
        self.clients.iter().map(|lines| lines.len() as u64).sum()
    }
}

/// When a request comes, after whom it does at that instant, and what it is.
type Ordered = ((Time, Time, bool, u64), Line);

/// The requests of a client in the order in which they are sent. Each new user, and each request that is no further try, takes the
/// next number.
fn lines(mut rows: Vec<(usize, &Row)>, users: &mut u32, chains: &mut u32) -> Vec<Line> {
    let key = |row: &Row| (row.user, row.number, row.attempt, row.intended);
    rows.sort_by_key(|(ended, row)| (key(row), *ended));
    let mut lines: Vec<Ordered> = Vec::with_capacity(rows.len());
    let mut before: Option<(usize, &Row)> = None;
    for (ended, row) in rows {
        let same = before.filter(|(_, before)| before.user == row.user);
        // Whoever had asked to be woken earlier is: at the start in the order of users, later when the request before ended.
        let asked = match same {
            Some((ended, before)) => (before.done, true, ended as u64),
            None => {
                *users += 1;
                (Time::ZERO, false, row.user)
            }
        };
        let is_further_try = same.is_some_and(|(_, before)| before.number == row.number);
        *chains += u32::from(!is_further_try);
        if let (Some(_), Some((_, last))) = (same, lines.last_mut()) {
            last.is_followed = true;
            last.is_tried_again = is_further_try;
        }
        let line = Line {
            at: row.intended,
            user_number: row.user,
            number: row.number,
            action: row.action,
            attempt: row.attempt,
            book: *users - 1,
            chain: *chains - 1,
            is_followed: false,
            is_tried_again: false,
        };
        lines.push(((row.intended, asked.0, asked.1, asked.2), line));
        before = Some((ended, row));
    }
    lines.sort_by_key(|(order, _)| *order);
    lines.into_iter().map(|(_, line)| line).collect()
}

impl Replayed {
    pub(super) fn new(script: Script, retries: bool) -> Replayed {
        let chains = if retries { script.chains } else { 0 };
        Replayed {
            sent: vec![0; script.clients.len()],
            rounds_left: vec![0; script.users as usize],
            chains: vec![Chain::default(); chains as usize],
            script,
        }
    }

    /// How many requests the script has.
    pub(super) fn requests(&self) -> u64 {
        self.script.requests()
    }

    fn next_at(&self, client: usize) -> Option<Time> {
        let lines = self.script.clients.get(client)?;
        lines.get(self.sent[client]).map(|line| line.at)
    }
}

/// The client of a process of a script.
pub(super) fn client_of(process: ProcessId) -> Option<ClientId> {
    let client = process.0.checked_sub(REPLAYED)?;
    u16::try_from(client).ok().map(ClientId)
}

impl Users {
    /// Those of a model, who send what this script says in the place of what they would.
    pub fn replaying<P>(model: &Model<P>, script: Script) -> Users {
        let mut users = Users::new(model);
        users.users.clear();
        users.processes.clear();
        users.closed = 0;
        users.replayed = Some(Box::new(Replayed::new(script, users.retries)));
        users
    }

    /// The first requests of a script.
    pub(super) fn start_script(&self, mut wake_at: impl FnMut(Time, Wake)) {
        let Some(replayed) = &self.replayed else {
            return;
        };
        for client in 0..replayed.sent.len() {
            if let Some(at) = replayed.next_at(client).filter(|at| *at <= self.horizon) {
                wake_at(at, Wake::Arrival(ProcessId(REPLAYED + client as u32)));
            }
        }
    }

    /// The next request of a client's script.
    #[inline(never)]
    pub(super) fn follow_script<S: Sink>(
        &mut self,
        now: Time,
        process: ProcessId,
        sink: &mut S,
    ) -> Woken {
        let is_exhausted = self.exhausted();
        let (Some(client), Some(replayed)) = (client_of(process), &mut self.replayed) else {
            return Woken::default();
        };
        let index = usize::from(client.0);
        let Some(lines) = replayed.script.clients.get(index).filter(|_| !is_exhausted) else {
            return Woken::default();
        };
        let nth = replayed.sent[index];
        let Some(line) = lines.get(nth).copied() else {
            return Woken::default();
        };
        replayed.sent[index] += 1;
        self.intended += 1;
        if let Some(chain) = replayed.chains.get_mut(line.chain as usize) {
            chain.failed = None;
            // The first try may be missing from a record.
            if !std::mem::replace(&mut chain.is_begun, true) {
                chain.tries.first = now;
            }
        }
        let rounds_left = &mut replayed.rounds_left[line.book as usize];
        if *rounds_left == 0 {
            *rounds_left = self.populations[index].rounds(line.user_number);
            sink.record(now, Event::SessionStarted { client });
        }
        let request = Request {
            user: UserId(REPLAYED + nth as u32),
            client,
            action: line.action,
            attempt: line.attempt,
            user_number: line.user_number,
            number: line.number,
            intended: now,
        };
        sink.record(now, Event::Intended { request: &request });
        let next = replayed.next_at(index).filter(|at| *at <= self.horizon);
        Woken {
            send: Some(request),
            next: next.map(|at| (at, Wake::Arrival(process))),
        }
    }

    /// A request of a script ended: nothing comes of it but what is in the books.
    #[inline(never)]
    pub(super) fn done_by_script<S: Sink>(
        &mut self,
        now: Time,
        request: &Request,
        sent: Time,
        outcome: Outcome,
        sink: &mut S,
    ) {
        let (exhausted, horizon) = (self.exhausted(), self.horizon);
        let Some(replayed) = &mut self.replayed else {
            return;
        };
        let client = usize::from(request.client.0);
        let nth = (request.user.0 - REPLAYED) as usize;
        let Some(line) = replayed.script.clients[client].get(nth).copied() else {
            return;
        };
        let population = &self.populations[client];
        let rounds_left = &mut replayed.rounds_left[line.book as usize];
        let chain = replayed.chains.get_mut(line.chain as usize);
        let chain = chain.filter(|_| population.retries());
        if outcome == Outcome::Ok {
            settle(now, request, sent, outcome, chain, sink);
            let goes_on = || {
                let think = population.think(request.user_number, request.number);
                line.is_followed || now + think <= horizon
            };
            let end = match *rounds_left {
                0 => return,
                1 => SessionEnd::Completed,
                _ if exhausted => SessionEnd::BudgetExhausted,
                _ if !goes_on() => SessionEnd::HorizonInterrupted,
                ENDLESS => return,
                left => {
                    *rounds_left = left - 1;
                    return;
                }
            };
            return end_session(now, request.client, end, rounds_left, sink);
        }
        let retries = request.attempt < population.on_failure.retries;
        // Where it did not fail when it was recorded, nobody tries again, and the user goes on.
        let is_alone = line.is_followed && !line.is_tried_again;
        let goes_on = || {
            let tries = request.attempt + 1;
            let backoff = population.backoff(request.user_number, request.number, tries);
            line.is_tried_again || (!line.is_followed && now + backoff <= horizon)
        };
        let end = match retries {
            _ if outcome == Outcome::Unresolved => Some(SessionEnd::HorizonInterrupted),
            true if exhausted => Some(SessionEnd::BudgetExhausted),
            true if is_alone => None,
            true if goes_on() => {
                // Another try of it may have ended before.
                if let Some(chain) = chain.filter(|chain| !chain.is_settled) {
                    chain.failed = Some(*request);
                    chain.tries.lag = chain.tries.lag + sent.since(request.intended);
                    if outcome != Outcome::Dropped {
                        chain.tries.sent = Some(outcome);
                    }
                }
                return;
            }
            true => Some(SessionEnd::HorizonInterrupted),
            false => Some(SessionEnd::Cancelled),
        };
        // Where another try should have followed, the user has not got to the end of its request.
        let outcome = if retries {
            Outcome::Unresolved
        } else {
            outcome
        };
        settle(now, request, sent, outcome, chain, sink);
        if let Some(end) = end {
            end_session(now, request.client, end, rounds_left, sink);
        }
    }

    /// Ends every session of a script that is still open.
    pub(super) fn finish_script<S: Sink>(&mut self, now: Time, end: SessionEnd, sink: &mut S) {
        let Some(replayed) = &mut self.replayed else {
            return;
        };
        let Replayed {
            script,
            chains,
            rounds_left,
            ..
        } = &mut **replayed;
        for (client, lines) in script.clients.iter().enumerate() {
            for line in lines {
                let chain = chains.get_mut(line.chain as usize);
                if let Some(chain) = chain
                    && let Some(failed) = chain.failed.take()
                {
                    let first = chain.tries.first;
                    let event = Event::Settled {
                        request: &Request {
                            intended: first,
                            ..failed
                        },
                        first,
                        lag: chain.tries.lag,
                        outcome: Outcome::Unresolved,
                    };
                    sink.record(now, event);
                }
                let rounds_left = &mut rounds_left[line.book as usize];
                end_session(now, ClientId(client as u16), end, rounds_left, sink);
            }
        }
    }
}

/// The last try of a request ended, of a client that tries again. It ends once, however many tries were recorded.
fn settle<S: Sink>(
    now: Time,
    request: &Request,
    sent: Time,
    outcome: Outcome,
    chain: Option<&mut Chain>,
    sink: &mut S,
) {
    let Some(chain) = chain.filter(|chain| !chain.is_settled) else {
        return;
    };
    chain.is_settled = true;
    chain.failed = None;
    let event = Event::Settled {
        request,
        first: chain.tries.first,
        lag: chain.tries.lag + sent.since(request.intended),
        outcome: chain.tries.outcome(outcome),
    };
    sink.record(now, event);
}

/// Ends a session where there is one.
fn end_session<S: Sink>(
    now: Time,
    client: ClientId,
    end: SessionEnd,
    rounds_left: &mut u32,
    sink: &mut S,
) {
    if std::mem::take(rounds_left) != 0 {
        sink.record(now, Event::SessionEnded { client, end });
    }
}
