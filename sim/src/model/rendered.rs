//! Rules for what may be sent: subjects and headers after a template is filled in.
//!
//! The same rules hold before a load, for every text of a template, and before each send. Of the subjects of the server only
//! reads and the keys of key-value buckets are allowed; everything that is not listed here is refused.

use std::fmt::{self, Display, Formatter};

use super::live::SendKind;

/// What the subjects of the JetStream API start with, unless a server is told otherwise.
pub const API: &str = "$JS.API";
/// What the subjects of keys start with.
pub const KEYS: &str = "$KV";
/// What the names of the streams of buckets start with.
pub const BUCKET: &str = "KV_";
/// The most bytes of a subject: a server reads no longer line than 4096 bytes, which has the subject of the reply too.
pub const MAX_SUBJECT: usize = 2048;

/// What of the JetStream API may be asked: all of it reads, and leaves everything as it was.
const READS: [&str; 10] = [
    "INFO",
    "STREAM.NAMES",
    "STREAM.LIST",
    "STREAM.INFO.*",
    "STREAM.MSG.GET.*",
    "CONSUMER.NAMES.*",
    "CONSUMER.LIST.*",
    "CONSUMER.INFO.*.*",
    "DIRECT.GET.*",
    "DIRECT.GET.*.>",
];

/// The header by which a message does something to its key.
const OPERATION: &str = "KV-Operation";

/// Why a subject or a header is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A subject with nothing before, between or after its dots.
    EmptyToken,
    /// A subject that stands for several.
    Wildcard,
    /// A subject with a blank or a control character.
    Blank,
    /// A subject that is longer than a server reads.
    TooLong,
    /// A subject of the server that is neither read from nor a key.
    OfTheServer,
    /// A subject by which streams, consumers or accounts are changed.
    Administration,
    /// A key that the clients of buckets do not take.
    NoKey,
    /// A header with a line break or another control character.
    SeveralLines,
    /// A header by which a message deletes others.
    Deletes,
    /// A header by which the server sends on its own.
    Schedules,
    /// A text in one token of a subject that is none or several.
    NoToken,
}

impl Flaw {
    /// What to do instead.
    pub fn help(self) -> &'static str {
        match self {
            Flaw::EmptyToken | Flaw::Wildcard | Flaw::Blank => {
                "write tokens separated by dots, such as `demo.ask`"
            }
            Flaw::TooLong => "give subjects of up to 2048 bytes",
            Flaw::OfTheServer => {
                "send to application subjects, keys (`$KV.BUCKET.KEY`), or reads of the JetStream API"
            }
            Flaw::Administration => {
                "send only reads: INFO, NAMES, LIST, STREAM.MSG.GET and DIRECT.GET of the JetStream API"
            }
            Flaw::NoKey => {
                "use letters, digits, `-`, `_`, `=`, `/` and dots in the key, after the bucket"
            }
            Flaw::SeveralLines => "write one line of text",
            Flaw::Deletes => "leave the header out; a load deletes nothing",
            Flaw::Schedules => "leave the header out",
            Flaw::NoToken => "give texts without dots, blanks and wildcards",
        }
    }
}

impl Display for Flaw {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Flaw::EmptyToken => "has an empty token",
            Flaw::Wildcard => "is a wildcard, which nobody can publish to",
            Flaw::Blank => "has a blank in it",
            Flaw::TooLong => "is too long for a server",
            Flaw::OfTheServer => "is a system subject of the server",
            Flaw::Administration => "administers the server and is not a read",
            Flaw::NoKey => "is not a key of a bucket",
            Flaw::SeveralLines => "has more than one line, or a control character",
            Flaw::Deletes => "deletes messages",
            Flaw::Schedules => "makes the server send messages by itself",
            Flaw::NoToken => "is not one token of a subject",
        })
    }
}

/// What is wrong with a subject that is published to, where the JetStream API is at `api`.
pub fn subject_flaw(subject: &str, api: &str) -> Option<Flaw> {
    if subject.len() > MAX_SUBJECT {
        return Some(Flaw::TooLong);
    }
    let flaw = subject.split('.').find_map(|token| match token {
        "" => Some(Flaw::EmptyToken),
        "*" | ">" => Some(Flaw::Wildcard),
        _ => token_flaw(token),
    });
    flaw.or_else(|| server_flaw(subject, api))
}

