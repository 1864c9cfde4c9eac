"""What the Python models share: the case's parameters, the tally and the line they print.

Guarantees that both Python tools read the parameters of ``cases.json``, keep the same figures and
print the same JSON line as the Rust ones.
"""

import json
import resource
from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).resolve().parent.parent / "cases.json"


@dataclass(frozen=True)
class Case:
    """One case. ``users`` and ``think_s`` are set in a closed case, ``rate_rps`` in an open one."""

    name: str
    kind: str
    servers: int
    service_s: float
    throughput_rps: float
    response_s: float
    warmup_s: float
    users: int = 0
    think_s: float = 0.0
    rate_rps: float = 0.0

    @classmethod
    def named(cls, name):
        """Read the case called ``name``; raises ``KeyError`` when there is none."""
        return cls(name=name, **json.loads(CASES.read_text(encoding="utf-8"))[name])

    def warmup_for(self, requests):
        """Simulated seconds left out of the mean: see the Rust function of this name."""
        long_enough = requests >= 1.25 * self.throughput_rps * self.warmup_s
        return self.warmup_s if long_enough else 0.0

    def first_instant(self, user):
        """The first instant of ``user``, in seconds."""
        return user * self.think_s / self.users


@dataclass
class Tally:
    """Counts completions, all and after the warm-up, and sums the response times of requests
    arriving after it."""

    warmup_s: float
    completed: int = 0
    counted: int = 0
    sum_s: float = 0.0
    done_after_warmup: int = 0

    def record(self, arrived_s, done_s):
        """Record a request that arrived at ``arrived_s`` and was done at ``done_s``."""
        self.completed += 1
        if done_s >= self.warmup_s:
            self.done_after_warmup += 1
        if arrived_s >= self.warmup_s:
            self.counted += 1
            self.sum_s += done_s - arrived_s


def report(tool, case, tally, simulated_s, setup_seconds, seconds, timed=None):
    """Print the line that the harness reads.

    ``simulated_s`` is the simulated time at the end, ``timed`` the number of requests done within ``seconds``, where it is not all of them.
    """
    line = {
        "tool": tool,
        "case": case.name,
        "requests": tally.completed if timed is None else timed,
        "seconds": seconds,
        "setup_seconds": setup_seconds,
        "mean_response_s": tally.sum_s / tally.counted if tally.counted else None,
        "mean_requests": tally.completed,
        "throughput_rps": tally.done_after_warmup / (simulated_s - tally.warmup_s),
        "warmup_s": tally.warmup_s,
        "peak_mb": peak_mb(),
    }
    print(json.dumps(line))


def peak_mb():
    """Peak resident memory of this process in MB.

    ``/proc`` is preferred because the kernel's ``ru_maxrss`` starts at the parent's size.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kilobytes) * 1024 / 1e6
