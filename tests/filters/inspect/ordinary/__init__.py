"""Requests that honest clients send, and that look odd enough to trip an inspector: what holds down false positives.

Each ``*.txt`` here has many of them, as they go over the wire, in UTF-8: request line, fields, a blank line, the body;
a line of ``=====`` between two. A line that begins with ``# ``, before the request line, says what it is. Lines end
with LF, and no ``Content-Length`` is written: both are put right here. ``odd.txt`` has those that truly look like
attacks, and need an exclusion wherever they are ordinary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from revproxy import Exchange
from revproxy.body import Body
from revproxy.testing import exchange

__all__ = ["ODD", "Ordinary", "as_exchange", "odd", "parse", "requests"]

ODD = "odd.txt"

_HERE = Path(__file__).parent
_BETWEEN = "\n=====\n"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Ordinary:
    """A request. ``file`` is the name of the file that it is in; ``about`` says what it is."""

    file: str
    about: str
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The first field of this name, or nothing."""
        return next((value for field, value in self.headers if field.lower() == name), "")

    def __str__(self) -> str:
        return f"{self.file}: {self.about}"


def requests() -> Iterator[Ordinary]:
    """All that nobody should stop, in the order of the files' names."""
    for path in sorted(_HERE.glob("*.txt")):
        if path.name != ODD:
            yield from _of(path)


def odd() -> Iterator[Ordinary]:
    """Those that look like attacks."""
    return _of(_HERE / ODD)


def as_exchange(ordinary: Ordinary, *, client: str = "192.0.2.1") -> Exchange:
    """The request as a filter sees it."""
    body: bytes | Body = ordinary.body or (Body() if ordinary.method in _WITH_BODY else b"")
    made = exchange(
        ordinary.method, ordinary.target, headers=ordinary.headers, body=body, client=client, scheme="https"
    )
    made.request.upgrade = ordinary.header("upgrade").lower() or None
    return made


def parse(file: str, text: str) -> Iterator[Ordinary]:
    """The requests of a file's ``text``. Raises ``ValueError`` for what is none."""
    for number, one in enumerate(text.removesuffix("\n").split(_BETWEEN), 1):
        try:
            yield _request(file, one + "\n")
        except ValueError as error:
            raise ValueError(f"{file}: request {number}, {one[:40]!r}: {error}") from None


def _of(path: Path) -> Iterator[Ordinary]:
    # By bytes: a text may have a CR that is its own.
    return parse(path.name, path.read_bytes().decode("utf-8"))


def _request(file: str, text: str) -> Ordinary:
    head, _, rest = text.partition("\n\n")
    about = ""
    if head.startswith("# "):
        about, _, head = head.removeprefix("# ").partition("\n")
    line, *fields = head.removesuffix("\n").split("\n")
    method, target, version = line.split(" ")
    if version != "HTTP/1.1":
        raise ValueError(f"{version} is not HTTP/1.1")
    headers: list[tuple[str, str]] = []
    for field in fields:
        name, colon, value = field.partition(":")
        if not colon or not name or name.lower() == "content-length":
            raise ValueError(f"{field!r} is no field that belongs here")
        headers.append((name, value.strip(" ")))
    body = rest.removesuffix("\n")
    if any(name.lower() == "content-type" and value.startswith("multipart/") for name, value in headers):
        body = body.replace("\n", "\r\n")
    sent = body.encode("utf-8")
    if sent or method in _WITH_BODY:
        headers.append(("Content-Length", str(len(sent))))
    return Ordinary(file, about, method, target, headers, sent)
