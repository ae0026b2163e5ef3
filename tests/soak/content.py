"""The command ``python -m tests.soak.content CASE``: 1 GiB of a content through a filter, alone in its process.

It prints how many bytes the process has grown by at its peak, the most that was ever held back of the content if what
comes out is as long, how many bytes came out, how many went in, and how often something was found.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from revproxy import Exchange, Response
from revproxy.body import StreamBody
from revproxy.filters import ContentFilter, JsonFields, MapJson, Redact, ReplaceText
from revproxy.filters.leaks import InspectResponse
from revproxy.filters.redact import SameLength
from revproxy.testing import exchange

from ..benchmarks.redact import html_text, json_text

GIB = 1 << 30
PIECE = 65536


@dataclass(frozen=True, slots=True)
class Case:
    """``text`` over and over, between what comes once."""

    kind: str
    text: Callable[[], bytes]
    filter: Callable[[], ContentFilter]
    found: Callable[[Any], int] = lambda filter: 0
    beginning: bytes = b""
    end: bytes = b""


def _redact() -> Redact:
    return Redact(mask=SameLength(), severity=None)


def _redacted(filter: Redact) -> int:
    return filter.redacted


_WORDS = b"a lamp that stands on its own, " * 32
ELEMENT = b'{"id":1,"text":"%b","password":"x"},' % _WORDS
KEPT = b'{"id":1,"text":"%b"},' % _WORDS
LINE = b'{"id":1,"text":"%b","tags":["a","b"]}\n' % _WORDS
MAPPED = b'{"id":1}\n'

CASES: dict[str, Case] = {
    "json": Case("application/json", lambda: json_text(4 << 20, Random(1)), _redact, _redacted),
    "html": Case("text/html", lambda: html_text(4 << 20, Random(1)), _redact, _redacted),
    "line": Case("application/x-ndjson", lambda: b"x" * (4 << 20), _redact, _redacted),
    "key": Case(
        "text/plain",
        lambda: b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * (4 << 15),
        _redact,
        _redacted,
        b"-----BEGIN PRIVATE KEY-----\n",
    ),
    "fields": Case(
        "application/json",
        lambda: ELEMENT * 4000,
        lambda: JsonFields(without=["items[*].password"]),
        lambda filter: int(filter.edited),
        b'{"items":[',
        b"{}]}",
    ),
    "mapped": Case(
        "application/x-ndjson",
        lambda: LINE * 4000,
        lambda: MapJson(lambda line: {"id": line["id"]}),
    ),
    "replaced": Case(
        "text/html",
        lambda: html_text(4 << 20, Random(1)),
        lambda: ReplaceText({"Acme": "Umbrella", "</html>": "", "example.com": "example.org"}),
    ),
    "inspected": Case(
        "text/html",
        lambda: html_text(4 << 20, Random(1)),
        InspectResponse,
        lambda filter: int(filter.stopped),
    ),
}


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
    """The content, how much of it has come, and gone out again, and the most that was between."""

    def __init__(self, case: Case) -> None:
        self.came = self.gone = self.held = 0
        self._text = case.text()
        self._case = case

    async def __aiter__(self) -> AsyncIterator[bytes]:
        text, case = self._text, self._case
        self.came = begun = len(case.beginning)
        if begun:
            yield case.beginning
        while self.came < GIB or (self.came - begun) % len(text):  # no part of a text at the end
            self.held = max(self.held, self.came - self.gone)  # all is out that is certain: more is asked for
            at = (self.came - begun) % len(text)
            piece = text[at : at + PIECE]
            self.came += len(piece)
            yield piece
        if case.end:
            self.came += len(case.end)
            yield case.end


async def main(name: str) -> None:
    case = CASES[name]
    flow = Flow(case)
    filter = case.filter()

    async def answer(asked: Exchange) -> Response:
        return Response(200, [("Content-Type", case.kind)], StreamBody(flow))

    response = await filter(exchange("GET", "/"), answer)
    before = _begin()
    async for chunk in response.body:
        flow.gone += len(chunk)
    print(_memory("VmHWM") - before, flow.held, flow.gone, flow.came, case.found(filter))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
