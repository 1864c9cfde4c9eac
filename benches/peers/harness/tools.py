"""How each tool is built and how one run of it is made.

Guarantees that a run which fails, hangs or prints anything but one line of the protocol is an
error that names the command, never a missing row.
"""

import hashlib
import json
import math
import os
import subprocess
import sys
import venv
from dataclasses import dataclass

from harness.plan import BLIS, HERE

ROOT = HERE.parent.parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts" if os.name == "nt" else "bin") / "python"
REQUIREMENTS = HERE / "requirements.txt"
EXECUTABLE_VARIABLE = "BLIS_CASES"
TIME_LIMIT_S = 600


class ToolError(Exception):
    """A tool could not be built or run, or printed something unexpected."""


@dataclass(frozen=True)
class Run:
    """One run of one tool, as its line of JSON tells it."""

    tool: str
    case: str
    requests: int
    seconds: float
    setup_seconds: float
    mean_response_s: float
    mean_requests: int
    warmup_s: float
    throughput_rps: float | None
    peak_mb: float | None

    @property
    def rate(self):
        """Requests per second of wall time, set-up apart."""
        return self.requests / self.seconds


def prepare(tools):
    """Build every one of ``tools``."""
    if {"simcore", "nexosim"} & set(tools):
        call(["cargo", "build", "--release", "--locked", "--quiet"], HERE)
    if {"simpy", "ciw"} & set(tools):
        prepare_python()
    if BLIS in tools and not os.environ.get(EXECUTABLE_VARIABLE):
        call(["cargo", "bench", "--bench", "engine", "--quiet", "--no-run"], ROOT)


def prepare_python():
    """Install the pinned packages into ``.venv``, unless they already are."""
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    stamp = VENV / "requirements.sha256"
    if stamp.is_file() and stamp.read_text(encoding="ascii") == wanted:
        return
    venv.create(VENV, clear=True, with_pip=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    call([*pip, "--require-hashes", "-r", str(REQUIREMENTS)], HERE)
    stamp.write_text(wanted, encoding="ascii")


def call(command, folder):
    """Run a build command, its output on stderr."""
    shown = " ".join(command)
    print("building:", shown, file=sys.stderr)
    try:
        subprocess.run(command, cwd=folder, stdout=sys.stderr, check=True)
    except OSError as error:
        raise ToolError(f"{shown}: {error}") from error
    except subprocess.CalledProcessError as error:
        raise ToolError(f"{shown}: exit {error.returncode}") from error


def peers_binary():
    """The Rust program, in this folder's target directory unless cargo is told of another."""
    target = os.environ.get("CARGO_TARGET_DIR")
    folder = HERE / (target if target else "target")
    return folder / "release" / "blis-peers"


def command_of(tool, case, requests, seed):
    """The command that makes one run of ``tool``, and the folder to start it in."""
    if tool == BLIS:
        executable = os.environ.get(EXECUTABLE_VARIABLE)
        cargo = ["cargo", "bench", "--bench", "engine", "--quiet", "--", "once"]
        return [*([executable] if executable else cargo), case, str(requests)], ROOT
    arguments = [case, str(requests), str(seed)]
    if tool in ("simpy", "ciw"):
        return [str(PYTHON), str(HERE / "models" / f"{tool}_peer.py"), *arguments], HERE
    return [str(peers_binary()), tool, *arguments], HERE


def output_of(command, folder):
    """The one JSON object that ``command`` prints."""
    shown = " ".join(command)
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"{shown}: {error}") from error
    if done.returncode != 0:
        raise ToolError(f"{shown}: exit {done.returncode}\n{done.stderr.strip()}")
    try:
        line = json.loads(done.stdout)
    except ValueError as error:
        raise ToolError(f"{shown}: not one JSON line: {done.stdout[:200]!r}") from error
    if not isinstance(line, dict):
        raise ToolError(f"{shown}: not a JSON object: {done.stdout[:200]!r}")
    return line


def run_once(tool, case, requests, seed):
    """Make one run. ``seed`` goes to the peers; blis has its own, always the same."""
    command, folder = command_of(tool, case, requests, seed)
    return parsed(tool, case, output_of(command, folder))


def parsed(tool, case, line):
    """The :class:`Run` that ``line`` describes."""
    try:
        run = Run(
            tool=tool,
            case=line["case"],
            requests=int(line["requests"]),
            seconds=float(line["seconds"]),
            setup_seconds=float(line.get("setup_seconds", 0.0)),
            mean_response_s=float(line["mean_response_s"]),
            mean_requests=int(line.get("mean_requests", line["requests"])),
            warmup_s=float(line.get("warmup_s", 0.0)),
            throughput_rps=line.get("throughput_rps"),
            peak_mb=line.get("peak_mb"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ToolError(f"{tool}, case {case}: bad line {line}: {error!r}") from error
    positive = (run.requests, run.seconds, run.mean_response_s)
    if run.case != case or not all(math.isfinite(each) and each > 0 for each in positive):
        raise ToolError(f"{tool}, case {case}: bad line {line}")
    return run


def reference(case, requests, runs, warmup_s):
    """What a correct model shows over ``requests``: see ``src/reference.rs``."""
    arguments = [case, str(requests), "1000", str(runs), str(warmup_s)]
    return output_of([str(peers_binary()), "reference", *arguments], HERE)
