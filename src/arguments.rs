//! The command line in a manifest, without secrets.

/// What stands in the place of a value that is not shown.
const HIDDEN: &str = "***";

/// Flags whose values are shown. Those of any other flag are not, so that a new one is secret until it is listed.
const SHOWN: [&str; 31] = [
    "--js-domain",
    "--js-api-prefix",
    "--observe-stream",
    "--monitor",
    "--max-in-flight",
    "--in-flight-policy",
    "--spec",
    "--concurrency",
    "--think-time",
    "--think-time-ms",
    "--rate",
    "--subject",
    "--payload-file",
    "--context",
    "--allow-target",
    "--creds",
    "--nkey",
    "--tlsca",
    "--tlscert",
    "--tlskey",
    "--inbox-prefix",
    "--num-requests",
    "--horizon",
    "--warmup",
    "--timeout",
    "--seed",
    "--slo",
    "--format",
    "--out",
    "--trace",
    "--trace-format",
];
/// The flag whose value is a key and a value of the spec.
const SET: &str = "--set";

/// These arguments without values that may be secret.
pub fn shown(arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut shown = Vec::new();
    // The flag whose value comes next, if it has one.
    let mut flag: Option<String> = None;
    for (place, argument) in arguments.into_iter().enumerate() {
        if argument.starts_with("--") {
            flag = match argument.split_once('=') {
                Some((name, value)) => {
                    shown.push(format!("{name}={}", value_of(name, value)));
                    None
                }
                None => {
                    shown.push(argument.clone());
                    Some(argument)
                }
            };
        } else if let Some(rest) = argument.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            // A short flag may have its value right behind it; a negative number is the value of the flag before.
            let negative = rest.starts_with(|c: char| c.is_ascii_digit());
            match &flag {
                Some(name) if negative => shown.push(value_of(name, &argument)),
                _ => {
                    let name: String = argument.chars().take(2).collect();
                    let joined = if argument.len() > name.len() {
                        HIDDEN
                    } else {
                        ""
                    };
                    shown.push(format!("{name}{joined}"));
                    flag = Some(name);
                }
            }
        } else {
            // The first one is the command, which is no secret.
            shown.push(match &flag {
                None if place == 0 => argument,
                None => HIDDEN.to_owned(),
                Some(name) => value_of(name, &argument),
            });
            flag = None;
        }
    }
    shown
}

fn value_of(flag: &str, value: &str) -> String {
    let hidden = || HIDDEN.to_owned();
    match value.split_once('=') {
        _ if SHOWN.contains(&flag) => value.to_owned(),
        // What is sent may carry a secret; where and how it is sent does not.
        Some((key, _)) if flag == SET && (key.contains("headers") || key.contains("payload")) => {
            format!("{key}={HIDDEN}")
        }
        Some((_, set)) if flag == SET && set.starts_with(['{', '[']) => hidden(),
        Some(_) if flag == SET => value.to_owned(),
        _ => hidden(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn of(line: &str) -> String {
        shown(line.split(' ').map(str::to_owned)).join(" ")
    }

    #[test]
    fn flags_that_are_shown_are_there() {
        let program = crate::cli::Cli::command();
        let observe = program.find_subcommand("observe").expect("the command");
        for flag in SHOWN.into_iter().chain([SET]) {
            let mut flags = observe.get_arguments().filter_map(|known| known.get_long());
            assert!(flags.any(|known| format!("--{known}") == flag), "{flag}");
        }
    }

    #[test]
    fn what_decides_a_run_is_shown() {
        let line = "observe --spec a.yaml --rate=20/s --set services.api.workers=5 --seed 7 --force --json --set run.x=-1";
        assert_eq!(of(line), line);
    }

    #[test]
    fn secrets_are_not() {
        for (line, expected) in [
            ("observe --url nats://me:canary@host", "observe --url ***"),
            ("observe --url=nats://me:canary@host", "observe --url=***"),
            (
                "observe -s nats://me:canary@host --seed 1",
                "observe -s *** --seed 1",
            ),
            ("observe -snats://canary@host", "observe -s***"),
            (
                "observe --password canary --token=canary --user canary",
                "observe --password *** --token=*** --user ***",
            ),
            ("observe --password -canary", "observe --password -c***"),
            ("observe --unheard-of canary", "observe --unheard-of ***"),
            (
                "observe --set actions.ask.live.headers.Key=canary",
                "observe --set actions.ask.live.headers.Key=***",
            ),
            (
                "observe --set actions.ask.live={headers:{Key:canary}}",
                "observe --set ***",
            ),
            ("observe canary", "observe ***"),
        ] {
            assert_eq!(of(line), expected);
        }
    }
}
