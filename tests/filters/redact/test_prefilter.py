"""Where detectors can match at all."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

import pytest
from hypothesis import given

from revproxy.filters.prefilter import HyperscanPrefilter
from revproxy.filters.redact import Detector
from revproxy.filters.redact.detectors import ALL
from revproxy.filters.redact.prefilter import HyperscanPlaces, Places, WordPlaces, places

from .corpus.corpus import SEED, lookalikes, secrets
from .samples import DETECTORS, WORD, finds, texts

BADGE = Detector("badge", rb"(?<!\d)B-\d{6}")


def begins(detector: Detector, text: bytes) -> list[int]:
    """Where its pattern matches, valid or not."""
    found = []
    at = 0
    while (match := detector.search(text, at, len(text), len(text))) is not None:
        found.append(match.begin)
        at = match.begin + 1
    return found


def check(prefilter: Places, detectors: Sequence[Detector], text: bytes) -> None:
    said = prefilter.starts(text)
    for at, detector in enumerate(detectors):
        spans = said.get(at, ())
        if spans is None:
            continue
        assert list(spans) == sorted(spans)
        for begin in begins(detector, text):
            assert any(first <= begin < last for first, last in spans), (detector.name, begin)


@given(text=texts)
def test_nothing_is_missed(text: bytes) -> None:
    """Wherever a detector matches, a prefilter says that it may."""
    for prefilter in PREFILTERS:
        check(prefilter, DETECTORS, text)


PREFILTERS = (HyperscanPlaces(DETECTORS), WordPlaces(DETECTORS))


def test_nothing_is_missed_of_the_corpus() -> None:
    """Nor does one miss anything of the corpus."""
    prefilters = (HyperscanPlaces(ALL), WordPlaces(ALL))
    for document in (*secrets(SEED)[::3], *lookalikes(SEED)[::3]):
        for prefilter in prefilters:
            check(prefilter, ALL, document.body)


def test_it_says_where() -> None:
    """With hyperscan a detector is looked for in one place, by words everywhere; where there is none, nowhere."""
    needy = Detector.of_function("word", finds(b"XYZZY"), longest=5, words=[b"xyzzy"])
    prefilter = places("hyperscan", [BADGE, needy])
    assert prefilter.starts(b"x" * 1000 + b"B-123456" + b"x" * 1000) == {0: [(1000, 1001)]}
    assert prefilter.starts(b"x" * 1000) == {}
    assert prefilter.starts(b"a xyzzy") == {1: None}
    words = places("words", [BADGE, WORD])
    assert words.starts(b"b-") == {0: None, 1: None}
    assert words.starts(b"x") == {1: None}  # a function without words of its own is asked
    assert places("words", [WORD]).starts(b"x") == {0: None}


def test_words_of_functions() -> None:
    """A function that needs words is not asked where there are none."""
    word = Detector.of_function("word", finds(b"XYZZY"), longest=5, words=[b"xyzzy"])
    for name in ("words", "hyperscan"):
        assert places(name, [word]).starts(b"XYZZ") == {}
        assert places(name, [word]).starts(b"XYZZY") == {0: None}


def test_without_hyperscan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is not installed, it can be asked for only by an error that names the extra; "auto" goes by words."""
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    with pytest.raises(ImportError, match=r"pip install 'aiohttp-revproxy\[inspect\]'"):
        places("hyperscan", [BADGE])
    assert isinstance(places("auto", [BADGE]), WordPlaces)


def test_a_hyperscan_that_overlooks(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A version that is known to overlook matches is not used, and the log says so."""

    def broken(self: object, signatures: object) -> None:
        raise RuntimeError("this hyperscan overlooks matches")

    monkeypatch.setattr(HyperscanPrefilter, "__init__", broken)
    with caplog.at_level(logging.WARNING, "revproxy.error"):
        assert isinstance(places("auto", [BADGE]), WordPlaces)
    assert "redaction goes on without it" in caplog.text
    with pytest.raises(RuntimeError):
        places("hyperscan", [BADGE])


def test_while_another_thread_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where hyperscan fails, everything may be anywhere."""
    prefilter = HyperscanPlaces([BADGE])

    class Busy:
        def scan(self, *args: object, **named: object) -> None:
            import hyperscan

            raise hyperscan.error("in use")

    monkeypatch.setattr(prefilter, "_database", Busy())
    assert prefilter.starts(b"x") == {0: None}


def test_bad_name() -> None:
    """Another name is refused."""
    with pytest.raises(ValueError, match="prefilter must be 'auto', 'hyperscan' or 'words', got 'grep'"):
        places("grep", [BADGE])  # type: ignore[arg-type]


def test_repr() -> None:
    """They show what they have."""
    assert repr(places("words", [BADGE, WORD])) == "<WordPlaces: 1 detectors with words, 1 without>"
    assert repr(places("hyperscan", [BADGE])) == "<HyperscanPlaces: 1 expressions>"
