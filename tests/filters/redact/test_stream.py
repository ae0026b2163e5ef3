"""Taking the secrets out of a text, as it comes."""

from __future__ import annotations

import json
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revproxy.filters.redact import Detector, Fixed, LastFour, SameLength
from revproxy.filters.redact.engine import Engine
from revproxy.filters.redact.spelling import FORM, JSON, MARKUP, SSE, URL, Spelling
from revproxy.filters.redact.stream import Unit

from .samples import CARD, DETECTORS, LENGTHS, MAIL, PIECES, PRIVATE, TOKEN, cut, pieces_of, texts

ENGINES = {
    (prefilter, kind): Engine(detectors, prefilter)
    for prefilter in ("hyperscan", "words")
    for kind, detectors in (("any", DETECTORS), ("lengths", LENGTHS))
}
SPELLINGS = {each.name: each for each in (JSON, MARKUP, FORM, SSE, URL)}
Prefilter = Literal["hyperscan", "words"]


def redacted(engine: Engine, pieces: list[bytes], spelling: Spelling = JSON) -> tuple[bytes, list[str]]:
    """What comes out for ``pieces``, and the names of what was taken out."""
    noted: list[str] = []
    unit = Unit(engine, spelling, lambda detector: noted.append(detector.name), json=spelling in (JSON, SSE))
    out = [unit.feed(piece, last=False) for piece in pieces[:-1]]
    return b"".join([*out, unit.feed(pieces[-1], last=True)]), noted


def taken(text: bytes, *detectors: Detector, spelling: Spelling = MARKUP) -> bytes:
    """``text`` without what the ``detectors`` find, however it is cut."""
    whole = redacted(Engine(detectors), [text], spelling)
    for place in range(len(text) + 1):
        assert redacted(Engine(detectors, "words"), [text[:place], text[place:]], spelling) == whole, place
    return whole[0]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("kind", ["any", "lengths"])
@given(drawn=cut())
@example(drawn=(b"eyJabcd." + b"x" * 2000 + b" a@b.com", [600, 1200]))
@example(drawn=(b"a@b.com" + b"y" * 1200 + b"-----BEGIN KEY-----" + b"abc\n" * 400 + b"-----", [700, 1300, 1900]))
def test_any_cut(kind: str, spelling: str, drawn: tuple[bytes, list[int]]) -> None:
    """S-65, F-110: however a text is cut, and with hyperscan or without, the same bytes come out as of the whole, and
    the same is noted."""
    text, cuts = drawn
    whole = redacted(ENGINES["words", kind], [text], SPELLINGS[spelling])
    for prefilter in ("hyperscan", "words"):
        engine = ENGINES[prefilter, kind]
        assert redacted(engine, [text], SPELLINGS[spelling]) == whole
        assert redacted(engine, pieces_of(text, cuts), SPELLINGS[spelling]) == whole


SAMPLES = {
    "mixed": b'{"a": "a\\u0040x.com 4111 1111 1111 1111 \\"password: hunter22", "n": 4111111111111111, "k": "'
    b'-----BEGIN KEY-----\\nMIIabc\\nDEF\\u0041-----", "\\ud83d\\ude00": "eyJabcd.XYZZY.a@b.com"}',
    "html": b'<a title="a&#64;b.com">4111&nbsp;1111&nbsp;1111&#x00020;1112 &amp;&lt; a&commat;x.com</a>&#4',
    "escapes at the end": b"a@b.com \\ud83d\\u",
    "events": b"id: 1\ndata: -----BEGIN KEY-----\ndata: abcdefghi\ndata: jkl\r\ndata:a@b.com",
    "overlapping": b"password=a@b.example eyJabcdXYZZY.aa XYZZYa@b.com@c.org 41111111111111111111@x.com",
    "long": b"secret agent\n" * 9 + b"4" * 540 + b"a@b.com" * 12,
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("kind", ["any", "lengths"])
@pytest.mark.parametrize("name", SAMPLES)
def test_every_cut(name: str, kind: str, spelling: str) -> None:
    """S-65: at every byte, and at all of them at once, a cut changes nothing."""
    text = SAMPLES[name]
    engine = ENGINES["hyperscan", kind]
    whole = redacted(engine, [text], SPELLINGS[spelling])
    for place in range(len(text) + 1):
        assert redacted(engine, [text[:place], text[place:]], SPELLINGS[spelling]) == whole
    assert redacted(engine, [bytes([each]) for each in text], SPELLINGS[spelling]) == whole


@given(text=texts)
def test_same_length(text: bytes) -> None:
    """F-53: masks of the same length leave a text as long as it was, whatever is in it."""
    for spelling in SPELLINGS.values():
        assert len(redacted(ENGINES["hyperscan", "lengths"], [text], spelling)[0]) == len(text)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | texts.map(lambda text: text.decode("latin-1")),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
        max_leaves=12,
    ),
    st.booleans(),
)
def test_json_stays_json(value: object, ascii: bool) -> None:
    """What was JSON is JSON, with strings where strings were and numbers where numbers were."""
    written = json.dumps({"a": [4111111111111112, value, -4111111111111112]}, ensure_ascii=ascii).encode()
    for kind in ("any", "lengths"):
        edited, found = redacted(ENGINES["hyperscan", kind], [written])
        assert "card" in found
        assert kinds_of(json.loads(edited)) == kinds_of(json.loads(written))


