"""The three commands of blis that are used: observe, calibrate, run."""

import json
import os
import resource
import subprocess
import time
from dataclasses import dataclass

from harness.plan import HERE, ROOT
from harness.world import machine_s, processor_s

EXECUTABLE_VARIABLE = "BLIS"
CONCURRENCY = "clients.users.concurrency"


class BlisError(Exception):
    """A command of blis failed; `said` is its stderr."""


@dataclass(frozen=True)
class Figures:
    """Throughput in requests/s and latencies in ms; of a live run also processor time per request in us."""

    throughput: float
    mean: float
    p50: float
    p99: float
    failed: int = 0
    limited_by: tuple = ()
    server_us: float = 0.0
    backend_us: float = 0.0
    generator_us: float = 0.0
    others: float = 0.0


def executable():
    """The program `blis`: that of the environment, or the release build of this repository."""
    return os.environ.get(EXECUTABLE_VARIABLE) or str(ROOT / "target" / "release" / "blis")


def spec_of(name):
    """The file of a backend's spec."""
    return HERE / "specs" / f"{name}.yaml"


def call(arguments, limit_s, accepted=(0,)):
    """Run a command of blis and return its stdout."""
    command = [executable(), *map(str, arguments)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=limit_s, stdin=subprocess.DEVNULL, check=False
        )
    except OSError as error:
        raise BlisError(f"{error}: run `cargo build --release`, or name the program in {EXECUTABLE_VARIABLE}") from error
    except subprocess.TimeoutExpired as error:
        raise BlisError(f"{' '.join(command)}: no end after {limit_s:.0f} s") from error
    if done.returncode not in accepted:
        raise BlisError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr.strip()}")
    return done.stdout


def figures_of(document, **more):
    """The figures of a result document."""
    response = document["latency_ms"]["response"]
    requests = document["window"]["requests"]
    return Figures(
        document["throughput_rps"],
        response["mean"],
        response["p50"],
        response["p99"],
        failed=requests["intended"] - requests["ok"],
        **more,
    )


def observe(name, load, seed, url, lengths, folder, server, backend):
    """One live run, recorded in `folder`; what the parts used of the processor is counted beside."""
    before = clocks(server, backend)
    arguments = ["observe", spec_of(name), "--url", url, "--set", f"{CONCURRENCY}={load}"]
    arguments += ["--horizon", f"{lengths.warmup_s + lengths.measured_s}s", "--warmup", f"{lengths.warmup_s}s"]
    arguments += ["--seed", seed, "--out", folder, "--force", "--json", "--quiet"]
    document = json.loads(call(arguments, lengths.warmup_s + lengths.measured_s + 60))
    if not document["latency_ms"]["response"]["count"]:
        raise BlisError(f"{name} at {load}: nothing was answered: {document['live']['reasons']}")
    used = [after - earlier for earlier, after in zip(before, clocks(server, backend))]
    each = [1e6 * seconds / max(1, document["requests"]["ok"]) for seconds in used[:3]]
    return figures_of(
        document,
        limited_by=tuple(document["live"]["generator"]["limited_by"]),
        server_us=each[0],
        backend_us=each[1],
        generator_us=each[2],
        others=max(0.0, used[3] - sum(used[:3])) / used[4],
    )


def clocks(server, backend):
    """Processor time so far of server, backend, generators, and all programs of the machine; and the time."""
    parts = processor_s([server]), processor_s(backend), children_s()
    return (*parts, machine_s(), time.monotonic())


def children_s():
    """Processor time of the programs that have ended, which is that of the generators."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def calibrate(name, folders, fixed, output, limit_s):
    """Fit the spec to recorded runs; the document of the calibration. The fitted spec is in `output`."""
    arguments = ["calibrate", *folders, "--spec", spec_of(name), "--output", output, "--force"]
    arguments += ["--json", "--quiet", *(part for key in fixed for part in ("--fix", key))]
    return json.loads(call(arguments, limit_s))


def predict(spec, load, lengths):
    """The figures of a simulation of `spec`."""
    arguments = ["run", spec, "--set", f"{CONCURRENCY}={load}", "--json"]
    arguments += ["--horizon", f"{lengths.warmup_s + lengths.measured_s}s", "--warmup", f"{lengths.warmup_s}s"]
    return figures_of(json.loads(call(arguments, 300)))
