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
