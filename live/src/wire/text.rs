//! Templates filled in for a request: its subject, headers and payload.
//!
//! All values except the number within the run come from the identity of the request and the seed, so that the same request
//! has the same text in every run of a spec.

use std::fmt::Write as _;

use blis_sim::event::Request;
use blis_sim::model::{Choice, ClientId, ENVIRONMENT, Model, Piece, Template, Variable};
use blis_sim::random::{Key, Kind, Purpose};
use blis_sim::runner::Epoch;

use crate::wire::identity::Identity;

/// What fills in the templates of a model.
#[derive(Debug, Clone)]
pub struct Filler {
    epoch: Epoch,
    clients: Vec<Client>,
    variables: Vec<Variable>,
}

#[derive(Debug, Clone)]
struct Client {
    name: String,
    uuid: Key,
    /// By variable.
    variables: Vec<Key>,
}

impl Filler {
    /// Of a model, for the load of this epoch: what names a request names it in no other load. Everything else is the same.
    pub fn new<P>(epoch: Epoch, model: &Model<P>) -> Filler {
        let clients = model.clients.iter().map(|client| {
            let of_variable = |variable: &Variable| {
                let entity = format!("{}/{}", variable.name, client.name);
                Key::new(model.seed, Kind::Variable, &entity, Purpose::Value)
            };
            let entity = match epoch {
                Epoch::FIRST => client.name.clone(),
                later => format!("{}/{}", client.name, later.number()),
            };
            Client {
                name: client.name.clone(),
                uuid: Key::new(model.seed, Kind::Client, &entity, Purpose::Uuid),
                variables: model.variables.iter().map(of_variable).collect(),
            }
        });
        Filler {
            epoch,
            clients: clients.collect(),
            variables: model.variables.clone(),
        }
    }

    /// The name of a client.
    pub fn client(&self, client: ClientId) -> &str {
        &self.clients[client.index()].name
    }

    /// The text of a request, which is number `sequence` of the run.
    pub fn text(&self, template: &Template, request: &Request, sequence: u64) -> String {
        let mut out = String::new();
        self.write(template, request, sequence, &mut out);
        out
    }

    /// The most bytes of it, whatever its variables stand for.
    pub fn most_bytes(&self, template: &Template, request: &Request, sequence: u64) -> usize {
        let bytes = template.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.len(),
            Piece::Variable(position) => self.variables[usize::from(*position)].choice.longest(),
            _ => {
                let alone = Template(vec![piece.clone()]);
                self.text(&alone, request, sequence).len()
            }
        });
        bytes.sum()
    }

    /// The same at the end of `out`.
    pub fn write(&self, template: &Template, request: &Request, sequence: u64, out: &mut String) {
        let client = &self.clients[request.client.index()];
        for piece in &template.0 {
            // Writing to a string does not fail.
            let _ = match piece {
                Piece::Text(text) => out.write_str(text),
                Piece::Client => out.write_str(&client.name),
                Piece::User => write!(out, "{}", request.user_number),
                Piece::Number => write!(out, "{}", request.number),
                Piece::Attempt => write!(out, "{}", request.attempt),
                Piece::Sequence => write!(out, "{sequence}"),
                Piece::Id => self.write_id(request, &client.name, out),
                // Whoever sends has filled it in before.
                Piece::Environment(name) => write!(out, "{{{ENVIRONMENT}{name}}}"),
                Piece::Uuid => write_uuid(client.uuid, request, out),
                Piece::Variable(position) => {
                    let position = usize::from(*position);
                    let key = client.variables[position];
                    write_value(&self.variables[position], key, request, out)
                }
            };
        }
    }

    /// The id of a request, and after it the load that it belongs to unless that is the first.
    fn write_id(&self, request: &Request, client: &str, out: &mut String) -> std::fmt::Result {
        Identity::of(self.epoch, request).write(client, out)
    }
}

