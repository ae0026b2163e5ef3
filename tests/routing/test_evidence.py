"""The test by betting: how often it is mistaken, and how soon it finds what is worse. All chance is seeded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.routing.evidence import Evidence

OFTEN = 0.1
"""A significance at which mistakes can be counted."""


def pairs(rng: Random, candidate: float, reference: float, share: float = 0.05) -> Iterator[tuple[bool, bool]]:
    """Whether it is the candidate's, and whether it went wrong, of outcome after outcome."""
    while True:
        ours = rng.random() < share
        yield ours, rng.random() < (candidate if ours else reference)


def found_after(evidence: Evidence, outcomes: Iterable[tuple[bool, bool]], most: int) -> int | None:
    """How many outcomes of the candidate it took to be conclusive; ``None``: ``most`` were not enough."""
    count = 0
    for ours, bad in outcomes:
        if ours:
            count += 1
            evidence.candidate(bad)
        else:
            evidence.reference(bad)
        if evidence.conclusive:
            return count
        if count >= most:
            return None
    return None


def mistakes(margin: float, make: Callable[[Random], Iterable[tuple[bool, bool]]], runs: int = 120) -> int:
    """In how many of ``runs`` runs of 1,500 outcomes of the candidate it was conclusive at some time."""
    rng = Random(7)
    return sum(found_after(Evidence(margin, OFTEN), make(rng), 1_500) is not None for _ in range(runs))


@pytest.mark.parametrize(
    ("candidate", "reference", "margin"),
    [(0.01, 0.01, 0.0), (0.3, 0.3, 0.0), (0.02, 0.01, 0.01), (0.01, 0.01, 0.01), (0.001, 0.02, 0.0)],
)
@pytest.mark.parametrize("share", [0.15, 0.9])
def test_false_alarms(candidate: float, reference: float, margin: float, share: float) -> None:
    """Looked at after every outcome, it takes a candidate that is no worse, and one that is worse by just the margin,
    for a worse one no more often than it says."""
    assert mistakes(margin, lambda rng: pairs(rng, candidate, reference, share)) <= 120 * OFTEN


def test_what_both_suffer() -> None:
    """Outages that hit both, at any time and with any severity, and shares that change meanwhile, make no false alarms:
    added up over the whole time the candidate's rate would often look much worse."""

    def outages(rng: Random) -> Iterator[tuple[bool, bool]]:
        rate, share = 0.005, 0.05
        while True:
            if rng.random() < (0.02 if rate > 0.1 else 0.001):
                rate = 0.005 if rate > 0.1 else rng.uniform(0.3, 1)
            if rng.random() < 0.001:
                share = rng.choice([0.01, 0.05, 0.2, 0.5, 0.9])
            yield rng.random() < share, rng.random() < rate

    assert mistakes(0.0, outages) <= 120 * OFTEN
    assert mistakes(0.01, outages) <= 120 * OFTEN


def test_a_long_run() -> None:
    """At the usual significance, twenty candidates that are as good as the reference are left alone for 20,000 outcomes
    each."""
    rng = Random(3)
    for _ in range(20):
        assert found_after(Evidence(0.01, 0.005), pairs(rng, 0.01, 0.01, 0.5), 20_000) is None


@pytest.mark.parametrize(
    ("candidate", "reference", "most"),
    [(1.0, 0.0, 12), (1.0, 0.002, 14), (0.5, 0.002, 50), (0.1, 0.002, 350), (0.05, 0.002, 1_000)],
)
def test_how_soon(candidate: float, reference: float, most: int) -> None:
    """A candidate that is worse by more than a margin of one in a hundred is found, each time, within a number of its
    outcomes that depends on how much worse it is; one that always fails within a dozen."""
    rng = Random(11)
    for _ in range(30):
        assert found_after(Evidence(0.01, 0.005), pairs(rng, candidate, reference), most) is not None


