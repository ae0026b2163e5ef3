"""Lines and events, judged one by one."""

from __future__ import annotations

from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.validate.each import EachEvent, EachLine

Kind: TypeAlias = type[EachLine] | type[EachEvent]


class Refused(Exception):
    pass


def over() -> None:
    raise Refused("too long")


def judged(kind: Kind, data: bytes, cuts: list[int], most: int = 100) -> tuple[list[bytes], bytes]:
    seen: list[bytes] = []
    subject = kind(seen.append, most, over)
    out, at = b"", 0
    for cut in cuts:
        out += subject.feed(data[at:cut])
        at = cut
    return seen, out + subject.feed(data[at:]) + subject.finish()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"a":1}\n{"b":2}\n', [b'{"a":1}', b'{"b":2}']),
        (b"1\r\n\r\n  \n2", [b"1", b"2"]),
        (b"", []),
        (b"\n", []),
    ],
)
def test_lines(data: bytes, expected: list[bytes]) -> None:
    """Each line that is not empty is a document, the last one also without an end."""
    assert judged(EachLine, data, []) == (expected, data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"data: 1\n\ndata: 2\n\n", [b"1", b"2"]),
        (b"data: a\ndata:b\ndata\nid: 1\nevent: x\n\n", [b"a\nb\n"]),
        (b": comment\n\nretry: 10\n\ndata:x\r\rdata:y\r\n\r\n", [b"x", b"y"]),
        (b"\xef\xbb\xbfdata: 1\n\n", [b"1"]),
        (b"data:  1\n\ndatabase: 2\n\n", [b" 1"]),
        (b"data: whole?", [b"whole?"]),
        (b"data: a\n", [b"a"]),
        (b"", []),
    ],
)
def test_events(data: bytes, expected: list[bytes]) -> None:
    """The lines of ``data`` of an event are one document; what has none is no document."""
    assert judged(EachEvent, data, []) == (expected, data)


@pytest.mark.parametrize("kind", [EachLine, EachEvent])
@given(
    parts=st.lists(
        st.sampled_from([b"data: 1", b"data:", b"\n", b"\r", b"\r\n", b"x", b": c", b"id:", b"{}"]), max_size=30
    ),
    cuts=st.lists(st.integers(0, 150), max_size=6),
)
def test_any_split(kind: Kind, parts: list[bytes], cuts: list[int]) -> None:
    """However it is cut, the documents are the same, and so is what goes on."""
    data = b"".join(parts)
    assert judged(kind, data, sorted(cuts), 1000) == judged(kind, data, [], 1000)


@pytest.mark.parametrize(
    ("kind", "one"), [(EachLine, b'{"a":1}\n'), (EachEvent, b"data: 1\r\n\r\n"), (EachEvent, b"data: 1\n\n")]
)
def test_lets_go_at_once(kind: Kind, one: bytes) -> None:
    """F-71: what is judged does not wait for what comes behind it."""
    subject = kind(lambda data: None, 100, over)
    assert subject.feed(one + b"da") in (one, one[:-1])
    assert subject.feed(b"ta:") == b"" or kind is EachLine


@pytest.mark.parametrize("kind", [EachLine, EachEvent])
def test_what_is_wrong_is_not_let_go(kind: Kind) -> None:
    """What the judge refuses has not gone on."""

    def judge(data: bytes) -> None:
        if data == b"2":
            raise Refused

    subject = kind(judge, 100, over)
    assert subject.feed(b"data: 1\n\n" if kind is EachEvent else b"1\n")
    with pytest.raises(Refused):
        subject.feed(b"data: 2\n\n" if kind is EachEvent else b"2\n")


@pytest.mark.parametrize("kind", [EachLine, EachEvent])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_too_long(kind: Kind, step: int) -> None:
    """A document that is too long ends it, before more of it is held; where that raises nothing, all goes on."""
    data = b"data: " + b"x" * 500
    subject = kind(lambda data: None, 100, over)
    with pytest.raises(Refused):
        [*map(subject.feed, (data[at : at + step] for at in range(0, len(data), step)))]
    told: list[bool] = []
    lenient = kind(lambda data: None, 100, lambda: told.append(True))
    out = b"".join(lenient.feed(data[at : at + step]) for at in range(0, len(data), step)) + lenient.finish()
    assert out == data
    assert told == [True]


def test_a_line_in_one_piece_that_is_too_long() -> None:
    """So it is where it comes with its end."""
    for kind, data in ((EachLine, b"x" * 200 + b"\n"), (EachEvent, b"data: " + b"x" * 200 + b"\n\n")):
        with pytest.raises(Refused):
            kind(lambda data: None, 100, over).feed(data)


PIECES = [b"\n", b"\r", b"\r\n", b"data:1", b"data: 12", b":c", b"id: 7", b" ", b"12345678", b"x:", b"\xef\xbb\xbf"]


@given(
    kind=st.sampled_from([EachLine, EachEvent]),
    pieces=st.lists(st.sampled_from(PIECES), max_size=20),
    cuts=st.lists(st.integers(0, 200), max_size=6),
)
def test_the_limit_at_any_split(kind: Kind, pieces: list[bytes], cuts: list[int]) -> None:
    """S-53: what is too long is so however it is cut, blank or not."""

    def outcome(cuts: list[int]) -> object:
        try:
            return judged(kind, b"".join(pieces), cuts, most=16)
        except Refused:
            return Refused

    assert outcome(sorted(cuts)) == outcome([])


def test_comments_wait_for_nothing() -> None:
    """F-71: a line that keeps a connection alive goes on at once, and a thousand of them are no long event."""
    subject = EachEvent(list.append, 100, over)  # type: ignore[arg-type]  # none is judged
    for _ in range(1000):
        assert subject.feed(b":\n") == b":\n"
        assert subject.feed(b": still here\r") == b": still here\r"
    assert subject.feed(b"\nid: 1\n:\n") == b"\n"
