"""Response heads out of a stream of bytes: the short way reads as the long way does, and a split changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revproxy.errors import ProtocolError, ResponseHeadTooLarge
from revproxy.message import Response
from revproxy.wire.framing import NO_BODY
from revproxy.wire.head import read_head
from revproxy.wire.reader import HeadReader
from revproxy.wire.settings import Limits

NGINX = (
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 23 Nov 2026 08:00:00 GMT\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 5\r\nConnection: keep-alive\r\nX-Last: 1\r\n\r\n"
)

names = st.sampled_from(
    b"Content-Length Date Connection Transfer-Encoding Keep-Alive Upgrade Trailer TE Alt-Svc Close "
    b"X-A Content-Type Connections Dat Date-X Content-Length-X T".split()
).flatmap(lambda name: st.sampled_from([name, name.lower(), name.upper(), name.swapcase(), name + b" ", b""]))
values = st.sampled_from(
    b"5|0|05|5, 5|-1|111111111111111111|1111111111111111111|keep-alive|Keep-Alive|close|x-a|chunked||a b|\xe9|a\tb|"
    b"a\x00b|5\x0b|keep-alive, close".split(b"|")
)
lines = st.builds(
    lambda name, before, value, after, end: name + b":" + before + value + after + end,
    names,
    st.sampled_from([b" ", b"", b"\t ", b"  "]),
    values,
    st.sampled_from([b"", b" ", b"\t"]),
    st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\n "]),
)
starts = st.sampled_from(
    b"1.1 200 OK|1.1 200 |1.1 200|1.1 404 Not Found|1.1 204 No Content|1.1 304 Not Modified|1.0 200 OK|1.1 599 \xe9|"
    b"1.1 103 Early Hints|1.1 600 X|1.1 2000 X|1.1  200 OK|2 200|1.1\t200 OK".split(b"|")
).map(lambda start: b"HTTP/" + start)
heads = st.builds(lambda start, lines: start + b"\r\n" + b"".join(lines) + b"\r\n", starts, st.lists(lines, max_size=6))


def as_read(raw: bytes, method: str, limits: Limits) -> object:
    """What ``read_head`` alone makes of it."""
    try:
        if len(raw) > limits.head_bytes:
            raise ResponseHeadTooLarge("")
        head = read_head(raw, method, limits.head_fields)
    except ProtocolError as error:
        return type(error)
    return (head.status, head.reason, head.lines, head.declared, head.dated, head.framing, head.persistent, b"rest!")


def as_fed(raw: bytes, method: str, limits: Limits) -> object:
    try:
        received = HeadReader(limits).feed(raw + b"rest!", method)
    except ProtocolError as error:
        return type(error)
    if received is None:
        return None
    response, framing, persistent, rest = received
    return (*parts(response), framing, persistent, rest)


def parts(response: Response) -> tuple[object, ...]:
    declared, dated = response.declared, response.dated
    return (response.status, response.reason, response.field_lines(declared), declared, dated)


@given(heads, st.sampled_from(["GET", "HEAD", "POST"]), st.sampled_from([40, 65536]), st.sampled_from([2, 256]))
@example(NGINX, "GET", 65536, 256)
@example(NGINX.replace(b"keep-alive", b"KEEP-alive\t"), "GET", 65536, 256)
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\n", "GET", 65536, 256)
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "GET", 65536, 256)
@example(
    b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\nconnection: x-a\r\nX-A: 1\r\n\r\n",
    "GET",
    99999,
    9,
)
@example(b"HTTP/1.1 200 OK\r\nDate: 1\r\nContent-Length: 5\r\nDate: 2\r\n\r\n", "GET", 65536, 256)
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection:\r\nX: y\r\n\r\n", "GET", 65536, 256)
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection:\r\nConnection: keep-alive\r\n\r\n", "GET", 65536, 256)
def test_both_ways_read_the_same(raw: bytes, method: str, head_bytes: int, head_fields: int) -> None:
    """S-15: whatever the short way takes, the strict reader takes, and both read the same of it, limits
    included; what is refused is refused either way."""
    end = raw.find(b"\r\n\r\n") + 4
    limits = Limits(head_bytes=head_bytes, head_fields=head_fields)
    if end < len(raw):
        return  # ends before its end: another head
    expected = as_read(raw, method, limits)
    assert as_fed(raw, method, limits) == expected


@given(heads, st.integers(0, 300), st.integers(0, 255))
def test_a_changed_byte(raw: bytes, at: int, byte: int) -> None:
    """S-15: one byte changed anywhere, and still both ways agree."""
    at %= len(raw)
    changed = raw[:at] + bytes([byte]) + raw[at + 1 :]
    if changed.find(b"\r\n\r\n") + 4 == len(changed):
        assert as_fed(changed, "GET", Limits()) == as_read(changed, "GET", Limits())


@given(st.sampled_from([NGINX, NGINX.replace(b"200 OK", b"404 Not Found")]), st.lists(st.integers(0, 999), max_size=5))
def test_any_split(raw: bytes, cuts: list[int]) -> None:
    """A head that arrives in pieces is read as one that arrives at once."""
    places = sorted({cut % len(raw) for cut in cuts} - {0})
    reader, whole = HeadReader(Limits()), HeadReader(Limits()).feed(raw, "GET")
    pieces = [raw[start:end] for start, end in zip([0, *places], [*places, len(raw)], strict=True)]
    for piece in pieces[:-1]:
        assert reader.feed(piece, "GET") is None
        assert reader.begun
    received = reader.feed(pieces[-1], "GET")
    assert received is not None
    assert whole is not None
    assert (*parts(received[0]), *received[1:]) == (*parts(whole[0]), *whole[1:])
    assert not reader.begun


def test_the_rest_is_handed_back() -> None:
    """What stands behind a head is not the reader's: the next head can be read from it."""
    reader = HeadReader(Limits())
    received = reader.feed(b"HTTP/1.1 103 E\r\nLink: </a>\r\n\r\n" + NGINX + b"hello", "HEAD")
    assert received is not None
    assert (received[0].status, received[3]) == (103, NGINX + b"hello")
    received = reader.feed(received[3], "HEAD")
    assert received is not None
    assert (received[0].status, received[1], received[3]) == (200, NO_BODY, b"hello")


@pytest.mark.parametrize("size", [100, 40_000])
def test_limits_hold_for_both_ways(size: int) -> None:
    """One byte, or one field, over the limit is refused, however large the limit is."""
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n" + b"a:\r\n" * (size // 4) + b"\r\n"
    fields = size // 4 + 1
    assert HeadReader(Limits(head_bytes=len(raw), head_fields=fields)).feed(raw, "GET") is not None
    for limits in (
        Limits(head_bytes=len(raw) - 1, head_fields=fields),
        Limits(head_bytes=len(raw), head_fields=fields - 1),
    ):
        with pytest.raises(ResponseHeadTooLarge):
            HeadReader(limits).feed(raw, "GET")
