"""Responses of any bytes in any pieces, many of them: by hypothesis, and by atheris (libFuzzer) where it is installed.

``pip install atheris`` is enough; it is not among the dependencies of the tests. By hand, for as long as one likes:

    python -m tests.soak.test_fuzz CORPUS -max_total_time=600
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

SECONDS = 14
"""For each of the two."""

ROOT = Path(__file__).parents[2]

LENGTH = b"HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX-T: 1\r\n\r\n"
SEEDS = [
    LENGTH,
    CHUNKED,
    b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH,
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + CHUNKED,
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive, X-A\r\nX-A: 1\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 404 \xe9\r\nConnection: close\r\nSet-Cookie: caf\xe9\r\n\r\nuntil the end",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 304\r\nContent-Length: 7\r\n\r\n" + LENGTH,
]
WORDS = [
    *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 ", b"\r\n\r\n", b"0\r\n\r\n", b"5\r\n", b"Content-Length: ", b"Connection: "),
    *(b"Transfer-Encoding: chunked\r\n", b"keep-alive", b"close", b"100 ", b"204 ", b"304 ", b"\r\n ", b";a=", b"\n\n"),
]


@pytest.mark.soak
def test_any_response_for_long(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """F-54, F-56 to F-67, F-80: what ``tests/wire/test_fuzz.py`` says, of thousands of responses."""
    from ..wire.test_fuzz import check_examples

    states: Counter[str] = Counter()
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        states.update(check_examples(loop_factory, 400))
    print(dict(states))
    assert all(states[state] > 5 for state in ("complete", "refused", "broken", "body", "head")), states


@pytest.mark.soak
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_any_response_by_coverage(tmp_path: Path) -> None:
    """The same of bytes that atheris makes, which sees what code they reach."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(SEEDS):
        (corpus / f"{number}").write_bytes(bytes([0, 0x80]) + seed)
        (corpus / f"{number}-cut").write_bytes(bytes([0, 3, 20, 100, 180]) + seed)
    words = tmp_path / "words"
    words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in WORDS))
    options = [f"-max_total_time={SECONDS}", "-max_len=400", "-timeout=10", f"-dict={words}"]
    command = [sys.executable, "-m", "tests.soak.test_fuzz", str(corpus), *options, f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS + 60)
    print(done.stderr[-3000:])
    assert done.returncode == 0, done.stderr[-6000:]
    assert "DONE" in done.stderr


def main() -> None:
    """The fuzzer: the first bytes say what was asked, whether the connection ends, and where what follows is cut."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["revproxy.wire"]):
        importlib.import_module("revproxy.wire.connection")
    from ..wire.test_fuzz import is_read_like_the_reference, pieces_of

    with asyncio.Runner() as runner:

        def one(data: bytes) -> None:
            if len(data) < 2:
                return
            method, ended, count = ("GET", "POST", "HEAD")[data[0] % 3], data[1] >= 0x80, data[1] & 0x0F
            stream = data[2 + count :]
            cuts = [cut * len(stream) >> 8 for cut in data[2 : 2 + count]]
            runner.run(is_read_like_the_reference(method, pieces_of(stream, cuts), ended=ended))

        atheris.Setup(sys.argv, one)
        atheris.Fuzz()  # which exits


if __name__ == "__main__":
    main()
