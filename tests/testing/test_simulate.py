"""The simulator: it is right about queues that are understood, and about balancers."""

from __future__ import annotations

import pytest

from revproxy import Endpoint
from revproxy.balancers import P2C, Least, Maglev, PeakEwma, Rendezvous, ResponseTime, RoundRobin, WeightedRandom
from revproxy.testing.simulate import Make, Server, constant, exponential, moved, pareto, simulate

ROUND_ROBIN: Make = lambda clock, rng: RoundRobin()  # noqa: E731
PEAK_EWMA: Make = lambda clock, rng: P2C(PeakEwma(clock=clock), rng=rng)  # noqa: E731


def test_one_queue() -> None:
    """One server that serves one at a time is the M/M/1 queue: at half its rate requests take twice as long as served
    alone, and exponentially distributed."""
    run = simulate(ROUND_ROBIN, [Server(service=exponential(0.05), workers=1)], rate=10, requests=50_000)
    assert sum(run.times) / len(run.times) == pytest.approx(0.1, rel=0.05)
    assert run.percentile(50) == pytest.approx(0.1 * 0.693, rel=0.05)
    assert len(run.times) == 50_000
    assert run.seconds == pytest.approx(5000, rel=0.05)


def test_many_workers() -> None:
    """Where everybody has a worker at once, requests take as long as they are served."""
    run = simulate(ROUND_ROBIN, [Server(service=constant(0.1), workers=1000)] * 2, rate=100, requests=1000)
    assert run.times == pytest.approx([0.1] * 1000)
    assert [each.requests for each in run.servers] == [500, 500]
    assert run.fairness == 1.0


def test_one_slow_server() -> None:
    """With one of ten servers ten times slower, P2C by peak EWMA has a p99 that is at least three times better than
    round robin's; so has the least response time, and P2C by requests in flight is between them."""
    servers = [Server(service=exponential(0.02))] * 9 + [Server(service=exponential(0.2))]
    makes: dict[str, Make] = {
        "round robin": ROUND_ROBIN,
        "peak": PEAK_EWMA,
        "p2c": lambda clock, rng: P2C(rng=rng),
        "least": lambda clock, rng: Least(ResponseTime(clock=clock), rng=rng),
    }
    for rate in (100, 300):  # the slow one is overloaded by the second
        p99 = {name: simulate(make, servers, rate=rate).percentile(99) for name, make in makes.items()}
        assert p99["round robin"] / p99["peak"] > 3, p99
        assert p99["round robin"] / p99["least"] > 3, p99
        assert p99["peak"] < p99["p2c"] < p99["round robin"], p99


def test_a_server_that_fails_at_once() -> None:
    """A server that refuses everything at once does not draw the load to itself where failures count as slow."""
    broken = Server(service=constant(0.02), fails=lambda rng, now: True)
    servers = [*[Server(service=exponential(0.02))] * 4, broken]
    by_requests = simulate(lambda clock, rng: P2C(rng=rng), servers, rate=100, requests=5000)
    by_time = simulate(PEAK_EWMA, servers, rate=100, requests=5000)
    assert by_requests.failures > 1000
    assert by_time.failures < 500


def test_a_server_that_recovers() -> None:
    """What was slow for a while gets its share again."""
    slow = Server(service=lambda rng, now: rng.expovariate(1 / (0.5 if now < 20 else 0.02)), workers=64)
    run = simulate(PEAK_EWMA, [*[Server(service=exponential(0.02), workers=64)] * 4, slow], rate=200, requests=40_000)
    assert run.servers[4].requests > 0.5 * run.servers[0].requests


def test_by_clients() -> None:
    """Clients that stay with their server by a hash; the same seed is the same simulation."""
    servers = [Server(service=pareto(0.01))] * 5
    runs = [
        simulate(lambda clock, rng: Maglev(rng=rng), servers, rate=50, requests=3000, keys=range(100), seed=seed)
        for seed in (1, 1, 2)
    ]
    assert runs[0].times == runs[1].times != runs[2].times
    assert sum(each.requests for each in runs[0].servers) == 3000
    assert 0.5 < runs[0].fairness < 1


def test_moved() -> None:
    """How many clients go elsewhere when a server leaves: its own by a hash, nearly all by chance."""
    members = [Endpoint(f"http://10.0.0.{number}") for number in range(10)]
    assert moved(lambda clock, rng: Rendezvous(rng=rng), members, members[1:]) == pytest.approx(0.1, abs=0.02)
    assert moved(lambda clock, rng: Maglev(rng=rng), members, members[1:]) <= 0.12
    assert moved(lambda clock, rng: WeightedRandom(rng=rng), members, members[1:]) > 0.85


def test_it_says_how_it_went() -> None:
    """In one line."""
    run = simulate(ROUND_ROBIN, [Server(service=constant(0.1))], rate=1, requests=10)
    assert (
        str(run) == "10 requests: p50 100.0 ms, p90 100.0 ms, p99 100.0 ms, p99.9 100.0 ms; fairness 1.000; 0 failures"
    )
    assert run.servers[0].most >= 1


def test_what_cannot_be_simulated() -> None:
    """It says so."""
    with pytest.raises(ValueError, match="there must be"):
        simulate(ROUND_ROBIN, [], rate=1)
    with pytest.raises(ValueError, match="there must be"):
        simulate(ROUND_ROBIN, [Server(service=constant(1))], rate=0)
    with pytest.raises(ValueError, match="alpha"):
        pareto(1, alpha=1)
    failing = simulate(ROUND_ROBIN, [Server(service=constant(1), fails=lambda rng, now: True)], rate=1, requests=3)
    with pytest.raises(ValueError, match="no request"):
        failing.percentile(50)
