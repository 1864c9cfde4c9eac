//! A client that speaks the protocol itself: what it sees is what is on the wire.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A connection with a subscription.
pub struct Wire {
    reader: BufReader<TcpStream>,
    /// The number of the next subscription.
    next_sid: u32,
    /// What the server said of itself.
    pub info: String,
}

/// A message with its headers as text.
#[derive(Debug, Clone)]
pub struct Message {
    pub subject: String,
    /// Where an answer is wanted; empty where none is.
    pub reply: String,
    pub headers: String,
    pub payload: Vec<u8>,
}

impl Message {
    pub fn header(&self, name: &str) -> Option<&str> {
        let line = self
            .headers
            .lines()
            .find(|line| line.split_once(':').is_some_and(|(known, _)| known == name))?;
        line.split_once(':').map(|(_, value)| value.trim())
    }
}

impl Wire {
    pub fn connect(port: u16) -> Wire {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
        let mut wire = Wire {
            reader: BufReader::new(stream),
            next_sid: 1,
            info: String::new(),
        };
        wire.info = wire.line();
        wire.write("CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true}\r\n");
        wire.round_trip();
        wire
    }

    fn write(&mut self, text: &str) {
        self.reader
            .get_mut()
            .write_all(text.as_bytes())
            .expect("the server takes it");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self
            .reader
            .read_line(&mut line)
            .expect("the server says something");
        assert!(read > 0, "the server closed the connection");
        line.trim_end().to_owned()
    }

    /// Waits until the server has done what it was asked before.
    fn round_trip(&mut self) {
        self.write("PING\r\n");
        // What was subscribed to before may come in between.
        while self.line() != "PONG" {}
    }

    pub fn subscribe(&mut self, subject: &str) {
        let sid = self.next_sid;
        self.next_sid += 1;
        self.write(&format!("SUB {subject} {sid}\r\n"));
        self.round_trip();
    }

    /// Sends a request to the server's own interface and gives the answer.
    pub fn ask(&mut self, subject: &str, payload: &str) -> String {
        let answers = format!("answers.{}", self.next_sid);
        self.subscribe(&answers);
        self.write(&format!(
            "PUB {subject} {answers} {}\r\n{payload}\r\n",
            payload.len()
        ));
        let answer = self.next().expect("an answer");
        String::from_utf8(answer.payload).expect("text")
    }

    /// Publishes with these headers, which are lines.
    pub fn publish_with(&mut self, subject: &str, headers: &[&str], payload: &[u8]) {
        self.publish_under("", subject, headers, payload);
    }

    /// The same with a status.
    pub fn publish_under(&mut self, status: &str, subject: &str, headers: &[&str], payload: &[u8]) {
        let mut head = format!("NATS/1.0{status}\r\n");
        headers
            .iter()
            .for_each(|line| head.push_str(&format!("{line}\r\n")));
        head.push_str("\r\n");
        let total = head.len() + payload.len();
        self.write(&format!("HPUB {subject} {} {total}\r\n{head}", head.len()));
        let stream = self.reader.get_mut();
        let sent = stream
            .write_all(payload)
            .and_then(|()| stream.write_all(b"\r\n"));
        sent.expect("the server takes it");
    }

    /// The same where there may be no answer.
    pub fn try_ask(&mut self, subject: &str, patience: Duration) -> Option<String> {
        let answers = format!("answers.{}", self.next_sid);
        self.subscribe(&answers);
        let stream = self.reader.get_ref();
        stream.set_read_timeout(Some(patience)).expect("a socket");
        self.write(&format!("PUB {subject} {answers} 0\r\n\r\n"));
        String::from_utf8(self.next()?.payload).ok()
    }

    pub fn publish(&mut self, subject: &str, payload: &str) {
        self.write(&format!("PUB {subject} {}\r\n{payload}\r\n", payload.len()));
    }

    /// Sends an empty message whose answers go to this subject.
    pub fn publish_to(&mut self, subject: &str, answers: &str) {
        self.write(&format!("PUB {subject} {answers} 0\r\n\r\n"));
    }

    /// A durable consumer of a stream, whose messages have to be acknowledged.
    pub fn create_consumer(&mut self, stream: &str, name: &str) {
        let answer = self.ask(
            &format!("$JS.API.CONSUMER.CREATE.{stream}.{name}"),
            &format!(
                "{{\"stream_name\":\"{stream}\",\"config\":{{\"durable_name\":\"{name}\",\"ack_policy\":\"explicit\"}}}}"
            ),
        );
        assert!(!answer.contains("\"error\""), "{answer}");
    }

    /// A stream of this name with this subject.
    pub fn create_stream(&mut self, name: &str, subject: &str) {
        let answer = self.ask(
            &format!("$JS.API.STREAM.CREATE.{name}"),
            &format!("{{\"name\":\"{name}\",\"subjects\":[\"{subject}\"],\"storage\":\"memory\"}}"),
        );
        assert!(!answer.contains("\"error\""), "{answer}");
    }

    /// The next message; `None` when the server has gone.
    pub fn next(&mut self) -> Option<Message> {
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let (reply, headers, total) = match words.as_slice() {
                ["PING"] => {
                    self.write("PONG\r\n");
                    continue;
                }
                ["MSG", _, _, reply @ .., total] => (reply, 0, total.parse().ok()?),
                ["HMSG", _, _, reply @ .., headers, total] => {
                    (reply, headers.parse().ok()?, total.parse().ok()?)
                }
                _ => continue,
            };
            let mut body = vec![0; total + 2];
            self.reader.read_exact(&mut body).ok()?;
            body.truncate(total);
            let payload = body.split_off(headers);
            return Some(Message {
                subject: words[1].to_owned(),
                reply: reply.concat(),
                headers: String::from_utf8(body).ok()?,
                payload,
            });
        }
    }
}
