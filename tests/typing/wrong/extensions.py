"""Extension points, implemented in the wrong shape."""

from __future__ import annotations

from collections.abc import Iterable

from revproxy import Attempt, Component, Endpoint, Exchange, Observer, ProxyError, ProxyHandler, Response, Upstream
from revproxy.balancers import Balancer, Order, Snapshot
from revproxy.clock import Clock
from revproxy.testing import FakeClock, FakeTransport, FakeUpstream, delay, exchange, respond


class Counts(Observer):
    def started(self) -> None:  # E: override
        pass

    def settled(self, attempt: Exchange) -> None:  # E: override
        pass

    async def failed(self, exchange: Exchange, error: ProxyError) -> None:  # E: override
        pass

    def finished(self, exchange: Exchange, status: int) -> None:  # E: override
        pass


class NoOrder(Balancer):
    pass


class OrderAtOnce(Balancer):
    def bind(self, snapshot: Snapshot) -> Iterable[Endpoint]:  # E: override
        return snapshot.endpoints


class OneEndpoint(Balancer):
    def bind(self, snapshot: Snapshot) -> Order:
        return lambda exchange: snapshot.endpoints[0]  # E: return-value


class AsyncStop(Component):
    def stop(self) -> None:  # E: override
        pass


NoOrder()  # E: abstract
Upstream("http://10.0.0.1:8080", balancer=NoOrder())  # E: abstract


class SendsExchanges:
    async def send(self, exchange: Exchange) -> Response:
        return Response(204)


class SendsAtOnce:
    def send(self, attempt: Attempt) -> Response:
        return Response(204)


class Calls:
    async def __call__(self, attempt: Attempt) -> Response:
        return Response(204)


Upstream("http://10.0.0.1:8080", transport=SendsExchanges())  # E: arg-type
Upstream("http://10.0.0.1:8080", transport=SendsAtOnce())  # E: arg-type
Upstream("http://10.0.0.1:8080", transport=Calls())  # E: arg-type
Upstream("http://10.0.0.1:8080", transport="http")  # E: arg-type


class NowAlone:
    def now(self) -> float:
        return 0.0


half: Clock = NowAlone()  # E: assignment
ProxyHandler(Upstream("http://10.0.0.1:8080"), clock=NowAlone())  # E: arg-type
ProxyHandler(Upstream("http://10.0.0.1:8080"), clock=FakeClock)  # E: arg-type

# What there is to test with.


def answers_text(attempt: Attempt) -> str:
    return "hello"


FakeTransport(200)  # E: arg-type
FakeTransport("hello")  # E: arg-type
FakeTransport([Response(200)])  # E: arg-type
FakeTransport(answers_text)  # E: arg-type
FakeTransport(lambda attempt: 200)  # E: arg-type, return-value
FakeTransport(lambda: Response(200))  # E: arg-type, misc
exchange("GET", "/", {"X-A": "1"})  # E: call-arg
exchange("GET", "/", headers={"X-A": 1})  # E: arg-type
exchange("GET", "/", body="hello")  # E: arg-type
exchange("GET", "/", client=("192.0.2.1", 50000))  # E: arg-type
exchange("GET", "/", scheme="ws")  # E: arg-type
exchange("GET", "/", version="1.1")  # E: arg-type
FakeClock("now")  # E: arg-type
FakeClock().advance("5s")  # E: arg-type
FakeUpstream("127.0.0.1")  # E: call-arg
respond(200, b"hello")  # E: arg-type, call-arg
delay("1s")  # E: arg-type


async def script(server: FakeUpstream) -> None:
    server.once(respond)  # E: arg-type
    server.once([respond(200)])  # E: arg-type
    server.on(respond(200), "/")  # E: arg-type
    server.wait_requests(1)  # E: unused-coroutine
