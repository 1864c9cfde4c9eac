//! The identity of a request in the live world, from which a double draws the demand that the simulation gives the request.
//! It is in the reply subject, and where that is not available, in a header: client, user, number and try, separated by
//! slashes, followed by the load if several are sent in a row. The spec decides whether there is a header and its name
//! ([`Sending::request_id`](blis_sim::model::Sending)).

use std::fmt::{self, Write};

use async_nats::{HeaderMap, Message};
use blis_sim::event::Request;
use blis_sim::model::{ClientId, Model, REQUEST_ID};
pub use blis_sim::model::{MEMBER, SERVICE_TIME, VISITS};
use blis_sim::runner::Epoch;

use crate::wire::reply_id::{ReplyId, push_hex};

/// The header of a visit that one double hands to another: what its demand depends on.
pub const VISIT: &str = "Blis-Visit";
/// The header of a message that a double publishes to a stream: what the demands of its deliveries depend on.
pub const MESSAGE: &str = "Blis-Message";
/// The header of such a message with the subject at which its consumer answers the user, where the path leaves that to it.
pub const REPLY_TO: &str = "Blis-Reply-To";
/// The header with which a service tells of an error.
pub const SERVICE_ERROR: &str = "Nats-Service-Error";
/// The header with the code of that error.
pub const SERVICE_ERROR_CODE: &str = "Nats-Service-Error-Code";
/// The code of a request that was refused by a full line or by admission.
pub const REJECTED: &str = "429";
/// The code of a visit that found nobody: only doubles tell one another.
pub const UNREACHABLE: &str = "503";

/// What the header of a request says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Whose.
    pub client: ClientId,
    /// The user's number within its client.
    pub user: u64,
    /// The request's number within its user.
    pub number: u64,
    /// Which try.
    pub attempt: u16,
    /// The load that it belongs to, which changes nothing of what it draws and is passed on with it.
    pub epoch: Epoch,
}

impl Identity {
    /// Of a request of this load.
    pub fn of(epoch: Epoch, request: &Request) -> Identity {
        Identity {
            epoch,
            client: request.client,
            user: request.user_number,
            number: request.number,
            attempt: request.attempt,
        }
    }

    /// As the header has it, of a client of this name: with the load at its end, unless that is the first.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, client: &str, out: &mut impl Write) -> fmt::Result {
        let Identity {
            user,
            number,
            attempt,
            epoch,
            ..
        } = self;
        write!(out, "{client}/{user}/{number}/{attempt}")?;
        match *epoch {
            Epoch::FIRST => Ok(()),
            later => write!(out, "/{}", later.number()),
        }
    }

    /// The same for a client of the model.
    pub fn header<P>(&self, model: &Model<P>) -> String {
        let mut header = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&model.clients[self.client.index()].name, &mut header);
        header
    }

    /// What the subject of the reply ends with where no header says it: the same for a client of this name, after what
    /// [`ReplyId`] writes.
    pub fn write_token(&self, client: &str, out: &mut String) {
        let Identity {
            user,
            number,
            attempt,
            ..
        } = self;
        for number in [*user, *number, u64::from(*attempt)] {
            out.push('-');
            push_hex(number, out);
        }
        out.push('-');
        out.push_str(client);
    }

    /// That of a request: of its headers, or else of the subject of its reply.
    pub fn of_request<P>(message: &Message, model: &Model<P>) -> Option<Identity> {
        let reply = || Identity::of_reply(message.reply.as_deref()?, model);
        Identity::found(message.headers.as_ref(), model).or_else(reply)
    }

    /// What the subject of a reply says; `None` when it is of no client of the model, or does not say.
    fn of_reply<P>(subject: &str, model: &Model<P>) -> Option<Identity> {
        let (_, token) = subject.rsplit_once('.')?;
        // Names of clients have hyphens, too.
        let epoch = ReplyId::read(token)?.epoch;
        let mut parts = token.splitn(7, '-').skip(3);
        let mut number = || u64::from_str_radix(parts.next()?, 16).ok();
        let (user, number, attempt) = (number()?, number()?, number()?);
        Some(Identity {
            client: client_of(parts.next()?, model)?,
            user,
            number,
            attempt: attempt.try_into().ok()?,
            epoch,
        })
    }

    /// That of a message, under any of the names that the spec gives the header.
    pub fn found<P>(headers: Option<&HeaderMap>, model: &Model<P>) -> Option<Identity> {
        let headers = headers?;
        let sendings = model
            .actions
            .iter()
            .filter_map(|action| action.sending.as_ref());
        let names = sendings.filter_map(|sending| sending.request_id.as_deref());
        let mut names = [REQUEST_ID].into_iter().chain(names);
        names.find_map(|name| Identity::parse(headers.get(name)?.as_str(), model))
    }

    /// What a header says; `None` when it is of no client of the model, or no identity.
    pub fn parse<P>(header: &str, model: &Model<P>) -> Option<Identity> {
        let mut parts = header.split('/');
        let identity = Identity {
            client: client_of(parts.next()?, model)?,
            user: parts.next()?.parse().ok()?,
            number: parts.next()?.parse().ok()?,
            attempt: parts.next()?.parse().ok()?,
            epoch: Epoch::FIRST,
        };
        let epoch = match parts.next().map(str::parse::<u32>) {
            None => Epoch::FIRST,
            Some(later) => Epoch::of(later.ok()?),
        };
        let identity = Identity { epoch, ..identity };
        let ends = parts.next().is_none();
        ends.then_some(identity)
    }
}

