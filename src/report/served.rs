//! The report of a double: as a line, as text and as JSON.

use blis_live::double::saturation::{Health, Lateness, micros};
use blis_live::double::state::Statement;
use serde_json::{Value, json};

use super::number;
use super::parts::{Block, Report, Section};

/// The progress line for stderr.
pub fn line(statement: &Statement) -> String {
    let Health {
        overrun,
        control,
        cpu,
        busy,
        ..
    } = &statement.health;
    format!(
        "{:.0} s: {} requests; timing error {} (scheduler jitter {}); share of the machine's CPUs {}, model thread busy {}",
        statement.elapsed.as_secs_f64(),
        statement.played.requests,
        lateness(overrun.as_ref()),
        lateness(control.as_ref()),
        share(*cpu),
        share(*busy)
    )
}

fn lateness(late: Option<&Lateness>) -> String {
    late.map_or("not measured".to_owned(), |late| {
        format!(
            "p50 {:.0} us, p99 {:.0} us",
            micros(late.p50),
            micros(late.p99)
        )
    })
}

fn share(share: Option<f64>) -> String {
    share.map_or("not measured".to_owned(), |share| {
        format!("{:.0} %", share * 100.0)
    })
}

/// The report for a terminal.
pub fn text(statement: &Statement) -> String {
    let played = &statement.played;
    let answers: Vec<String> = played
        .answers
        .iter()
        .map(|(outcome, number)| format!("{number} {outcome}"))
        .collect();
    let of = if answers.is_empty() { "" } else { ": " };
    let requests = if played.requests == 1 {
        "request"
    } else {
        "requests"
    };
    let mut text = format!(
        "Received {} {requests}{of}{}\n",
        played.requests,
        answers.join(", ")
    );
    if played.unknown > 0 {
        text.push_str(&format!(
            "{} of them carried no request id of this spec; their service times were drawn separately\n",
            played.unknown
        ));
    }
    for (number, what) in [
        (played.taken, "visits received from other doubles"),
        (played.handed_on, "visits sent to other doubles"),
        (played.fetched, "stream messages processed"),
        (played.deliveries, "fan-out deliveries sent"),
        (
            played.not_sent,
            "messages lost: the connection did not accept them",
        ),
    ] {
        if number > 0 {
            text.push_str(&format!("{number} {what}\n"));
        }
    }
    for (service, members) in &statement.services {
        for (member, tally) in members {
            text.push_str(&format!(
                "{service} member {member}: {} visits, {} errors, {} refused, {:.3} s of service\n",
                tally.visits,
                tally.errors,
                tally.rejected,
                tally.service.as_secs_f64()
            ));
        }
    }
    text.push_str(&health(&statement.health));
    text.push_str(&format!(
        "maximum requests in progress: {}\n",
        played.most_present
    ));
    text
}

/// The whole as a report, for a page.
pub fn report(spec: &str, statement: &Statement) -> Report {
    let lines = text(statement).lines().map(str::to_owned).collect();
    Report {
        title: format!("Double of {spec}"),
        sections: vec![Section::of([Block::Lines(lines)])],
    }
}

fn health(health: &Health) -> String {
    let mut text = String::new();
    for (what, late) in [
        ("timing error", &health.overrun),
        ("scheduler jitter", &health.control),
    ] {
        if let Some(late) = late {
            text.push_str(&format!(
                "{what}: p50 {:.0} us, p99 {:.0} us\n",
                micros(late.p50),
                micros(late.p99)
            ));
        }
    }
    text.push_str(&format!(
        "share of the machine's CPUs used by this double: {}; model thread busy: {}\n",
        share(health.cpu),
        share(health.busy)
    ));
    if let Some(carries) = health.ceiling_per_s {
        text.push_str(&format!(
            "own ceiling: about {} requests, visits and messages a second at this mix\n",
            number::significant(carries)
        ));
    }
    text
}

/// The document for programs.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn json(spec: &str, statement: &Statement) -> Result<String, serde_json::Error> {
    let Statement {
        elapsed,
        played,
        health,
        services,
        ..
    } = statement;
    let services = services.iter().map(|(name, members)| {
        let members = members.iter().map(|(member, tally)| {
            json!({
                "member": member,
                "visits": tally.visits,
                "errors": tally.errors,
                "rejected": tally.rejected,
                "service_s": tally.service.as_secs_f64(),
            })
        });
        (name.clone(), json!({"members": members.collect::<Value>()}))
    });
    let whole = json!({
        "schema": "blis.served/1",
        "spec": spec,
        "elapsed_s": elapsed.as_secs_f64(),
        "requests": played.requests,
        "unknown": played.unknown,
        "answers": played.answers,
        "visits_taken": played.taken,
        "visits_handed_on": played.handed_on,
        "messages": played.fetched,
        "deliveries": played.deliveries,
        "not_sent": played.not_sent,
        "most_present": played.most_present,
        "services": services.collect::<serde_json::Map<String, Value>>(),
        "overrun": late(health.overrun.as_ref()),
        "control": late(health.control.as_ref()),
        "mean_service_us": health.service.map(micros),
        "cpu_share": health.cpu,
        "busy_share": health.busy,
        "ceiling_per_s": health.ceiling_per_s,
        "warnings": health.warnings(),
    });
    Ok(serde_json::to_string_pretty(&whole)? + "\n")
}

fn late(late: Option<&Lateness>) -> Value {
    late.map_or(
        Value::Null,
        |late| json!({"p50_us": micros(late.p50), "p99_us": micros(late.p99)}),
    )
}
