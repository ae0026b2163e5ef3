"""The benchmark of replaced servers: all of it once, in small."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys

import pytest

from .children import ROOT
from .load import COUNTS, Load
from .membership import Outcome, Servers

NO_ERRORS = dict.fromkeys((*COUNTS, "status"), 0)


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk, which makes the load, is not installed")
def test_the_command_loses_nothing() -> None:
    """All servers are replaced under load, and no request fails."""
    argv = [sys.executable, "-m", "tests.benchmarks.membership", "--loops", "asyncio", "--markdown"]
    argv += ["--times", "5", "--seconds", "1.5"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("| revproxy, asyncio |")]
    assert row.count("| 0 ") == len(NO_ERRORS)
    assert "| 5 times |" in row
    assert "No failed request." in done.stdout


def test_what_fails_is_said() -> None:
    """What the generator counted, and a set of servers that was there in vain."""
    fine = Outcome(Load(100, 1.0, 0.001, 0.002, "", NO_ERRORS), 2, [3, 4], [0.1, 0.1])
    assert fine.failures == []
    trouble = "1 of 100 answers not 2xx"
    bad = Outcome(Load(100, 1.0, 0.001, 0.002, trouble, {**NO_ERRORS, "status": 1}), 2, [0, 4], [0.1, 0.1])
    assert bad.failures == [trouble, "1 sets of servers got no request"]


async def test_servers() -> None:
    """They answer what comes, however it is split, count it, and are gone when they are ended."""
    servers = await Servers.started(2)
    port, _ = ports = servers.ports
    assert len(set(ports)) == 2
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in (b"GET / HTTP/1.1\r\n", b"Host: x\r\n\r", b"\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"):
        writer.write(piece)
    for _ in range(2):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        assert await reader.readexactly(44) == b"The quick brown fox jumps over the lazy dog\n"
    assert servers.requests == 2
    servers.end()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    with pytest.raises(OSError, match="onnect"):
        await asyncio.open_connection("127.0.0.1", port)
