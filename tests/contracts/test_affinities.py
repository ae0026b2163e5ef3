"""What every affinity promises, behind an upstream. A new one is one line in ``AFFINITIES``."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from http.cookies import SimpleCookie

import pytest

from revproxy import Endpoint, Exchange, Response, Upstream
from revproxy.affinity import SESSION, Affinity, CookieAffinity, Gone, HeaderAffinity, TableAffinity
from revproxy.balancers import Balancer, First, RoundRobin
from revproxy.errors import ConnectFailed, SessionLost
from revproxy.exchange import Attempt
from revproxy.testing import FakeTransport, exchange

Make = Callable[[Gone], Affinity]

KEY = bytes(range(32))
AFFINITIES: dict[str, Make] = {
    "cookie": lambda gone: CookieAffinity(KEY, gone=gone),
    "header": lambda gone: HeaderAffinity(KEY, gone=gone),
    "table": lambda gone: TableAffinity(gone=gone),
}

pytestmark = pytest.mark.parametrize("make", AFFINITIES.values(), ids=AFFINITIES)


class Client:
    """A browser, or a program that sends back what it was given."""

    def __init__(self, upstream: Upstream, number: int = 0) -> None:
        self.upstream = upstream
        self.address = f"192.0.2.{number}"
        self.fields: dict[str, str] = {}

    async def ask(self) -> Exchange:
        asked = exchange(client=self.address, headers=self.fields)
        response = await self.upstream(asked)
        asked.finish()
        if "Set-Cookie" in response.headers:
            ((name, morsel),) = SimpleCookie(response.headers["Set-Cookie"]).items()
            self.fields["Cookie"] = f"{name}={morsel.value}"
        if "X-Affinity" in response.headers:
            self.fields["X-Affinity"] = response.headers["X-Affinity"]
        return asked

    async def at(self) -> str:
        return (await self.ask()).attempts[-1].endpoint.name


def upstream(
    make: Make, count: int = 4, *, gone: Gone = "redistribute", balancer: Balancer | None = None, **options: object
) -> Upstream:
    urls = [f"http://{number}.test" for number in range(count)]
    options.setdefault("transport", FakeTransport())
    return Upstream(*urls, affinity=make(gone), balancer=balancer or RoundRobin(), **options)  # type: ignore[arg-type]


async def test_sessions_stay(make: Make) -> None:
    """Each client stays where his first request went, whatever the balancer would say; first requests are balanced."""
    subject = upstream(make)
    clients = [Client(subject, number) for number in range(20)]
    began = [await client.at() for client in clients]
    assert Counter(began) == {f"http://{number}.test": 5 for number in range(4)}
    for _ in range(3):
        assert [await client.at() for client in clients] == began


async def test_the_session_is_on_the_exchange(make: Make) -> None:
    """Observers and filters see what was found: nothing at first, then where it is."""
    client = Client(upstream(make))
    assert (await client.ask())[SESSION] is None
    asked = await client.ask()
    session = asked[SESSION]
    assert session is not None
    assert session.endpoint is asked.attempts[0].endpoint


async def test_a_draining_endpoint_keeps_its_sessions(make: Make) -> None:
    """It gets no new ones."""
    subject = upstream(make, 2)
    old = [Client(subject, number) for number in range(2)]
    began = [await client.at() for client in old]
    subject.drain(subject.endpoints[0])
    assert [await client.at() for client in old] == began
    assert {await Client(subject, 10 + number).at() for number in range(6)} == {"http://1.test"}


async def test_redistributed(make: Make) -> None:
    """A session whose endpoint is removed begins anew elsewhere, and stays there."""
    subject = upstream(make, 3)
    clients = [Client(subject, number) for number in range(3)]
    began = [await client.at() for client in clients]
    subject.remove(subject.endpoints[0])
    again = [await client.at() for client in clients]
    assert again[1:] == began[1:]
    assert again[0] != "http://0.test"
    assert [await client.at() for client in clients] == again


async def test_refused(make: Make) -> None:
    """Where declared so it is a 503, and only for the sessions concerned; the token stays as it is."""
    subject = upstream(make, 2, gone="refuse")
    clients = [Client(subject, number) for number in range(2)]
    assert [await client.at() for client in clients] == ["http://0.test", "http://1.test"]
    (gone, _) = subject.endpoints
    subject.remove(gone)
    with pytest.raises(SessionLost) as raised:
        await clients[0].ask()
    assert raised.value.status == 503
    assert await clients[1].at() == "http://1.test"
    assert await Client(subject, 9).at() == "http://1.test"
    subject.add("http://0.test")  # it is back
    assert await clients[0].at() == "http://0.test"


@pytest.mark.parametrize("gone", ["redistribute", "refuse"])
async def test_full(make: Make, gone: Gone) -> None:
    """An endpoint that is at its limit takes no request of a session either."""
    transport = FakeTransport()
    one, two = Endpoint("http://0.test", limit=1), Endpoint("http://1.test")
    subject = Upstream(one, two, affinity=make(gone), balancer=First(), transport=transport)
    client = Client(subject)
    assert await client.at() == one.name
    one.in_flight = 1
    if gone == "redistribute":
        assert await client.at() == two.name
    else:
        with pytest.raises(SessionLost):
            await client.ask()
    one.in_flight = 0
    assert await client.at() == (two.name if gone == "redistribute" else one.name)


async def test_membership_leaves_the_others_alone(make: Make) -> None:
    """Endpoints that join, and a set that is replaced by one that has the same, move no session."""
    subject = upstream(make, 3)
    clients = [Client(subject, number) for number in range(12)]
    began = [await client.at() for client in clients]
    subject.add("http://7.test", "http://8.test")
    assert [await client.at() for client in clients] == began
    subject.replace("http://9.test", "http://2.test", "http://1.test", "http://0.test")
    assert [await client.at() for client in clients] == began


async def test_another_attempt_goes_elsewhere(make: Make) -> None:
    """What asks again after an attempt that failed is not sent there again, unless no other endpoint will do."""
    for gone in ("redistribute", "refuse"):
        broken: set[str] = set()

        def answer(attempt: Attempt, broken: set[str] = broken) -> Response | Exception:
            return ConnectFailed("x") if attempt.endpoint.name in broken else Response(200)

        subject = upstream(make, 2, gone=gone, balancer=First(), transport=FakeTransport(answer))
        client = Client(subject)
        assert await client.at() == "http://0.test"
        broken.add("http://0.test")
        asked = exchange(client=client.address, headers=client.fields)
        with pytest.raises(ConnectFailed):
            await subject(asked)
        subject.drain(subject.endpoints[0])  # else the balancer itself would have it first
        if gone == "refuse":
            with pytest.raises(ConnectFailed):
                await subject(asked)
        else:
            assert (await subject(asked)).status == 200
            assert asked.attempts[-1].endpoint.name == "http://1.test"


async def test_a_failure_begins_no_session(make: Make) -> None:
    """Nothing is noted of an attempt that had no answer."""
    failed = upstream(make, 2, transport=FakeTransport(ConnectFailed("x")))
    client = Client(failed)
    for _ in range(2):
        with pytest.raises(ConnectFailed):
            await client.ask()
    asked = exchange(client=client.address)
    with pytest.raises(ConnectFailed):
        await failed(asked)
    assert asked[SESSION] is None


async def test_no_session_begins_where_nothing_new_may_go(make: Make) -> None:
    """A first request that was under way when its endpoint was removed, or began to drain, leaves no session there."""
    for leaves in (Upstream.remove, Upstream.drain):
        gates: dict[str, asyncio.Event] = {"http://0.test": asyncio.Event()}

        async def answer(attempt: Attempt, gates: dict[str, asyncio.Event] = gates) -> Response:
            if attempt.endpoint.name in gates:
                await gates[attempt.endpoint.name].wait()
            return Response(200)

        subject = upstream(make, 2, gone="refuse", balancer=First(), transport=FakeTransport(answer))
        client = Client(subject)
        asking = asyncio.create_task(client.at())
        await asyncio.sleep(0)
        leaves(subject, subject.endpoints[0])
        gates.pop("http://0.test").set()
        assert await asking == "http://0.test"
        assert await client.at() == "http://1.test"


async def test_two_good_answers_stay(make: Make) -> None:
    """A filter that asks twice, without a failure, stays with the session."""
    subject = upstream(make, 2)
    client = Client(subject)
    began = await client.at()
    asked = exchange(client=client.address, headers=client.fields)
    for _ in range(3):
        await subject(asked)
    assert [attempt.endpoint.name for attempt in asked.attempts] == [began] * 3


async def test_no_other_will_do(make: Make) -> None:
    """An attempt after one that failed at a draining endpoint is made there again where there is no other."""
    subject = upstream(make, 1)
    client = Client(subject)
    await client.ask()
    subject.drain(subject.endpoints[0])
    asked = exchange(client=client.address, headers=client.fields)
    (await subject(asked)).status = 200
    asked.attempts[0].error = ConnectFailed("x")
    assert (await subject(asked)).status == 200


async def test_several_first_requests_at_once(make: Make) -> None:
    """A browser opens several connections: the endpoint that answers first has the session, where it is remembered."""
    gates = {f"http://{number}.test": asyncio.Event() for number in range(2)}

    async def answer(attempt: Attempt) -> Response:
        await gates[attempt.endpoint.name].wait()
        return Response(200)

    subject = upstream(make, 2, transport=FakeTransport(answer))
    client, slow = Client(subject), Client(subject)
    first, second = asyncio.create_task(client.at()), asyncio.create_task(slow.at())
    await asyncio.sleep(0)
    gates["http://0.test"].set()
    assert await first == "http://0.test"
    gates["http://1.test"].set()
    assert await second == "http://1.test"
    if isinstance(subject.affinity, TableAffinity):
        assert await slow.at() == "http://0.test"
    assert await client.at() == "http://0.test"


def test_one_upstream_each(make: Make) -> None:
    """A second upstream with it is refused, and so is what is no affinity, and no word for ``gone``."""
    affinity = make("refuse")
    Upstream("http://a.test", affinity=affinity, name="first")
    with pytest.raises(ValueError, match="serves 'first' already"):
        Upstream("http://b.test", affinity=affinity)
    with pytest.raises(TypeError, match="affinity"):
        Upstream("http://b.test", affinity=make)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="gone"):
        make("somewhere")  # type: ignore[arg-type]


def test_printed(make: Make) -> None:
    """It says what it is, by itself and in its upstream."""
    subject = upstream(make)
    assert type(subject.affinity).__name__ in repr(subject.affinity)
    assert repr(subject.affinity) in repr(subject)
    assert KEY.hex() not in repr(subject)
