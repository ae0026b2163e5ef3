"""What a simulation reports is what its requests were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Attempt, Endpoint
from revproxy.errors import ConnectFailed
from revproxy.testing import exchange
from revproxy.testing.simulate import Outcome, Simulation
from revproxy.testing.simulate.result import served

ASKED = exchange()


def outcome(at: float, seconds: float, *endpoints: Endpoint, client: str | None = None, status: int = 200) -> Outcome:
    """Answered by the last of ``endpoints``; the others could not be reached."""
    attempts = tuple(Attempt(each, ASKED, ASKED.request, 1, at) for each in endpoints)
    for each in attempts[:-1]:
        each.error = ConnectFailed()
    if attempts:
        attempts[-1].status = status
        return Outcome(at, seconds, client, attempts, status, None)
    return Outcome(at, seconds, client, attempts, None, ConnectFailed())


def simulation(*outcomes: Outcome, endpoints: tuple[Endpoint, ...] = ()) -> Simulation:
    known = dict.fromkeys(endpoints, 3)
    return Simulation(served(known, outcomes), outcomes, max((each.at for each in outcomes), default=0.0))


A, B, C = (Endpoint(f"http://{name}", weight=weight) for name, weight in (("a", 1), ("b", 2), ("c", 1)))


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=50), st.floats(0.1, 100))
def test_percentiles(times: list[int], percent: float) -> None:
    """At least so many per cent of the requests took at most the percentile, and with the next shorter time it would be
    fewer."""
    run = simulation(*(outcome(0, each, A) for each in times), endpoints=(A,))
    value = run.percentile(percent)
    assert sum(each <= value for each in times) >= len(times) * percent / 100 - 1e-9
    assert sum(each < value for each in times) < len(times) * percent / 100


def test_nearest_ranks() -> None:
    """Of 1 to 100 the n-th percentile is n."""
    run = simulation(*(outcome(0, each, A) for each in range(100, 0, -1)), endpoints=(A,))
    assert [run.percentile(percent) for percent in (1, 50, 99, 99.5, 100)] == [1, 50, 99, 100, 100]
    for percent in (0, 101):
        with pytest.raises(ValueError, match=f"percent must be above 0 and at most 100, got {percent}"):
            run.percentile(percent)


def test_fairness() -> None:
    """By weight: 1 for everybody's share, 1/n where one has everything, and 1 where nobody has anything."""
    endpoints = (A, B, C)
    fair = simulation(*(outcome(0, 1, each) for each in (A, B, B, C)), endpoints=endpoints)
    assert fair.fairness == 1.0
    assert simulation(*(outcome(0, 1, A) for _ in range(9)), endpoints=endpoints).fairness == pytest.approx(1 / 3)
    assert simulation(endpoints=endpoints).fairness == 1.0


def test_failures() -> None:
    """Of requests and of attempts: one that went well in the end has not failed, but a server of it has."""
    run = simulation(
        outcome(0, 1, A, B), outcome(1, 1, A), outcome(2, 1, B, status=503), outcome(3, 1), endpoints=(A, B)
    )
    assert (run.failures, run.attempts, len(run.times)) == (2, 4, 2)
    assert run.errors == {"503": 1, "ConnectFailed": 1}
    assert [(each.requests, each.failures, each.most) for each in run.servers] == [(2, 1, 3), (2, 1, 3)]


def test_disruption() -> None:
    """Who went elsewhere counts once, however often; who stayed, was not served, or is nobody does not."""
    run = simulation(
        *(outcome(at, 1, each, client="moves") for at, each in enumerate((A, B, A, B))),
        *(outcome(at, 1, A, client="stays") for at in range(3)),
        *(outcome(at, 1, each, client="stays, too") for at, each in enumerate((B, B))),
        outcome(9, 1, client="stays, too"),
        outcome(0, 1, A),
        outcome(1, 1, B),
        endpoints=(A, B),
    )
    assert run.disruption == pytest.approx(1 / 3)
    assert simulation(outcome(0, 1, A), outcome(1, 1, B), endpoints=(A, B)).disruption == 0.0


def test_between() -> None:
    """The requests that arrived then, and nothing else."""
    run = simulation(*(outcome(at, at + 1, A if at < 5 else B) for at in range(10)), endpoints=(A, B))
    part = run.between(3, 7)
    assert [each.at for each in part.outcomes] == [3, 4, 5, 6]
    assert part.times == [4, 5, 6, 7]
    assert [each.requests for each in part.servers] == [2, 2]
    assert (part.seconds, run.between(8, 100).seconds) == (4, 1)
    with pytest.raises(ValueError, match="start must be before end, got 2 and 2"):
        run.between(2, 2)


def test_where_nothing_went_well() -> None:
    """There is no percentile, and it can be printed."""
    run = simulation(outcome(0, 1), endpoints=(A,))
    with pytest.raises(ValueError, match="no request succeeded"):
        run.percentile(50)
    assert str(run) == "1 requests; fairness 1.000; 1 failures"
    assert repr(run) == "<Simulation of 0.0 s: 1 requests; fairness 1.000; 1 failures>"


def test_in_one_line() -> None:
    """It says how it went; disruption only where clients are told apart."""
    run = simulation(*(outcome(0, 0.1, A, client="x") for _ in range(10)), endpoints=(A,))
    assert str(run) == (
        "10 requests: p50 100.0 ms, p90 100.0 ms, p99 100.0 ms, p99.9 100.0 ms; fairness 1.000; disruption 0.000; "
        "0 failures"
    )
