//! The findings of a calibration, in sentences.

use super::document::{CalibrationResult, ChoiceResult, RunCalibration};

/// Loads within this share of one another are one level.
const ONE_LEVEL: f64 = 0.1;
/// A prediction of a run from the others that is further off says that the model does not carry over.
const FAR: f64 = 3.5;

/// A number whose interval reaches this many times itself is not told at all.
const NOT_AT_ALL: f64 = 2.0;

/// What the document's figures say, in sentences.
pub fn findings(of: &CalibrationResult) -> Vec<String> {
    let mut all = vec![fit(of)];
    all.extend(one_level(of));
    all.extend(of.choices.iter().filter_map(undecided));
    all.extend(of.numbers.iter().filter_map(|number| {
        if number.told {
            return None;
        }
        let with = match number.tied_to.is_empty() {
            true => String::new(),
            false => format!(
                ": they determine it only together with {}",
                number.tied_to.join(" and ")
            ),
        };
        Some(format!("The runs do not determine {}{with}.", number.name))
    }));
    all.extend(carried_over(of));
    all.extend(next(of));
    all
}

/// Whether the model explains the runs.
fn fit(of: &CalibrationResult) -> String {
    let goodness = of.goodness;
    let sum = format!(
        "chi-square {:.0} with {} degrees of freedom, p {}",
        goodness.chi_square,
        goodness.freedom,
        probability(goodness.p)
    );
    if goodness.freedom == 0 {
        return "The runs have no more figures than fitted numbers, so any model explains them; measure more loads."
            .to_owned();
    }
    if !goodness.is_wrong() {
        return format!("The fitted model explains the runs: its errors are chance ({sum}).");
    }
    let figures = of.runs.iter().flat_map(|run| {
        let figures = run.figures.iter();
        figures.map(move |figure| (run, figure))
    });
    let worst = figures.max_by(|one, other| one.1.off_sd.abs().total_cmp(&other.1.off_sd.abs()));
    let worst = worst.map_or(String::new(), |(run, figure)| {
        format!(
            " The largest error is in {}: the {} of {} was {}, the model has {}.",
            run.name,
            figure.name,
            figure.action,
            millis(figure.measured_ms),
            millis(figure.fitted_ms)
        )
    });
    format!(
        "The fitted model does not explain the runs ({sum}); intervals are widened.{worst} The structure of the model is \
         probably wrong: try members with their own queues, a further service, or a slow-down under load."
    )
}

/// A time to four digits.
fn millis(value: f64) -> String {
    let (value, unit) = match value {
        large if large >= 1e3 => (large / 1e3, "s"),
        middle if middle >= 1.0 => (middle, "ms"),
        small => (small * 1e3, "us"),
    };
    // A float-to-integer cast saturates.
    let digits = (3.0 - libm::floor(libm::log10(value.max(1e-3)))).clamp(0.0, 6.0) as usize;
    format!("{value:.digits$} {unit}")
}

/// A probability, or what it is less than.
fn probability(p: f64) -> String {
    match p < 0.001 {
        true => "below 0.001".to_owned(),
        false => format!("{p:.3}"),
    }
}

/// That all runs have one load.
fn one_level(of: &CalibrationResult) -> Option<String> {
    let is_level = |of_run: &dyn Fn(&RunCalibration) -> f64, runs: &[RunCalibration]| {
        let least = runs.iter().map(of_run).fold(f64::INFINITY, f64::min);
        let most = runs.iter().map(of_run).fold(0.0, f64::max);
        most <= (1.0 + ONE_LEVEL) * least
    };
    let rates = is_level(&|run| run.offered_rps, &of.runs);
    let users = is_level(&|run| run.users.unwrap_or(0) as f64, &of.runs);
    (rates && users).then(|| {
        "All runs have one load, which cannot distinguish few fast workers from many slow ones; measure another load, \
         near saturation."
            .to_owned()
    })
}

/// A choice between several that explain the runs as well.
fn undecided(choice: &ChoiceResult) -> Option<String> {
    (choice.as_good.len() > 1).then(|| {
        format!(
            "The runs do not decide {}: {} are equally good.",
            choice.name,
            choice.as_good.join(" and ")
        )
    })
}

/// Runs that the others do not predict.
fn carried_over(of: &CalibrationResult) -> Vec<String> {
    let far = of.runs.iter().filter_map(|run| {
        let figures = run.figures.iter();
        let off = figures.filter_map(|figure| Some((figure, figure.left_out_off_sd?)));
        let (figure, off) = off.max_by(|one, other| one.1.abs().total_cmp(&other.1.abs()))?;
        let left_out = figure.left_out_ms?;
        (off.abs() > FAR).then(|| {
            format!(
                "Fitted without {}, the model has {} for its {}, which was {}: more than chance.",
                run.name,
                millis(left_out),
                figure.name,
                millis(figure.measured_ms)
            )
        })
    });
    far.collect()
}

/// The load that would tell most.
fn next(of: &CalibrationResult) -> Option<String> {
    let next = of.next_loads.first()?;
    let load = match next.unit.is_empty() {
        true => format!("{:.0} users", next.load),
        false => format!("{:.1}{}", next.load, next.unit.trim_start_matches('1')),
    };
    if next.apart.is_none() && next.half_width > NOT_AT_ALL {
        return Some(format!(
            "No further load would determine {}; give its known value, and --fix it.",
            next.worst
        ));
    }
    Some(match next.apart {
        Some(apart) => format!(
            "A run at {load} would tell most: the two best explanations differ there by {apart:.1} standard deviations."
        ),
        None => format!(
            "A run at {load} would tell most: the half-width of {} would be {:.1} %.",
            next.worst,
            next.half_width * 100.0
        ),
    })
}
