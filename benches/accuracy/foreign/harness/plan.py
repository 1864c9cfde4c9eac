"""Which backends are measured, at which loads, and for how long."""

from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent.parent
PYTHON = str(HERE / ".venv" / "bin" / "python")

FITTED = (1, 2, 3, 4, 6, 8)
PREDICTED = (16, 64, 128, 256)
LOADS = FITTED + PREDICTED


@dataclass(frozen=True)
class Backend:
    """What answers: the programs that are started with the URL of the server, and the spec that is fitted."""

    title: str
    programs: list
    judged: bool = True
    fixed: list = field(default_factory=list)


def program(name, *flags):
    """A Python program of `backends/`; the URL goes between its name and its flags."""
    return [PYTHON, str(HERE / "backends" / name)], list(flags)


MEMBER = (["node", str(HERE / "backends" / "member.mjs")], [])

BACKENDS = {
    "stream": Backend("JetStream publish", [program("stream.py")]),
    "kv-put": Backend("key-value put", [program("bucket.py")]),
    "kv-get": Backend("key-value get", [program("bucket.py")]),
    "python": Backend(
        "Python service", [program("service.py")], fixed=["services.database.workers"]
    ),
    "node": Backend("three Node processes", [MEMBER] * 3),
    "python-cpu": Backend(
        "Python service, no wait", [program("service.py", "--no-wait")], judged=False
    ),
}


@dataclass(frozen=True)
class Lengths:
    """How long everything takes. A run lasts ``warmup_s`` and then ``measured_s``.

    A fit simulates its runs some thousands of times. So where a run has more than ``fitted_requests`` the fit is to
    a shorter one of the same load, which is made right behind it.
    """

    repeats: int
    warmup_s: float
    measured_s: float
    calibrated_repeats: int
    fitted_requests: int
    calibration_limit_s: float
    tries: int
    quiet_limit_s: float

    def runs_s(self):
        """Time of the live runs of one backend; each takes some 400 ms besides."""
        measured = self.repeats * len(LOADS) * (self.warmup_s + self.measured_s + 0.4)
        fitted = self.calibrated_repeats * len(FITTED) * (self.warmup_s + 1.4)
        return measured + fitted

    def live_most_s(self):
        """The same where every run is disturbed and tried again."""
        turns = self.repeats * len(LOADS)
        return self.tries * (self.runs_s() + turns * self.quiet_limit_s)

    def most_s(self):
        """Time of one backend at most, with its start, its fit and the simulations of its predictions."""
        return self.live_most_s() + self.calibration_limit_s + 20


SHORT = Lengths(
    repeats=2, warmup_s=0.3, measured_s=1.6, calibrated_repeats=1, fitted_requests=4_000, calibration_limit_s=90, tries=1, quiet_limit_s=0.5
)
FULL = Lengths(
    repeats=3, warmup_s=1, measured_s=6, calibrated_repeats=3, fitted_requests=10_000, calibration_limit_s=900, tries=3, quiet_limit_s=10
)


def turns(repeats):
    """(repeat, load) in the order of measurement: upwards, downwards, upwards."""
    for repeat in range(repeats):
        for load in LOADS if repeat % 2 == 0 else reversed(LOADS):
            yield repeat, load
