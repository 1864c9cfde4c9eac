"""The cases in SimPy: a process per user (closed) or per request (open), and a ``Resource``.

Usage: ``python simpy_peer.py CASE REQUESTS SEED``. Stops at exactly REQUESTS completions. The
garbage collector is told to leave the objects of the set-up alone, which is to SimPy's advantage
when there are a million users.
"""

import gc
import random
import sys
import time

import simpy
from case import Case, Tally, report


class Shop:
    """The environment, the station, and what is measured."""

    def __init__(self, case, requests):
        self.case = case
        self.requests = requests
        self.env = simpy.Environment()
        self.station = simpy.Resource(self.env, capacity=case.servers)
        self.tally = Tally(case.warmup_for(requests))
        self.finished = self.env.event()
        if case.kind == "closed":
            for user in range(case.users):
                self.env.process(self.user(case.first_instant(user)))
        else:
            self.env.process(self.source())

    def user(self, first):
        """A closed user: its first instant, then request and think time for ever.

        The request is spelled out here because delegating to ``request`` costs a tenth of the rate.
        """
        env, station = self.env, self.station
        timeout, exponential = env.timeout, random.expovariate
        think_rate, service_rate = 1.0 / self.case.think_s, 1.0 / self.case.service_s
        yield timeout(first)
        while True:
            arrived = env.now
            with station.request() as turn:
                yield turn
                yield timeout(exponential(service_rate))
            self.done(arrived)
            yield timeout(exponential(think_rate))

    def source(self):
        """Poisson arrivals, each a process of its own."""
        env, rate = self.env, self.case.rate_rps
        while True:
            yield env.timeout(random.expovariate(rate))
            env.process(self.request())

    def request(self):
        """One open request: wait for a server, hold it, leave."""
        env = self.env
        arrived = env.now
        with self.station.request() as turn:
            yield turn
            yield env.timeout(random.expovariate(1.0 / self.case.service_s))
        self.done(arrived)

    def done(self, arrived):
        """Record a request and end the run with the last one."""
        self.tally.record(arrived, self.env.now)
        if self.tally.completed == self.requests:
            self.finished.succeed()


def main(name, requests, seed):
    """Run one case and print its line."""
    random.seed(seed)
    setup = time.perf_counter()
    shop = Shop(Case.named(name), requests)
    gc.collect()
    gc.freeze()
    start = time.perf_counter()
    shop.env.run(until=shop.finished)
    end = time.perf_counter()
    report("simpy", shop.case, shop.tally, shop.env.now, start - setup, end - start)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
