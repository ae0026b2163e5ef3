"""Every signature: what it is found in, and what only looks like that."""

from __future__ import annotations

import html
import json
from collections import Counter

import pytest

from revproxy.filters.leaks import LeakSignature, Search, packs
from revproxy.filters.leaks.form import START, Form
from revproxy.filters.prefilter import PrefilterName
from revproxy.pattern_words import words_of
from revproxy.security_log import Severity

from ..samples import FILES, Sample, samples

SIGNATURES: dict[str, LeakSignature] = {each.id: each for pack in packs.ALL for each in pack}
SAMPLES = list(samples())


def searches(prefilter: PrefilterName) -> list[Search]:
    """One for each level of paranoia."""
    return [Search(packs.ALL, paranoia=level, prefilter=prefilter, enough=1 << 20) for level in (1, 2, 3, 4)]


SEARCHES: dict[PrefilterName, list[Search]] = {"hyperscan": searches("hyperscan"), "words": searches("words")}


def found(data: bytes, prefilter: PrefilterName, *, paranoia: int = 4, quotes: bool = False) -> set[str]:
    inspection = SEARCHES[prefilter][paranoia - 1].whole(data, quotes=quotes)
    return {each.id for each in inspection.findings}


def disguises(sample: Sample) -> list[str]:
    """As it is; as a page shows it; as a string in JSON. What has escapes of its own would be in two."""
    text = sample.text
    said = [text]
    if not set(text) & set("<&\\"):
        said.append(f"<p>{html.escape(text)}</p>")
        said.append(f"<p>{''.join(f'<span>{each}</span> ' for each in html.escape(text).split(' '))}</p>")
    if "\\" not in text:
        said.append(json.dumps({"said": text}))
        said.append(json.dumps({"said": text}).replace("e", r"\u0065").replace("/", r"\/"))
    return said


def test_samples_of_each() -> None:
    """Each signature has five different contents that it is found in, and five that look like that; and none else is
    spoken of."""
    of_each = Counter(id for sample in SAMPLES for id in sample.found)
    look_alikes = Counter(id for sample in SAMPLES for id in sample.not_found)
    assert {*of_each, *look_alikes} == {*SIGNATURES}
    assert {id: count for id, count in of_each.items() if count < 5} == {}
    assert {id: count for id, count in look_alikes.items() if count < 5} == {}
    assert len({sample.text for sample in SAMPLES}) == len(SAMPLES)
    assert len(SIGNATURES) >= 120


@pytest.mark.parametrize("prefilter", ["hyperscan", "words"])
@pytest.mark.parametrize("file", [path.stem for path in FILES])
def test_found(file: str, prefilter: PrefilterName) -> None:
    """S-64, S-65: it is found as it is, behind entities and tags, and within a string of JSON, its letters escaped."""
    for sample in SAMPLES:
        if not sample.place.startswith(file):
            continue
        for number, text in enumerate(disguises(sample)):
            ids = {id for id in sample.found if not number or START not in SIGNATURES[id].pattern}
            assert ids <= found(text.encode(), prefilter), f"{sample.place}: {text!r}"


@pytest.mark.parametrize("prefilter", ["hyperscan", "words"])
def test_look_alikes(prefilter: PrefilterName) -> None:
    """At the level of a signature it is not found in what looks like it."""
    for sample in SAMPLES:
        for id in sample.not_found:
            level = SIGNATURES[id].paranoia
            assert id not in found(sample.text.encode(), prefilter, paranoia=level, quotes=True), f"{sample}: {id}"


def test_prefilters_agree() -> None:
    """What is found is the same with each prefilter, whatever the level, and what is found without any."""
    for sample in SAMPLES:
        data = sample.text.encode()
        form = Form()
        text = START + form.feed(data) + form.finish() + " "
        assert found(data, "hyperscan") == {id for id, each in SIGNATURES.items() if each.search(text)}, sample.place
        for level in (1, 2, 3, 4):
            assert found(data, "hyperscan", paranoia=level) == found(data, "words", paranoia=level), sample.place


def test_quoted() -> None:
    """What people write about is not found at the first level where a page quotes it, and is at the second."""
    for sample in SAMPLES:
        quotable = {id for id in sample.found if SIGNATURES[id].quotable}
        if "<" in sample.text or "`" in sample.text:
            continue
        for page in (
            f"<h1>So it looks</h1>\n<pre>{html.escape(sample.text)}</pre><p>That was all.</p>",
            f"<h1>So it looks</h1>\n<pre class='x'><code>{html.escape(sample.text)}</code></pre><p>That was all.</p>",
            f"# So it looks\n\n```\n{sample.text}\n```\n\nThat was all.",
        ):
            assert not quotable & found(page.encode(), "hyperscan", paranoia=1, quotes=True), page


def test_levels() -> None:
    """At the first level a single finding of what is grave is enough for the default threshold; what is a matter of
    taste is for the levels beyond, and adds little."""
    for each in SIGNATURES.values():
        assert each.paranoia == 1 or each.severity <= Severity.WARNING
        assert each.about
    assert sum(each.paranoia == 1 and each.severity >= Severity.ERROR for each in SIGNATURES.values()) >= 100


def test_words() -> None:
    """None has to be looked for in every text: each has words of which one must be there."""
    assert [id for id, each in SIGNATURES.items() if not words_of(each.pattern) - {""}] == []


def test_what_there_is() -> None:
    """All packs have different names, and their signatures carry them."""
    assert len({pack.name for pack in packs.ALL}) == len(packs.ALL)
    assert set(packs.TRACES) <= set(packs.ALL)
    assert sum(map(len, packs.ALL)) == len(SIGNATURES)


def undone(signature: LeakSignature, text: str) -> set[tuple[str, str]]:
    """Where the beginning of ``text`` matches, and with something behind it no longer does."""
    found = signature.search(text)
    assert found is not None
    ends = range(max(found.end() - 60, found.start()), found.end() + 1)
    begun = [text[found.start() : end] for end in ends if signature.search(text[found.start() : end])]
    behind = [first + second for first in ".:/\\ x1\"'<>(),-_$@;=|#{}[]\x03\x04" for second in ("", "x", " ")]
    return {(each[-20:], more) for each in begun for more in behind if not signature.search(each + more)}


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_what_is_found_stays_found(sample: Sample) -> None:
    """S-65: whatever comes behind a match, it remains one: else it would be found or not by where a chunk ends."""
    form = Form()
    text = START + form.feed(sample.text.encode()) + form.finish() + " "
    for id in sample.found:
        if SIGNATURES[id].search(text) is not None:
            assert undone(SIGNATURES[id], text) == set(), id


def test_it_would_be_seen_if_it_did_not() -> None:
    """As of a possessive repetition that takes what the rest of the pattern needs."""
    signature = LeakSignature("x-01", r"at (?:[a-z]{1,60}+\.){1,10}+[a-z]{1,80}", "x")
    assert undone(signature, "at a.b.c ")
