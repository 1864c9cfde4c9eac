//! What examples that observe a service need: a real `nats-server`, and a service at `my.svc` that answers every request.
//!
//! It is nobody's double: it knows nothing of blis. Examples call the server by the address that a reader would use.

use crate::server::Server;
use crate::wire::Wire;

/// The address that documents show.
const SHOWN: &str = "127.0.0.1:4222";
/// Where the service is.
const SUBJECT: &str = "my.svc";

/// A server with a service, for as long as the value lives.
pub struct Stranger(Server);

impl Stranger {
    pub fn start() -> Stranger {
        let server = Server::start("");
        let mut wire = Wire::connect(server.port);
        wire.subscribe(SUBJECT);
        std::thread::spawn(move || {
            while let Some(message) = wire.next() {
                wire.publish_with(&message.reply, &[], b"{\"ok\": true}");
            }
        });
        Stranger(server)
    }

    /// A command that a document shows, as it reaches this server.
    pub fn reached(&self, command: &str) -> String {
        command.replace(SHOWN, &self.address())
    }

    /// What a command prints, as a document shows it.
    pub fn shown(&self, text: &str) -> String {
        text.replace(&self.address(), SHOWN)
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.0.port)
    }
}

/// The shape of what is printed of a run in real time: its words without its figures, which are others every time and may
/// have an interval or none.
pub fn shape(text: &str) -> String {
    const UNITS: [&str; 5] = ["ns", "us", "ms", "s", "%"];
    const VERDICTS: [&str; 3] = ["PASS", "TRIP", "INCONCLUSIVE"];
    let is_figure = |word: &str| {
        let digits = word.trim_end_matches(',');
        digits == "-" || digits.replace(',', "").parse::<f64>().is_ok()
    };
    let lines = text.lines().map(|line| {
        // A command is what it is.
        if line.starts_with("$ ") {
            return line.to_owned();
        }
        let words = line.split_whitespace();
        let words = words.filter(|word| !UNITS.contains(word) && *word != "±");
        let words = words.map(|word| match word {
            word if is_figure(word) => "#",
            word if VERDICTS.contains(&word) => "VERDICT",
            word => word,
        });
        let mut words: Vec<&str> = words.collect();
        words.dedup_by(|next, word| (*next, *word) == ("#", "#"));
        words.join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn figures_may_differ_and_words_may_not() {
        let shown = "$ blis observe --rate 5\n  throughput  1,200.5 ± 3 requests/s answered\n  response  mean 1.2 ms  p99 -\n";
        let alike = "$ blis observe --rate 5\n  throughput  9.5 requests/s answered\n  response    mean 80 us   p99 3.000 ms\n";
        assert_eq!(shape(shown), shape(alike));
        for other in [
            shown.replace("answered", "failed"),
            shown.replace("--rate 5", "--rate 6"),
            shown.replace("p99", "p95"),
            format!("{shown}more\n"),
        ] {
            assert_ne!(shape(shown), shape(&other), "{other}");
        }
        assert_eq!(shape("verdict PASS"), shape("verdict   TRIP"));
    }
}
