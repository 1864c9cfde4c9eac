"""Whether the mean response, and the throughput, of every run is that of the right model.

A run whose tool left out the case's warm-up is compared with the exact steady-state mean. A run
without warm-up is compared with the mean of the same number of requests in the reference program,
which starts from the same empty station. Either way the tolerance is 1 %, or five standard
deviations of the difference where that is more; the deviation of a single run comes from the
reference. A short run therefore has a wide tolerance, which the table shows.

The mean response says little about the think time where nobody waits (case A), so a tool that
states its simulated throughput after the warm-up is held to that too, with the same floor and five
deviations of a count.
"""

import statistics
from dataclasses import dataclass

from harness.plan import CASES
from harness.tools import ToolError, reference

RELATIVE = 0.01
DEVIATIONS = 5.0
STEADY_REQUESTS = 400_000
REFERENCE_REQUESTS = 20_000_000
FEWEST_REFERENCES, MOST_REFERENCES = 8, 16


@dataclass(frozen=True)
class Check:
    """A measured mean beside the expected one; times in seconds."""

    mean_s: float
    expected_s: float
    tolerance_s: float
    steady: bool
    throughput_right: bool

    @property
    def passed(self):
        """Whether the mean is within its tolerance, and the throughput within its own."""
        return self.throughput_right and abs(self.mean_s - self.expected_s) <= self.tolerance_s


class Checker:
    """Checks runs, computing each reference once."""

    def __init__(self, estimate=reference):
        self.estimate = estimate
        self.known = {}

    def check(self, runs):
        """Check the runs of one tool in one case."""
        case, warmup = runs[0].case, runs[0].warmup_s
        requests = round(statistics.fmean(run.mean_requests for run in runs))
        # Runs of one seed repeat each other and tell no more than one of them.
        variance = 1 / len({run.mean_response_s for run in runs})
        if warmup == 0.0:
            found = self.reference(case, requests, 0.0)
            expected, deviation = found["mean_response_s"], found["deviation_s"]
            variance += 1 / reference_runs(requests)
        elif warmup >= CASES[case]["warmup_s"]:
            expected = CASES[case]["response_s"]
            deviation = self.steady_deviation(case, requests, warmup)
        else:
            raise ToolError(
                f"{runs[0].tool}, case {case}: a warm-up of {warmup} s is neither 0 "
                f"nor at least {CASES[case]['warmup_s']} s"
            )
        spread = DEVIATIONS * deviation * variance**0.5
        mean = statistics.fmean(run.mean_response_s for run in runs)
        tolerance = max(RELATIVE * expected, spread)
        return Check(mean, expected, tolerance, warmup > 0.0, throughput_right(runs))

    def steady_deviation(self, case, requests, warmup):
        """A single run's deviation, scaled from a reference of bounded length."""
        throughput, case_warmup = CASES[case]["throughput_rps"], CASES[case]["warmup_s"]
        length = max(STEADY_REQUESTS, round(1.3 * throughput * case_warmup))
        found = self.reference(case, length, case_warmup)
        counted = requests - throughput * warmup
        if counted <= 0:
            raise ToolError(f"case {case}: {requests} requests do not reach {warmup} s")
        return found["deviation_s"] * ((length - throughput * case_warmup) / counted) ** 0.5

    def reference(self, case, requests, warmup):
        """The reference for ``requests`` requests, as often as is affordable."""
        key = (case, requests, warmup)
        if key not in self.known:
            self.known[key] = self.estimate(case, requests, reference_runs(requests), warmup)
        return self.known[key]


def throughput_right(runs):
    """Whether every run past its warm-up has the exact throughput; runs that state none do."""
    for run in runs:
        if run.throughput_rps is None or run.warmup_s == 0.0:
            continue
        exact = CASES[run.case]["throughput_rps"]
        counted = max(1.0, run.mean_requests - exact * run.warmup_s)
        tolerance = max(RELATIVE, DEVIATIONS / counted**0.5)
        if abs(run.throughput_rps / exact - 1.0) > tolerance:
            return False
    return True


def reference_runs(requests):
    """How often the reference is run: fewer times for long runs, but enough to tell a deviation."""
    return min(MOST_REFERENCES, max(FEWEST_REFERENCES, REFERENCE_REQUESTS // requests))
