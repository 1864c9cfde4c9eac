//! Reasons of failed requests.

use super::Outcome;

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