/// The client of this name.
fn client_of<P>(name: &str, model: &Model<P>) -> Option<ClientId> {
    let mut clients = (0u16..).map(ClientId).zip(&model.clients);
    let (client, _) = clients.find(|(_, known)| known.name == name)?;
    Some(client)
}

#[cfg(test)]
mod tests {
    use blis_sim::event::FlightId;
    use blis_sim::model::{ActionId, SendKind};
    use blis_sim::time::Time;

    use super::*;
    use crate::wire::message::message;
    use crate::wire::rendering::Renderer;
    use crate::wire::text::Filler;

    #[test]
    fn the_subject_of_a_reply_says_whose_request_it_is() {
        let spec = "{blis: 1, name: a, run: {requests: 9}, clients: {a-b-c: {concurrency: 1, do: ask}, users: {concurrency: 1, \
                    do: ask}}, actions: {ask: {path: [reply], live: {request: a}}}}";
        let spec = blis_sim::spec::read(spec).expect("it reads");
        let model = blis_sim::spec::lower(&spec).expect("it lowers").model;
        let mut renders = Renderer::new(Filler::new(Epoch::FIRST, &model));
        let id = ReplyId {
            kind: SendKind::Request,
            action: ActionId(3),
            flight: FlightId::from_bits(0x1_0000_00ff),
            epoch: Epoch::of(2),
        };
        for client in [0, 1] {
            for (user, number, attempt) in [(0, 0, 0), (17, 255, 3), (u64::MAX, 9, u16::MAX)] {
                let request = Request {
                    user: Default::default(),
                    client: ClientId(client),
                    action: ActionId(3),
                    attempt,
                    user_number: user,
                    number,
                    intended: Time::ZERO,
                };
                let subject = renders.reply("_INBOX.x.", id, Some(&request));
                let mut asked = message("a", &[], "");
                asked.reply = Some(subject.clone());
                let identity = Identity::of(id.epoch, &request);
                assert_eq!(
                    Identity::of_request(&asked, &model),
                    Some(identity),
                    "{subject}"
                );
                assert_eq!(
                    ReplyId::read(&subject["_INBOX.x.".len()..]),
                    Some(id),
                    "{subject}"
                );
                // A header says it for whoever handed the request on.
                let mut handed = message("a", &[("Blis-Request", "users/1/2/3")], "");
                handed.reply = Some(subject);
                let named = Identity::of_request(&handed, &model).expect("an identity");
                assert_eq!((named.user, named.number, named.attempt), (1, 2, 3));
            }
        }
        let bare = renders.reply("_INBOX.x.", id, None);
        assert_eq!(bare.as_str(), "_INBOX.x.r3-1000000ff-2");
        for odd in [
            bare.as_str(),
            "_INBOX.x.r3-1-2-0-0-0-nobody",
            "_INBOX.x.r3-1-2-0-0-10000-users",
            "_INBOX.x.r3-1-2-0-x-0-users",
            "_INBOX.x.r3-1-2-0-0-0",
            "_INBOX.Dyo1XUEmVDs1TnP0yJCY5b.gkBkwcyu",
            "answers",
        ] {
            let mut asked = message("a", &[], "");
            asked.reply = Some(odd.into());
            assert_eq!(Identity::of_request(&asked, &model), None, "{odd}");
        }
    }

    #[test]
    fn what_is_rendered_is_cut_from_blocks_that_are_used_again() {
        let spec = "{blis: 1, name: a, run: {requests: 9}, clients: {c: {concurrency: 1, do: ask}}, actions: {ask: {path: [reply], \
                    live: {request: \"a.{n}\"}}}}";
        let spec = blis_sim::spec::read(spec).expect("it reads");
        let model = blis_sim::spec::lower(&spec).expect("it lowers").model;
        let template = &model.actions[0]
            .sending
            .as_ref()
            .expect("it is sent")
            .subject;
        let mut renders = Renderer::new(Filler::new(Epoch::FIRST, &model));
        let mut kept = Vec::new();
        for number in 0..50_000 {
            let request = Request {
                user: Default::default(),
                client: ClientId(0),
                action: ActionId(0),
                attempt: 0,
                user_number: 0,
                number,
                intended: Time::ZERO,
            };
            let text = format!("a.{number}");
            assert_eq!(renders.text(template, &request, 1), text);
            let subject = renders.subject();
            assert_eq!(subject.as_str(), text);
            if number % 5_000 == 0 {
                kept.push((subject, text));
            }
        }
        // What was cut before stays what it was.
        assert!(kept.iter().all(|(subject, text)| subject.as_str() == text));
    }
}
