//! The requests near the median and the 99th percentile of a run, and a run that follows them.

use super::document::{QuantileExplained, Target, quantile};
use super::sink::{Band, Explain};
use crate::event::Sink;
use crate::measure::Times;
use crate::model::Model;
use crate::replication::{Halt, Watch, drive, simulate};
use crate::simulation::Simulation;

/// The quantiles that are explained, with the quantiles between which the requests lie that stand for them.
const QUANTILES: [(f64, (f64, f64)); 2] = [(0.5, (0.49, 0.51)), (0.99, (0.985, 0.995))];

/// The quantiles with their bands, the median first; `None` when nothing was measured.
pub fn targets(response: &Times) -> Option<[(Target, Band); 2]> {
    let [median, slow] = QUANTILES.map(|(quantile, (low, high))| {
        let (from, to) = response.band(low, high)?;
        let target = Target {
            quantile,
            band: (low, high),
            value: response.quantile(quantile)?,
        };
        Some((target, Band { from, to }))
    });
    Some([median?, slow?])
}

/// Where the time of a model's slow requests goes, those about the 99th percentile: it is run twice. `None` when nothing is
/// measured, or it is told to stop.
///
/// # Errors
/// [`Halt`], as for any run.
pub fn slow(model: &Model, watch: Watch<'_>) -> Result<Option<QuantileExplained>, Halt> {
    let measure = simulate(model, watch, |_| ())?.measure;
    if (watch.stop)() {
        return Ok(None);
    }
    let cell = measure.total();
    let Some([_, (target, band)]) = targets(cell.window.latencies.response()) else {
        return Ok(None);
    };
    let mut explained = Explain::new(model, &[band]);
    let sink: &mut dyn Sink = &mut explained;
    drive(&mut Simulation::new(model, sink), watch, |_| {})?;
    if (watch.stop)() {
        return Ok(None);
    }
    let followed = explained.bands().first();
    Ok(followed.map(|(band, sums)| quantile(model, target, *band, sums)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec;

    #[test]
    fn slow_requests_of_a_tandem_wait_at_its_busy_station() {
        let text = "{blis: 1, name: t, run: {horizon: 200s, warmup: 10s}, clients: {c: {rate: 80/s, do: a}}, actions: {a: {path: \
                    [{visit: idle}, {visit: busy}, reply]}}, services: {idle: {workers: 9, time: 1ms}, busy: {workers: 1, time: \
                    {exponential: {mean: 10ms}}}}}";
        let read = spec::read(text).expect("a spec");
        let model = spec::lower(&read).expect("a model").model;
        let watch = Watch {
            stop: &|| false,
            most_present: u64::MAX,
        };
        let slow = slow(&model, watch).expect("it runs").expect("requests");
        let run = simulate(&model, watch, |_| ()).expect("it runs");
        let all = run.measure.total();
        let p99 = all.window.latencies.response().quantile(0.99);
        assert_eq!(Some(slow.quantile_ms), p99.map(|p99| p99.as_millis_f64()));
        assert!(slow.services["busy"].waiting.share > 0.7, "{slow:?}");
        assert_eq!(slow.services["idle"].waiting.sum_ns, 0);
    }
}
