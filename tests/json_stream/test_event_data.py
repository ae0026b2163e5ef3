"""Server-sent events whose data are edited."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from revproxy.json_stream import EventData, JsonError


def edit(data: bytes) -> bytes | None:
    return None if data == b"drop" else data.replace(b"secret", b"***")


def cut(data: bytes, size: int, **options: Any) -> bytes:
    events = EventData(edit, **options)
    out = b"".join(events.feed(data[place : place + size]) for place in range(0, len(data), size))
    return out + events.finish()


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"data: a secret\n\n", b"data: a ***\n\n"),
        (b"data:secret\ndata: x\n\n", b"data:***\ndata:x\n\n"),
        (b": hello\nid: 1\nevent: e\ndata: secret\nretry: 5\n\n", b": hello\nid: 1\nevent: e\ndata: ***\nretry: 5\n\n"),
        (b"data: 1\r\ndata: secret\r\n\r\n", b"data: 1\r\ndata: ***\r\n\r\n"),
        (b"data: secret\r\rdata: 2\r\r", b"data: ***\r\rdata: 2\r\r"),
        (b"id: 1\ndata: drop\nevent: e\n\n", b"id: 1\nevent: e\n\n"),
        (b"data: se\ndata: cret\n\n", b"data: se\ndata: cret\n\n"),
        (b"data\n\n", b"data\n\n"),
        (b"data:  secret\n\n", b"data:  ***\n\n"),
        (b"data: secret", b"data: ***"),
        (b"data: secret\n", b"data: ***\n"),
        (b"\xef\xbb\xbfdata: secret\n\n", b"\xef\xbb\xbfdata: ***\n\n"),
        (b"Data: secret\n\n", b"Data: secret\n\n"),
        (b"\n\n\r\n", b"\n\n\r\n"),
        (b"", b""),
    ],
    ids=range(15),
)
def test_events(data: bytes, wanted: bytes) -> None:
    """The data of each event are edited as a whole, in any pieces; all else stays, all ends of lines included."""
    for size in range(1, len(data) + 2):
        assert cut(data, size) == wanted


def test_nothing_waits_for_the_next_event() -> None:
    """An event goes on with its end, and what stands before its data at once."""
    events = EventData(edit)
    assert events.feed(b": ping\nid: 1\n") == b": ping\nid: 1\n"
    assert events.feed(b"data: secret\n") == b""
    assert events.feed(b"\n") == b"data: ***\n\n"
    assert events.feed(b"data: 1\r\n\r") == b"data: 1\r\n\r"
    assert events.feed(b"\ndata: 2") == b"\n"
    assert repr(events) == "<EventData, 7 bytes held>"


def test_a_long_line() -> None:
    """A line of a million bytes takes no longer than many short ones: not the square of its length."""
    line = b"data: " + b"x" * 1_000_000
    assert cut(line + b"\n\n", 1 << 20, longest=1 << 21) == line + b"\n\n"
    assert cut(line + b"\n\n", 1 << 12, longest=1 << 21) == line + b"\n\n"


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_strict(end: bytes) -> None:
    """Lines that clients should ignore go where they may not: some take them for data. What is left is the same events,
    in any pieces."""
    others = [b"Data: secret", b" data: secret", b"data : secret", b"\xef\xbb\xbfdata: secret", b"secret", b"idx"]
    lines = [b"id", *others, b"retry:1", b"data:1", *others, b":c", b"data", b"event: e", b"", *others, b"id: 1", b""]
    data, wanted = end.join(lines), end.join(line for line in lines if line not in others)
    for size in range(1, len(data) + 1):
        assert cut(data, size, strict=True) == wanted


def test_short_lines_and_pieces() -> None:
    """What is held takes no more memory than a few times the bound: neither in lines of a byte, nor in such pieces."""
    tracemalloc.start()
    try:
        with pytest.raises(JsonError, match=r"^size at"):
            cut(b"data:\n" + b"x\n" * 100_000, 1 << 16, longest=100_000)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
        events = EventData(edit, longest=100_000)
        for _ in range(100_000):
            events.feed(b"x")
        assert tracemalloc.get_traced_memory()[0] < 500_000
    finally:
        tracemalloc.stop()


def test_too_long() -> None:
    """What is held of an event has a bound, of one line or of many, in any pieces."""
    for size in (1, 7, 1000):
        assert cut(b"data: " + b"x" * 94 + b"\n\n", size, longest=100)
        for data in (b"data: " + b"x" * 95 + b"\n\n", b"data: x\n" * 20 + b"\n", b":" * 101):
            with pytest.raises(JsonError, match=r"^size at"):
                cut(data, size, longest=100)
