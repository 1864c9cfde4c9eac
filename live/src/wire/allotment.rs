//! The connections of users.
//!
//! Clients without `connections` share those of the run: a pool, or one connection per closed-loop user and open client. A
//! client with `connections` has its own, apart from all others.

use std::collections::BTreeMap;

use blis_sim::event::Request;
use blis_sim::model::{Client, Connections, Model, Source};

/// The connections of one client: some in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Share {
    /// The first one.
    first: u64,
    /// How many users take in turn.
    number: u64,
}

/// The connections of a run.
#[derive(Debug, Clone)]
pub struct Allotment {
    /// By client.
    shares: Vec<Share>,
    number: u64,
}

impl Allotment {
    /// The connections that a model's users need.
    pub fn new<P>(model: &Model<P>) -> Allotment {
        let own = |client: &Client| client.connections.unwrap_or(model.connections);
        // The pool of the run comes first, where someone sends over it.
        let shared = match model.connections {
            Connections::Pool(number) => model
                .clients
                .iter()
                .any(|client| client.connections.is_none())
                .then_some(number),
            Connections::PerUser => None,
        };
        let mut taken = shared.map_or(0, |number| u64::from(number.get()));
        let shares = model.clients.iter().map(|client| {
            if let (None, Some(number)) = (client.connections, shared) {
                return Share {
                    first: 0,
                    number: number.get().into(),
                };
            }
            let first = taken;
            let number = match own(client) {
                Connections::Pool(number) => number.get().into(),
                Connections::PerUser => users(client),
            };
            taken = taken.saturating_add(number);
            Share { first, number }
        });
        let shares = shares.collect();
        Allotment {
            shares,
            number: taken,
        }
    }

    /// How many connections there are.
    pub fn number(&self) -> u32 {
        u32::try_from(self.number).unwrap_or(u32::MAX)
    }

    /// The connection that a request is sent over.
    pub fn of(&self, request: &Request) -> usize {
        let share = self.shares[request.client.index()];
        (share.first + request.user_number % share.number.max(1)) as usize
    }

    /// How many closed users send over one connection, at most.
    pub fn most_users<P>(&self, model: &Model<P>) -> u64 {
        // The clients of one pool are together on its connections.
        let mut crowds: BTreeMap<u64, u64> = BTreeMap::new();
        for (client, share) in model.clients.iter().zip(&self.shares) {
            let crowd = crowds.entry(share.first).or_default();
            *crowd = crowd.saturating_add(client.closed_users().div_ceil(share.number.max(1)));
        }
        crowds.into_values().max().unwrap_or(0).max(1)
    }
}

/// The connections of a client's own: one for each closed user, one for all sessions of an open client.
fn users(client: &Client) -> u64 {
    match client.source {
        Source::Closed { .. } => client.closed_users(),
        Source::Open { .. } => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blis_sim::model::{ActionId, ClientId};

    fn model(clients: &str, more: &str) -> Model {
        let spec = format!(
            "{{blis: 1, name: a, run: {{requests: 9}}, actions: {{ask: {{path: [reply]}}}}, clients: {{{clients}}}{more}}}"
        );
        let spec = blis_sim::spec::read(&spec).expect("it reads");
        blis_sim::spec::lower(&spec).expect("it lowers").model
    }

    /// The connections that the first users of each client send over.
    fn of(allotment: &Allotment, client: u16, users: u64) -> Vec<usize> {
        let request = |user_number| Request {
            user: Default::default(),
            client: ClientId(client),
            action: ActionId(0),
            attempt: 0,
            user_number,
            number: 0,
            intended: Default::default(),
        };
        (0..users)
            .map(|user| allotment.of(&request(user)))
            .collect()
    }

    const CLIENTS: &str =
        "a: {concurrency: 3, do: ask}, b: {rate: 5/s, do: ask}, c: {concurrency: 2, do: ask}";

    #[test]
    fn users_have_their_own_unless_they_share() {
        let allotment = Allotment::new(&model(CLIENTS, ""));
        assert_eq!(allotment.number(), 6);
        assert_eq!(of(&allotment, 0, 3), [0, 1, 2]);
        assert_eq!(of(&allotment, 1, 3), [3, 3, 3]);
        assert_eq!(of(&allotment, 2, 2), [4, 5]);
        let allotment = Allotment::new(&model(CLIENTS, ", connections: {pool: 2}"));
        assert_eq!(allotment.number(), 2);
        assert_eq!(of(&allotment, 0, 3), [0, 1, 0]);
        assert_eq!(of(&allotment, 2, 2), [0, 1]);
    }

    #[test]
    fn a_client_may_have_connections_of_its_own() {
        let clients = CLIENTS.replace("b: {", "b: {connections: {pool: 2}, ");
        let allotment = Allotment::new(&model(&clients, ""));
        assert_eq!(allotment.number(), 7);
        assert_eq!(of(&allotment, 1, 3), [3, 4, 3]);
        assert_eq!(of(&allotment, 2, 2), [5, 6]);
        let allotment = Allotment::new(&model(&clients, ", connections: shared"));
        assert_eq!(allotment.number(), 3);
        assert_eq!(of(&allotment, 0, 3), [0, 0, 0]);
        assert_eq!(of(&allotment, 1, 3), [1, 2, 1]);
        let clients = CLIENTS.replace("c: {", "c: {connections: per_user, ");
        let allotment = Allotment::new(&model(&clients, ", connections: shared"));
        assert_eq!(allotment.number(), 3);
        assert_eq!(of(&allotment, 2, 2), [1, 2]);
        // A pool that nobody sends over is not connected.
        let clients = "a: {concurrency: 3, do: ask, connections: shared}";
        let allotment = Allotment::new(&model(clients, ", connections: {pool: 9}"));
        assert_eq!(allotment.number(), 1);
    }

    #[test]
    fn closed_users_share_the_connections_of_a_pool() {
        let clients =
            "a: {concurrency: 7, do: ask}, b: {concurrency: 3, do: ask}, c: {rate: 9/s, do: ask}";
        let most = |clients: &str, more: &str| {
            let model = model(clients, more);
            Allotment::new(&model).most_users(&model)
        };
        assert_eq!(most(clients, ", connections: {pool: 3}"), 4);
        assert_eq!(most(clients, ""), 1);
        let apart = clients.replace("b: {", "b: {connections: shared, ");
        assert_eq!(most(&apart, ", connections: {pool: 3}"), 3);
    }
}
