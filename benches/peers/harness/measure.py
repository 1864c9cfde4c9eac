"""Runs the tools of a case in turn, one at a time, round after round."""

import sys

from harness.plan import BLIS, INFEASIBLE, PEERS, REQUESTS
from harness.tools import run_once


def measure(case, rounds, peers=PEERS, run=run_once):
    """The runs of ``case`` by tool, blis and these peers, one for each round, in the order of the rounds.

    Every second round goes backwards, so that a machine that slows down or speeds up does not
    favour the tool that always comes first. A peer that cannot run ``case`` is run in the case
    from which its rate is extrapolated.
    """
    runs = {tool: [] for tool in (BLIS, *peers)}
    for number in range(rounds):
        order = list(runs) if number % 2 == 0 else list(reversed(runs))
        for tool in order:
            actual = INFEASIBLE.get((tool, case), (case,))[0]
            print(f"case {case}, round {number + 1} of {rounds}: {tool}", file=sys.stderr)
            runs[tool].append(run(tool, actual, REQUESTS[tool][actual], number + 1))
    return runs
