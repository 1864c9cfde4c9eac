use std::fmt;
use std::str::FromStr;

use super::duration::DURATION_FORMS;
use super::*;

fn nanos(text: &str) -> f64 {
    text.parse::<Duration>().map_or(f64::NAN, |d| d.0)
}

#[test]
fn sizes_have_units() {
    let bytes = |text: &str| text.parse::<Size>().map(|size| size.0);
    assert_eq!(bytes("256B"), Ok(256));
    assert_eq!(bytes("4KiB"), Ok(4096));
    assert_eq!(bytes("64 kB"), Ok(64_000));
    let refused = |text: &str| bytes(text).expect_err("refused").message;
    assert_eq!(refused("256"), "the size `256` has no unit");
    assert_eq!(refused("1.5KiB"), "`1.5KiB` is not a size");
    assert_eq!(refused("-1B"), "`-1B` is negative");
    assert_eq!(
        refused("18446744073709551615KiB"),
        "`18446744073709551615KiB` is too large"
    );
    assert_eq!(Size(4096).to_string().parse::<Size>(), Ok(Size(4096)));
}

#[test]
fn durations_are_exact() {
    assert_eq!(nanos("0.1ms"), 100_000.0);
    assert_eq!(nanos("1.000000001s"), 1_000_000_001.0);
    assert_eq!(nanos("150us"), 150_000.0);
    assert_eq!(nanos("7ns"), 7.0);
    assert_eq!(nanos("1.5m"), 9e10);
    assert_eq!(nanos("2h"), 7.2e12);
    assert_eq!(nanos("0s"), 0.0);
    assert_eq!(nanos("876600h"), MAX_DURATION_NS);
}

#[test]
fn durations_may_be_written_in_parts() {
    assert_eq!(nanos("1m30s"), 9e10);
    assert_eq!(nanos("1h30m"), 5.4e12);
    assert_eq!(nanos("2h 5m 0.5s"), 7_500.5e9);
    assert_eq!(nanos("1 m 30 s"), 9e10);
    assert_eq!(nanos("1s1ns"), 1_000_000_001.0);
    assert_eq!(nanos("1m90s"), 1.5e11);
    for (text, why) in [
        (
            "30s1m",
            "the units of `30s1m` are not ordered from large to small",
        ),
        (
            "1m1m",
            "the units of `1m1m` are not ordered from large to small",
        ),
        (
            "1.5m30s",
            "`1.5m` is not a whole number, and more follows it in `1.5m30s`",
        ),
        ("1m30", "`1m30` is not a duration"),
        ("1m30parsecs", "`1m30parsecs` is not a duration"),
        ("1m-30s", "`1m-30s` is not a duration"),
        ("-1m30s", "`-1m30s` is negative"),
        ("876600h1s", "`876600h1s` is too long"),
    ] {
        assert_eq!(message::<Duration>(text), why);
    }
}

fn message<T: FromStr<Err = UnitError> + fmt::Debug>(text: &str) -> String {
    match text.parse::<T>() {
        Ok(value) => panic!("`{text}` was read as {value:?}"),
        Err(error) => error.message,
    }
}

#[test]
fn what_is_not_a_duration_says_why() {
    assert_eq!(message::<Duration>("5"), "the duration `5` has no unit");
    assert_eq!(message::<Duration>("0"), "the duration `0` has no unit");
    assert_eq!(message::<Duration>("-5s"), "`-5s` is negative");
    assert_eq!(
        message::<Duration>(".nan"),
        "`.nan` is not a duration: it must be finite"
    );
    assert_eq!(
        message::<Duration>("inf s"),
        "`inf s` is not a duration: it must be finite"
    );
    assert_eq!(
        message::<Duration>("5 parsecs"),
        "`5 parsecs` is not a duration"
    );
    assert_eq!(message::<Duration>("1.2.3s"), "`1.2.3s` is not a duration");
    assert_eq!(message::<Duration>(".s"), "`.s` is not a duration");
    assert_eq!(message::<Duration>("ms"), "`ms` is not a duration");
    assert_eq!(message::<Duration>(""), "an empty text is not a duration");
    assert_eq!(message::<Duration>("1e3s"), "`1e3s` is not a duration");
    assert_eq!(message::<Duration>("87660000h"), "`87660000h` is too long");
    let endless = format!("{}h", "9".repeat(400));
    assert!(message::<Duration>(&endless).starts_with("`999"));
}

