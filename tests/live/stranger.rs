//! A server that a test plays: it greets and answers pings, and what else it does is the test's affair.

use std::io::{BufRead, BufReader, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::Value;

/// What a server says first.
pub fn info(port: u16, name: &str, version: &str) -> Value {
    serde_json::json!({
        "server_id": "x", "server_name": name, "version": version, "proto": 1, "go": "go1.22",
        "host": "127.0.0.1", "port": port, "headers": true, "max_payload": 1_048_576, "client_id": 1, "git_commit": "x",
    })
}

/// Starts one that says this of itself, and is handed each line that comes with the way back; its port. Every connection
/// begins with what `hears` is at the start.
pub fn start<H>(says: fn(u16) -> Value, hears: H) -> u16
where
    H: FnMut(&[u8], &mut TcpStream) -> Result<()> + Clone + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let hears = hears.clone();
            thread::spawn(move || greet(stream, &says(port), hears));
        }
    });
    port
}

fn greet(
    stream: TcpStream,
    info: &Value,
    mut hears: impl FnMut(&[u8], &mut TcpStream) -> Result<()>,
) -> Result<()> {
    let mut out = stream.try_clone()?;
    write!(out, "INFO {info}\r\n")?;
    for line in BufReader::new(stream).split(b'\n') {
        let line = line?;
        if line.starts_with(b"PING") {
            out.write_all(b"PONG\r\n")?;
        }
        hears(&line, &mut out)?;
    }
    Ok(())
}
