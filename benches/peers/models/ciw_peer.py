"""The cases in Ciw: a network of the station and, in a closed case, a think node.

Usage: ``python ciw_peer.py CASE REQUESTS SEED``. Ciw stops at a simulated time, here the one in
which REQUESTS are expected, so the number done differs a little. In a closed case all users enter
the think node together at time 0 and stay there until their first instant, so that the population
is complete, and each event as dear as it stays, from the first event on. The ramp of first instants
belongs to the set-up where the run goes beyond it: in case B1 it holds 10,000 arrivals and hardly a
completion, and would make a short run look slower than a long one. The mean response is read from
Ciw's own records after the run, outside the timed part.
"""

import gc
import random
import sys
import time

import ciw
from case import Case, Tally, report

STATION = 1


class Think(ciw.dists.Distribution):
    """A user's first instant on its first visit, then exponential think times."""

    def __init__(self, case):
        self.case = case

    def sample(self, t=None, ind=None):
        """The stay of ``ind``, whose numbers start at 1."""
        if not ind.data_records:
            return self.case.first_instant(ind.id_number - 1)
        return random.expovariate(1.0 / self.case.think_s)


def closed(case):
    """Two nodes in a ring, filled once at time 0."""
    return ciw.create_network(
        arrival_distributions=[None, ciw.dists.Sequential([0.0, float("inf")])],
        batching_distributions=[None, ciw.dists.Sequential([case.users])],
        service_distributions=[ciw.dists.Exponential(1.0 / case.service_s), Think(case)],
        number_of_servers=[case.servers, float("inf")],
        routing=[[0.0, 1.0], [1.0, 0.0]],
    )


def opened(case):
    """One node with Poisson arrivals."""
    return ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(case.rate_rps)],
        service_distributions=[ciw.dists.Exponential(1.0 / case.service_s)],
        number_of_servers=[case.servers],
    )


def settle(simulation, case, requests):
    """Run what belongs to the set-up; return the simulated time at which the timed part begins."""
    if case.kind == "open":
        return 0.0
    ramp = case.think_s if requests > case.throughput_rps * case.think_s else 0.0
    simulation.simulate_until_max_time(max(ramp, sys.float_info.min))
    return ramp


def measure(simulation, start_s, warmup_s):
    """The tally of the station's records, and how many of them were done after ``start_s``."""
    tally = Tally(warmup_s)
    timed = 0
    for record in simulation.get_all_records():
        if record.node == STATION:
            tally.record(record.arrival_date, record.exit_date)
            timed += record.exit_date >= start_s
    return tally, timed


def main(name, requests, seed):
    """Run one case and print its line."""
    case = Case.named(name)
    ciw.seed(seed)
    setup = time.perf_counter()
    simulation = ciw.Simulation(closed(case) if case.kind == "closed" else opened(case))
    start_s = settle(simulation, case, requests)
    gc.collect()
    gc.freeze()
    start = time.perf_counter()
    end_s = start_s + requests / case.throughput_rps
    simulation.simulate_until_max_time(end_s)
    end = time.perf_counter()
    tally, timed = measure(simulation, start_s, case.warmup_for(requests))
    report("ciw", case, tally, end_s, start - setup, end - start, timed)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
