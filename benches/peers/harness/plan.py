"""What is run: the cases, the tools, and how many requests a run of each holds.

A run takes one to three seconds on an ordinary server core. Rates are per second, so tools need not
run the same number; the slow ones could not. Where a size does not reach past the warm-up of its
case, :mod:`harness.check` compares with the transient.
"""

import json
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
CASES = json.loads((HERE / "cases.json").read_text(encoding="utf-8"))
BLIS = "blis"
PEERS = ("simpy", "ciw", "simcore", "nexosim")

REQUESTS = {
    "blis": {"A": 10_000_000, "B1": 10_000_000, "B2": 10_000_000, "C": 8_000_000, "D": 20_000_000},
    "simpy": {"A": 300_000, "B1": 200_000, "B2": 200_000, "C": 40_000, "D": 250_000},
    "ciw": {"A": 80_000, "B1": 5_000, "B2": 1_200, "D": 150_000},
    "simcore": {"A": 12_000_000, "B1": 8_000_000, "B2": 8_000_000, "C": 2_500_000, "D": 15_000_000},
    "nexosim": {"A": 3_000_000, "B1": 3_000_000, "B2": 2_500_000, "C": 2_500_000, "D": 3_000_000},
}

# Tool and case that are not run: the case measured instead, and why.
INFEASIBLE = {("ciw", "C"): ("B2", "infeasible: O(N) per event")}


def extrapolated(rate, measured, wanted):
    """The rate in case ``wanted`` of a tool whose cost per event grows with the population.

    ``rate`` was measured in case ``measured``. Memory and caches would make it worse.
    """
    return rate * CASES[measured]["users"] / CASES[wanted]["users"]
