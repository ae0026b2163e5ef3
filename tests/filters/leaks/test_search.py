"""The search for leaks, as contents come."""

from __future__ import annotations

import html
import random
import sys
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revproxy import Severity
from revproxy.filters.leaks import LeakPack, LeakSignature, Search, Watch, packs
from revproxy.filters.leaks.words import TextPrefilter
from revproxy.filters.prefilter import PrefilterName

from .samples import samples

SAMPLES = list(samples())
ALL: dict[PrefilterName, Search] = {
    name: Search(packs.ALL, paranoia=4, prefilter=name, enough=1 << 20) for name in ("hyperscan", "words")
}
FIRST: dict[PrefilterName, Search] = {
    name: Search(packs.ALL, prefilter=name, enough=1 << 20) for name in ("hyperscan", "words")
}


def ids(watch: Watch) -> list[str]:
    return sorted(each.id for each in watch.findings)


def split(search: Search, data: bytes, cuts: list[int], **options: Any) -> Watch:
    watch = search.watch(**options)
    at = 0
    for cut in [*cuts, len(data)]:
        watch.feed(data[at:cut])
        at = cut
    watch.finish()
    return watch


@pytest.mark.parametrize("prefilter", ["hyperscan", "words"])
def test_each_position(prefilter: PrefilterName) -> None:
    """S-65: cut in two at every byte, the samples of all signatures show what they show as a whole."""
    search = ALL[prefilter]
    for sample in SAMPLES[:: 1 if prefilter == "hyperscan" else 7]:
        data = sample.text.encode()
        whole = ids(split(search, data, []))
        step = max(len(data) // 60, 1)
        for cut in range(0, len(data), step):
            assert ids(split(search, data, [cut])) == whole, (sample.place, cut)


def test_byte_by_byte() -> None:
    """S-65: so they do where every byte comes alone."""
    for sample in SAMPLES[::3]:
        data = sample.text.encode()
        assert ids(split(ALL["hyperscan"], data, [*range(1, len(data))])) == ids(split(ALL["hyperscan"], data, []))


@settings(max_examples=60)
@given(data=st.data())
def test_any_split(data: st.DataObject) -> None:
    """S-65: among texts, quoted or not, at any distance from one another, however they are cut."""
    parts = []
    for sample in data.draw(st.lists(st.sampled_from(SAMPLES), min_size=1, max_size=5)):
        text = data.draw(st.sampled_from([sample.text, html.escape(sample.text), sample.text.replace("\n", "\r\n")]))
        quoted = data.draw(st.sampled_from(["{}", "<pre>{}</pre>", "<code>{}", "{}</pre>", "```\n{}\n```"]))
        parts.append(quoted.replace("{}", text) + " x" * data.draw(st.sampled_from([0, 1, 10, 600])))
    content = "".join(parts).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=8)))
    for search in (ALL["hyperscan"], FIRST["hyperscan"], FIRST["words"]):
        assert ids(split(search, content, cuts)) == ids(split(search, content, []))
    assert ids(split(FIRST["words"], content, cuts)) == ids(split(FIRST["hyperscan"], content, []))


def test_quoted_and_not() -> None:
    """What is quoted does not hide the same thing where it is not, before or behind it."""
    trace = 'Traceback (most recent call last):\n  File "/a.py", line 1, in f\n    g()\n'
    search = FIRST["words"]
    quoted = f"<pre>{html.escape(trace)}</pre>"
    assert ids(split(search, quoted.encode(), [])) == []
    assert ids(split(search, quoted.encode(), [], quotes=False)) == ["python-error-01"]
    for content in (
        quoted + trace,
        trace + quoted,
        quoted * 50 + trace,
        f"{quoted}<p>{html.escape(trace)}</p>{quoted}",
    ):
        for size in (7, 100, 10_000):
            cuts = [*range(size, len(content), size)]
            assert "python-error-01" in ids(split(search, content.encode(), cuts))


@pytest.mark.parametrize("begun", ["<pre>", "```", '{"q": "<code>", "e": "', "<p>x</p><pre>y</pre><textarea>"])
def test_a_quotation_that_never_ends(begun: str) -> None:
    """S-65: what a client has had put before a trace, so that it looks quoted, hides nothing; what ends does, and what
    ends beyond what is looked at."""
    trace = 'Traceback (most recent call last):\n  File "/a.py", line 1, in f\n    g()\n'
    content = (begun + trace + "x " * 1000).encode()
    for search in (FIRST["words"], FIRST["hyperscan"]):
        for cuts in ([], [*range(7, len(content), 7)]):
            assert ids(split(search, content, cuts)) == ["python-error-01"]
            ended = content + (b"```" if begun == "```" else b"</pre>")
            assert ids(split(search, ended, cuts)) == []
    watch = FIRST["words"].watch()
    watch.feed(content)
    watch.finish(cut=True)
    assert ids(watch) == []