#[test]
fn what_the_clock_cannot_tell_from_zero_is_refused() {
    for text in ["0.1ns", "0.999ns", "0.0000001ms"] {
        let said = message::<Duration>(text);
        assert_eq!(said, format!("`{text}` is shorter than a nanosecond"));
    }
    assert_eq!(nanos("1.5ns"), 1.5);
    assert_eq!(nanos("0.0ns"), 0.0);
}

#[test]
fn units_of_other_tools_are_understood_but_not_accepted() {
    let advice = |error: UnitError| error.help.split('?').next().unwrap_or_default().to_owned();
    for (text, meant) in [
        ("8 msec", "8ms"),
        ("8msec", "8ms"),
        ("1.5 Seconds", "1.5s"),
        ("10MS", "10ms"),
        ("3min", "3m"),
        ("2 hours", "2h"),
        ("5usec", "5us"),
    ] {
        let error = text.parse::<Duration>().expect_err(text);
        assert_eq!(advice(error), format!("did you mean `{meant}`"), "{text}");
    }
    for (text, meant) in [
        ("200rps", "200/s"),
        ("1.5k rps", "1.5k/s"),
        ("12 rpm", "12/m"),
        ("200/sec", "200/s"),
        ("200/S", "200/s"),
    ] {
        let error = text.parse::<Rate>().expect_err(text);
        assert_eq!(advice(error), format!("did you mean `{meant}`"), "{text}");
    }
    for text in ["msec", "-8msec", "8 parsecs"] {
        let error = text.parse::<Duration>().expect_err(text);
        assert_eq!(error.help, DURATION_FORMS, "{text}");
    }
}

#[test]
fn rates_counts_shares_and_numbers() {
    assert_eq!("1.5k/s".parse(), Ok(Rate(1500.0)));
    assert_eq!("12/m".parse(), Ok(Rate(0.2)));
    assert_eq!("3600/h".parse(), Ok(Rate(1.0)));
    assert_eq!("10k".parse(), Ok(Count(10_000)));
    assert_eq!("1.5M".parse(), Ok(Count(1_500_000)));
    assert_eq!("5.0".parse(), Ok(Count(5)));
    assert_eq!("18446744073709551615".parse(), Ok(Count(u64::MAX)));
    assert_eq!("0.1%".parse(), Ok(Share(0.001)));
    assert_eq!("1".parse(), Ok(Share(1.0)));
    assert_eq!("1e-4".parse(), Ok(Share(0.0001)));
    assert_eq!("100%".parse(), Ok(Share(1.0)));
    assert_eq!("1e3".parse(), Ok(Number(1000.0)));
}

#[test]
fn other_quantities_say_what_is_wrong() {
    assert_eq!(message::<Rate>("200"), "the rate `200` has no unit");
    assert_eq!(message::<Rate>("200/d"), "`200/d` is not a rate");
    assert_eq!(message::<Rate>("2000M/s"), "`2000M/s` is too high a rate");
    assert_eq!(message::<Count>("1.5"), "`1.5` is not a whole number");
    assert_eq!(message::<Count>("-3"), "`-3` is negative");
    assert_eq!(
        message::<Count>("18446744073709551616"),
        "`18446744073709551616` is too large"
    );
    assert_eq!(message::<Count>("1.2.3k"), "`1.2.3k` is not a count");
    assert_eq!(message::<Count>("0x10"), "`0x10` is not a count");
    assert_eq!(message::<Share>("101%"), "the share `101%` is above 100%");
    assert_eq!(message::<Share>("2"), "the share `2` is above 100%");
    assert_eq!(message::<Share>("-1%"), "`-1%` is negative");
    assert_eq!(
        message::<Number>("inf"),
        "`inf` is not a number: it must be finite"
    );
    assert_eq!(message::<Number>("1e999"), "`1e999` is too large");
    assert_eq!(message::<Number>("+1"), "`+1` is not a number");
}

#[test]
fn quantities_read_back_as_they_were() {
    for nanos in [
        0.0,
        1.0,
        1.1,
        10.0 / 3.0,
        6e10,
        7.2e12,
        1e16,
        9.007_199_254_740_993e15,
        MAX_DURATION_NS,
    ] {
        assert_eq!(Duration(nanos).to_string().parse(), Ok(Duration(nanos)));
    }
    for rate in [0.2, 1.0 / 3.0, 1e8, 1e-9] {
        assert_eq!(Rate(rate).to_string().parse(), Ok(Rate(rate)));
    }
    for share in [0.001, 1.0 / 3.0, 1e-12, 1.0] {
        assert_eq!(Share(share).to_string().parse(), Ok(Share(share)));
    }
}
