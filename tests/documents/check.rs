//! One document's examples, run and compared.

use std::ops::Range;

use serde_json::Value;

use super::markdown::{Block, blocks};
use super::scratch::{Ran, Scratch};
use super::spec;
use super::stranger::{Stranger, shape};

/// Commands that are shown and not run: they would run this test again, or take minutes.
const SHOWN: [&str; 55] = [
    "nats-server --port 4222 &",
    "./my-service --nats nats://127.0.0.1:4222 &",
    "blis observe checkout.yaml --url nats://127.0.0.1:4222 --set actions.order.live.request=checkout.order \\",
    "  --horizon 60s --warmup 5s --out measured --format junit > verdict.xml",
    "tests/run",
    "cargo run --release -- run --concurrency 50 --think-time-ms 500",
    "cargo build --release",
    "cargo fmt --check",
    "cargo clippy --workspace --all-targets -- -D warnings",
    "cargo test --workspace",
    "cargo test --test documents",
    "BLIS_BLESS=1 cargo test --workspace",
    "cargo bench --bench engine",
    "cargo bench --bench accuracy -- --write",
    "cargo bench --bench ceiling -- --seeds 400",
    "cargo bench --bench live_ceiling",
    "cargo bench --bench blind_fits -- --specs 60",
    "cargo bench --bench fit_coverage -- --seeds 200",
    "benches/peers/run",
    "cargo +nightly fuzz run spec fuzz/corpus/spec specs",
    "cargo +nightly fuzz run record fuzz/corpus/record",
    "cargo +nightly fuzz run files",
    // What needs a server is held by tests/live.
    "blis observe --url nats://127.0.0.1:4222 --subject my.svc --rate 200/s --horizon 60s --out runs/killed &",
    "kill -9 $!",
    "blis report runs/killed",
    "blis trace runs/killed",
    "blis observe --url nats://127.0.0.1:4222 --subject my.svc --rate 200/s --warmup 30s --horizon 32s --out runs/stall",
    "blis observe --url nats://127.0.0.1:4222 --rate 200/s --out runs/first",
    "blis report runs/first",
    "blis trace runs/first --format csv",
    "blis serve --url nats://127.0.0.1:4222 &",
    "blis observe --url nats://127.0.0.1:4222 --concurrency 50 --think-time-ms 500",
    "nats-server",
    "blis serve stand-in.yaml --url nats://127.0.0.1:4222 &",
    "blis max-rps --url nats://127.0.0.1:4222 --subject my.svc --slo p99=50ms --time-limit 5m",
    "blis observe --url nats://127.0.0.1:4222 --subject my.svc --rate 100/s --horizon 20s --out low",
    "blis observe --url nats://127.0.0.1:4222 --subject my.svc --rate 300/s --horizon 20s --out middle",
    "blis observe --url nats://127.0.0.1:4222 --subject my.svc --rate 430/s --horizon 20s --out high",
    "blis calibrate low middle high --output fitted.yaml",
    "blis check fitted.yaml",
    "blis validate fitted.yaml --url nats://127.0.0.1:4222 --predict-at 150,250,350",
    "blis max-rps fitted.yaml --slo p99=50ms",
    "nats reply my.svc '{}'",
    "blis check checkout.yaml",
    "blis run checkout.yaml",
    "blis serve checkout.yaml --url nats://127.0.0.1:4222 &",
    "blis observe checkout.yaml --url nats://127.0.0.1:4222",
    "blis max-rps checkout.yaml --url nats://127.0.0.1:4222 --dry-run",
    "blis max-rps checkout.yaml --url nats://127.0.0.1:4222 --time-limit 5m",
    "blis max-rps --url nats://127.0.0.1:4222 --subject my.svc --payload '{}' --slo p99=50ms",
    "blis observe --url nats://127.0.0.1:4222 --spec shop.yaml --out runs/shop",
    "blis replay runs/shop --recorded member,service",
    "blis validate checkout.yaml --url nats://127.0.0.1:4222 --predict-at 100,200,400",
    "blis observe --url nats://127.0.0.1:4222 --subject my.svc --payload '{\"id\": {seq}}' --rate 200/s",
    "blis observe --url nats://127.0.0.1:4222 --subject my.svc --payload-file order.json --header 'Tenant: north' --concurrency 20",
];

/// What came of a document.
pub struct Checked {
    /// The document, with what commands print in the place of what it showed when it is blessed.
    pub source: String,
    /// What is wrong, each with its line.
    pub problems: Vec<String>,
}

/// Runs the examples of a document in their order.
pub fn check(source: &str, scratch: &Scratch, bless: bool) -> Checked {
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    let mut problems = Vec::new();
    for block in blocks(source) {
        let body = &source[block.body.clone()];
        match example(&block, body, scratch) {
            Ok(real) if real == body => {}
            Ok(real) if bless => changes.push((block.body, real)),
            Ok(real) => problems.push(format!(
                "{}: the example shows\n{body}\nbut this is what comes:\n{real}",
                block.line
            )),
            Err(problem) => problems.push(format!("{}: {problem}", block.line)),
        }
    }
    let mut blessed = source.to_owned();
    for (range, real) in changes.into_iter().rev() {
        blessed.replace_range(range, &real);
    }
    Checked {
        source: blessed,
        problems,
    }
}

