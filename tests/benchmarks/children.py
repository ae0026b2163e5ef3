"""Programs that are started, and ended, by the benchmark: these and no others."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType

ROOT = Path(__file__).resolve().parents[2]
"""Where ``tests`` and ``revproxy`` are imported from."""


class StartFailed(Exception):
    """A program ended, or did not answer in time. The text says why, as far as its output does."""


class Child:
    """A running program in a process group of its own: a Ctrl-C is for the benchmark alone, which then ends it."""

    def __init__(self, argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> None:
        self.log = log
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=log.parent,
                process_group=0,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def last_words(self) -> str:
        """The last line that it printed, which for a Python program names the exception."""
        lines = self.log.read_text(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it printed nothing")

    def until_ready(self, ready: Callable[[], bool], *, seconds: float = 15.0) -> None:
        end = time.monotonic() + seconds
        while not ready():
            if not self.alive:
                raise StartFailed(self.last_words())
            if time.monotonic() > end:
                raise StartFailed(f"no answer within {seconds:.0f} s; {self.last_words()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Politely, then not; the whole group, as a master process may have gone before its workers."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.alive:
                return
            os.killpg(self.pid, number)
            try:
                self._process.wait(3.0)
            except subprocess.TimeoutExpired:
                continue

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listens(port: int) -> Callable[[], bool]:
    """A check for ``until_ready``: whether an HTTP request to this port of 127.0.0.1 is answered, with whatever."""

    def check() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/small.txt")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return True

    return check


def end_on_signals() -> None:
    """Turn the polite signals into exceptions, so that everything that was started is ended on the way out. The shell
    lets programs in the background ignore SIGINT: not this one."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
