//! What is written is read again, and nothing else is.

use blis_sim::engine::LoadEnd;
use blis_sim::event::{Outcome, Reason, Received, ReplyHeaders, SessionEnd};
use blis_sim::model::{ActionId, ClientId};
use blis_sim::time::Time;
use blis_sim::trace::Row;
use proptest::prelude::*;

use super::super::entry::{End, Entry, Unit, What};
use super::super::tests::{RUN, done, unit};
use super::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn entries_are_read_as_they_were_written(
        kind in 0u8..10, small in any::<[u16; 3]>(), large in any::<[u64; 6]>(), outcome in 0usize..7,
        reason in prop::option::of(0usize..Reason::ALL.len()), connection in prop::option::of(0u32..0xff_ffff),
        reply_bytes in prop::option::of(0..u32::MAX), values in prop::collection::vec((0usize..8, ".{0,60}"), 0..8),
    ) {
        let row = Row {
            client: ClientId(small[0]),
            user: large[0],
            number: large[1],
            attempt: small[2],
            action: ActionId(small[1]),
            intended: Time::from_nanos(large[2]),
            sent: Time::from_nanos(large[3]),
            done: Time::from_nanos(large[4]),
            outcome: Outcome::ALL[outcome],
            in_window: large[0] % 2 == 0,
            reason: reason.map(|reason| Reason::ALL[reason]),
            connection,
            reply_bytes,
        };
        let (client, at) = (ClientId(small[0]), row.done);
        let end = SessionEnd::ALL[outcome % 4];
        let by = [LoadEnd::Horizon, LoadEnd::Budget, LoadEnd::Idle, LoadEnd::Interrupted][outcome % 4];
        let (intended, sent) = (row.intended, row.sent);
        let received = match outcome {
            0 => Received::Duplicate { intended },
            1 => Received::Late { intended },
            2 => Received::Unmatched,
            _ => Received::Delivered { intended, sent, is_first: outcome % 2 == 0, is_last: outcome > 4 },
        };
        let what = match kind {
            0 => What::Intended(row),
            1 => What::Done(row),
            2 => What::LateReply(at),
            3 => What::SessionStarted(client, at),
            4 => What::SessionEnded(client, end, at),
            5 => What::LoadEnded(at),
            7 => What::DuplicateReply(at),
            8 => What::Settled(row),
            9 => What::Received(row.action, received, at),
            _ => What::Ended(End { by, at, intended: large[1] }),
        };
        let values = values.iter().map(|(at, value)| (*at, value.as_str()));
        let headers = ReplyHeaders::of(values.filter(|_| kind == 1));
        let entry = Entry { now: Time::from_nanos(large[5]), what, headers };
        let mut text = Vec::new();
        for (unit, units) in entry.encode().zip(1..) {
            match Unit::decode(&unit).expect("a unit") {
                Unit::Text(more) => text.extend(more),
                Unit::Entry(mut read, headers) => {
                    read.headers = ReplyHeaders::unpack(&text, headers).expect("its text");
                    prop_assert_eq!(&read, &entry);
                    prop_assert_eq!(units, entry.units());
                }
            }
        }
    }

    /// However a segment is cut off or a bit of it turned, what is read is a beginning of what was written.
    #[test]
    fn damage_never_yields_another_entry(
        frames in prop::collection::vec(1usize..5, 1..6), cut in any::<prop::sample::Index>(),
        bit in any::<prop::sample::Index>(), turn in any::<bool>(),
    ) {
        let mut bytes = Header { writer: 0, run: RUN }.encode().to_vec();
        let mut written = Vec::new();
        for length in frames {
            let first = written.len() as u64;
            let units: Vec<Bytes> = (first..first + length as u64).map(|n| unit(&done(n))).collect();
            write(first, &units, &mut bytes);
            written.extend(units);
        }
        let total = bytes.len();
        if turn {
            let bit = bit.index(total * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        } else {
            bytes.truncate(cut.index(total));
        }
        let got = bytes.len().min(HEADER);
        let beginning = Header::decode(&bytes[..got]);
        let is_whole = beginning == Beginning::Header(Header { writer: 0, run: RUN });
        prop_assert!(is_whole || turn || got < HEADER);
        if is_whole {
            let mut text = &bytes[HEADER..];
            let (mut found, mut torn) = (Vec::new(), 0);
            loop {
                match read(&mut text).expect("memory") {
                    Next::Frame(Frame { first, units }) => {
                        prop_assert_eq!(first, found.len() as u64);
                        found.extend(units);
                    }
                    Next::Torn(bytes) => torn += bytes,
                    Next::End => break,
                }
            }
            prop_assert_eq!(&found[..], &written[..found.len()]);
            prop_assert!(!turn || torn > 0);
            prop_assert!(!turn || found.len() < written.len());
        }
    }
}

#[test]
fn the_checksum_is_crc_32() {
    // The check value of the catalogue of parametrised CRC algorithms (Cook), CRC-32/ISO-HDLC.
    assert_eq!(crc32(&[b"123456789"]), 0xcbf4_3926);
    assert_eq!(crc32(&[b"1234", b"", b"56789"]), 0xcbf4_3926);
    assert_eq!(crc32(&[]), 0);
}
