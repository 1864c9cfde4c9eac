//! `blis` as it is called.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A figure of a document.
pub fn number(document: &Value, pointer: &str) -> Result<f64, String> {
    let found = document.pointer(pointer).and_then(Value::as_f64);
    found.ok_or_else(|| format!("{pointer} is not in {document:#}"))
}

fn blis(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blis"));
    command.args(words);
    command
}

/// The document that a run prints, which has to end well.
pub fn document(words: &[&str]) -> Result<Value, String> {
    let output = blis(words).output().map_err(|why| why.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|why| why.to_string())
}

/// The document that a run prints, however it ends.
pub fn any_document(words: &[&str]) -> Result<Value, String> {
    let output = blis(words).output().map_err(|why| why.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).map_err(|why| format!("{why}: {said}"))
}

/// A double that plays until it is stopped.
pub struct Double(Child);

impl Double {
    /// Starts it, and waits until it listens.
    pub fn start(words: &[&str]) -> Result<Double, String> {
        let mut command = blis(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|why| why.to_string())?;
        let log = child.stderr.take().ok_or("the double has no stderr")?;
        let double = Double(child);
        let mut log = BufReader::new(log);
        let mut line = String::new();
        while !line.contains("press Ctrl-C to stop") {
            line.clear();
            if log.read_line(&mut line).map_err(|why| why.to_string())? == 0 {
                return Err("the double ended before it listened".to_owned());
            }
        }
        // Whatever else it says is read, so that it never waits.
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(drop));
        Ok(double)
    }

    /// Ends it with Ctrl-C, and reads what it says.
    pub fn stop(mut self) -> Result<Value, String> {
        let id = self.0.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status();
        sent.map_err(|why| why.to_string())?;
        let stdout = self.0.stdout.take().ok_or("the double has no stdout")?;
        serde_json::from_reader(stdout).map_err(|why| why.to_string())
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
