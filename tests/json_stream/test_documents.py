"""Several documents in one body."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.body import Transform
from revproxy.json_stream import JsonEditor, JsonError, JsonLines, JsonPath, JsonSequence, places

from .reference import DOCUMENTS, edited

ROOT = places(without=[JsonPath.of("**.a")])
TAKE = places(take=[JsonPath(())])


def cut(transform: Transform, data: bytes, cuts: list[int] | range) -> bytes:
    out, place = b"", 0
    for end in (*cuts, len(data)):
        out += transform.feed(data[place:end])
        place = end
    return out + transform.finish()


@given(
    st.lists(DOCUMENTS.map(lambda text: text.replace("\n", " ")), max_size=5), st.lists(st.integers(0, 200), max_size=4)
)
def test_lines(documents: list[str], cuts: list[int]) -> None:
    """Every line is a document of its own, in any pieces; empty ones and both ends of lines stay."""
    data = "".join(f"{text}\r\n \n" for text in documents).encode()
    wanted = "".join(f"{edited(text, None, [JsonPath.of('**.a')])}\r\n \n" for text in documents).encode()
    for pieces in ([], range(1, len(data)), sorted(min(each, len(data)) for each in cuts)):
        assert cut(JsonLines(JsonEditor(ROOT)), data, pieces) == wanted


@given(st.lists(DOCUMENTS, max_size=5), st.lists(st.integers(0, 200), max_size=4))
def test_sequence(documents: list[str], cuts: list[int]) -> None:
    """So is every text of a sequence (RFC 7464), which may have ends of lines in it."""
    data = "".join(f"\x1e{text}\n" for text in documents).encode()
    wanted = [edited(text, None, [JsonPath.of("**.a")]).encode().lstrip(b" \t\r\n") for text in documents]
    for pieces in ([], range(1, len(data)), sorted(min(each, len(data)) for each in cuts)):
        out = cut(JsonSequence(JsonEditor(ROOT)), data, pieces)
        assert out == b"".join(b"\x1e" + text + b"\n" for text in wanted)


@pytest.mark.parametrize("data", [b'{"a":\n1}\n', b'{"b":1\n', b'{"b":1', b"{} {}\n", b"1,\n2\n", b"{}\n]"])
def test_no_lines(data: bytes) -> None:
    """A document does not go beyond its line, and there is one in each."""
    for pieces in (range(0), range(1, len(data))):
        with pytest.raises(JsonError):
            cut(JsonLines(JsonEditor(ROOT)), data, pieces)


@pytest.mark.parametrize("data", [b"{}", b"1\x1e2\n", b"\x1e{\x1e{}", b"\x1e{} {}", b'\x1e"\x1e"'])
def test_no_sequence(data: bytes) -> None:
    """Before every text stands a separator, and in none."""
    for pieces in (range(0), range(1, len(data))):
        with pytest.raises(JsonError):
            cut(JsonSequence(JsonEditor(ROOT)), data, pieces)


def test_what_goes_as_a_whole() -> None:
    """A document that nothing takes the place of goes with its line, or its separator."""

    def new() -> JsonEditor:
        return JsonEditor(TAKE, take=lambda value: None if value == b"2" else value)

    for pieces in (range(0), range(1, 8)):
        assert cut(JsonLines(new()), b"1\n2\n3\n2", pieces) == b"1\n3\n"
        assert cut(JsonSequence(new()), b"\x1e1\n\x1e2\n\x1e3\n", pieces) == b"\x1e1\n\x1e3\n"


def test_repr() -> None:
    """They say whether they are in a document."""
    lines, sequence = JsonLines(JsonEditor(ROOT)), JsonSequence(JsonEditor(ROOT))
    assert (repr(lines), repr(sequence)) == ("<JsonLines>", "<JsonSequence>")
    lines.feed(b"{")
    sequence.feed(b"\x1e{")
    assert (repr(lines), repr(sequence)) == ("<JsonLines in a document>", "<JsonSequence in a document>")