def test_what_is_left_out() -> None:
    """What is left out adds nothing to the score."""
    search = Search([packs.WEB_SHELLS])
    data = b"uid=0(root) gid=0(root) groups=0(root)"
    assert split(search, data, []).score == 5
    assert split(search, data, [], left_out={"web-shell-06"}).score == 0
    assert Search([packs.WEB_SHELLS], without={"web-shell-06"}).whole(data).score == 0


def test_inspection() -> None:
    """S-60, S-62: each is found once; the gravest is first; what is shown of it is its shape."""
    subject = Search(packs.ALL)
    data = b"uid=0(root) gid=0(root) groups=0(root) java.lang.Error: java.io.IOException: hunter2 uid=0(a) gid=0(b) "
    inspection = subject.whole(data)
    assert [(each.id, each.severity) for each in inspection.findings] == [
        ("web-shell-06", Severity.CRITICAL),
        ("java-error-07", Severity.WARNING),
    ]
    assert inspection.score == 8
    assert "hunter2" not in str(inspection)
    assert "web-shell-06 (what the command id says) in body: xxx=9(xxxx) xxx=9(xxxx) xxxxxx=9" in str(inspection)


def test_enough() -> None:
    """Beyond a score nothing more is looked for."""
    search = Search(packs.ALL, enough=4)
    watch = search.watch()
    watch.feed(b"uid=0(root) gid=0(root) groups=0(root)")
    watch.feed(b"goroutine 1 [running]:")
    assert ids(watch) == ["web-shell-06"]


def test_bounded() -> None:
    """S-65: of 64 MiB no more is kept than a match may be long."""
    search = FIRST["hyperscan"]
    watch = search.watch()
    rng = random.Random(1)
    chunk = b"".join(rng.choice([b"<p>some words</p>\n", b"at x.y(z) ", b'"a": 1, ', b"&quot;"]) for _ in range(6000))
    watch.feed(chunk)
    tracemalloc.start()
    for _ in range((64 << 20) // len(chunk)):
        watch.feed(chunk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(watch._window) <= search.reach
    assert peak < 2 << 20


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a ",
        "&",
        "\\",
        "`",
        "at a.",
        "at x",
        '"',
        "/a",
        "#1 /",
        " in /",
        'file "',
        "caused by: a.",
        "<pre>x</pre>",
        "(",
    ],
)
@pytest.mark.parametrize("prefilter", ["hyperscan", "words"])
def test_adversary(piece: str, prefilter: PrefilterName) -> None:
    """S-53: what is made to look like many beginnings takes time in proportion to its length."""
    data = (piece * (200_000 // len(piece))).encode()
    started = time.process_time()
    FIRST[prefilter].whole(data)
    assert time.process_time() - started < 2.0


def test_words() -> None:
    """Without hyperscan a signature is looked for only where a word of it is."""
    short = LeakSignature("x-03", "x1[ab]", "x")
    made = [LeakSignature("x-01", "foobar baz", "x"), LeakSignature("x-02", "[a-z]{1,9}+!", "x"), short]
    subject = TextPrefilter(made)
    assert [*subject.suspects("nothing")] == [] or [*subject.suspects("nothing")] == [1]
    assert 0 in subject.suspects("a foobar baz")
    assert 0 in subject.suspects("prefoobar bazar")
    assert 0 not in subject.suspects("a foobar bar")
    assert 2 in subject.suspects("x1a")
    assert repr(subject).startswith("<TextPrefilter: ")
    for number in range(20_000):
        subject.suspects(f"word{number}")
    assert len(subject._known) <= 16384


def test_without_hyperscan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where hyperscan is not installed it goes by words, unless it was asked for."""
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    assert "TextPrefilter" in repr(Search(packs.ALL))
    with pytest.raises(ImportError, match="inspect"):
        Search(packs.ALL, prefilter="hyperscan")


def test_bad() -> None:
    """What makes no sense is an error that names the parameter."""
    pack = LeakPack("x", (LeakSignature("x-01", "x", "x"),))
    with pytest.raises(TypeError, match="packs: 1 is not a LeakPack"):
        Search([1])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="packs: two of the same name, of x, x"):
        Search([pack, pack])
    with pytest.raises(ValueError, match="paranoia must be 1 to 4, got 0"):
        Search([pack], paranoia=0)
    assert repr(Search([pack], prefilter="words")).startswith("<Search: 1 signatures, <TextPrefilter")
    assert Search([]).whole(b"x").findings == ()