/// A UUID of version 8 (RFC 9562, 5.8): all its bits but the six of version and variant are drawn from the identity.
fn write_uuid(key: Key, request: &Request, out: &mut String) -> std::fmt::Result {
    let index = request.user_number;
    let mut draw = key.draw(index, (request.number << 16) | u64::from(request.attempt));
    let (high, low) = (draw.bits(), draw.bits());
    let high = (high & !0xf000) | 0x8000;
    let low = (low & !(0b11 << 62)) | (0b10 << 62);
    write!(
        out,
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

fn write_value(
    variable: &Variable,
    key: Key,
    request: &Request,
    out: &mut String,
) -> std::fmt::Result {
    let ordinal = if variable.of_user { 0 } else { request.number };
    let mut draw = key.draw(request.user_number, ordinal);
    match &variable.choice {
        Choice::OneOf(texts) => {
            // There is always one; a position on any machine fits.
            let chosen = draw.below(texts.len() as u64) as usize;
            out.write_str(&texts[chosen])
        }
        Choice::Range(from, to) => match (to - from).checked_add(1) {
            Some(numbers) => write!(out, "{}", from + draw.below(numbers)),
            None => write!(out, "{}", draw.bits()),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use blis_sim::model::{ActionId, ClientId};
    use blis_sim::time::Time;

    use super::*;

    const SPEC: &str = r#"
        blis: 1
        name: texts
        run: {requests: 10}
        clients:
          users: {concurrency: 2, do: ask}
          others: {rate: 1/s, do: ask}
        actions:
          ask: {path: [reply], live: {request: "a.{room}"}}
        variables:
          room: {one_of: [north, south, east]}
          home: {one_of: [north, south, east], per: user}
          shelf: {from: 3, to: 6}
          any: {from: 0, to: 18446744073709551615}
        "#;

    fn filler() -> (Filler, Vec<String>) {
        let spec = blis_sim::spec::read(SPEC).expect("it reads");
        let model = blis_sim::spec::lower(&spec).expect("it lowers").model;
        let names = model.variables.iter().map(|one| one.name.clone());
        (Filler::new(Epoch::FIRST, &model), names.collect())
    }

    fn fill(text: &str, client: u16, user: u64, number: u64, attempt: u16) -> String {
        let (filler, names) = filler();
        let template = Template::parse(text, names.iter().map(String::as_str)).expect("a template");
        let request = Request {
            user: Default::default(),
            client: ClientId(client),
            action: ActionId(0),
            attempt,
            user_number: user,
            number,
            intended: Time::ZERO,
        };
        filler.text(&template, &request, 99)
    }

    #[test]
    fn places_are_filled_in() {
        assert_eq!(
            fill(
                "{client}.{user}.{session}.{n}.{round}-{attempt}/{seq}",
                0,
                7,
                3,
                1
            ),
            "others.7.7.3.3-1/99"
        );
        assert_eq!(fill("{id}", 1, 7, 3, 1), "users/7/3/1");
        assert_eq!(fill("plain", 0, 0, 0, 0), "plain");
    }

    #[test]
    fn what_names_a_request_names_it_in_one_load() {
        let spec = blis_sim::spec::read(SPEC).expect("it reads");
        let model = blis_sim::spec::lower(&spec).expect("it lowers").model;
        let request = Request {
            user: Default::default(),
            client: ClientId(1),
            action: ActionId(0),
            attempt: 1,
            user_number: 7,
            number: 3,
            intended: Time::ZERO,
        };
        let of = |epoch: u32, text: &str| {
            let names = model.variables.iter().map(|one| one.name.as_str());
            let template = Template::parse(text, names).expect("a template");
            Filler::new(Epoch::of(epoch), &model).text(&template, &request, 1)
        };
        assert_eq!(of(0, "{id}"), "users/7/3/1");
        assert_eq!(of(4, "{id}"), "users/7/3/1/4");
        let uuids: BTreeSet<String> = (0..5).map(|epoch| of(epoch, "{uuid}")).collect();
        assert_eq!(uuids.len(), 5);
        // What the request says is the same.
        assert_eq!(of(4, "{room}.{shelf}.{any}"), of(0, "{room}.{shelf}.{any}"));
        // A double passes on what it says, and draws the same demand for it.
        let identity = |epoch| crate::wire::identity::Identity::parse(&of(epoch, "{id}"), &model);
        for epoch in [0, 4] {
            let id = identity(epoch).expect("an identity");
            assert_eq!(id.header(&model), of(epoch, "{id}"));
            assert_eq!((id.user, id.number, id.attempt), (7, 3, 1));
        }
        for odd in ["users/7/3/1/", "users/7/3/1/x", "users/7/3/1/4/5"] {
            assert_eq!(
                crate::wire::identity::Identity::parse(odd, &model),
                None,
                "{odd}"
            );
        }
    }

    #[test]
    fn a_uuid_is_of_its_request_alone() {
        let mut seen = BTreeSet::new();
        for (client, user, number, attempt) in [
            (0, 0, 0, 0),
            (1, 0, 0, 0),
            (0, 1, 0, 0),
            (0, 0, 1, 0),
            (0, 0, 0, 1),
        ] {
            let uuid = fill("{uuid}", client, user, number, attempt);
            assert_eq!(uuid, fill("{uuid}", client, user, number, attempt));
            let parts: Vec<usize> = uuid.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12], "{uuid}");
            assert_eq!(uuid.as_bytes()[14], b'8', "{uuid}");
            assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
            seen.insert(uuid);
        }
        assert_eq!(seen.len(), 5);
    }

    #[test]
    fn a_variable_takes_each_of_its_values() {
        let mut rooms: BTreeMap<String, u32> = BTreeMap::new();
        let mut shelves: BTreeMap<String, u32> = BTreeMap::new();
        for number in 0..400 {
            *rooms.entry(fill("{room}", 0, 5, number, 0)).or_default() += 1;
            *shelves.entry(fill("{shelf}", 0, 5, number, 0)).or_default() += 1;
            // A retry says what the first try said.
            assert_eq!(
                fill("{room}{shelf}", 0, 5, number, 0),
                fill("{room}{shelf}", 0, 5, number, 4)
            );
            assert_eq!(fill("{home}", 0, 5, number, 0), fill("{home}", 0, 5, 0, 0));
        }
        let names: Vec<&str> = rooms.keys().map(String::as_str).collect();
        assert_eq!(names, ["east", "north", "south"]);
        let names: Vec<&str> = shelves.keys().map(String::as_str).collect();
        assert_eq!(names, ["3", "4", "5", "6"]);
        // Of 400 draws the count of a third lies within 133 +- 4.5 standard deviations of 9.4, that of a quarter likewise.
        assert!(rooms.values().all(|count| (91..=176).contains(count)));
        assert!(shelves.values().all(|count| (61..=139).contains(count)));
        let homes: BTreeSet<String> = (0..60).map(|user| fill("{home}", 0, user, 0, 0)).collect();
        assert_eq!(homes.len(), 3);
        assert!(fill("{any}", 0, 1, 1, 0).parse::<u64>().is_ok());
    }
}
