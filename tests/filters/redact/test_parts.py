"""A text whose parts are read one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revproxy.filters.redact import Detector, SameLength
from revproxy.filters.redact.engine import Engine
from revproxy.filters.redact.formats import Format, format_of
from revproxy.filters.redact.parts import reader
from revproxy.media_types import media_type

from .samples import DETECTORS, LENGTHS, PRIVATE, cut, pieces_of

EVENTS = format_of(media_type(["text/event-stream"]))
LINES = format_of(media_type(["application/x-ndjson"]))
FORMATS = {"events": EVENTS, "lines": LINES}
ENGINES: dict[str, dict[str, Engine]] = {
    kind: {"hyperscan": Engine(detectors, "hyperscan"), "words": Engine(detectors, "words")}
    for kind, detectors in (("any", DETECTORS), ("lengths", LENGTHS))
}

lines = st.lists(
    st.sampled_from(
        [
            *(
                b"\n",
                b"\r\n",
                b"\r",
                b"\n\n",
                b"\r\n\r\n",
                b"\r\r",
                b"data: ",
                b"data:",
                b"id: 1",
                b"a@b.com",
                b": ping",
            ),
            *(b'{"n": 4111111111111112}', b'{"a": "x\\u0040y.com"}', b"-----BEGIN KEY-----abc\ndef", b"secret agent"),
            *(b"password=sesame", b'"', b"eyJabcd.", b"XYZZY", b"4111 1111\n1111 1111", b"x" * 90),
        ]
    ),
    max_size=16,
).map(b"".join)


def outputs(engine: Engine, format: Format, pieces: list[bytes]) -> tuple[list[bytes], list[str]]:
    """What comes out for each of ``pieces``, and for the end; and the names of what was taken out."""
    noted: list[str] = []
    parts = reader(engine, format, lambda detector: noted.append(detector.name))
    return [*(parts.feed(piece, last=False) for piece in pieces), parts.feed(b"", last=True)], noted


def redacted(engine: Engine, format: Format, pieces: list[bytes]) -> tuple[bytes, list[str]]:
    out, noted = outputs(engine, format, pieces)
    return b"".join(out), noted


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("name", FORMATS)
@given(drawn=cut(lines))
@example(drawn=(b"\r\n\r\ndata: a@b.com\r\n\r\n" * 3, [1, 2, 3, 19, 20, 21, 22]))
def test_any_cut(kind: str, name: str, drawn: tuple[bytes, list[int]]) -> None:
    """S-65: however they are cut, with hyperscan or without, the same bytes come out."""
    text, cuts = drawn
    whole = redacted(ENGINES[kind]["words"], FORMATS[name], [text])
    for engine in ENGINES[kind].values():
        assert redacted(engine, FORMATS[name], [text]) == whole
        assert redacted(engine, FORMATS[name], pieces_of(text, cuts)) == whole
        assert redacted(engine, FORMATS[name], [bytes([each]) for each in text]) == whole


@pytest.mark.parametrize(
    "events", [b"data: %d a@b.com\n\n", b"id: %d\r\ndata: x\r\n\r\n", b"data:%d\r\r", b": ping %d\n\n"], ids=range(4)
)
def test_an_event_waits_for_nothing(events: bytes) -> None:
    """An event goes out as soon as it has ended, and so does each of those that come together."""
    engine = ENGINES["lengths"]["hyperscan"]
    came = [events % each for each in range(4)]
    out, _ = outputs(engine, EVENTS, came)
    assert list(map(len, out)) == [*map(len, came), 0]
    out, _ = outputs(engine, EVENTS, [b"".join(came), came[0][:-1], came[0][-1:]])
    assert len(out[0]) == len(b"".join(came))
    assert len(out[1]) + len(out[2]) == len(came[0])


def test_a_line_waits_for_nothing() -> None:
    """Nor does a line of JSON; an end of a line in two pieces is one."""
    out, _ = outputs(ENGINES["any"]["words"], LINES, [b'{"a": 1}\n', b'{"b": 2}\r', b'\n{"c"', b": 3}", b"\n"])
    assert b"".join(out[:1]) == b'{"a": 1}\n'
    assert b"".join(out[:3]) == b'{"a": 1}\n{"b": 2}\r\n'
    assert b"".join(out[:5]) == b'{"a": 1}\n{"b": 2}\r\n{"c": 3}\n'


@pytest.mark.parametrize("format", FORMATS.values(), ids=list(FORMATS))
def test_nothing_goes_beyond_a_part(format: Format) -> None:
    """A secret does not go on in the next part, nor does anything that looks around; ends of parts are never masked."""
    engine = Engine([PRIVATE, Detector("pair", rb"ab\s{1,4}cd(?!e)", mask=SameLength("#"))])
    end = b"\n\n" if format is EVENTS else b"\n"
    text = b"-----BEGIN KEY-----abcdef" + end + b"abcdef" + end + b"ab" + end + b"cd" + end
    assert redacted(engine, format, [text])[0] == b"*" * 25 + end + b"abcdef" + end + b"ab" + end + b"cd" + end


def test_several_lines_of_data() -> None:
    """S-65: the lines of an event's data are one text (HTML Standard section 9.2.6), so that a key over several of them
    is one."""
    text = b"id: 7\ndata: -----BEGIN KEY-----\ndata: abcdefghi\r\ndata:jklmnop\n\ndata: next\n\n"
    out, found = redacted(Engine([PRIVATE]), EVENTS, [text])
    assert found == ["private"]
    begin, end = text.index(b"---"), text.index(b"\n\n")
    assert out == text[:begin] + b"*" * (end - begin) + text[end:]


def test_only_lines_with_something_in_them_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """With hyperscan the many lines in which nothing can be pass together."""
    engine = ENGINES["any"]["hyperscan"]
    looked: list[bytes] = []
    find = Engine.find

    def counted(self: Engine, view: bytes, *rest: Any, **named: Any) -> Any:
        looked.append(view)
        return find(self, view, *rest, **named)

    monkeypatch.setattr(Engine, "find", counted)
    many = b'{"nothing": "to see"}\n' * 500
    text = many + b'{"mail": "a\\u0040b.com"}\n' + many
    out, found = redacted(engine, LINES, [text])
    assert found == ["mail", "word"][: len(found)]
    assert len(out) == len(text) - len(b"a\\u0040b.com") + len("tok-") + 20
    assert len([each for each in looked if each]) < 1002


def test_a_long_part_is_not_held() -> None:
    """S-53: a line of 10 MB goes out as it comes."""
    engine = ENGINES["any"]["hyperscan"]
    parts = reader(engine, LINES, lambda detector: None)
    came = gone = 0
    for _ in range(160):
        came += 65536
        gone += len(parts.feed(b"x" * 65536, last=False))
        assert came - gone < 4096
    assert gone + len(parts.feed(b"", last=True)) == came
