"""Prefilters err on one side only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revproxy.filters.inspect.engine import Engine
from revproxy.filters.inspect.forms import Form
from revproxy.filters.inspect.pack import Pack
from revproxy.filters.inspect.packs import ALL
from revproxy.filters.inspect.signature import Signature
from revproxy.filters.inspect.subject import Subject
from revproxy.filters.inspect.value import Part, Value
from revproxy.filters.prefilter import HyperscanPrefilter, Prefilter, PrefilterName, WordPrefilter, prefilter
from revproxy.testing import exchange

SIGNATURES = [each for pack in ALL for each in pack if isinstance(each, Signature)]
ODD = [
    Signature("odd-01", r"\Aab?\Z", "anchors"),
    Signature("odd-02", r"^(?:a|b$)c{0,3}+x|^y", "anchors within"),
    Signature("odd-03", r"(?>a|b)[^c]{1,3}+d", "atomic, possessive"),
    Signature("odd-04", r"a[ \x7f]b", "what is beyond ASCII"),
    Signature("odd-05", r"(?<!x)ab(?!c)", "looking around"),
    Signature("odd-06", r"\bor\b", "bounds of words"),
    Signature("odd-07", r"a.b", "any character"),
    Signature("odd-08", r"^[^'ab]{0,9}+(?:x(?:y|d)?){0,2}'?c", "what may be nothing at the beginning"),
    Signature("odd-09", r"a?b?c$", "what may be nothing but the end"),
    Signature("odd-10", r"ab", "without spaces", form=Form.COMPACT),
]
NAMES: Sequence[PrefilterName] = ("words", "hyperscan")
KINDS: Sequence[Callable[[Sequence[Signature]], Prefilter]] = (WordPrefilter, HyperscanPrefilter)

PIECES = """' or 1=1 -- union select <script> onerror= ../ /etc/passwd ; cat | $( ${jndi: {{ 7*7 }} %27 %2e \\u003c &lt;
    é € a b c d 169.254.169.254 sleep( waitfor exec system( eval( javascript: /**/ /*! */ %00 $ne __proto__ <?php"""
words = st.sampled_from([*PIECES.split(), "\n", "\t"])
attacks = st.lists(words, min_size=1, max_size=6).map(" ".join)


@pytest.mark.parametrize("kind", KINDS)
@given(several=st.lists(st.text(alphabet="abcdxy or€'", max_size=6), min_size=1, max_size=4))
def test_odd_patterns(kind: Callable[[Sequence[Signature]], Prefilter], several: list[str]) -> None:
    """Every signature that is found in a value is among the candidates."""
    assert _missed(_odd(kind), several) == []


@given(several=st.lists(attacks, min_size=1, max_size=3))
@example(several=["<script> <script> <script>"])
def test_the_packs(several: list[str]) -> None:
    """With either prefilter the same is found, which is what is found without any (S-53, S-60)."""
    values = [Value(Part.VALUE, "q", text) for text in several]
    expected = {each.id for each in SIGNATURES for value in values if each.found_in(value)}
    for name in NAMES:
        engine = _engine(name)
        subject = Subject(exchange())
        subject.add(values)
        found = engine.inspect(subject)
        assert {each.id for each in found.findings} >= expected  # and what is hidden in Base64


@cache
def _engine(name: PrefilterName) -> Engine:
    """All signatures, however much is found: as a rule the search is over when that is enough. It takes a while."""
    packs = [Pack(pack.name, tuple(each for each in pack if isinstance(each, Signature))) for pack in ALL]
    return Engine(packs, 4, (), name, 1 << 30)


@cache
def _odd(kind: Callable[[Sequence[Signature]], Prefilter]) -> Engine:
    engine = Engine([Pack("odd", tuple(ODD))], 4, (), "words")
    engine._prefilter = kind(engine._signatures)
    engine._compact = kind(engine._signatures[engine._first_compact :])
    return engine


def _missed(engine: Engine, several: list[str]) -> list[tuple[str, str]]:
    candidates = set(engine._candidates(several))
    values = [Value(Part.VALUE, "q", text) for text in several]
    return [
        (signature.id, value.text)
        for place, signature in enumerate(engine._signatures)
        for value in values
        if signature.found_in(value) and place not in candidates
    ]


def test_names() -> None:
    """``auto`` takes hyperscan where it is; another name is an error."""
    assert isinstance(prefilter("auto", ODD), HyperscanPrefilter)
    assert isinstance(prefilter("words", ODD), WordPrefilter)
    assert isinstance(prefilter("hyperscan", []), HyperscanPrefilter)
    assert prefilter("hyperscan", []).suspects("x") == {}
    with pytest.raises(ValueError, match="prefilter must be 'auto', 'hyperscan' or 'words', got 'pcre'"):
        prefilter("pcre", ODD)  # type: ignore[arg-type]


def test_without_hyperscan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is not installed the error names the extra, and ``auto`` does without it."""
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    with pytest.raises(ImportError, match=r"aiohttp-revproxy\[inspect\]"):
        prefilter("hyperscan", ODD)
    assert isinstance(prefilter("auto", ODD), WordPrefilter)


def test_repr() -> None:
    """Both say how much they look for."""
    assert repr(HyperscanPrefilter(ODD)) == "<HyperscanPrefilter: 10 patterns>"
    assert repr(WordPrefilter(ODD)).startswith("<WordPrefilter: ")


@pytest.mark.parametrize("name", NAMES)
def test_attacks_of_the_packs_in_long_texts(name: PrefilterName) -> None:
    """What each signature's samples are found by is found wherever they stand, before others or last, with 15 and more
    characters before them: an engine of hyperscan once overlooked that."""
    engine = _engine(name)
    for attack in (
        "1' or '1'='1",
        "../.bash_history",
        "java.net.URL",
        "${new date().getfullyear()}",
        "<a/href=vbscript&#9;:x>",
    ):
        expected = {each.id for each in SIGNATURES if each.found_in(Value(Part.VALUE, "q", attack))}
        for others in ([], ["a"], ["x" * 15], ["hello world", "y" * 100]):
            for texts in ([*others, attack], [attack, *others]):
                subject = Subject(exchange())
                subject.add(Value(Part.VALUE, "q", text) for text in texts)
                found = engine.inspect(subject)
                assert {each.id for each in found.findings} >= expected, (name, attack, texts)
