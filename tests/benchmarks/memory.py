"""The command ``python -m tests.benchmarks.memory``: how far a proxy's memory grows when the other side does not read.

Down: the upstream sends 1 GiB to a client that reads nothing. Up: a client sends 1 GiB to an upstream that reads
nothing. A proxy with backpressure stops reading when it cannot write: what was "taken" from the sender then lies in the
buffers of the system's sockets, all but the growth. That is of the resident memory, from after one small exchange to
the peak (``VmHWM``).
"""

from __future__ import annotations

import argparse
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from .cases import MIB
from .children import Child, StartFailed, end_on_signals, free_port, listens
from .cpu import family, forget_peak, memory
from .subjects import LOOPS, NotPresent, Running, Subject, python_program, start
from .table import NONE, Table

GIB = 1024 * MIB
LIMIT = 4 * MIB
"""What the library may grow by."""


@dataclass(frozen=True, slots=True)
class Growth:
    """Bytes: the growth of the proxy's memory at its peak, and how much of the body was taken from its sender."""

    grown: int
    taken: int


class WrongAnswer(Exception):
    """What was measured is not what was meant to be: a proxy that refuses needs no memory."""


def grow(running: Running, taken: Callable[[], int], seconds: float) -> Growth:
    """Watch for so long, or until everything has been taken."""
    pids = family(running.child.pid)
    before = memory(pids).resident
    if not forget_peak(running.child.pid):
        print("the system does not let the peak begin anew: the growth may include that of the start", file=sys.stderr)
    end = time.monotonic() + seconds
    while time.monotonic() < end and running.child.alive and taken() < GIB:
        time.sleep(0.01)
    if not running.child.alive:
        raise StartFailed(f"it ended: {running.child.last_words()}")
    return Growth(memory(pids).peak - before, taken())


def download(running: Running, count: Path, seconds: float) -> Growth:
    """The client asks and then does not read."""
    count.write_text("0")
    with socket.create_connection(("127.0.0.1", running.port)) as client:
        client.sendall(b"GET /gush HTTP/1.1\r\nHost: benchmark\r\n\r\n")
        growth = grow(running, lambda: _number(count), seconds)
        if not (answer := _peek(client)).startswith(b"HTTP/1.1 200 "):
            raise WrongAnswer(f"answered {answer!r}")
        return growth


def _peek(client: socket.socket) -> bytes:
    """The first line of what has been answered so far, which stays where it is."""
    client.setblocking(False)
    try:
        return client.recv(200, socket.MSG_PEEK).partition(b"\r\n")[0]
    except BlockingIOError:
        return b""


def _number(count: Path) -> int:
    """What the back end has written, which may be writing at this moment."""
    while not (text := count.read_text()):
        time.sleep(0.001)
    return int(text)


def upload(running: Running, count: Path, seconds: float) -> Growth:
    """The client sends as long as anyone takes it."""
    count.write_text("-1")  # the back end makes it 0 when it has the head
    with socket.create_connection(("127.0.0.1", running.port)) as client:
        client.sendall(b"POST /stall HTTP/1.1\r\nHost: benchmark\r\nContent-Length: %d\r\n\r\n" % GIB)
        client.setblocking(False)
        piece = bytes(256 * 1024)
        sent = 0

        def send() -> int:
            nonlocal sent
            with suppress(BlockingIOError):
                while sent < GIB:
                    sent += client.send(piece[: GIB - sent])
            return sent

        growth = grow(running, send, seconds)
        if answer := _peek(client):
            raise WrongAnswer(f"answered {answer!r} to an upload that nobody has read")
        if _number(count) != 0:
            raise WrongAnswer("the request did not reach the upstream")
        return growth


Measurement: TypeAlias = Callable[[Running, Path, float], Growth]

MEASUREMENTS: tuple[tuple[str, Measurement], ...] = (
    ("1 GiB to a client that reads nothing", download),
    ("1 GiB to an upstream that reads nothing", upload),
)


@dataclass(frozen=True, slots=True)
class Backend:
    """Where it listens, and the file in which it counts."""

    port: int
    count: Path


def _start_backend(directory: Path, stack: ExitStack) -> Backend:
    backend = Backend(free_port(), directory / "count")
    options = ("--port", str(backend.port), "--size", str(GIB), "--count", str(backend.count))
    argv = [sys.executable, "-m", "tests.benchmarks.stalls", *options]
    child = stack.enter_context(Child(argv, log=directory / "backend.log"))
    child.until_ready(listens(backend.port))
    return backend


def _subjects() -> list[Subject]:
    return [
        Subject(name, title, python_program(module, loop), loop)
        for name, title, module in (
            ("revproxy", "revproxy", "library"),
            ("clientsession", "ClientSession proxy", "client_session"),
        )
        for loop in LOOPS
    ]


def _row(subject: Subject, measurement: Measurement, directory: Path, backend: Backend, seconds: float) -> list[str]:
    """A process of its own for every figure."""
    target = f"< {LIMIT / MIB:.0f}" if subject.name == "revproxy" else NONE
    with ExitStack() as stack:
        try:
            running = start(subject, directory, backend.port, stack)
            growth = measurement(running, backend.count, seconds)
        except NotPresent as error:
            return [NONE, NONE, target, f"not present ({error})"]
        except (StartFailed, WrongAnswer, OSError) as error:
            return [NONE, NONE, target, f"failed ({error})"]
    verdict = NONE if subject.name != "revproxy" else "met" if growth.grown < LIMIT else "NOT MET"
    return [f"{growth.grown / MIB:.1f}", f"{growth.taken / MIB:.1f}", target, verdict]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.memory",
        description="Growth of a proxy's memory when the other side does not read.",
    )
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement (default 4)")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    options = parser.parse_args()
    end_on_signals()
    table = Table("Growth of a proxy's memory, MiB", ["", "proxy", "loop", "grown", "taken", "target", ""])
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="revproxy-memory-")))
        backend = _start_backend(directory, stack)
        for title, measurement in MEASUREMENTS:
            for subject in _subjects():
                cells = _row(subject, measurement, directory, backend, options.seconds)
                table.rows.append([title, subject.title, subject.loop, *cells])
    print(table.markdown() if options.markdown else table.text())
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
