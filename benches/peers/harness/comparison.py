"""The comparison of one case, and the Markdown table of all of them.

A ratio is blis's rate over a peer's rate **in the same round**; its median over the rounds decides
whether blis is ahead. Figures are medians with the smallest and the largest in brackets.
"""

import statistics
from dataclasses import dataclass

from harness.check import Check
from harness.plan import BLIS, INFEASIBLE, extrapolated

HEAD = (
    "| case | tool | requests/s | blis is ahead by | mean response | expected | peak MB |\n"
    "|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Row:
    """One tool in one case. ``note`` says when the rates are extrapolated, and why."""

    case: str
    tool: str
    rates: list
    ratios: list
    check: Check
    peak_mb: float | None
    note: str = ""

    @property
    def behind_blis(self):
        """Whether blis is faster in the median round; blis itself never stands in its own way."""
        return self.tool == BLIS or statistics.median(self.ratios) > 1.0


def rows_of(case, runs, checker):
    """One row for each tool of ``runs``, a dictionary of runs by tool."""
    base = [run.rate for run in runs[BLIS]]
    return [row_of(case, tool, base, of_tool, checker) for tool, of_tool in runs.items()]


def row_of(case, tool, base, runs, checker):
    """The row of ``tool``; ``base`` holds blis's rates round by round."""
    rates, note = [run.rate for run in runs], ""
    if (tool, case) in INFEASIBLE:
        measured, why = INFEASIBLE[tool, case]
        rates = [extrapolated(rate, measured, case) for rate in rates]
        note = f"{why}; extrapolated from {measured}"
    ratios = [ours / theirs for ours, theirs in zip(base, rates, strict=True)]
    peaks = [run.peak_mb for run in runs if run.peak_mb is not None]
    return Row(case, tool, rates, ratios, checker.check(runs), max(peaks, default=None), note)


def verdict(rows):
    """The exit code of the comparison, and what there is to say about it.

    A wrong mean outweighs a lost comparison, which it makes meaningless.
    """
    wrong = [row for row in rows if not row.check.passed]
    lost = [row for row in rows if not row.behind_blis]
    complaints = [f"case {row.case}, {row.tool}: the mean response or the throughput is wrong" for row in wrong]
    complaints += [f"case {row.case}: blis is not ahead of {row.tool}" for row in lost]
    return (2 if wrong else 1 if lost else 0), complaints


def table(rows):
    """The rows in Markdown."""
    return "\n".join([HEAD, *(line(row) for row in rows)])


def line(row):
    """One line of the table."""
    rates = spread(row.rates, count)
    ratio = "1" if row.tool == BLIS else spread(row.ratios, factor)
    if row.note:
        rates = f"{rates} ({row.note})"
        mean = expected = peak = "not run"
    else:
        check = row.check
        mean = duration(check.mean_s) + ("" if check.passed else " **wrong**")
        kind = "exact" if check.steady else "reference"
        percent = 100 * check.tolerance_s / check.expected_s
        expected = f"{duration(check.expected_s)} ± {percent:.1f} % ({kind})"
        peak = "not measured" if row.peak_mb is None else f"{row.peak_mb:.0f}"
    cells = (row.case, row.tool, rates, ratio, mean, expected, peak)
    return "| " + " | ".join(cells) + " |"


def spread(values, show):
    """Median, and smallest and largest where there are several."""
    middle = show(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} [{show(min(values))} .. {show(max(values))}]"


def count(rate):
    """A rate to three significant digits, with thousands apart."""
    return f"{float(f'{rate:.3g}'):,.{0 if rate >= 100 else 1}f}"


def factor(ratio):
    """A ratio to two decimals below ten, to three significant digits above."""
    return f"{ratio:.2f}×" if ratio < 10 else f"{float(f'{ratio:.3g}'):,.{0 if ratio >= 100 else 1}f}×"


def duration(seconds):
    """A duration in the unit that suits it, to five significant digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.5g} {unit}"
    return f"{seconds * 1e9:.5g} ns"
