//! Further data on the end of a request: why it failed, its connection, and its reply.

use std::sync::Arc;

use super::Reason;

/// The most headers of a reply that are kept.
pub const MOST_HEADERS: usize = 8;
/// The most bytes of one of their values that are kept.
pub const MOST_BYTES: usize = 128;
/// What stands for the rest of a longer value.
const REST: &str = "…";

/// What is known of a request besides its times and its outcome, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Details {
    /// Why it ended as anything but `ok`.
    pub reason: Option<Reason>,
    /// The connection that it was sent over, from 0.
    pub connection: Option<u32>,
    /// The reply to it.
    pub reply: Option<Reply>,
}

impl Details {
    /// That it failed for this reason.
    pub const fn failed(reason: Reason) -> Details {
        Details {
            reason: Some(reason),
            connection: None,
            reply: None,
        }
    }

    /// Adds what is known by now.
    pub fn add(&mut self, more: &Details) {
        self.reason = more.reason.or(self.reason);
        self.connection = more.connection.or(self.connection);
        if more.reply.is_some() {
            self.reply.clone_from(&more.reply);
        }
    }
}

/// What a reply was like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// The bytes of its payload.
    pub bytes: u32,
    /// Those of its headers that the spec names.
    pub headers: ReplyHeaders,
}

/// Values of the headers of a reply that the spec names, each with the position of its name in that list. They are a
/// stranger's: there are at most [`MOST_HEADERS`], none longer than [`MOST_BYTES`], and they are to be filtered before they
/// are printed.
///
/// One behind the other: position, number of bytes, bytes in UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplyHeaders(Option<Arc<[u8]>>);

impl ReplyHeaders {
    /// Of values with their positions. Of a longer one the end is left out, which then ends in `…`.
    pub fn of<'a>(values: impl IntoIterator<Item = (usize, &'a str)>) -> ReplyHeaders {
        let mut packed = Vec::new();
        let fitting = values.into_iter().filter(|(at, _)| *at < MOST_HEADERS);
        for (at, value) in fitting.take(MOST_HEADERS) {
            let (value, rest) = match value.len() > MOST_BYTES {
                true => {
                    let end = value.floor_char_boundary(MOST_BYTES - REST.len());
                    (&value[..end], REST)
                }
                false => (value, ""),
            };
            // Both fit by the bounds.
            packed.extend([at as u8, (value.len() + rest.len()) as u8]);
            packed.extend_from_slice(value.as_bytes());
            packed.extend_from_slice(rest.as_bytes());
        }
        ReplyHeaders((!packed.is_empty()).then(|| packed.into()))
    }

    /// What was packed so, if it was, and it is this many values.
    pub fn unpack(packed: &[u8], number: usize) -> Option<ReplyHeaders> {
        let mut rest = packed;
        let mut found = 0;
        while let [at, length, behind @ ..] = rest {
            let value = behind.get(..usize::from(*length))?;
            let fits = usize::from(*at) < MOST_HEADERS && value.len() <= MOST_BYTES;
            if !fits || std::str::from_utf8(value).is_err() {
                return None;
            }
            found += 1;
            rest = &behind[value.len()..];
        }
        let is_whole = rest.is_empty() && found == number && number <= MOST_HEADERS;
        is_whole.then(|| ReplyHeaders((!packed.is_empty()).then(|| packed.into())))
    }

    /// As [`unpack`](Self::unpack) takes them.
    pub fn packed(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }

    /// How many there are.
    pub fn number(&self) -> usize {
        self.iter().count()
    }

    /// The values with their positions.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut rest = self.packed();
        std::iter::from_fn(move || {
            let [at, length, behind @ ..] = rest else {
                return None;
            };
            let value = behind.get(..usize::from(*length))?;
            rest = &behind[value.len()..];
            Some((usize::from(*at), std::str::from_utf8(value).ok()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_unpacked_as_they_were_packed() {
        let long = "ä".repeat(100);
        let headers = ReplyHeaders::of([(0, "7"), (1, ""), (5, &*long), (MOST_HEADERS, "no")]);
        let found: Vec<(usize, &str)> = headers.iter().collect();
        let cut = format!("{}…", "ä".repeat((MOST_BYTES - 3) / 2));
        assert_eq!(found, [(0, "7"), (1, ""), (5, &*cut)]);
        assert_eq!(ReplyHeaders::unpack(headers.packed(), 3), Some(headers));
        let none = ReplyHeaders::of([]);
        assert_eq!((none.number(), none.packed()), (0, &[][..]));
        assert_eq!(ReplyHeaders::unpack(&[], 0), Some(none));
    }

    #[test]
    fn what_was_not_packed_is_not_unpacked() {
        let packed = ReplyHeaders::of([(0, "seven"), (2, "x")]).packed().to_vec();
        for cut in 0..packed.len() {
            assert_eq!(ReplyHeaders::unpack(&packed[..cut], 2), None, "{cut}");
        }
        for (at, value) in [(0, MOST_HEADERS as u8), (1, 200), (2, 0xff)] {
            let mut forged = packed.clone();
            forged[at] = value;
            assert_eq!(ReplyHeaders::unpack(&forged, 2), None, "{at}");
        }
        assert_eq!(ReplyHeaders::unpack(&packed, 1), None);
        let many = [0, 0].repeat(MOST_HEADERS + 1);
        assert_eq!(ReplyHeaders::unpack(&many, MOST_HEADERS + 1), None);
        let long = [&[0, 200][..], &[b'a'; 200]].concat();
        assert_eq!(ReplyHeaders::unpack(&long, 1), None);
    }

    #[test]
    fn what_is_known_later_is_added() {
        let mut details = Details {
            connection: Some(3),
            ..Details::default()
        };
        let reply = Reply {
            bytes: 5,
            headers: ReplyHeaders::of([(0, "a")]),
        };
        details.add(&Details {
            reply: Some(reply.clone()),
            ..Details::default()
        });
        details.add(&Details::failed(Reason::ServiceError));
        let all = Details {
            reason: Some(Reason::ServiceError),
            connection: Some(3),
            reply: Some(reply),
        };
        assert_eq!(details, all);
    }
}
