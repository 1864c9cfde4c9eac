"""Processes: a private nats-server and what answers at it. All end with the block that started them.

Guarantees that no process outlives `run`: backends end when their stdin closes, the server is ended on every
way out, and on Linux also by the kernel when `run` itself is killed.
"""

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.plan import ROOT

START_LIMIT_S = 30
END_LIMIT_S = 10
# Other programs disturb a run when they use more than this share of one processor.
DISTURBED = 0.1


class WorldError(Exception):
    """A program is missing, failed, or did not start in time."""


def nats_server():
    """The server to start: that of the environment, that on PATH, or the one that `install` put into target/."""
    named = os.environ.get("BLIS_NATS_SERVER") or shutil.which("nats-server")
    found = Path(named) if named else ROOT / "target" / "nats-server" / "bin" / "nats-server"
    if not found.is_file():
        raise WorldError(f"no nats-server at {found}: run `benches/accuracy/foreign/install`")
    return str(found)


@contextmanager
def server():
    """A nats-server with JetStream on a free port of loopback, its store in a temporary folder: (URL, process)."""
    with tempfile.TemporaryDirectory(prefix="blis-foreign-") as folder:
        log = Path(folder, "log")
        command = [nats_server(), "--addr", "127.0.0.1", "--port", "-1", "--ports_file_dir", folder]
        command += ["--jetstream", "--store_dir", str(Path(folder, "store")), "--log", str(log)]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=end_with_parent
        )
        try:
            yield address(folder, process, log), process
        finally:
            end(process)


def address(folder, process, log):
    """The URL that the server writes into its ports file."""
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit and process.poll() is None:
        for ports in Path(folder).glob("*.ports"):
            with suppress(ValueError, LookupError):
                return json.loads(ports.read_text(encoding="utf-8"))["nats"][0]
        time.sleep(0.05)
    said = log.read_text(encoding="utf-8")[-500:] if log.exists() else "nothing"
    raise WorldError(f"nats-server did not start; its log says: {said}")


@contextmanager
def backend(programs, url):
    """All programs of a backend, started at `url` and ready: the processes."""
    processes = []
    try:
        for command, flags in programs:
            processes.append(start([*command, url, *flags]))
        for process in processes:
            wait_until_ready(process)
        yield processes
    finally:
        for process in processes:
            with suppress(OSError):
                process.stdin.close()
        for process in processes:
            end(process, asked=True)
            process.stdout.close()


def start(command):
    """Start a program of a backend."""
    try:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        raise WorldError(f"{error}; run `benches/accuracy/foreign/install`") from error


def wait_until_ready(process):
    """Wait for the line `ready`."""
    readable, _, _ = select.select([process.stdout], [], [], START_LIMIT_S)
    if not readable or process.stdout.readline() != b"ready\n":
        raise WorldError(f"{' '.join(process.args)} did not start; run `benches/accuracy/foreign/install`")


def end(process, asked=False):
    """End a process that this program started; one that does not end in time is killed."""
    if not asked and process.poll() is None:
        process.terminate()
    try:
        process.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_with_parent():
    """Linux ends this process when its parent is gone (PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def machine_s():
    """Seconds of all processors that programs have used since the machine was started (Linux), else nothing."""
    with suppress(OSError), open("/proc/stat", encoding="utf-8") as stat:
        user, nice, system = map(int, stat.readline().split()[1:4])
        return (user + nice + system) / os.sysconf("SC_CLK_TCK")
    return 0.0


def wait_until_quiet(limit_s):
    """Wait until other programs leave the machine alone for half a second, or until the limit."""
    limit = time.monotonic() + limit_s
    while time.monotonic() < limit:
        before = machine_s()
        time.sleep(0.5)
        if machine_s() - before <= 0.5 * DISTURBED:
            return


def processor_s(processes):
    """Seconds of the processor that these processes have used so far, where the system tells (Linux)."""
    ticks = 0
    for process in processes:
        with suppress(OSError):
            stat = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8")
            fields = stat.rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
