//! What a report says of a burst of messages: its peak, when it was gone, and what is not known of it.

use crate::support::with_stdin;

/// 5,000 messages within a second, each of which takes the only worker 27 ms.
fn burst(drain: &str) -> String {
    format!(
        "
blis: 1
name: burst
run: {{horizon: 30s, drain: {drain}}}
clients:
  feed: {{rate: 5000/s, arrival: constant, do: tell, shape: {{drain: {{at: 1s, over: 1us}}}}}}
actions:
  tell: {{path: [{{publish: jobs}}, reply], slo: {{p50: 1s}}}}
services:
  worker: {{workers: 1, time: 27ms}}
streams:
  jobs: {{consumers: {{mailer: {{service: worker}}}}}}
"
    )
}

#[test]
fn a_burst_says_its_peak_when_it_was_gone_and_what_is_not_known() {
    let text = |drain: &str| {
        let ran = with_stdin("run --spec -", &burst(drain));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.stdout
    };
    let drained = text("10m");
    // 5,000 messages of 27 ms each: the last one is acknowledged at 135 s.
    assert!(drained.contains("4,963 at 1.00 s"), "{drained}");
    assert!(drained.contains("135.00 s"), "{drained}");
    assert!(!drained.contains("-37."), "{drained}");
    assert!(!drained.contains('≥'), "{drained}");
    // The table over time, with the backlog at the end of each interval.
    let heading = drained.lines().find(|line| line.contains("largest p99"));
    assert!(
        heading.is_some_and(|line| line.ends_with("backlog")),
        "{drained}"
    );
    assert!(drained.contains("120.00 s"), "{drained}");
    let cut = text("0s");
    assert!(cut.contains("not by the end"), "{cut}");
    assert!(cut.contains("≥ "), "{cut}");
    assert!(
        cut.contains("not judged: jobs/mailer had 3,889 messages left when the run ended"),
        "{cut}"
    );
    assert!(cut.contains("lengthen `run.drain`"), "{cut}");
}

/// A worker that can do 1,000 messages a second, watched for long enough, for too short, and while it cannot keep up.
#[test]
fn no_backlog_may_grow_where_the_command_line_says_so() {
    let spec = |rate: &str, horizon: &str| {
        format!(
            "{{blis: 1, name: growing, run: {{horizon: {horizon}, warmup: 5s}}, clients: {{feed: {{rate: {rate}, do: tell}}}}, \
             actions: {{tell: {{path: [reply, {{publish: jobs}}]}}}}, services: {{worker: {{workers: 1, time: 1ms}}}}, \
             streams: {{jobs: {{consumers: {{mailer: {{service: worker}}}}}}}}}}"
        )
    };
    let judged = |rate: &str, horizon: &str| {
        let ran = with_stdin("run --json --slo growth --spec -", &spec(rate, horizon));
        let document = ran.json();
        let verdict = document["verdict"].clone();
        let signal = &verdict["signals"][0];
        assert_eq!(signal["of"], "Consumer jobs/mailer");
        assert_eq!(
            (&signal["name"], &signal["needed"]),
            (&"growth".into(), &20_000.into())
        );
        let key = "streams.jobs.consumers.mailer.slo.no_growth";
        assert_eq!(document["configuration"][key]["source"], "--slo");
        (ran.code, verdict["reasons"].to_string())
    };
    assert_eq!(judged("500/s", "60s"), (Some(0), "[]".to_owned()));
    let (code, reasons) = judged("500/s", "10s");
    assert_eq!(code, Some(5));
    assert!(
        reasons.contains("messages are too few to judge the growth of its backlog"),
        "{reasons}"
    );
    let (code, reasons) = judged("1100/s", "30s");
    assert_eq!(code, Some(99));
    assert!(reasons.contains("more than chance explains"), "{reasons}");
    // A spec without consumers has no backlog that could grow.
    let ran = with_stdin(
        "run --slo growth --spec -",
        &spec("1/s", "9s")
            .replace(", {publish: jobs}", "")
            .replace(
                ", streams: {jobs: {consumers: {mailer: {service: worker}}}}",
                "",
            )
            .replace("path: [reply]", "path: [{visit: worker}, reply]"),
    );
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("the spec has no consumer"),
        "{}",
        ran.stderr
    );
}
