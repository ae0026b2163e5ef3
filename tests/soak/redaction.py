"""The command ``python -m tests.soak.redaction CONTENT``: 1 GiB of a content through ``Redact``, alone in its process.

It prints how many bytes the process has grown by at its peak, the most that was ever held back of the content, how many
bytes came out, and how many secrets were found.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random

from revproxy import Exchange, Response
from revproxy.body import StreamBody
from revproxy.filters import Redact
from revproxy.filters.redact import SameLength
from revproxy.testing import exchange

from ..benchmarks.redact import html_text, json_text

GIB = 1 << 30
PIECE = 65536

CONTENTS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "json": ("application/json", lambda: json_text(4 << 20, Random(1))),
    "html": ("text/html", lambda: html_text(4 << 20, Random(1))),
    "line": ("application/x-ndjson", lambda: b"x" * (4 << 20)),
    "key": ("text/plain", lambda: b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * (4 << 15)),
}
BEGINNING = b"-----BEGIN PRIVATE KEY-----\n"
"""Of the last content: a private key of 1 GiB."""


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


def _begin() -> int:
    """How much memory there is in use; the peak begins anew."""
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


class Flow:
    """The content, and how much of it has come."""

    def __init__(self, text: bytes, beginning: bytes) -> None:
        self.came = 0
        self.text = text
        self.beginning = beginning

    async def __aiter__(self) -> AsyncIterator[bytes]:
        piece = self.beginning
        while self.came < GIB:
            if piece:
                self.came += len(piece)
                yield piece
            at = self.came % len(self.text)
            piece = self.text[at : at + PIECE]


async def main(content: str) -> None:
    type, make = CONTENTS[content]
    flow = Flow(make(), BEGINNING if content == "key" else b"")
    redact = Redact(mask=SameLength(), severity=None)

    async def answer(asked: Exchange) -> Response:
        return Response(200, [("Content-Type", type)], StreamBody(flow))

    response = await redact(exchange("GET", "/"), answer)
    before = _begin()
    gone = held = 0
    async for chunk in response.body:
        gone += len(chunk)
        held = max(held, flow.came - gone)
    print(_memory("VmHWM") - before, held, gone - flow.came, redact.redacted)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
