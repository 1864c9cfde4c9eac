//! The id in the subject of a reply, from which the reply is read without a look at any table.

use blis_sim::event::FlightId;
use blis_sim::model::{ActionId, SendKind};
use blis_sim::runner::Epoch;

/// What the last token of the subject of a reply says: all that is needed to read the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyId {
    /// How the request was sent.
    pub kind: SendKind,
    /// What it asked for.
    pub action: ActionId,
    /// The request.
    pub flight: FlightId,
    /// The load that it belongs to.
    pub epoch: Epoch,
}

impl ReplyId {
    /// Writes the token.
    pub fn write(self, subject: &mut String) {
        let kind = match self.kind {
            SendKind::Jetstream | SendKind::KvPut => 'j',
            SendKind::KvCreate => 'c',
            SendKind::KvGet => 'k',
            SendKind::DirectGet => 'd',
            SendKind::Request | SendKind::Publish => 'r',
        };
        subject.push(kind);
        push_hex(self.action.0.into(), subject);
        subject.push('-');
        push_hex(self.flight.to_bits(), subject);
        subject.push('-');
        push_hex(self.epoch.number().into(), subject);
    }

    /// What the token of a reply says, whatever stands after it.
    pub(crate) fn read(token: &str) -> Option<ReplyId> {
        let (kind, rest) = token.split_at_checked(1)?;
        // After it may stand whose request it is.
        let mut parts = rest.splitn(4, '-');
        let (action, bits, epoch) = (parts.next()?, parts.next()?, parts.next()?);
        let kind = match kind {
            "j" => SendKind::Jetstream,
            "c" => SendKind::KvCreate,
            "k" => SendKind::KvGet,
            "d" => SendKind::DirectGet,
            _ => SendKind::Request,
        };
        Some(ReplyId {
            kind,
            action: ActionId(u16::from_str_radix(action, 16).ok()?),
            flight: FlightId::from_bits(u64::from_str_radix(bits, 16).ok()?),
            epoch: Epoch::of(u32::from_str_radix(epoch, 16).ok()?),
        })
    }
}

/// Writes a number with hexadecimal digits, as often as there are requests.
pub fn push_hex(number: u64, out: &mut String) {
    let digits = (64 - number.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        let digit = (number >> (4 * place)) & 0xf;
        // Every one of them is a digit.
        out.push(char::from_digit(digit as u32, 16).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_as_it_was_written() {
        let kinds = [
            SendKind::Request,
            SendKind::Jetstream,
            SendKind::KvCreate,
            SendKind::KvGet,
            SendKind::DirectGet,
        ];
        for bits in [0, 1, u64::MAX, 0x1234_5678_9abc_def0] {
            for kind in kinds {
                for (action, epoch) in [(0, 7), (17, 0), (u16::MAX, u32::MAX)] {
                    let id = ReplyId {
                        kind,
                        action: ActionId(action),
                        flight: FlightId::from_bits(bits),
                        epoch: Epoch::of(epoch),
                    };
                    let mut subject = String::new();
                    id.write(&mut subject);
                    assert_eq!(ReplyId::read(&subject), Some(id));
                }
            }
        }
        for odd in ["", "rxyz", "r1", "r1-", "r1-1", "r-1-0", "r10000-1-0", "é"] {
            assert_eq!(ReplyId::read(odd), None, "{odd}");
        }
    }
}