/// What is wrong with the subject of a request of this kind.
pub fn flaw_of(kind: SendKind, subject: &str, api: &str) -> Option<Flaw> {
    let key = || {
        let (_, key) = subject.split_once(".$KV.")?;
        key_flaw(key)
    };
    let flaw = subject_flaw(subject, api);
    flaw.or_else(|| (kind == SendKind::KvGet).then(key).flatten())
}

/// What is wrong with a subject that is subscribed to.
pub fn subscription_flaw(subject: &str) -> Option<Flaw> {
    if subject.len() > MAX_SUBJECT {
        return Some(Flaw::TooLong);
    }
    let last = subject.split('.').count() - 1;
    let mut tokens = subject.split('.').enumerate();
    let flaw = tokens.find_map(|(place, token)| match token {
        "" => Some(Flaw::EmptyToken),
        "*" => None,
        ">" if place == last => None,
        ">" => Some(Flaw::Wildcard),
        _ => token_flaw(token),
    });
    flaw.or_else(|| subject.starts_with('$').then_some(Flaw::OfTheServer))
}

/// What is wrong with what subjects shall start with: an inbox, or an API.
pub fn prefix_flaw(prefix: &str) -> Option<Flaw> {
    let flaw = prefix.split('.').find_map(|token| match token {
        "" => Some(Flaw::EmptyToken),
        "*" | ">" => Some(Flaw::Wildcard),
        _ => token_flaw(token),
    });
    flaw.or_else(|| (prefix.len() > MAX_SUBJECT / 8).then_some(Flaw::TooLong))
}

/// What is wrong with a text that stands in one token of a subject.
pub fn single_token_flaw(text: &str) -> Option<Flaw> {
    let several = text.is_empty() || text.contains('.') || text == "*" || text == ">";
    (several || token_flaw(text).is_some()).then_some(Flaw::NoToken)
}

fn token_flaw(token: &str) -> Option<Flaw> {
    let odd = |c: char| c.is_whitespace() || c.is_control();
    token.contains(odd).then_some(Flaw::Blank)
}

/// What is wrong with a subject where it is one of the server's.
fn server_flaw(subject: &str, api: &str) -> Option<Flaw> {
    if let Some(function) = after(subject, api) {
        return of_api(function);
    }
    if let Some(key) = after(subject, KEYS) {
        return key_flaw(key);
    }
    // The API of a domain is $JS.DOMAIN.API, and that of another account may be anywhere: it is known by its last tokens.
    let mut rest = Some(subject);
    while let Some(from) = rest {
        if let Some(function) = api_here(from) {
            return of_api(function);
        }
        rest = from.split_once('.').map(|(_, rest)| rest);
    }
    subject.starts_with('$').then_some(Flaw::OfTheServer)
}

/// What comes after the prefix of an API that begins here.
fn api_here(subject: &str) -> Option<&str> {
    let (first, rest) = subject.split_once('.')?;
    if first != "$JS" && first != "JS" {
        return None;
    }
    let (second, rest) = rest.split_once('.')?;
    if second == "API" {
        return Some(rest);
    }
    let (third, rest) = rest.split_once('.')?;
    (third == "API").then_some(rest)
}

/// What comes after a prefix and its dot; nothing where the subject is the prefix.
fn after<'a>(subject: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = subject.strip_prefix(prefix)?;
    match rest.is_empty() {
        true => Some(rest),
        false => rest.strip_prefix('.'),
    }
}

fn of_api(function: &str) -> Option<Flaw> {
    // Buckets of a domain are written to behind its prefix.
    if let Some(key) = after(function, KEYS) {
        return key_flaw(key);
    }
    let reads = READS.iter().any(|read| fits(read, function));
    (!reads).then_some(Flaw::Administration)
}

/// Whether a subject is one of a pattern with the wildcards of NATS: `*` is one token, `>` one or more at the end.
pub fn fits(pattern: &str, subject: &str) -> bool {
    let (mut pattern, mut subject) = (pattern.split('.'), subject.split('.'));
    loop {
        match (pattern.next(), subject.next()) {
            (None, None) | (Some(">"), Some(_)) => return true,
            (Some("*"), Some(_)) => {}
            (Some(one), Some(other)) if one == other => {}
            _ => return false,
        }
    }
}

