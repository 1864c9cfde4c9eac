"""From the runs of a backend to the rows of the table, and the judgement of all of them."""

import math
from dataclasses import dataclass
from statistics import fmean, stdev

from harness import laws
from harness.plan import FITTED, LOADS, PREDICTED

CAPACITY = "capacity"
JUDGED = (16, 64, CAPACITY)
WITHIN = {16: 0.10, 64: 0.20, CAPACITY: 0.20}
# An interval whose ends are further apart than by this factor keeps no target.
WIDEST = 2.0
SPREADS = 2
SHARE_BETTER = 0.8
FORMULAS = ("linear", "USL")


@dataclass(frozen=True)
class Row:
    """One figure that was predicted and measured; `sd` is that of the repeats."""

    backend: str
    at: object
    figure: str
    predicted: float
    measured: float
    sd: float
    interval: tuple | None = None
    linear: float | None = None
    usl: float | None = None

    def error(self, prediction):
        """How far off a prediction is, as a share of what was measured."""
        return (prediction - self.measured) / self.measured

    def kept(self):
        """Whether the target is kept; None where there is none."""
        if self.figure != "throughput" or self.at not in JUDGED:
            return None
        allowed = WITHIN[self.at]
        if self.at == 16:
            allowed = max(allowed, SPREADS * self.sd / self.measured)
        inside = (
            self.interval is not None
            and self.interval[0] <= self.measured <= self.interval[1]
            # An interval that holds nearly everything says nothing.
            and self.interval[1] <= WIDEST * self.interval[0]
        )
        return abs(self.error(self.predicted)) <= allowed or (self.at != 16 and inside)

    def beats(self, formula):
        """Whether the model is closer than the formula."""
        other = self.linear if formula == "linear" else self.usl
        return abs(self.error(self.predicted)) < abs(self.error(other))


def spread(values):
    """The standard deviation, 0 of a single value."""
    return stdev(values) if len(values) > 1 else 0.0


def rows_of(backend, measured, predicted, capacity_interval):
    """The rows of a backend.

    `measured` has the figures of all repeats by load, `predicted` those of the simulation, `capacity_interval` the
    ends of the stated 95 % interval of the capacity as shares of it. All loads that are predicted keep the
    fitted model busy, so that the interval of its throughput is that of its capacity.
    """
    points = [(load, run.throughput) for load in FITTED for run in measured[load]]
    straight = laws.linear(points)
    scaled, _ = laws.universal(points)

    def interval(value):
        return capacity_interval and tuple(value * share for share in capacity_interval)

    rows = []
    for load in PREDICTED:
        for figure in ("throughput", "p50", "p99"):
            runs = [getattr(run, figure) for run in measured[load]]
            value = getattr(predicted[load], figure)
            more = {}
            if figure == "throughput":
                more = {"interval": interval(value), "linear": straight(load), "usl": scaled(load)}
            rows.append(Row(backend, load, figure, value, fmean(runs), spread(runs), **more))
    repeats = range(len(measured[LOADS[0]]))
    most = [max(measured[load][repeat].throughput for load in LOADS) for repeat in repeats]
    value = max(run.throughput for run in predicted.values())
    rows.append(
        Row(
            backend,
            CAPACITY,
            "throughput",
            value,
            fmean(most),
            spread(most),
            interval(value),
            straight(max(LOADS)),
            max(scaled(load) for load in LOADS),
        )
    )
    return rows


def markdown(rows):
    """The table of all rows."""
    lines = [
        "| backend | at | figure | predicted | measured | sd | error | linear | USL | target |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        others = [
            "" if other is None else f"{row.error(other):+.0%}" for other in (row.linear, row.usl)
        ]
        kept = {None: "", True: "kept", False: "**missed**"}[row.kept()]
        cells = [row.backend, row.at, row.figure, number(row.predicted), number(row.measured)]
        cells += [number(row.sd), f"{row.error(row.predicted):+.1%}", *others, kept]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def raw(backend, measured):
    """What was measured of a backend at each load: means of the repeats."""
    lines = [
        f"{backend}: means of the repeats; processor time per request in us; `others`: the processors that other programs used",
        "",
        "| concurrency | requests/s | sd | mean ms | p50 ms | p99 ms | server | backend | generator | failed | others |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for load in LOADS:
        runs = measured[load]
        rates = [run.throughput for run in runs]
        cells = [load, number(fmean(rates)), number(spread(rates))]
        cells += [number(fmean(getattr(run, name) for run in runs)) for name in ("mean", "p50", "p99")]
        parts = ("server_us", "backend_us", "generator_us")
        cells += [f"{fmean(getattr(run, name) for run in runs):.0f}" for name in parts]
        cells.append(sum(run.failed for run in runs))
        cells.append(f"{fmean(run.others for run in runs):.2f}")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def number(value):
    """Three digits, thousands with commas."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def judgement(rows, backends):
    """Sentences on the targets for the judged backends, and whether all are kept."""
    sentences, kept = [], True
    of = [row for row in rows if row.backend in backends and row.kept() is not None]
    needed = math.ceil(SHARE_BETTER * len(backends))
    for at in JUDGED:
        here = [row for row in of if row.at == at]
        missed = [row.backend for row in here if not row.kept()]
        kept &= not missed
        place = "the capacity" if at == CAPACITY else f"concurrency {at}"
        said = "target kept by all" if not missed else f"target missed by {', '.join(missed)}"
        better = {name: sum(row.beats(name) for row in here) for name in FORMULAS}
        kept &= all(count >= needed for count in better.values())
        counts = ", ".join(f"than {name} for {n} of {len(here)}" for name, n in better.items())
        sentences.append(f"{place}: {said}; better {counts} (at least {needed} needed)")
    return sentences, kept