def kinds_of(value: object) -> object:
    """The shape of a value of JSON."""
    if isinstance(value, dict):
        return [kinds_of(each) for each in value.values()]
    if isinstance(value, list):
        return list(map(kinds_of, value))
    return bool if isinstance(value, bool) else "number" if isinstance(value, int | float) else type(value)


def test_numbers() -> None:
    """A number of JSON that is a secret becomes one of as many digits; in a string it is a text."""
    detector = CARD.masked(Fixed("[card]"))
    assert taken(b'{"a":4111111111111112,"b":"4111111111111112"}', detector, spelling=MARKUP).count(b"[card]") == 2
    assert redacted(Engine([detector]), [b'{"a": 4111111111111112, "b": "4111111111111112"}'])[0] == (
        b'{"a": 9999999999999999, "b": "[card]"}'
    )
    text = b'["\\"", 4111111111111112.5, "\\\\", 4111111111111112]'
    assert redacted(Engine([detector]), [text])[0] == b'["\\"", 9999999999999999.5, "\\\\", 9999999999999999]'
    assert redacted(Engine([CARD]), [b"[4111111111111112]"])[0] == b"[9999999999991112]"


def test_overlapping() -> None:
    """Where two overlap, all that either has found is masked: the first shows its mask, the second one for the rest."""
    one = Detector("one", b"abcdef", mask=Fixed("[1]"))
    two = Detector("two", b"defghi", mask=Fixed("[2]"))
    inside = Detector("inside", b"bcd", mask=Fixed("[3]"))
    longer = Detector("longer", b"abcdefg", mask=Fixed("[4]"))
    assert taken(b".abcdefghi.", one, two) == taken(b".abcdefghi.", two, one) == b".[1][2]."
    assert taken(b".abcdef.", one, inside) == b".[1]."
    assert taken(b".abcdefghi.", one, two, inside, longer) == b".[4][2]."


def test_a_part_is_not_shown_where_another_overlaps() -> None:
    """S-72: the last four are shown of nothing that somebody else has found, too."""
    number = Detector("number", rb"\d{16}", mask=LastFour())
    other = Detector("other", rb"\d\d[a-z]{4}", mask=Fixed("[other]"))
    assert taken(b" 4111111111111234 ", number, other) == b" ************1234 "
    assert taken(b" 4111111111111234abcd ", number, other) == b" ****************[other] "
    early = Detector("early", rb"[a-z]\d\d", mask=Fixed("[early]"))
    assert taken(b" x4111111111111234 ", number, early) == b" [early]************** "


def test_nothing_of_a_secret_leaves_early() -> None:
    """S-65: at no time has a byte gone out that a mask takes the place of in the end, nor half a mask."""
    for name, text in SAMPLES.items():
        for step in (1, 2, 3, 5, 8, 64):
            engine = ENGINES["hyperscan", "any"]
            unit = Unit(engine, MARKUP, lambda detector: None, json=False)
            whole = redacted(engine, [text], MARKUP)[0]
            out = b""
            for start in range(0, len(text), step):
                out += unit.feed(text[start : start + step], last=False)
                assert whole.startswith(out), (name, step)