/// What is wrong with a bucket and its key, with a dot between.
fn key_flaw(text: &str) -> Option<Flaw> {
    let good = text.split_once('.').is_some_and(|(bucket, key)| {
        is_bucket(bucket)
            && key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_=/.".contains(c))
    });
    (!good).then_some(Flaw::NoKey)
}

/// Whether a bucket can have this name.
pub fn is_bucket(name: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.is_empty() && name.chars().all(part)
}

/// Whether a stream can have this name.
pub fn is_stream(name: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || ".*>/\\".contains(c);
    !name.is_empty() && name.len() <= 255 && !name.contains(odd)
}

/// What is wrong with a header.
pub fn header_flaw(name: &str, value: &str) -> Option<Flaw> {
    if let Some(flaw) = header_name_flaw(name) {
        return Some(flaw);
    }
    if value.contains(|c: char| c.is_control() && c != '\t') {
        return Some(Flaw::SeveralLines);
    }
    let is = |word: &str| value.trim().eq_ignore_ascii_case(word);
    (is_operation(name) && (is("DEL") || is("PURGE"))).then_some(Flaw::Deletes)
}

/// What is wrong with a header, whatever its value.
pub fn header_name_flaw(name: &str) -> Option<Flaw> {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    let schedule = name.get(.."Nats-Schedule".len());
    if is("Nats-Rollup") || is("Nats-Marker-Reason") {
        Some(Flaw::Deletes)
    } else if schedule.is_some_and(|start| start.eq_ignore_ascii_case("Nats-Schedule")) {
        Some(Flaw::Schedules)
    } else {
        None
    }
}

