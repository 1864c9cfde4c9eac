//! Reports as pages: which plots each has, that they say what the text says, and how large they are.

use std::path::Path;

use crate::support::{Ran, Runs, shipped, with_stdin, words};

/// A page may have so many bytes beside its data.
const MOST: usize = 300_000;

const SPEC: &str = "{blis: 1, name: shop, run: {horizon: 20s, warmup: 2s}, clients: {c: {rate: 300/s, timeout: 1s, do: {buy: 3, look: 1}}}, \
                    actions: {buy: {path: [{visit: s}, reply], slo: {p99: 80ms}}, look: {path: [{visit: s}, reply]}}, services: {s: {workers: \
                    1, time: {exponential: {mean: 1500us}}}}}";

/// The titles of the plots of a page.
fn plots(page: &str) -> Vec<&str> {
    let captions = page.split("<figcaption>").skip(1);
    captions
        .filter_map(|rest| rest.split("</figcaption>").next())
        .collect()
}

/// A page, after what holds for every page.
fn page(ran: &Ran) -> &str {
    let page = ran.stdout.as_str();
    assert!(
        matches!(ran.code, Some(0 | 5 | 99)),
        "{:?} {}",
        ran.code,
        ran.stderr
    );
    assert!(
        page.starts_with("<!doctype html>\n<html lang=\"en\">\n"),
        "{page:.200}"
    );
    assert!(page.ends_with("</html>\n"), "it is whole");
    let number = plots(page).len();
    assert_eq!(
        page.matches("<svg class=\"still\" role=\"img\"").count(),
        number
    );
    assert_eq!(page.matches("<details class=\"data\">").count(), number);
    for load in ["src=", "href=", "@import", "url("] {
        assert!(!outside_of_scripts(page).contains(load), "{load}");
    }
    page
}

/// The page without its script, whose text is no markup.
fn outside_of_scripts(page: &str) -> String {
    let (before, script) = page.rsplit_once("<script>").expect("a script");
    let (_, after) = script.split_once("</script>").expect("its end");
    format!("{before}{after}")
}

/// What a reader sees, word by word, without plots.
fn seen(page: &str) -> String {
    let page = outside_of_scripts(page);
    let (_, body) = page.split_once("<body>").expect("a body");
    let mut text = String::new();
    let mut rest = body;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        // Elements within a line are apart from nothing.
        text.push(' ');
        rest = after.split_once('>').map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#x2f;", "/"),
        ("&amp;", "&"),
    ];
    let text = entities
        .iter()
        .fold(text, |text, (entity, of)| text.replace(entity, of));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every line of a table, fact or note of a text stands on the page.
fn says_what_the_text_says(text: &str, page: &str) {
    let seen = seen(page);
    for line in text.lines() {
        // Figures that stand in columns are apart by commas, in cells or among the large numbers.
        let pieces = line.split("  ").map(str::trim);
        for piece in pieces.filter(|piece| !piece.is_empty() && *piece != "-") {
            let piece = piece.split_whitespace().collect::<Vec<_>>().join(" ");
            let is_large =
                piece.starts_with("mean ") || piece.starts_with('±') || piece.starts_with("max ");
            let is_quantile = piece.starts_with('p') && piece.ends_with('s');
            let is_rate = piece.ends_with("requests/s answered");
            // A banner has its word above what is said, and no label.
            let words = [
                "PASS: ",
                "TRIP: ",
                "INCONCLUSIVE: ",
                "OVERLOAD: ",
                "ANSWER: ",
            ];
            let piece = words
                .iter()
                .find_map(|word| piece.strip_prefix(word))
                .unwrap_or(&piece);
            if !(is_large || is_quantile || is_rate || piece == "verdict") {
                assert!(seen.contains(piece), "`{piece}` of `{line}`");
            }
        }
    }
}

#[test]
fn a_run_shows_its_distribution_its_course_and_its_outcomes() {
    let run = "run --concurrency 50 --think-time-ms 500";
    let ran = words(&format!("{run} --format html"));
    let page = page(&ran);
    assert_eq!(
        plots(page),
        [
            "Response time by percentile",
            "Outcomes",
            "Offered and answered",
            "Response time over time",
            "In flight",
            "Utilisation",
            "Queues"
        ]
    );
    assert!(page.len() < MOST, "{} bytes", page.len());
    assert_eq!(page, words(&format!("{run} --format html")).stdout);
    let text = words(run).stdout;
    says_what_the_text_says(&text, page);
    let banner = page.find("class=\"banner good\"").expect("a banner");
    let first = page.find("<figure").expect("a plot");
    assert!(banner < first);
    for folded in ["Configuration", "Provenance", "Over time, in numbers"] {
        assert!(
            page.contains(&format!("<summary>{folded}</summary>")),
            "{folded}"
        );
    }
}