def test_what_is_invalid_consumes_nothing() -> None:
    """A match that is not valid does not hide the one that begins one byte further on."""
    detector = Detector("even", rb"\d{4}", mask=Fixed("[even]"), valid=lambda secret: secret.endswith(b"2"))
    assert taken(b"x12342x", detector) == b"x1[even]x"


def test_swallowing() -> None:
    """What a secret goes on with is masked without a bound, to where it ends."""
    body = b"-----BEGIN KEY-----\n" + b"A" * 5000
    out, found = redacted(Engine([PRIVATE]), [body[:700], body[700:] + b"-----END", b" KEY-----"], MARKUP)
    assert out == b"*" * len(body) + b"-----END KEY-----"
    assert found == ["private"]
    out, found = redacted(Engine([TOKEN, MAIL]), [b"eyJabcd." + b"b" * 3000, b"@c.org eyJabcd.", b"dd"], MARKUP)
    assert out == b"[token]@c.org [token]"
    assert found == ["token", "token"]


def test_a_token_is_of_all_that_is_known() -> None:
    """Of a secret without a bound the token depends on the first 512 bytes, not on how they came."""
    from revproxy.filters.redact import Token

    detector = PRIVATE.masked(Token(b"k" * 32))
    key = b"-----BEGIN KEY-----" + b"Ab1+" * 300
    other = key[:400] + b"x" + key[401:]
    assert taken(key, detector) != taken(other, detector)
    engine = Engine([detector])
    assert len({redacted(engine, pieces_of(key + b"-", [cut]), MARKUP)[0] for cut in range(1, 600, 7)}) == 1


@pytest.mark.parametrize(
    "unit", [b"9", b"eyJ", b"\\", b"&", b"x", b"[", b'"', b"\xff", b"\n", b"&#", b"\\u00", b"a.", b"a@"]
)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_nothing_is_held_without_a_bound(spelling: str, unit: bytes) -> None:
    """S-53: a megabyte of the same, which may begin something at every byte: what is held back stays small, and nothing
    is lost."""
    parts = Unit(ENGINES["hyperscan", "any"], SPELLINGS[spelling], lambda detector: None, json=True)
    text = unit * (1_000_000 // len(unit))
    came = gone = 0
    out = []
    for start in range(0, len(text), 65536):
        out.append(parts.feed(text[start : start + 65536], last=False))
        came, gone = came + len(text[start : start + 65536]), gone + len(out[-1])
        assert came - gone < 8192
    assert b"".join([*out, parts.feed(b"", last=True)]) == text


def test_nested_json() -> None:
    """JSON that is nested 10,000 deep is nothing to it."""
    text = b'{"a":' * 10_000 + b'"a@b.com"' + b"}" * 10_000
    out, found = redacted(ENGINES["words", "any"], [text])
    assert found == ["mail"]
    assert out.startswith(b'{"a":' * 10_000 + b'"tok-')


@given(cuts=st.lists(st.integers(0, 40), max_size=5))
def test_truncated_escapes(cuts: list[int]) -> None:
    """An escape that the end cuts off stands for itself."""
    for end in (b"\\", b"\\u", b"\\u00", b"\\ud83d\\u", b"&", b"&#", b"&#x4", b"&comma", b"%", b"%4", b"\r", b"\ndat"):
        for spelling in SPELLINGS.values():
            text = b"a@b.com and more of it " + end
            out, found = redacted(
                ENGINES["hyperscan", "any"], pieces_of(text, sorted(min(c, len(text)) for c in cuts)), spelling
            )
            assert found == ["mail"]
            assert out.endswith(b" and more of it " + end)


def test_all_pieces_are_of_use() -> None:
    """The texts of these tests have all there is to find in them."""
    found = set()
    for piece in PIECES:
        for spelling in SPELLINGS.values():
            found |= set(redacted(ENGINES["words", "any"], [piece + b" "], spelling)[1])
    assert found == {"card", "mail", "password", "private", "token", "word"}
    assert redacted(Engine([LENGTHS[-1]]), [b"x\nsecret agent\ny"], MARKUP)[0] == b"x\n############\ny"
    assert LENGTHS[0].shown_as == SameLength("#")
