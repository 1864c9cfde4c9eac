//! Figures of messages: streams, their consumers, and fan-outs.
//!
//! Runs without streams and fan-outs use nothing of this.

use crate::event::{Emission, MessageStep};
use crate::measure::consumer::ConsumerMeter;
use crate::measure::fan_out::FanOutMeter;
use crate::measure::ledger::Imbalance;
use crate::measure::series::ConsumerRow;
use crate::measure::stream::StreamMeter;
use crate::model::{ConsumerId, FanOutId, Model, StreamId};
use crate::time::Time;

/// The meters of streams, consumers and fan-outs, each in the order of the model.
#[derive(Debug, Clone)]
pub(super) struct Messages {
    pub(super) streams: Vec<StreamMeter>,
    pub(super) consumers: Vec<ConsumerMeter>,
    pub(super) fan_outs: Vec<FanOutMeter>,
    /// What consumers are called, and whose messages they get.
    consumers_of: Vec<(String, StreamId)>,
    fan_out_names: Vec<String>,
}

impl Messages {
    /// Nothing measured yet.
    pub(super) fn new<P>(model: &Model<P>) -> Messages {
        let start = model.limits.warmup;
        let consumers_of = model.consumers.iter().map(|consumer| {
            let stream = &model.streams[consumer.stream.index()];
            let name = format!("{}/{}", stream.name, consumer.name);
            (name, consumer.stream)
        });
        let fan_out_names = model.fan_outs.iter().map(|fan_out| fan_out.name.clone());
        Messages {
            streams: vec![StreamMeter::new(start); model.streams.len()],
            consumers: vec![ConsumerMeter::new(start); model.consumers.len()],
            fan_outs: vec![FanOutMeter::new(start); model.fan_outs.len()],
            consumers_of: consumers_of.collect(),
            fan_out_names: fan_out_names.collect(),
        }
    }

    /// Adds what another run of the same model measured.
    pub(super) fn merge(&mut self, other: &Messages) {
        for (mine, others) in self.streams.iter_mut().zip(&other.streams) {
            mine.merge(others);
        }
        for (mine, others) in self.consumers.iter_mut().zip(&other.consumers) {
            mine.merge(others);
        }
        for (mine, others) in self.fan_outs.iter_mut().zip(&other.fan_outs) {
            mine.merge(others);
        }
    }

    pub(super) fn publication(&mut self, now: Time, stream: StreamId, stored: bool) {
        self.streams[stream.index()].record(now, stored);
    }

    pub(super) fn message(&mut self, now: Time, consumer: ConsumerId, step: MessageStep) {
        self.consumers[consumer.index()].record(now, step);
    }

    pub(super) fn delivery(&mut self, fan_out: FanOutId, at: Time, emitted: Time, intended: Time) {
        self.fan_outs[fan_out.index()].delivery(at, emitted, intended);
    }

    pub(super) fn emission(&mut self, now: Time, fan_out: FanOutId, emission: &Emission) {
        self.fan_outs[fan_out.index()].emission(now, emission);
    }

    /// The measured window begins.
    pub(super) fn window_starts(&mut self, now: Time) {
        self.consumers
            .iter_mut()
            .for_each(|consumer| consumer.window_starts(now));
    }

    /// The measured window ends.
    pub(super) fn window_ends(&mut self, now: Time) {
        self.streams
            .iter_mut()
            .for_each(|stream| stream.window_ends(now));
        self.consumers
            .iter_mut()
            .for_each(|consumer| consumer.window_ends(now));
        self.fan_outs
            .iter_mut()
            .for_each(|fan_out| fan_out.window_ends(now));
    }

    /// Writes the backlog and the redeliveries so far of every consumer into a buffer.
    pub(super) fn rows(&self, rows: &mut Vec<ConsumerRow>) {
        rows.clear();
        rows.extend(self.consumers.iter().map(|consumer| ConsumerRow {
            backlog: consumer.backlog_left(),
            redelivered: consumer.messages().redelivered,
        }));
    }

    /// Checks every identity between counts that were kept apart.
    pub(super) fn check(&self, now: Time) -> Result<(), Imbalance> {
        for (consumer, (name, stream)) in self.consumers.iter().zip(&self.consumers_of) {
            let stored = self.streams[stream.index()].publications().stored;
            consumer.check(name, stored, now)?;
        }
        for (fan_out, name) in self.fan_outs.iter().zip(&self.fan_out_names) {
            fan_out.check(name)?;
        }
        Ok(())
    }
}
