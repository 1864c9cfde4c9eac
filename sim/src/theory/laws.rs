//! Operational laws (Denning and Buzen, "The Operational Analysis of Queueing Network Models", 1978; Little 1961).
//!
//! They hold for every system over a span that begins and ends with it empty, whatever its distributions are.

/// Little's law: the mean number of requests in a system with `throughput` completions per second that spend `time`
/// seconds in it on average.
pub fn number_in_system(throughput: f64, time: f64) -> f64 {
    throughput * time
}

/// The utilisation law: the share of `servers` servers that is busy at `throughput` completions per second which take
/// `service` seconds each.
pub fn utilisation(throughput: f64, service: f64, servers: f64) -> f64 {
    throughput * service / servers
}

/// The interactive response-time law: the mean response in seconds of `users` users who think for `think` seconds and
/// complete `throughput` requests per second together.
pub fn closed_response(users: f64, throughput: f64, think: f64) -> f64 {
    users / throughput - think
}
