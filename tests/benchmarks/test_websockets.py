"""The benchmark of WebSockets: all of it once, in small, and what it refuses to measure."""

from __future__ import annotations

import resource
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from .children import ROOT
from .measure import Results, measure, start_all
from .subjects import Subject, python_program
from .websockets.__main__ import start_backend
from .websockets.cases import CASES
from .websockets.frames import BINARY, MASK, Frame, FrameReader, accept_of, answer, ask, encode, refusal
from .websockets.idle import allow_open_files
from .websockets.load import WEBSOCKETS

linux = pytest.mark.skipif(sys.platform != "linux", reason="processor time and memory are read from /proc")
SIZES = (0, 1, 125, 126, 65_535, 65_536)


@pytest.mark.parametrize("mask", [b"", MASK], ids=["server", "client"])
def test_frames_are_read_as_they_were_written(mask: bytes) -> None:
    """Whole, and however they are split: one after the other, masked or not."""
    payloads = [bytes(range(256)) * (size // 256) + bytes(size % 256) for size in SIZES]
    sent = b"".join(encode(BINARY, payload, mask) for payload in payloads)
    for step in (1, 7, 4096, len(sent)):
        reader, read = FrameReader(), list[Frame]()
        for begin in range(0, len(sent), step):
            read += reader.feed(sent[begin : begin + step])
        assert [frame.unmasked() for frame in read] == payloads
        assert {(frame.opcode, frame.mask) for frame in read} == {(BINARY, mask)}


def test_the_masked_frame_of_the_rfc() -> None:
    """RFC 6455 section 5.7."""
    assert encode(1, b"Hello", MASK) == bytes.fromhex("818537fa213d7f9f4d5158")


def test_a_handshake_that_is_none_is_told_apart() -> None:
    """The key and its answer are those of RFC 6455 section 1.3."""
    assert accept_of(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    answered = answer(ask("/echo", 80))
    assert answered is not None
    assert refusal(answered.removesuffix(b"\r\n\r\n")) == ""
    assert "wrong Sec-WebSocket-Accept" in refusal(answered.replace(b"s3pP", b"AAAA"))
    assert answer(b"GET /small.txt HTTP/1.1\r\nHost: here") is None


@linux
def test_the_command_measures_every_subject() -> None:
    """Without an error, and with a figure in every place."""
    argv = [sys.executable, "-m", "tests.benchmarks.websockets", "--quick", "--loops", "asyncio", "--markdown"]
    argv += ["--seconds", "0.02", "--sockets", "20", "--settle", "0"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    for subject in ("revproxy", "relay of messages", "bare splice"):
        rows = [line for line in done.stdout.splitlines() if line.startswith(f"| {subject} |")]
        assert len(rows) == len(CASES) + 1
        assert all("–" not in row for row in rows[:-1])


@linux
def test_who_does_not_answer_101_is_not_measured(tmp_path: Path) -> None:
    """And the report says what was answered instead."""
    names = frozenset(case.name for case in CASES)
    subject = Subject("aiohttp", "aiohttp by itself", python_program("aiohttp_alone", "asyncio"), "asyncio", names)
    results = Results()
    with ExitStack() as stack:
        running = start_all([subject], tmp_path, start_backend(tmp_path, stack), stack, results, print)
        measure(running, CASES, results, rounds=1, seconds=0.01, warm_up=0.01, progress=print, generator=WEBSOCKETS)
    assert not results.samples
    assert len(results.troubles) == len(CASES)
    assert all("answered '404 Not Found' to the handshake, not 101" in trouble for trouble in results.troubles)


def test_too_few_open_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is started, with the limit that is in the way."""
    monkeypatch.setattr(resource, "getrlimit", lambda which: (1024, 4096))
    with pytest.raises(SystemExit, match="hard limit is 4096"):
        allow_open_files(5000)


def test_the_soft_limit_of_open_files_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the hard one."""
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda which: (1024, 20_000))
    monkeypatch.setattr(resource, "setrlimit", lambda which, to: limits.append(to))
    allow_open_files(5000)
    assert limits == [(20_000, 20_000)]
