//! What requests wait for besides their replies: deliveries that belong to them.
//!
//! A world maps what it delivers to a [`Delivery`]: the subscription that it came over and the key of the request that it
//! is for. What that means for the request is decided here, and is the same in every world.
//!
//! Guarantees:
//! - A request that awaits deliveries is done when it has its reply and this many deliveries as it waits for; a reply that is
//!   no success ends it at once.
//! - Every delivery counts once: as one of those that were to come, as a duplicate (the subscriber had its share, or had
//!   this message), as late (the request had been given up), or as unmatched (it is for no request that is known, or is
//!   not what is awaited).
//! - What was to come and had not when the request was given up or the run ended is missing, and may still become late.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::event::{FlightId, Outcome, Received, Request};
use crate::model::{ActionId, Await, ClientId, Deliverer, Model};
use crate::time::{Span, Time};

/// Requests that wait for nothing more and are still known, so that what comes for them is a duplicate or late rather
/// than unmatched.
const REMEMBERED: usize = 1 << 16;

/// What names a request in its deliveries, in 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u64, u64);

impl Key {
    /// Of a text.
    pub fn of(text: &str) -> Key {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (salt, text).hash(&mut hasher);
            hasher.finish()
        };
        Key(half(0), half(1))
    }

    /// Of a request by its place in flight, where deliveries know that.
    pub fn of_flight(flight: FlightId) -> Key {
        Key(flight.to_bits(), 0)
    }
}

/// A delivery reached a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Whose requests are delivered there.
    pub action: ActionId,
    /// The subscription that it came over, among those of the action.
    pub subscriber: u32,
    /// The request.
    pub key: Key,
    /// What names the message itself, if anything does.
    pub message: Option<u64>,
    /// Whether it is what is awaited, where that is more than any message.
    pub fits: bool,
    /// When it came.
    pub at: Time,
}

/// What requests of an action subscribe to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription {
    /// Whose.
    pub action: ActionId,
    /// How many subscribers there are.
    pub subscribers: u32,
}

/// A reply came to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replied {
    /// The request ends.
    Ends {
        /// Whether it had its reply before.
        before: bool,
    },
    /// The request waits for deliveries.
    Waits,
    /// The request had one before, and waits for deliveries.
    Again,
}

/// The instant until which something may come for a request.
fn until(sent: Time, patience: Option<Span>) -> Time {
    patience.map_or(Time::NEVER, |patience| sent + patience)
}

/// What a reply to a request is that awaits nothing.
const ENDS: Replied = Replied::Ends { before: false };

/// A request whose deliveries are not all there.
#[derive(Debug, Clone)]
struct Open {
    flight: FlightId,
    client: ClientId,
    intended: Time,
    sent: Time,
    replied: bool,
    ended: bool,
    delivered: u32,
    had: Had,
}

/// What subscribers had of a request.
#[derive(Debug, Clone, Default)]
struct Had {
    /// How many deliveries each had.
    by_subscriber: HashMap<u32, u32>,
    messages: HashSet<(u32, u64)>,
}

/// The requests of one action.
#[derive(Debug, Clone)]
struct Awaited {
    of: Await,
    open: HashMap<Key, Open>,
    /// By client: those that have ended and are open, in that order, each with the instant until which something may come.
    ended: Vec<VecDeque<(Time, Key)>>,
    closed: Closed,
    /// What closed requests no longer use: a request allocates nothing where others have ended.
    spare: Vec<Had>,
}

/// Requests that wait for nothing more, as many as are remembered: when they were intended, and whether all that was to
/// come came.
#[derive(Debug, Clone, Default)]
struct Closed {
    known: HashMap<Key, (Time, bool)>,
    oldest: VecDeque<Key>,
}

