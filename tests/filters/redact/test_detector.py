"""What a secret looks like."""

from __future__ import annotations

import re
from typing import Any

import pytest

from revproxy.filters.redact import Detector, Fixed, SameLength
from revproxy.filters.redact.detector import LONGEST, Found

from .samples import finds


@pytest.mark.parametrize(
    ("pattern", "reach"),
    [
        (rb"B-\d{6}", (8, 0, 0)),
        (rb"(?<!\d)\d{3}(?!\d)", (3, 1, 1)),
        (rb"(?<=ab)x(?=c(?=de))", (1, 2, 3)),
        (rb"\bx\B", (1, 1, 1)),
        (rb"(?m)^x{2,3}$", (3, 1, 1)),
        (rb"(?:(?<!\w)a|b(?!\w\w)){1,4}", (4, 1, 2)),
    ],
)
def test_reach(pattern: bytes, reach: tuple[int, int, int]) -> None:
    """What it depends on is known from its pattern."""
    detector = Detector("badge", pattern)
    assert (detector.longest, detector.behind, detector.ahead) == reach


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (rb"AKIA[A-Z]{16}", (b"akia",)),
        (rb"(?i)Token|Key", (b"key", b"token")),
        (rb"\d{16}", ()),
        (rb"x\d", ()),  # one letter is everywhere
    ],
)
def test_words(pattern: bytes, words: tuple[bytes, ...]) -> None:
    """The words that it needs are taken from its pattern, in lower case."""
    assert Detector("badge", pattern).needed == words
    assert Detector("badge", pattern, words=[b"X-", b"x-"]).needed == (b"x-",)
    assert Detector("badge", pattern, words=()).needed == ()


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        (rb"ab*", "matches without a bound"),
        (rb"x{513}", "matches up to 513 bytes"),
        (rb"(?=x{0,600})y", "looks ahead up to 600 bytes"),
        (rb"(?=x*)y", "looks ahead without a bound"),
        (rb"\Aab", "asks where the text begins or ends"),
        (rb"^ab", "asks where the text begins or ends"),
        (rb"ab\Z", "asks where the text begins or ends"),
        (rb"ab$", "asks where the text begins or ends"),
        (rb"a?", "matches nothing at all"),
        (rb"(ab", "is no regular expression"),
        (rb"(?:a{1,9}){2,50}b", "a choice within a loop"),
        (rb"[a-z]{1,200}[a-y]{1,200}x", "2 loops that may share a text"),
        (rb"(\w{3,90})-\1", "a back reference"),
        (rb"(?<=(?P<secret>\d{4}))x", "has its group secret in what it looks behind at"),
        (rb"(?:a|(?<=b(?:c|(?P<secret>d))e)x)", "has its group secret in what it looks behind at"),
    ],
)
def test_refused_patterns(pattern: bytes, what: str) -> None:
    """S-53: a pattern without a bound, or that may take too long, is refused, by a text that says so."""
    with pytest.raises(ValueError, match=f"^pattern: .*{re.escape(what)}"):
        Detector("badge", pattern)


def test_a_secret_ahead() -> None:
    """What is looked ahead at may be the secret, and what stands beside one that is looked behind at."""
    for pattern in (rb"n(?=(?P<secret>\d{4}))", rb"(?<=n)(?P<secret>\d{4})"):
        found = Detector("badge", pattern).search(b"n1234", 0, 5, 5)
        assert found is not None
        assert found[1:] == (1, 5)


def test_costly() -> None:
    """Who knows better may say so."""
    assert Detector("badge", rb"[a-z]{1,200}[a-y]{1,200}x", costly=True).longest == 401


@pytest.mark.parametrize(
    ("wrong", "error", "what"),
    [
        ({"name": "Badge"}, ValueError, "name must be lower-case"),
        ({"name": ""}, ValueError, "name must be lower-case"),
        ({"name": "x" * 41}, ValueError, "name must be lower-case"),
        ({"pattern": "B-"}, TypeError, "pattern must be bytes"),
        ({"mask": "[badge]"}, TypeError, "mask: '\\[badge\\]' is not a Mask"),
        ({"valid": True}, TypeError, "valid: True is not callable"),
        ({"words": b"x"}, TypeError, "words: several of them"),
        ({"words": [b""]}, ValueError, "words must be bytes, and not empty"),
        ({"words": ["x"]}, ValueError, "words must be bytes"),
        ({"swallow": "a-z"}, TypeError, "swallow must be bytes"),
        ({"swallow": rb"z-a"}, ValueError, "swallow: .* is no regular expression"),
    ],
)
def test_bad_input(wrong: dict[str, Any], error: type[Exception], what: str) -> None:
    """Whatever is wrong is named, with its value."""
    with pytest.raises(error, match=f"^{what}"):
        Detector(**{"name": "badge", "pattern": rb"B-\d{6}", **wrong})


