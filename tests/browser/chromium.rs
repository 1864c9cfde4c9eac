//! A headless Chromium, spoken to by its DevTools protocol over a pipe.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// What the program may be called.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// A browser with one tab.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: Option<String>,
    next: u64,
    /// What was told between answers.
    events: Vec<Value>,
    _profile: TempDir,
}

/// The program: of the environment, or on PATH.
pub fn program() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("BLIS_CHROMIUM") {
        return Some(path.into());
    }
    let folders: OsString = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    let candidates = NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.into_iter().find(|path| path.is_file())
}

impl Browser {
    /// Starts it.
    pub fn start(program: &Path) -> Browser {
        let profile = tempfile::tempdir().expect("a folder");
        // The protocol is on descriptors 3 and 4, which a shell can give.
        let script = "exec \"$0\" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --no-first-run \
                      --disable-extensions --disable-background-networking --remote-debugging-pipe \"--user-data-dir=$1\" about:blank \
                      3<&0 4>&1 >/dev/null 2>/dev/null";
        let mut child = Command::new("sh")
            .args(["-c", script])
            .arg(program)
            .arg(profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let to = child.stdin.take().expect("its end of the pipe");
        let from = BufReader::new(child.stdout.take().expect("its end of the pipe"));
        let mut browser = Browser {
            child,
            to,
            from,
            session: None,
            next: 0,
            events: Vec::new(),
            _profile: profile,
        };
        let target = browser.ask("Target.createTarget", json!({"url": "about:blank"}));
        let id = &target["targetId"];
        let attached = browser.ask(
            "Target.attachToTarget",
            json!({"targetId": id, "flatten": true}),
        );
        browser.session = Some(
            attached["sessionId"]
                .as_str()
                .expect("a session")
                .to_owned(),
        );
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.ask(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Asks for something and waits for the answer.
    pub fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.to
            .write_all(format!("{message}\0").as_bytes())
            .expect("it listens");
        loop {
            let told = self.hear();
            if told["id"] == self.next {
                assert!(told["error"].is_null(), "{method}: {told}");
                return told["result"].clone();
            }
            self.events.push(told);
        }
    }

    fn hear(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).expect("it speaks");
        assert_eq!(bytes.pop(), Some(0), "it ended");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// Opens a file in a window of this width and in this scheme, and says what went wrong in it.
    pub fn open(&mut self, file: &Path, width: u32, scheme: &str) -> Vec<String> {
        self.load(file, width, scheme);
        // What is observed and drawn after loading is done by the second frame.
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))");
        self.wrong()
    }

    /// The same where no script runs.
    pub fn open_without_scripts(&mut self, file: &Path, width: u32) -> Vec<String> {
        self.ask(
            "Emulation.setScriptExecutionDisabled",
            json!({"value": true}),
        );
        self.load(file, width, "light");
        // What is asked may run a script again, those of the page have had their chance.
        self.ask(
            "Emulation.setScriptExecutionDisabled",
            json!({"value": false}),
        );
        self.wrong()
    }

    fn load(&mut self, file: &Path, width: u32, scheme: &str) {
        self.events.clear();
        let size =
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500});
        self.ask("Emulation.setDeviceMetricsOverride", size);
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.ask(
            "Emulation.setEmulatedMedia",
            json!({"media": "", "features": features}),
        );
        self.ask(
            "Page.navigate",
            json!({"url": format!("file://{}", file.display())}),
        );
        let is_loaded = |event: &Value| event["method"] == "Page.loadEventFired";
        while !self.events.iter().any(is_loaded) {
            let told = self.hear();
            self.events.push(told);
        }
    }

    /// What went wrong since the page was opened.
    fn wrong(&self) -> Vec<String> {
        let wrong = self.events.iter().filter_map(|event| {
            let parameters = &event["params"];
            match event["method"].as_str()? {
                "Runtime.exceptionThrown" => Some(parameters["exceptionDetails"].to_string()),
                "Runtime.consoleAPICalled" => Some(parameters["args"].to_string()),
                "Log.entryAdded" => Some(parameters["entry"]["text"].to_string()),
                "Network.requestWillBeSent" => {
                    let url = parameters["request"]["url"].as_str()?;
                    (!url.starts_with("file://")).then(|| format!("it loads {url}"))
                }
                _ => None,
            }
        });
        wrong.collect()
    }

    /// What an expression is in the page.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let parameters =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.ask("Runtime.evaluate", parameters);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// The whole page as a PNG, or so much of its top.
    pub fn picture(&mut self, width: u32, most: Option<u64>) -> Vec<u8> {
        use base64::Engine as _;
        let height = self.evaluate("document.documentElement.scrollHeight");
        let height = height.as_u64().expect("a height");
        let height = most.map_or(height, |most| most.min(height));
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        let parameters = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let shot = self.ask("Page.captureScreenshot", parameters);
        let data = shot["data"].as_str().expect("a picture");
        base64::engine::general_purpose::STANDARD
            .decode(data)
            .expect("base64")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends when it is asked to, and is ended where it does not.
        let _ = self
            .to
            .write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let mut rest = Vec::new();
        while matches!(self.from.read_until(0, &mut rest), Ok(read) if read > 0) {}
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