@pytest.mark.parametrize(("candidate", "most"), [(1.0, 30), (0.1, 700)])
def test_worse_after_a_long_good_time(candidate: float, most: int) -> None:
    """One that was good 20,000 times and then is not is found nearly as soon: about twice the outcomes."""
    rng = Random(13)
    for _ in range(10):
        evidence = Evidence(0.01, 0.005)
        assert found_after(evidence, pairs(rng, 0.002, 0.002, 0.5), 20_000) is None
        assert found_after(evidence, pairs(rng, candidate, 0.002), most) is not None


@pytest.mark.soak
def test_the_figures_of_the_page() -> None:
    """What docs/how-to/splitting.md says of how soon a canary is closed is what comes out of a simulation."""
    rng = Random(1)
    good = Evidence(0.01, 0.005)
    assert found_after(good, pairs(rng, 0.002, 0.002), 20_000) is None
    rows = []
    for title, rate in FAILS.items():
        fresh, late = (
            sorted(found_after(deepcopy(evidence), pairs(rng, rate, 0.002), 10_000) or 10_000 for _ in range(100))
            for evidence in (Evidence(0.01, 0.005), good)
        )
        figures = [f"{int(float(f'{value:.2g}')):,}" for value in (fresh[50], fresh[95], late[50])]
        rows.append(f"| {title} | {' | '.join(figures)} |")
    assert "\n".join(rows) in PAGE.read_text(encoding="utf-8"), "\n".join(rows)


FAILS = {
    "always": 1.0,
    "one time in two": 0.5,
    "one time in ten": 0.1,
    "one time in twenty": 0.05,
    "three times in a hundred": 0.03,
}
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "splitting.md"


def test_the_first_words() -> None:
    """Nothing is concluded of the candidate alone, nor of a few outcomes."""
    evidence = Evidence(0.01, 0.005)
    for _ in range(1_000):
        evidence.candidate(True)
    assert not evidence.conclusive
    evidence.reference(False)
    assert not evidence.conclusive  # one pair
    assert evidence.seen == [1_000, 1_000, 1, 0]


def test_what_it_rests_on() -> None:
    """The outcomes that it names begin when the candidate began to look worse, not with its good time."""
    evidence = Evidence(0.0, 0.01)
    for _ in range(1_000):
        evidence.reference(False)
        evidence.candidate(False)
    while not evidence.conclusive:
        evidence.reference(False)
        evidence.candidate(True)
    count, bad, others, bad_others = evidence.seen
    assert count == bad == others < 30
    assert bad_others == 0


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=300), st.floats(0, 0.9), st.floats(0.001, 0.5))
def test_the_capital(outcomes: list[tuple[bool, bool]], margin: float, significance: float) -> None:
    """Whatever comes, it stays above nothing, finite, and what it rests on adds up."""
    evidence = Evidence(margin, significance)
    for ours, bad in outcomes:
        (evidence.candidate if ours else evidence.reference)(bad)
        assert 0 < evidence.capital <= 1 + 4 / significance
        count, wrong, others, wrong_others = evidence.seen
        assert 0 <= wrong <= count
        assert 0 <= wrong_others <= others
    assert "Evidence" in repr(evidence)


def test_no_bet_wins_in_expectation() -> None:
    """Of a candidate that is worse by just the margin, the expected capital after a pair is what it was: worked out
    over all outcomes of two pairs, with their chances."""
    margin, reference = 0.1, 0.2
    candidate = reference + margin
    expected = 0.0
    for outcomes in range(16):
        evidence, chance = Evidence(margin, 0.001), 1.0
        for pair in range(2):
            bad, bad_other = bool(outcomes >> 2 * pair & 1), bool(outcomes >> 2 * pair & 2)
            chance *= (candidate if bad else 1 - candidate) * (reference if bad_other else 1 - reference)
            evidence.reference(bad_other)
            evidence.candidate(bad)
        expected += chance * evidence.capital
    assert expected == pytest.approx(1)