@pytest.mark.parametrize(
    ("wrong", "error", "what"),
    [
        ({"find": b"x"}, TypeError, "find: b'x' is not callable"),
        ({"longest": 0}, ValueError, "longest must be 1 to 512, got 0"),
        ({"longest": LONGEST + 1}, ValueError, "longest must be 1 to 512, got 513"),
        ({"longest": True}, ValueError, "longest must be 1 to 512"),
        ({"behind": -1}, ValueError, "behind must be 0 to 512, got -1"),
        ({"ahead": 1.5}, ValueError, "ahead must be 0 to 512, got 1.5"),
    ],
)
def test_bad_function(wrong: dict[str, Any], error: type[Exception], what: str) -> None:
    """So is what is wrong with a function."""
    with pytest.raises(error, match=f"^{what}"):
        Detector.of_function("word", **{"find": finds(b"word"), "longest": 4, **wrong})


def test_search() -> None:
    """It says where the match begins, and the secret in it; from a place on, before another one, and seeing no more
    than it is given."""
    text = b"id=12 id=345 id=6789"
    detector = Detector("id", rb"id=(?P<secret>\d{2,4})(?!\d)")
    for few in (1, 200):  # tried place by place, or searched for
        assert detector.search(text + b" " * few, 0, 400, 20 + few) == Found(0, 3, 5)
        assert detector.search(text + b" " * few, 1, 400, 20 + few) == Found(6, 9, 12)
        assert detector.search(text + b" " * few, 7, 400, 13) is None
    assert detector.search(text, 7, 18, 20) == Found(13, 16, 18)
    optional = Detector("id", rb"id=(?P<secret>\d)?\w")
    assert optional.search(b"id=x id=1x", 0, 10, 10) == Found(5, 8, 9)
    assert optional.search(b"id=x " + b" " * 200 + b"id=1x", 0, 300, 300) == Found(205, 208, 209)


def test_function() -> None:
    """A function is asked for the first secret from a place on; what it says has to be possible."""
    word = Detector.of_function("word", finds(b"word"), longest=4)
    assert word.search(b"a word, a word", 3, 14, 14) == Found(10, 10, 14)
    assert word.search(b"a word", 0, 6, 2) is None
    assert word.search(b"a word", 0, 4, 6) is None
    for span in ((0, 3), (5, 5), (5, 99), (5, 10)):
        broken = Detector.of_function("word", lambda text, place, span=span: span, longest=4)  # type: ignore[misc]
        with pytest.raises(ValueError, match=r"^word says that a secret is at"):
            broken.search(b"0123456789", 3, 10, 10)


def test_masked() -> None:
    """Another mask makes another detector, which finds the same."""
    badge = Detector("badge", rb"B-\d{6}", valid=bool, words=[b"b-"], swallow=rb"\d")
    assert badge.shown_as == Fixed("[badge]")
    other = badge.masked(SameLength())
    assert other.shown_as == SameLength()
    assert (other.pattern, other.valid, other.words, other.swallow) == (badge.pattern, bool, (b"b-",), rb"\d")
    word = Detector.of_function("word", finds(b"word"), longest=4, behind=1, ahead=2, words=[b"word"])
    again = word.masked(SameLength())
    assert (again.find, again.longest, again.behind, again.ahead) == (word.find, 4, 1, 2)
    assert again.needed == (b"word",)


def test_swallowing_waits() -> None:
    """What swallows is known by as much as may be known of it: 512 bytes from where it begins."""
    detector = Detector("key", rb"BEGIN", swallow=rb"a-z")
    assert detector.longest + detector.ahead == LONGEST


def test_value() -> None:
    """A detector is a value."""
    assert Detector("badge", rb"B-\d{6}") == Detector("badge", rb"B-\d{6}")
    assert hash(Detector("badge", rb"B-\d{6}", words=[b"b-"])) == hash(Detector("badge", rb"B-\d{6}", words=(b"b-",)))
    assert repr(Detector("badge", rb"B-\d{6}")).startswith("Detector(name='badge', pattern=b'B-\\\\d{6}'")