impl Closed {
    fn add(&mut self, key: Key, intended: Time, complete: bool) {
        if self.known.insert(key, (intended, complete)).is_none() {
            self.oldest.push_back(key);
        }
        if self.oldest.len() > REMEMBERED
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

impl Awaited {
    fn new(of: Await, clients: usize) -> Awaited {
        Awaited {
            of,
            open: HashMap::new(),
            ended: vec![VecDeque::new(); clients],
            closed: Closed::default(),
            spare: Vec::new(),
        }
    }

    fn close(&mut self, key: Key, complete: bool) {
        let Some(open) = self.open.remove(&key) else {
            return;
        };
        self.closed.add(key, open.intended, complete);
        let mut had = open.had;
        had.by_subscriber.clear();
        had.messages.clear();
        self.spare.push(had);
    }

    /// A request is done. It is closed where all has come, and otherwise kept for what may still come.
    fn end(&mut self, key: Key, patience: &[Option<Span>]) {
        let Some(open) = self.open.get_mut(&key) else {
            return;
        };
        open.ended = true;
        if open.delivered == self.of.deliveries.get() {
            return self.close(key, true);
        }
        let client = open.client.index();
        let until = until(open.sent, patience[client]);
        let ended = &mut self.ended[client];
        ended.push_back((until, key));
        if ended.len() > REMEMBERED
            && let Some((_, oldest)) = ended.pop_front()
        {
            self.close(oldest, false);
        }
    }

    /// Closes what has ended and was sent long ago: what comes for it is late.
    fn forget(&mut self, now: Time) {
        for client in 0..self.ended.len() {
            while let Some((until, key)) = self.ended[client].front().copied()
                && until < now
            {
                self.ended[client].pop_front();
                self.close(key, false);
            }
        }
    }

    fn knows(&self, key: Key) -> bool {
        self.open.contains_key(&key) || self.closed.known.contains_key(&key)
    }

    /// What a delivery is, and whether it ends its request.
    fn deliver(
        &mut self,
        delivery: &Delivery,
        patience: &[Option<Span>],
    ) -> (Received, Option<FlightId>) {
        let Some(open) = self.open.get_mut(&delivery.key) else {
            return match self.closed.known.get(&delivery.key) {
                Some(&(intended, true)) => (Received::Duplicate { intended }, None),
                Some(&(intended, false)) => (Received::Late { intended }, None),
                None => (Received::Unmatched, None),
            };
        };
        let intended = open.intended;
        let overdue = until(open.sent, patience[open.client.index()]);
        let is_overdue = open.ended && delivery.at > overdue;
        // What came before it was sent belongs to one before it.
        if delivery.at < open.sent || is_overdue {
            return (Received::Late { intended }, None);
        }
        let had = &mut open.had;
        let of_subscriber = had.by_subscriber.entry(delivery.subscriber).or_default();
        let known = delivery
            .message
            .is_some_and(|message| !had.messages.insert((delivery.subscriber, message)));
        let deliveries = self.of.deliveries.get();
        if *of_subscriber >= self.of.share() || open.delivered >= deliveries || known {
            return (Received::Duplicate { intended }, None);
        }
        *of_subscriber += 1;
        open.delivered += 1;
        let is_last = open.delivered == deliveries;
        let received = Received::Delivered {
            intended,
            sent: open.sent,
            is_first: open.delivered == 1,
            is_last,
        };
        let ends = !open.ended && open.replied && open.delivered >= self.of.until.get();
        let flight = open.flight;
        if ends {
            self.end(delivery.key, patience);
        } else if open.ended && is_last {
            self.close(delivery.key, true);
        }
        (received, ends.then_some(flight))
    }
}

/// The requests of earlier loads of which something was missing when their load was over, as many as are remembered, by
/// action.
#[derive(Debug, Clone, Default)]
pub struct Earlier(Vec<HashSet<Key>>);

impl Earlier {
    fn holds(&self, action: ActionId, key: Key) -> bool {
        let keys = self.0.get(action.index());
        keys.is_some_and(|keys| keys.contains(&key))
    }
}

/// All requests that await deliveries.
#[derive(Debug, Clone)]
pub struct Mailbox {
    earlier: Earlier,
    late_of_earlier: u64,
    actions: Vec<Option<Awaited>>,
    /// By client: how long after its sending something may still come for a request, also for one that is done before;
    /// for ever where nobody gives up.
    patience: Vec<Option<Span>>,
    /// By slot: what the request of that slot awaits.
    by_slot: Vec<Option<(FlightId, ActionId, Key)>>,
}

impl Mailbox {
    /// Of a model; `None` where no action awaits anything.
    pub fn new<P>(model: &Model<P>) -> Option<Box<Mailbox>> {
        let actions = model.actions.iter().map(|action| {
            let awaited = action.awaited?;
            Some(Awaited::new(awaited, model.clients.len()))
        });
        let actions: Vec<_> = actions.collect();
        let is_needed = actions.iter().any(Option::is_some);
        is_needed.then(|| {
            Box::new(Mailbox {
                earlier: Earlier::default(),
                late_of_earlier: 0,
                actions,
                patience: model.clients.iter().map(|client| client.timeout).collect(),
                by_slot: Vec::new(),
            })
        })
    }

    /// There were earlier loads, for whose requests something may still be delivered.
    pub fn remember(&mut self, earlier: Earlier) {
        self.earlier = earlier;
    }

    /// Whether requests of an action await deliveries.
    pub fn awaits(&self, action: ActionId) -> bool {
        let awaited = self.actions.get(action.index());
        awaited.is_some_and(Option::is_some)
    }

    /// A request was sent, and deliveries with this key are to come.
    pub fn sent(&mut self, now: Time, flight: FlightId, request: &Request, key: Key) {
        let Some(awaited) = &mut self.actions[request.action.index()] else {
            return;
        };
        awaited.forget(now);
        let had = awaited.spare.pop().unwrap_or_default();
        awaited.open.insert(
            key,
            Open {
                flight,
                client: request.client,
                intended: request.intended,
                sent: now,
                replied: false,
                ended: false,
                delivered: 0,
                had,
            },
        );
        if flight.slot() >= self.by_slot.len() {
            self.by_slot.resize(flight.slot() + 1, None);
        }
        self.by_slot[flight.slot()] = Some((flight, request.action, key));
    }

    /// A request has its reply, or ends without: what comes of that. One that awaits nothing is ended by it.
    pub fn replied(&mut self, flight: FlightId, outcome: Outcome) -> Replied {
        let Some((action, key)) = self.of(flight) else {
            return ENDS;
        };
        let Some(awaited) = &mut self.actions[action.index()] else {
            return ENDS;
        };
        let open = awaited.open.get_mut(&key);
        let Some(open) = open.filter(|open| open.flight == flight) else {
            return ENDS;
        };
        let before = open.replied;
        if before && outcome.is_reply() {
            return Replied::Again;
        }
        if outcome != Outcome::Ok {
            self.by_slot[flight.slot()] = None;
            awaited.close(key, false);
            return Replied::Ends { before };
        }
        open.replied = true;
        if open.delivered < awaited.of.until.get() {
            return Replied::Waits;
        }
        self.by_slot[flight.slot()] = None;
        awaited.end(key, &self.patience);
        ENDS
    }

    /// What a delivery is, and the request that it ends, if it ends one. `None` of one that is for an action that awaits
    /// nothing, for a request of another action, or of an earlier load.
    pub fn deliver(&mut self, delivery: &Delivery) -> Option<(Received, Option<FlightId>)> {
        let at = delivery.action.index();
        if !delivery.fits {
            return self
                .awaits(delivery.action)
                .then_some((Received::Unmatched, None));
        }
        let awaited = self.actions.get_mut(at)?.as_mut()?;
        if !awaited.knows(delivery.key) {
            if self.earlier.holds(delivery.action, delivery.key) {
                self.late_of_earlier += 1;
                return None;
            }
            let mut all = self.actions.iter().flatten();
            return match all.any(|other| other.knows(delivery.key)) {
                true => None,
                false => Some((Received::Unmatched, None)),
            };
        }
        let (received, ends) = awaited.deliver(delivery, &self.patience);
        if let Some(flight) = ends {
            self.by_slot[flight.slot()] = None;
        }
        Some((received, ends))
    }

    /// Whether a request has its reply and waits for deliveries.
    pub fn has_reply(&self, flight: FlightId) -> bool {
        let open = self.of(flight).and_then(|(action, key)| {
            let awaited = self.actions[action.index()].as_ref()?;
            awaited.open.get(&key)
        });
        open.is_some_and(|open| open.flight == flight && open.replied)
    }

    /// Time goes on: what has ended and was sent long ago waits for nothing more.
    pub fn forget(&mut self, now: Time) {
        let actions = self.actions.iter_mut().flatten();
        actions.for_each(|awaited| awaited.forget(now));
    }

    /// The subscription over which requests await what is delivered by this one, where one of this key does or did.
    pub fn awaiting(&self, by: Deliverer, key: Key) -> Option<Subscription> {
        let actions = (0u16..).map(ActionId).zip(&self.actions);
        let mut actions = actions.filter_map(|(id, awaited)| Some((id, awaited.as_ref()?)));
        let found = actions.find(|(_, one)| one.of.from == Some(by) && one.knows(key));
        found.map(|(action, one)| Subscription {
            action,
            subscribers: one.of.subscribers.get(),
        })
    }

    /// How many deliveries came for requests of earlier loads.
    pub fn late_of_earlier(&self) -> u64 {
        self.late_of_earlier
    }

    /// The requests of this load and of those before it of which something is missing.
    pub fn into_earlier(self) -> Earlier {
        let Mailbox {
            earlier, actions, ..
        } = self;
        let mut before = earlier.0.into_iter();
        let all = actions.into_iter().map(|awaited| {
            let before = before.next().unwrap_or_default();
            let Some(Awaited { open, closed, .. }) = awaited else {
                return before;
            };
            let Closed { known, oldest } = closed;
            let is_missing = |key: &Key| known.get(key).is_some_and(|(_, complete)| !complete);
            let missing = oldest.into_iter().rev().filter(is_missing);
            // What is likeliest to come first; what is forgotten is told as unmatched.
            let keys = open.into_keys().chain(missing).chain(before);
            keys.take(REMEMBERED).collect()
        });
        Earlier(all.collect())
    }

    /// Whether something is still to come.
    pub fn is_waiting(&self) -> bool {
        let mut actions = self.actions.iter().flatten();
        actions.any(|awaited| !awaited.open.is_empty())
    }

    fn of(&self, flight: FlightId) -> Option<(ActionId, Key)> {
        let (known, action, key) = (*self.by_slot.get(flight.slot())?)?;
        (known == flight).then_some((action, key))
    }
}

#[cfg(test)]
mod tests;
