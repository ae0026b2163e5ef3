"""Handlers that hand on to one of several."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from revproxy import Body, Exchange, Handler, Response, Upstream
from revproxy.balancers import keys
from revproxy.body import StreamBody
from revproxy.errors import BadRequest, ConnectFailed, ConnectionLost, NoEndpoint, ProxyError, ResponseTimeout
from revproxy.handler import walk
from revproxy.routing import LANE, Failover, Lane, Split
from revproxy.testing import FakeTransport, exchange


def answering(status: int) -> Handler:
    async def answer(exchange: Exchange) -> Response:
        return Response(status)

    return answer


# Failover.


def failing(error: ProxyError, *, sent: bool = False) -> Upstream:
    def fail(attempt: object) -> ProxyError:
        attempt.sent = sent  # type: ignore[attr-defined]
        return error

    return Upstream("http://a.test", transport=FakeTransport(fail))


@pytest.mark.parametrize("error", [ConnectFailed("x"), NoEndpoint("x")])
async def test_the_next_is_asked(error: ProxyError) -> None:
    """What has not reached a server goes to the next, whatever the method and the body; all attempts are there."""
    asked = exchange("POST", body=b"once")
    spare = Upstream("http://b.test", transport=FakeTransport(Response(201)))
    assert (await Failover(failing(error), failing(error), spare)(asked)).status == 201
    assert len(asked.attempts) == 3


async def test_the_last_error_stands() -> None:
    """Where all fail it is the last one's error."""
    with pytest.raises(NoEndpoint):
        await Failover(failing(ConnectFailed("x")), failing(NoEndpoint("y")))(exchange())


@pytest.mark.parametrize("error", [ConnectionLost("x"), ResponseTimeout("x"), BadRequest("x")])
async def test_other_errors_stand(error: ProxyError) -> None:
    """By default everything else is the client's to hear."""
    with pytest.raises(type(error)):
        await Failover(failing(error, sent=True), answering(200))(exchange())


@pytest.mark.parametrize(
    ("method", "body", "goes_on"),
    [
        ("GET", b"", True),
        ("PUT", b"in memory", True),
        ("POST", b"", False),
        ("PATCH", b"x", False),
    ],
)
async def test_what_may_be_asked_twice(method: str, body: bytes, goes_on: bool) -> None:
    """What may have reached a server is asked again where the method allows it."""
    handler = Failover(failing(ConnectionLost("x"), sent=True), answering(200), on=(ConnectionLost,))
    if goes_on:
        assert (await handler(exchange(method, body=body))).status == 200
    else:
        with pytest.raises(ConnectionLost):
            await handler(exchange(method, body=body))


async def test_a_stream_is_sent_once() -> None:
    """A body that streams is gone when it was sent, and goes on where nothing was."""

    async def pieces() -> object:
        yield b"x"

    def asked() -> Exchange:
        made = exchange("PUT")
        made.request.body = StreamBody(pieces())  # type: ignore[arg-type]
        return made

    on = (ConnectionLost, ConnectFailed)
    with pytest.raises(ConnectionLost):
        await Failover(failing(ConnectionLost("x"), sent=True), answering(200), on=on)(asked())
    assert (await Failover(failing(ConnectFailed("x")), answering(200), on=on)(asked())).status == 200


# Split.


def of(number: int) -> Exchange:
    return exchange(headers={"X-User": str(number)})


def split(**weights: int) -> Split:
    lanes = [Lane(name, answering(200 + number), weight) for number, (name, weight) in enumerate(weights.items())]
    return Split(*lanes, key=keys.header("X-User"), rng=Random(1))


async def test_a_client_stays_in_his_lane() -> None:
    """The same key goes down the same lane, in each process; its name is on the exchange."""
    one, other = split(stable=90, canary=10), split(stable=90, canary=10)
    for number in range(50):
        asked = of(number)
        status = (await one(asked)).status
        assert status == {"stable": 200, "canary": 201}[asked[LANE]]
        assert one.lane_of(of(number)) == other.lane_of(of(number)) == asked[LANE]


@pytest.mark.parametrize("weights", [{"a": 95, "b": 5}, {"a": 1, "b": 1}, {"a": 70, "b": 20, "c": 10}])
def test_shares(weights: dict[str, int]) -> None:
    """Of 100,000 clients every lane has its share within half a per cent; without a key it is by chance."""
    subject = split(**weights)
    counts = Counter(subject.lane_of(of(number)) for number in range(100_000))
    for name, weight in weights.items():
        assert counts[name] / 100_000 == pytest.approx(weight / sum(weights.values()), abs=0.005)
    chance = Counter(subject.lane_of(exchange()) for _ in range(5_000))
    assert chance["a"] / 5_000 == pytest.approx(weights["a"] / sum(weights.values()), abs=0.03)


def test_as_few_as_need_be_move() -> None:
    """When a canary grows nobody leaves it, and nobody else moves."""
    subject = split(stable=95, canary=5, other=10)
    before = {number: subject.lane_of(of(number)) for number in range(5_000)}
    subject.weigh({"canary": 20})
    for number, lane in before.items():
        assert subject.lane_of(of(number)) in (lane, "canary")
    subject.weigh({"canary": 5})
    assert {number: subject.lane_of(of(number)) for number in before} == before
    subject.weigh({"canary": 0})
    assert "canary" not in {subject.lane_of(of(number)) for number in before}
    assert dict(subject.weights) == {"stable": 95, "canary": 0, "other": 10}


@pytest.mark.parametrize(
    "weights", [{"nobody": 1}, {"stable": -1}, {"stable": 1.5}, {"stable": True}, {"stable": 0, "canary": 0}]
)
def test_weights_that_are_none(weights: dict[str, int]) -> None:
    """They are refused, and change nothing."""
    subject = split(stable=95, canary=5)
    with pytest.raises(ValueError, match="weights"):
        subject.weigh(weights)
    assert dict(subject.weights) == {"stable": 95, "canary": 5}


def test_bad_compositions() -> None:
    """One lane, two of one name, one handler, what is no handler and no error are refused."""
    ok = answering(200)
    for lanes in ([Lane("a", ok)], [Lane("a", ok), Lane("a", ok)]):
        with pytest.raises(ValueError, match="lanes"):
            Split(*lanes)
    with pytest.raises(ValueError, match="handlers"):
        Failover(ok)
    with pytest.raises(TypeError, match="handlers"):
        Failover(ok, None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="on"):
        Failover(ok, ok, on=(OSError,))  # type: ignore[arg-type]


def test_what_they_hold_is_found() -> None:
    """Upstreams in lanes are started and stopped with the proxy."""
    one, two = Upstream("http://a"), Upstream("http://b")
    assert {one, two} <= set(walk(Split(Lane("a", one), Lane("b", Failover(one, two)))))
    assert repr(split(a=2, b=1)) == "<Split a: 2, b: 1>"
    assert repr(Failover(one, two)) == f"Failover({one!r}, {two!r})"
    assert Body().replayable
