"""A request as a `FakeUpstream` received it, and how its head is read."""

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

_LINE = re.compile(rb"([!#$%&'*+\-.^`|~\w]+) ([^\x00-\x20\x7f]+) HTTP/(1\.[01])")
_FIELD = re.compile(rb"([!#$%&'*+\-.^`|~\w]+):[ \t]*([^\x00\r\n]*?)[ \t]*")


class MalformedRequest(ValueError):
    """The client sent what is no HTTP/1.x request: it gets a 400 and a FIN, and the test an error at the end."""


@dataclass(slots=True, kw_only=True)
class Recorded:
    """A request as it was received. It is recorded when its head is there; the body grows until `complete`."""

    raw_head: bytes  # as on the wire, with the empty line
    method: str
    target: str
    version: str  # "1.0" or "1.1"
    headers: list[tuple[str, str]]  # in order and case, latin-1
    connection: int  # the number of its connection, from 1
    record_limit: int  # bytes of the body that are kept
    trailers: list[tuple[str, str]] = field(default_factory=list)
    body_length: int = 0  # bytes of the decoded body, kept or not
    complete: bool = False
    _raw: bytearray = field(default_factory=bytearray, repr=False)
    _body: bytearray = field(default_factory=bytearray, repr=False)
    _hash: Any = field(default=None, repr=False)

    @property
    def raw(self) -> bytes:
        """Head and body as on the wire (chunk sizes, trailers and all); of the body at most `record_limit` bytes."""
        return self.raw_head + bytes(self._raw)

    @property
    def body(self) -> bytes:
        """The decoded body; at most `record_limit` bytes of it."""
        return bytes(self._body)

    @property
    def sha256(self) -> str:
        """Hex digest of all of the decoded body that came, kept or not."""
        return (self._hash or hashlib.sha256(self._body)).hexdigest()

    @property
    def path(self) -> str:
        """The target up to its `?`."""
        return self.target.partition("?")[0]

    def getall(self, name: str) -> list[str]:
        """All values of a field, whatever its case."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def add(self, wire: bytes, data: bytes = b"") -> None:
        """Record bytes of the body: as they came, and decoded. (For the server.)"""
        self._raw += wire[: self.record_limit - len(self._raw)]
        if self._hash is None and self.body_length + len(data) > self.record_limit:
            self._hash = hashlib.sha256(self._body)
        if self._hash is not None:
            self._hash.update(data)
        self._body += data[: self.record_limit - len(self._body)]
        self.body_length += len(data)


def parse_head(raw: bytes, connection: int, record_limit: int) -> Recorded:
    """A request's head, up to and with its empty line."""
    line, _, block = raw[:-4].partition(b"\r\n")
    match = _LINE.fullmatch(line)
    if not match:
        raise MalformedRequest(f"request line {line!r}")
    method, target, version = (part.decode("latin-1") for part in match.groups())
    return Recorded(
        raw_head=raw,
        method=method,
        target=target,
        version=version,
        headers=parse_fields(block),
        connection=connection,
        record_limit=record_limit,
    )


def parse_fields(block: bytes) -> list[tuple[str, str]]:
    fields = []
    for line in block.split(b"\r\n") if block else ():
        match = _FIELD.fullmatch(line)
        if not match:
            raise MalformedRequest(f"header line {line!r}")
        fields.append((match[1].decode("latin-1"), match[2].decode("latin-1")))
    return fields


def length_of(request: Recorded) -> int | None:
    """Bytes of the body; None if it is chunked."""
    if request.version == "1.1" and len(request.getall("host")) != 1:
        raise MalformedRequest(f"Host {request.getall('host')}")
    codings, lengths = request.getall("transfer-encoding"), request.getall("content-length")
    if codings:
        if lengths or len(codings) > 1 or codings[0].lower() != "chunked" or request.version == "1.0":
            raise MalformedRequest(f"Transfer-Encoding {codings}, Content-Length {lengths}, HTTP/{request.version}")
        return None
    if len(lengths) > 1 or not re.fullmatch("[0-9]{1,18}", "".join(lengths) or "0"):
        raise MalformedRequest(f"Content-Length {lengths}")
    return int("".join(lengths) or "0")
