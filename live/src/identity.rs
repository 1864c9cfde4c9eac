//! How a request is known in the live world: the header that carries its identity, from which the double of a service
//! draws the demand that the simulation gives it. The header has client, user, number and try, with slashes between; its
//! name is the spec's affair ([`Sending::request_id`](blis_sim::model::Sending)).

use std::fmt::{self, Write};

use async_nats::HeaderMap;
use blis_sim::event::Request;
use blis_sim::model::{ClientId, Model, REQUEST_ID};
pub use blis_sim::model::{MEMBER, SERVICE_TIME};

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
}

impl Identity {
    /// Of a request.
    pub fn of(request: &Request) -> Identity {
        Identity {
            client: request.client,
            user: request.user_number,
            number: request.number,
            attempt: request.attempt,
        }
    }

    /// As the header has it, of a client of this name.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, client: &str, out: &mut impl Write) -> fmt::Result {
        let Identity {
            user,
            number,
            attempt,
            ..
        } = self;
        write!(out, "{client}/{user}/{number}/{attempt}")
    }

    /// The same for a client of the model.
    pub fn header<P>(&self, model: &Model<P>) -> String {
        let mut header = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&model.clients[self.client.index()].name, &mut header);
        header
    }

    /// That of a message, under any of the names that the spec gives the header.
    pub fn found<P>(headers: Option<&HeaderMap>, model: &Model<P>) -> Option<Identity> {
        let headers = headers?;
        let sendings = model
            .actions
            .iter()
            .filter_map(|action| action.sending.as_ref());
        let names = sendings.map(|sending| sending.request_id.as_str());
        let mut names = [REQUEST_ID].into_iter().chain(names);
        names.find_map(|name| Identity::parse(headers.get(name)?.as_str(), model))
    }

    /// What a header says; `None` when it is of no client of the model, or no identity.
    pub fn parse<P>(header: &str, model: &Model<P>) -> Option<Identity> {
        let mut parts = header.split('/');
        let client = parts.next()?;
        let (client, _) = (0u16..)
            .map(ClientId)
            .zip(&model.clients)
            .find(|(_, known)| known.name == client)?;
        let identity = Identity {
            client,
            user: parts.next()?.parse().ok()?,
            number: parts.next()?.parse().ok()?,
            attempt: parts.next()?.parse().ok()?,
        };
        // The load that the request belongs to changes nothing of what it draws.
        let epoch = parts.next().map(str::parse::<u32>);
        let ends = parts.next().is_none() && epoch.is_none_or(|epoch| epoch.is_ok());
        ends.then_some(identity)
    }
}