/// Whether the value of a header says what happens to a key.
pub fn is_operation(name: &str) -> bool {
    name.eq_ignore_ascii_case(OPERATION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_judged_by_what_they_are() {
        let flaw = |subject: &str| subject_flaw(subject, API);
        for good in [
            "demo.ask",
            "a",
            "a*b.c>d",
            "orders.STREAM.DELETE",
            "_INBOX.a",
            "API.STREAM.PURGE.A",
        ] {
            assert_eq!(flaw(good), None, "{good}");
        }
        for (subject, wrong) in [
            ("", Flaw::EmptyToken),
            ("a..b", Flaw::EmptyToken),
            (".a", Flaw::EmptyToken),
            ("a.", Flaw::EmptyToken),
            ("a.*", Flaw::Wildcard),
            (">", Flaw::Wildcard),
            ("a b", Flaw::Blank),
            ("a.b\n", Flaw::Blank),
            ("a\u{0}", Flaw::Blank),
        ] {
            assert_eq!(flaw(subject), Some(wrong), "{subject:?}");
        }
        assert_eq!(flaw(&"x".repeat(MAX_SUBJECT)), None);
        assert_eq!(flaw(&"x".repeat(MAX_SUBJECT + 1)), Some(Flaw::TooLong));
    }

    #[test]
    fn of_the_server_only_reads_and_keys_are_open() {
        let flaw = |subject: &str| subject_flaw(subject, API);
        for prefix in ["$JS.API", "$JS.hub.API", "other.JS.API", "JS.other.API"] {
            for read in [
                "INFO",
                "STREAM.NAMES",
                "STREAM.INFO.A",
                "STREAM.MSG.GET.A",
                "CONSUMER.INFO.A.b",
                "DIRECT.GET.A",
                "DIRECT.GET.KV_A.$KV.A.key.of",
                "$KV.A.key",
            ] {
                assert_eq!(flaw(&format!("{prefix}.{read}")), None, "{prefix}.{read}");
            }
            for other in [
                "STREAM.PURGE.A",
                "STREAM.CREATE.A",
                "STREAM.UPDATE.A",
                "STREAM.DELETE.A",
                "STREAM.MSG.DELETE.A",
                "STREAM.RESTORE.A",
                "STREAM.SNAPSHOT.A",
                "STREAM.PEER.REMOVE.A",
                "STREAM.LEADER.STEPDOWN.A",
                "CONSUMER.CREATE.A.b",
                "CONSUMER.DURABLE.CREATE.A.b",
                "CONSUMER.DELETE.A.b",
                "CONSUMER.PAUSE.A.b",
                "CONSUMER.UNPIN.A.b",
                "CONSUMER.MSG.NEXT.A.b",
                "ACCOUNT.PURGE.A",
                "ACCOUNT.STREAM.MOVE.A.B",
                "META.LEADER.STEPDOWN",
                "SERVER.REMOVE",
                "STREAM.INFO.A.PURGE",
                "STREAM",
                "$OBJ.A.C.b",
            ] {
                let subject = format!("{prefix}.{other}");
                assert_eq!(flaw(&subject), Some(Flaw::Administration), "{subject}");
            }
        }
        for other in [
            "$SYS.REQ.SERVER.PING",
            "$JS.ACK.a",
            "$JS",
            "$js.api.INFO",
            "$OBJ.a.M.b",
            "$SRV.PING",
            "$",
        ] {
            assert_eq!(flaw(other), Some(Flaw::OfTheServer), "{other}");
        }
        assert_eq!(flaw("$JS.API"), Some(Flaw::Administration));
        // The API is where the user says that it is, too.
        let elsewhere = |subject: &str| subject_flaw(subject, "shop.streams");
        assert_eq!(
            elsewhere("shop.streams.STREAM.PURGE.A"),
            Some(Flaw::Administration)
        );
        assert_eq!(elsewhere("shop.streams.DIRECT.GET.A"), None);
        assert_eq!(
            elsewhere("$JS.API.STREAM.PURGE.A"),
            Some(Flaw::Administration)
        );
    }

    #[test]
    fn keys_are_those_that_clients_take() {
        let flaw = |subject: &str| subject_flaw(subject, API);
        assert_eq!(flaw("$KV.carts.user/7.items=_-"), None);
        for odd in [
            "$KV",
            "$KV.carts",
            "$KV.carts.ö",
            "$KV.ca$rts.a",
            "$KV.carts.a*b",
        ] {
            assert_eq!(flaw(odd), Some(Flaw::NoKey), "{odd}");
        }
        assert_eq!(flaw("$KV.carts."), Some(Flaw::EmptyToken));
    }

    #[test]
    fn headers_that_delete_are_refused_in_every_spelling() {
        assert_eq!(header_flaw("Shop", "north\tof it"), None);
        assert_eq!(header_flaw("Shop", ""), None);
        assert_eq!(
            header_flaw("Shop", "a\r\nNats-Rollup: all"),
            Some(Flaw::SeveralLines)
        );
        assert_eq!(header_flaw("Shop", "a\u{1b}[0m"), Some(Flaw::SeveralLines));
        assert_eq!(header_flaw("KV-Operation", "PUT"), None);
        for (name, value) in [
            ("KV-Operation", "DEL"),
            ("kv-operation", " purge "),
            ("Nats-Rollup", "sub"),
            ("nats-rollup", "anything"),
            ("Nats-Marker-Reason", "Purge"),
        ] {
            assert_eq!(
                header_flaw(name, value),
                Some(Flaw::Deletes),
                "{name}: {value}"
            );
        }
        assert_eq!(
            header_flaw("Nats-Schedule-Target", "a"),
            Some(Flaw::Schedules)
        );
    }

    #[test]
    fn filters_match_as_in_nats() {
        assert!(fits("orders.*", "orders.created"));
        assert!(!fits("orders.*", "orders"));
        assert!(!fits("orders.*", "orders.a.b"));
        assert!(fits("orders.>", "orders.a.b"));
        assert!(!fits("orders.>", "orders"));
        assert!(fits("orders", "orders"));
        assert!(!fits("orders", "orders.created"));
    }

    #[test]
    fn a_prefix_is_a_subject_without_wildcards() {
        assert_eq!(prefix_flaw("_INBOX.mine"), None);
        assert_eq!(prefix_flaw(">"), Some(Flaw::Wildcard));
        assert_eq!(prefix_flaw("a.*"), Some(Flaw::Wildcard));
        assert_eq!(prefix_flaw(""), Some(Flaw::EmptyToken));
        assert_eq!(prefix_flaw("a b"), Some(Flaw::Blank));
        assert_eq!(subscription_flaw("a.*.>"), None);
        assert_eq!(subscription_flaw("a.>.b"), Some(Flaw::Wildcard));
        assert_eq!(single_token_flaw("a-1"), None);
        for odd in ["", "a.b", "*", "a b"] {
            assert_eq!(single_token_flaw(odd), Some(Flaw::NoToken), "{odd}");
        }
    }
}