/// The text that the example should have.
fn example(block: &Block, body: &str, scratch: &Scratch) -> Result<String, String> {
    let info = block
        .info
        .as_deref()
        .ok_or("a block that is not fenced at the margin")?;
    let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
    match (language, rest) {
        ("console", "") => return console(body, scratch),
        ("console", "live") => return live(body, scratch),
        ("json", command) => return json(command, body, scratch),
        ("yaml", "") => accepted(body, scratch, true)?,
        ("yaml", "fragment") => accepted(&spec::complete(body)?, scratch, false)?,
        ("yaml", "workflow") => workflow(body, scratch)?,
        ("yaml", rest) => match rest.strip_prefix("refused ") {
            Some(name) => refused(name, body, scratch)?,
            None => {
                scratch.save(rest, body);
                accepted(body, scratch, true)?;
            }
        },
        // A file that the specs after it refer to.
        ("csv", name) if !name.is_empty() => scratch.save(name, body),
        ("sh", "") => {
            if let Some(line) = body.lines().find(|line| !SHOWN.contains(line)) {
                return Err(format!(
                    "`{line}` is not one of the commands that are only shown"
                ));
            }
        }
        _ => return Err(format!("the fence `{info}` is not one that is checked")),
    }
    Ok(body.to_owned())
}

/// A session at a terminal with what its commands really print.
fn console(body: &str, scratch: &Scratch) -> Result<String, String> {
    if !body.starts_with("$ ") {
        return Err("a console example starts with `$ command`".to_owned());
    }
    let mut real = String::new();
    for command in body.lines().filter_map(|line| line.strip_prefix("$ ")) {
        if let Some(refusal) = Scratch::refusal(command) {
            return Err(refusal);
        }
        let Ran {
            stdout,
            stderr,
            code,
        } = scratch.run(command);
        real.push_str(&format!("$ {command}\n{stdout}{stderr}"));
        if code != 0 {
            real.push_str(&format!("# exit {code}\n"));
        }
    }
    Ok(real)
}

/// The same of commands that observe a service of somebody else. What is shown stands as long as only figures differ.
fn live(body: &str, scratch: &Scratch) -> Result<String, String> {
    if !body.starts_with("$ ") {
        return Err("a console example starts with `$ command`".to_owned());
    }
    let stranger = Stranger::start();
    let mut real = String::new();
    for command in body.lines().filter_map(|line| line.strip_prefix("$ ")) {
        if let Some(refusal) = Scratch::refusal(command) {
            return Err(refusal);
        }
        let ran = scratch.run(&stranger.reached(command));
        real.push_str(&format!("$ {command}\n{}", stranger.shown(&ran.stdout)));
        if ran.code != 0 {
            let told = stranger.shown(&ran.stderr);
            real.push_str(&format!("{told}# exit {}\n", ran.code));
        }
    }
    Ok(match shape(&real) == shape(body) {
        true => body.to_owned(),
        false => real,
    })
}

/// A part of the JSON that a command prints.
fn json(command: &str, body: &str, scratch: &Scratch) -> Result<String, String> {
    if let Some(refusal) = Scratch::refusal(command) {
        return Err(refusal);
    }
    let part: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    let whole = serde_json::from_str(&scratch.run(command).stdout)
        .map_err(|error| format!("`{command}` prints no JSON: {error}"))?;
    let real = spec::shown(&part, &whole)?;
    if real == part {
        return Ok(body.to_owned());
    }
    serde_json::to_string_pretty(&real)
        .map(|text| text + "\n")
        .map_err(|error| error.to_string())
}

/// Holds when the spec is accepted, without warnings if it must be without.
fn accepted(text: &str, scratch: &Scratch, silently: bool) -> Result<(), String> {
    let ran = checked("example.yaml", text, scratch);
    if ran.code == 0 && (ran.stderr.is_empty() || !silently) {
        return Ok(());
    }
    Err(format!("`blis check` says\n{}", ran.stderr))
}

/// Holds when the spec is refused; it stays where the example after it finds it.
fn refused(name: &str, text: &str, scratch: &Scratch) -> Result<(), String> {
    let ran = checked(name, text, scratch);
    if ran.code == 2 {
        return Ok(());
    }
    Err(format!("`blis check` exits {} and not 2", ran.code))
}

/// Holds when a workflow is YAML and blis accepts the flags of every line that calls it. Asked for help, it runs nothing.
fn workflow(text: &str, scratch: &Scratch) -> Result<(), String> {
    serde_saphyr::from_str::<Value>(text).map_err(|error| error.to_string())?;
    let lines = text.lines().map(|line| line.trim_start_matches([' ', '-']));
    let lines = lines.map(|line| line.trim_start_matches("run: "));
    for command in lines.filter(|line| line.starts_with("blis ")) {
        if let Some(refusal) = Scratch::refusal(command) {
            return Err(refusal);
        }
        let ran = scratch.run(&format!("{command} --help"));
        if ran.code != 0 {
            return Err(format!("`{command}` is refused:\n{}", ran.stderr));
        }
    }
    Ok(())
}

