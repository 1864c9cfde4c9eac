//! What the language knows beyond the types that read it: the nouns for messages, and the words that are reserved.
//!
//! A reserved word belongs to the language as it is designed, and this version does not build it yet. It is refused
//! with exactly these words, so that nobody looks for a spelling mistake in a correct spec.

/// Prefix of the variants that stand for a form instead of a word; no key of a spec starts like this.
const FORM: char = '$';
/// The variant of an enum that takes any scalar, such as the bare duration that stands for a constant.
pub const BARE: &str = "$bare";
/// The variant of an enum that takes any mapping.
pub const MAPPING: &str = "$mapping";

/// The variant of an enum that takes any list.
pub const LIST: &str = "$list";

/// Whether a variant is a word of the language and not a form.
pub fn is_word(variant: &str) -> bool {
    !variant.starts_with(FORM)
}

/// What people call the thing that a type reads.
pub fn noun(type_name: &str) -> &'static str {
    match type_name {
        "Spec" => "a spec",
        "Run" => "`run`",
        "Provenance" => "`provenance`",
        "Client" => "a client",
        "Session" => "`session`",
        "OnFailure" => "`on_failure`",
        "Retry" => "`retry`",
        "Action" => "an action",
        "Slo" => "`slo`",
        "Service" => "a service",
        "Members" => "a number of members or a list of them",
        "Member" => "a member",
        "BySize" => "`by_size`",
        "Queue" => "`queue`",
        "Network" => "`network`",
        "Step" => "a path step",
        "Arm" => "an arm of a branch",
        "Failure" => "a failure",
        "Arrival" => "an arrival process",
        "Dispatch" => "a dispatch",
        "Order" => "a queue order",
        "OnTimeout" => "`on_timeout`",
        "Do" => "an action or a weighted mix of actions",
        "Distribution" => "a distribution",
        "Uniform" => "a uniform distribution",
        "Exponential" => "an exponential distribution",
        "Erlang" => "an Erlang distribution",
        "Shaped" => "a gamma or Weibull distribution",
        "Lognormal" => "a lognormal distribution",
        "Hyperexponential" => "a hyperexponential distribution",
        "Phase" => "a branch of a hyperexponential distribution",
        "Empirical" => "an empirical distribution",
        "Variation" => "an arrival process with a coefficient of variation",
        "Trace" | "TraceAs" => "recorded arrivals",
        "Offset" => "an offset",
        "TimeUnit" => "a unit of time",
        "Warmup" => "a warm-up",
        "Visit" | "VisitAs" => "a visit",
        "Parallel" => "`parallel`",
        "Join" => "a join",
        "Publish" | "PublishAs" => "a publication",
        "Cache" => "`cache`",
        "Priority" => "a priority order",
        "Fair" => "a fair order",
        "Shared" => "a shared order",
        "SlowerWhenBusy" => "`slower_when_busy`",
        "Scalability" => "the universal scalability law",
        "LoadPoint" => "a point of a table",
        "ColdStart" => "`cold_start`",
        "Admission" => "`admission`",
        "Outage" => "an outage",
        "Down" => "a way of being down",
        "SlowDown" => "a slow-down",
        "ErrorBurst" => "an error burst",
        "Stream" => "a stream",
        "Consumer" => "a consumer",
        "ConsumerSlo" => "the `slo` of a consumer",
        "AfterMaxDeliver" => "`after_max_deliver`",
        "Batch" => "`batch`",
        "FanOut" => "a fan-out",
        "Pareto" => "a Pareto distribution",
        "Normal" => "a normal distribution",
        "Shape" => "a shape",
        "Ramp" => "a ramp",
        "Stage" => "a stage",
        "Burst" => "a burst",
        "Stairs" => "`stairs`",
        "Spikes" => "a spike or a list of spikes",
        "Spike" => "a spike",
        "Drain" => "a drain",
        "Diurnal" => "a diurnal shape",
        "Window" => "a window",
        "Live" => "`live`",
        "Key" => "a key",
        "Stored" => "`direct_get`",
        "Payload" => "`payload`",
        "Connections" => "`connections`",
        "Condition" => "a condition",
        "Await" => "`await`",
        "Delivery" => "`delivery`",
        "Deliverer" => "what delivers",
        "DeliverySlo" => "the `deliveries` of an `slo`",
        "Quantiles" => "limits on quantiles",
        "By" => "`by`",
        "Until" => "`until`",
        "Variable" => "a variable",
        "InFlightPolicy" => "a policy",
        "Per" => "a `per`",
        "MaxInFlight" => "`max_in_flight`",
        _ => "this mapping",
    }
}

/// How a type that has forms beside words is written, for messages.
pub fn example(type_name: &str) -> Option<&'static str> {
    match type_name {
        "Do" => Some("write `do: ask` or `do: {ask: 9, tell: 1}`"),
        "Distribution" => Some(
            "write a value such as `10ms`, or a distribution such as `{exponential: {mean: 10ms}}`",
        ),
        "Warmup" => Some("write a time such as `5s`, or `auto`"),
        "Trace" => Some(
            "write `trace: arrivals.csv`, or `trace: {file: arrivals.csv, offset: first}` where times are absolute",
        ),
        "Offset" => Some("write `first`, or a time as the file writes it"),
        "MaxInFlight" => Some("write `max_in_flight: {limit: 5}`"),
        "Until" => Some("write `all`, `first`, or a number of deliveries"),
        "Visit" => Some("write `visit: api` or `visit: {service: api, during: [...]}`"),
        "Members" => {
            Some("write `members: 4`, or a list such as `[{workers: 1, speed: 0.5}, {workers: 2}]`")
        }
        "Spikes" => {
            Some("write `spike: {at: 60s, for: 10s, factor: 5}`, or a list of such mappings")
        }
        "Publish" => {
            Some("write `publish: orders` or `publish: {stream: orders, subject: orders.created}`")
        }
        _ => None,
    }
}

/// Whether a word that takes parameters may also stand without any.
pub fn may_stand_alone(word: &str) -> bool {
    matches!(word, "fair" | "shared" | "priority")
}

/// The reserved words where a type reads its keys or variants.
pub fn reserved(type_name: &str) -> &'static [&'static str] {
    match type_name {
        "Spec" => &["groups", "steps", "setup", "measure", "cleanup", "live"],
        "Client" => &["script", "groups", "steps", "setup", "measure", "cleanup"],
        "Session" => &["script"],
        "Step" => &["during"],
        "Service" => &["prefetch", "during"],
        _ => &[],
    }
}

/// Where a key stands now that once stood where a type reads its keys.
pub fn moved(type_name: &str, key: &str) -> Option<&'static str> {
    match (type_name, key) {
        ("Live", "await") => Some(
            "write `await: {deliveries: 20, until: all}` beside `live`, and below `live` where they come: `delivery: {subject: \
             ..., by: ..., equals: ...}`",
        ),
        _ => None,
    }
}
