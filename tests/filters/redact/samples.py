"""Detectors that overlap, swallow, look around and reject, and texts to try them on."""

from __future__ import annotations

from hypothesis import strategies as st

from revproxy.filters.redact import Detector, Fixed, LastFour, SameLength, Token
from revproxy.filters.redact.detector import Find

KEY = b"k" * 32


def is_even(secret: bytes) -> bool:
    """Whether its digits add up to an even number."""
    return sum(each - 0x30 for each in secret if 0x30 <= each <= 0x39) % 2 == 0


def finds(word: bytes) -> Find:
    """A function that finds ``word``."""

    def find(text: bytes, place: int) -> tuple[int, int] | None:
        at = text.find(word, place)
        return None if at < 0 else (at, at + len(word))

    return find


CARD = Detector("card", rb"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)", mask=LastFour(), valid=is_even)
MAIL = Detector("mail", rb"(?<![a-z.])[a-z.]{1,20}@[a-z]{1,20}\.[a-z]{2,4}", mask=Token(KEY))
PASSWORD = Detector("password", rb"(?i)password[\"' :=]{1,6}(?P<secret>[^\"'\s,}&<]{4,30})", mask=Fixed("[password]"))
PRIVATE = Detector(
    "private", rb"-----BEGIN KEY-----[A-Za-z0-9+/\s]{5,20}", swallow=rb"A-Za-z0-9+/\s", mask=SameLength()
)
TOKEN = Detector("token", rb"eyJ[a-zA-Z0-9]{4,10}\.", swallow=rb"A-Za-z0-9.")
WORD = Detector.of_function("word", finds(b"XYZZY"), longest=5)
LINE = Detector("line", rb"(?m)^secret [a-z]{3,9}$", mask=Fixed(""))

DETECTORS = (CARD, MAIL, PASSWORD, PRIVATE, TOKEN, WORD, LINE)
LENGTHS = tuple(each.masked(SameLength("#")) for each in DETECTORS)

PIECES = (
    *(b'"', b'\\"', b"\\", b"\\\\", b"\\u", b"\\u0034", b"\\ud83d\\ude00", b"\\ud83d", b"\\/", b"\\n", b"\\x41"),
    *(b"&", b"&#64;", b"&#64", b"&commat;", b"&#x40;", b"&#0;", b"&nbsp;", b"&amp;", b"%40", b"%", b"+", b"<p>"),
    *(b"4111 1111 1111 1111", b"4111111111111112", b"4111&nbsp;1111&nbsp;1111&nbsp;1112", b"41\\u003111111111111112"),
    *(b"a.b@ex.com", b"a\\u0040x.com", b"a&#x40;x.com", b"a%40b.com", b"a@b.com@c.org"),
    *(b'password: "hunter22"', b"PASSWORD=sesame", b"password=a@b.example", b"passw"),
    *(b"-----BEGIN KEY-----\\nMIIabc\\nDEF", b"-----BEGIN KEY-----abcdef", b"ghiABC012", b"eyJabcd.eyJ9999.abc"),
    *(b"eyJabcdXYZZY.aa", b"XYZZY", b"secret agent", b'{"n":4111111111111112}', b'{"n": 4111111111111111, "m": 1}'),
    *(b":", b",", b" ", b"1", b"x" * 30, b"\n", b"\r\n", b"\r", b"\n\n", b"\r\n\r\n", b"\r\r", b"\ndata: ", b"data:"),
    *(b"\xff", b"\xe2\x80\x93", b"\x00"),
)

texts = st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join)
"""Texts that have secrets in them, and pieces of secrets, and of escapes."""


@st.composite
def cut(draw: st.DrawFn, text: st.SearchStrategy[bytes] = texts) -> tuple[bytes, list[int]]:
    """A text, and places in it where it is cut."""
    drawn = draw(text)
    return drawn, sorted(draw(st.lists(st.integers(0, len(drawn)), max_size=6)))


def pieces_of(text: bytes, cuts: list[int]) -> list[bytes]:
    """What ``text`` is cut into."""
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
