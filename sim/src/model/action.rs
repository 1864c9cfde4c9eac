//! Actions: the kinds of requests.

use super::deliveries::Await;
use super::ids::ClassId;
use super::live::Sending;
use super::size::Sizes;
use super::slo::Slo;
use super::step::Path;
use crate::time::Span;

/// An action: a kind of request.
#[derive(Debug, Clone, PartialEq)]
pub struct Action<P = Path> {
    /// Its name in the spec.
    pub name: String,
    /// What its requests do in the backend.
    pub path: P,
    /// Its objectives.
    pub slo: Slo,
    /// The class of its requests at services that serve by priority.
    pub class: Option<ClassId>,
    /// How long after its intended time a request is due, at services that serve by deadline; the client's timeout
    /// unless given.
    pub deadline: Option<Span>,
    /// What its requests take besides their replies before they are done.
    pub awaited: Option<Await>,
    /// How much its requests carry; `None` where the places of a text decide it.
    pub size: Option<Sizes>,
    /// How its requests are sent to a real cluster, where the spec says so.
    pub sending: Option<Sending>,
}

impl<P> Action<P> {
    /// The same action with other knowledge of its path.
    pub fn with_path<Q>(self, path: Q) -> Action<Q> {
        Action {
            path,
            name: self.name,
            slo: self.slo,
            class: self.class,
            deadline: self.deadline,
            awaited: self.awaited,
            size: self.size,
            sending: self.sending,
        }
    }
}