fn checked(name: &str, text: &str, scratch: &Scratch) -> Ran {
    scratch.save(name, text);
    scratch.run(&format!("blis check {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = "\
blis: 1
name: small
run: {requests: 10}
clients:
  users: {concurrency: 1, do: ask}
actions:
  ask: {path: [{visit: api}, reply]}
services:
  api: {workers: 1, time: 1ms}
";

    fn problems(source: &str) -> usize {
        check(source, &Scratch::new(), false).problems.len()
    }

    #[test]
    fn right_examples_have_no_problems() {
        let version = env!("CARGO_PKG_VERSION");
        let source = format!(
            "```yaml small.yaml\n{SPEC}```\n\n```console\n$ ls\nexample.yaml\nsmall.yaml\nspecs\n\
             $ blis --version\nblis {version}\n```\n\n\
             ```yaml fragment\nservices: {{api: {{workers: 1, time: 1ms}}}}\n```\n\n\
             ```json blis run --spec small.yaml --json\n{{\"requests\": {{\"ok\": 10}}}}\n```\n\n\
             ```csv t.csv\nvalue\n1ms\n```\n\n```yaml fragment\n\
             services: {{api: {{workers: 1, time: {{empirical: {{file: t.csv}}}}}}}}\n```\n\n\
             ```yaml refused bad.yaml\nblis: 2\n```\n\n```sh\ntests/run\n```\n\n\
             ```yaml workflow\nsteps:\n  - run: blis run small.yaml --slo p95=1s\n```\n"
        );
        let checked = check(&source, &Scratch::new(), false);
        assert!(checked.problems.is_empty(), "{:?}", checked.problems);
        assert_eq!(checked.source, source);
    }

    #[test]
    fn whatever_is_not_so_is_a_problem() {
        for wrong in [
            "```console live\n$ blis observe --url nats://127.0.0.1:4222 --subject nobody --concurrency 1 --num-requests 1\n```\n".to_owned(),
            "```console\n$ blis --version\nblis 9.9.9\n```\n".to_owned(),
            "```console\n$ blis check none.yaml\n```\n".to_owned(),
            "```console\nblis --version\n```\n".to_owned(),
            "```console\n$ true; blis --version\n```\n".to_owned(),
            "```console\n$ blis --version | tee x\n```\n".to_owned(),
            "```console\n$ blis --version | grep \"blis\"|tee x\n```\n".to_owned(),
            "```rust\n```\n".to_owned(),
            "```\n```\n".to_owned(),
            "    indented\n".to_owned(),
            "- item\n\n  ```console\n  $ ls\n  ```\n".to_owned(),
            "```sh\nrm -r .\n```\n".to_owned(),
            "```csv\nvalue\n1ms\n```\n".to_owned(),
            "```yaml\nblis: 1\n```\n".to_owned(),
            format!("```yaml refused good.yaml\n{SPEC}```\n"),
            format!("```yaml\n{}```\n", SPEC.replace("10}", "10, drainn: 1s}")),
            "```yaml fragment\nservices: {api: {workers: 0, time: 1ms}}\n```\n".to_owned(),
            "```yaml fragment\nservice: {}\n```\n".to_owned(),
            "```yaml workflow\nsteps:\n  - run: blis run --no-such-flag\n```\n".to_owned(),
            "```yaml workflow\nsteps: [\n```\n".to_owned(),
            "```json blis schema spec\n{\"title\": \"Speck\"}\n```\n".to_owned(),
            "```json blis schema spec\n{\"none\": 1}\n```\n".to_owned(),
            "```json blis --version\n{}\n```\n".to_owned(),
        ] {
            assert_eq!(problems(&wrong), 1, "{wrong}");
        }
    }

    #[test]
    fn a_warning_is_a_problem_in_a_complete_spec() {
        let odd = SPEC
            .replace("requests: 10", "requests: 1")
            .replace("concurrency: 1", "concurrency: 2");
        assert_eq!(problems(&format!("```yaml\n{odd}```\n")), 1);
    }

    #[test]
    fn blessing_writes_what_comes() {
        let source = "# T\n\n```console\n$ blis --version\nold\n```\n\n\
                      ```json blis schema spec\n{\"title\": \"old\"}\n```\nend\n";
        let checked = check(source, &Scratch::new(), true);
        let version = env!("CARGO_PKG_VERSION");
        assert!(checked.problems.is_empty(), "{:?}", checked.problems);
        assert_eq!(
            checked.source,
            format!(
                "# T\n\n```console\n$ blis --version\nblis {version}\n```\n\n\
                 ```json blis schema spec\n{{\n  \"title\": \"Spec\"\n}}\n```\nend\n"
            )
        );
    }
}
