//! Why requests failed, counted where they end: so that the reasons of an outcome add up to its count.
//!
//! Timeouts and what was in flight at the end of the run have no reason beside their outcome. A reply to a request that has
//! ended already ends none, and counts for no reason.

use blis_sim::event::Outcome;

/// How a request ended: answered, or for this reason.
pub type Ending = Result<(), Reason>;

/// Why a request ended as anything but `ok`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Nobody subscribes to the subject.
    NoResponders,
    /// A stream that has the subject answered, instead of a service.
    CapturedByStream,
    /// The reply is an error, by its header or by the spec.
    ServiceError,
    /// The reply refuses the request.
    Rejected,
    /// A stream refused the publication.
    StreamError,
    /// The key that was to be created is there.
    KeyExists,
    /// The key or the message that was to be read is not there.
    NotFound,
    /// The status line of the reply says that something is wrong.
    StatusError,
    /// It was not sent, because of what its templates came to.
    NotSendable,
    /// It was not sent: the connection had no room.
    ConnectionFull,
    /// It was not sent: the connection was down.
    ConnectionDown,
    /// It was in flight when its connection was lost.
    LostWithConnection,
    /// Its connection took it, and is not known to have written it.
    NotWritten,
    /// It was not sent: it is larger than the server takes.
    PayloadTooLarge,
    /// The server does not permit its subject.
    PermissionDenied,
    /// It was not sent: as many were in flight as may be.
    OverInFlightLimit,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 16] = [
        Reason::NoResponders,
        Reason::CapturedByStream,
        Reason::ServiceError,
        Reason::Rejected,
        Reason::StreamError,
        Reason::KeyExists,
        Reason::NotFound,
        Reason::StatusError,
        Reason::NotSendable,
        Reason::ConnectionFull,
        Reason::ConnectionDown,
        Reason::LostWithConnection,
        Reason::NotWritten,
        Reason::PayloadTooLarge,
        Reason::PermissionDenied,
        Reason::OverInFlightLimit,
    ];

    /// The key in the result document.
    pub fn name(self) -> &'static str {
        match self {
            Reason::NoResponders => "no_responders",
            Reason::CapturedByStream => "captured_by_a_stream",
            Reason::ServiceError => "service_errors",
            Reason::Rejected => "rejected",
            Reason::StreamError => "stream_errors",
            Reason::KeyExists => "key_exists",
            Reason::NotFound => "not_found",
            Reason::StatusError => "status_errors",
            Reason::NotSendable => "not_sendable",
            Reason::ConnectionFull => "connection_full",
            Reason::ConnectionDown => "connection_down",
            Reason::LostWithConnection => "lost_with_connection",
            Reason::NotWritten => "not_written",
            Reason::PayloadTooLarge => "payload_too_large",
            Reason::PermissionDenied => "permission_denied",
            Reason::OverInFlightLimit => "over_in_flight_limit",
        }
    }

    /// The outcome of a request that ends so.
    pub fn outcome(self) -> Outcome {
        match self {
            Reason::CapturedByStream
            | Reason::ServiceError
            | Reason::StreamError
            | Reason::KeyExists
            | Reason::NotFound
            | Reason::StatusError => Outcome::AppError,
            Reason::Rejected => Outcome::Rejected,
            Reason::ConnectionFull | Reason::OverInFlightLimit => Outcome::Dropped,
            Reason::NoResponders
            | Reason::ConnectionDown
            | Reason::NotSendable
            | Reason::LostWithConnection
            | Reason::NotWritten
            | Reason::PayloadTooLarge
            | Reason::PermissionDenied => Outcome::TransportError,
        }
    }
}

/// The outcome of an ending.
pub fn outcome_of(ending: Ending) -> Outcome {
    ending.map_or_else(Reason::outcome, |()| Outcome::Ok)
}

/// How many requests ended for each reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reasons([u64; Reason::ALL.len()]);

impl Reasons {
    /// Counts a request that ended.
    pub fn count(&mut self, ending: Ending) {
        if let Err(reason) = ending {
            self.0[reason as usize] += 1;
        }
    }

    /// How many ended for this reason.
    pub fn of(&self, reason: Reason) -> u64 {
        self.0[reason as usize]
    }

    /// How many ended for a reason of this outcome.
    pub fn of_outcome(&self, outcome: Outcome) -> u64 {
        let reasons = Reason::ALL.into_iter();
        let of = reasons.filter(|reason| reason.outcome() == outcome);
        of.map(|reason| self.of(reason)).sum()
    }

    /// Those that are not zero.
    pub fn all(&self) -> impl Iterator<Item = (Reason, u64)> {
        let all = Reason::ALL
            .into_iter()
            .map(|reason| (reason, self.of(reason)));
        all.filter(|(_, number)| *number > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_place_and_a_name_of_its_own() {
        let mut names: Vec<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        for (place, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, place, "{reason:?}");
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Reason::ALL.len());
    }

    #[test]
    fn the_documents_list_every_reason() {
        let text = include_str!("../../docs/semantics.md");
        let list = text.split_once("`reasons` (why requests failed: ");
        let (list, _) = list
            .and_then(|(_, rest)| rest.split_once(')'))
            .expect("a list in brackets");
        let listed: Vec<&str> = list
            .split(", ")
            .map(|name| name.trim_matches('`'))
            .collect();
        assert_eq!(listed, Reason::ALL.map(Reason::name));
    }
}