#[test]
fn every_shipped_spec_has_a_page_that_says_what_its_text_says() {
    for name in [
        "streams.yaml",
        "broadcast.yaml",
        "overload.yaml",
        "mixed.yaml",
    ] {
        let run = format!("run --spec {}", shipped(name).display());
        let ran = words(&format!("{run} --format html"));
        let page = page(&ran);
        assert!(page.len() < 2 * MOST, "{name}: {} bytes", page.len());
        says_what_the_text_says(&words(&run).stdout, page);
        let expected = match name {
            "streams.yaml" => "Backlogs",
            "broadcast.yaml" => "Deliveries by percentile",
            _ => "Response time over time",
        };
        assert!(plots(page).contains(&expected), "{name}: {:?}", plots(page));
    }
    let check = format!("check {}", shipped("mixed.yaml").display());
    let page_of_check = words(&format!("{check} --format html"));
    says_what_the_text_says(&words(&check).stdout, page(&page_of_check));
}

#[test]
fn a_run_directory_and_an_unfinished_one_have_the_page_of_their_run() {
    let runs = Runs::of(SPEC);
    let out = runs.path("one");
    let spec = runs.path("shop.yaml");
    let ran = words(&format!("run {spec} --out {out} --record --format html"));
    let shown = words(&format!("report {out} --format html"));
    assert_eq!(page(&shown), ran.stdout);
    assert!(plots(&ran.stdout).contains(&"Response time by action"));
    let markdown = std::fs::read_to_string(Path::new(&out).join("report.md")).expect("a report");
    assert!(markdown.starts_with("# shop"), "{markdown:.80}");
}

#[test]
fn an_explanation_is_a_waterfall() {
    let runs = Runs::of(SPEC);
    let out = runs.run("one", "");
    let ran = words(&format!("explain {out} --format html"));
    assert_eq!(
        plots(page(&ran)),
        [
            "Where the time of a median request goes",
            "Where the time of a p99 request goes"
        ]
    );
    says_what_the_text_says(&words(&format!("explain {out}")).stdout, &ran.stdout);
}

#[test]
fn a_comparison_shows_differences_and_both_distributions() {
    let runs = Runs::of(SPEC);
    let one = runs.run("one", "");
    let other = runs.run(
        "other",
        "--seed 2 --set services.s.time.exponential.mean=2ms",
    );
    let compare = format!("compare {one} {other} --tolerance p99=10%");
    let ran = words(&format!("{compare} --format html"));
    let shown = plots(page(&ran));
    for title in [
        "Differences: all requests",
        "Response time by percentile: all requests",
        "Differences: buy",
        "Answered over time",
    ] {
        assert!(shown.contains(&title), "{title} of {shown:?}");
    }
    assert!(ran.stdout.contains("class=\"banner "), "the verdict");
    says_what_the_text_says(&words(&compare).stdout, &ran.stdout);
}

#[test]
fn a_variant_shows_what_changes() {
    let runs = Runs::of(SPEC);
    let spec = runs.path("shop.yaml");
    let whatif = format!("whatif {spec} --set services.s.workers=2 --replications 4");
    let ran = words(&format!("{whatif} --format html"));
    assert_eq!(
        plots(page(&ran)),
        ["What changes", "Response time by percentile"]
    );
    says_what_the_text_says(&words(&whatif).stdout, &ran.stdout);
}

#[test]
fn a_search_shows_its_trials_and_is_shown_again_from_its_directory() {
    let runs =
        Runs::of(&SPEC.replace(", run: {horizon: 20s, warmup: 2s}", ", run: {requests: 10}"));
    let spec = runs.path("shop.yaml");
    let out = runs.path("search");
    let search = format!("max-rps {spec} --warmup 1s --hold 5s --steps 100,300,500,600,660");
    let ran = words(&format!("{search} --format html --out {out}"));
    let shown = plots(page(&ran));
    for title in [
        "p99 of buy over rate",
        "Throughput over rate",
        "Utilisation over rate",
        "The search",
    ] {
        assert!(shown.contains(&title), "{title} of {shown:?}");
    }
    assert_eq!(
        words(&format!("report {out} --format html")).stdout,
        ran.stdout
    );
    assert!(ran.stdout.len() < MOST, "{} bytes", ran.stdout.len());
    says_what_the_text_says(&words(&search).stdout, &ran.stdout);
}

#[test]
fn a_name_cannot_break_the_page() {
    let hostile = "</title><script>alert(1)</script>";
    let spec = format!(
        "blis: 1\nname: \"{hostile}\\\" onload=\\\"x\"\nrun: {{requests: 300}}\nclients: {{c: {{concurrency: 1, do: a}}}}\n\
         actions: {{a: {{path: [{{visit: s}}, reply]}}}}\nservices: {{s: {{workers: 1, time: 1ms}}}}\n"
    );
    let ran = with_stdin("run --spec - --format html", &spec);
    let page = page(&ran);
    assert!(
        !page.contains("<script>alert") && !page.contains('\u{202e}'),
        "{page:.400}"
    );
    assert!(seen(page).contains(hostile), "it is shown as it is");
}
