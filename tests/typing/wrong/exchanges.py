"""What an exchange, its messages and its values are not."""

from __future__ import annotations

from revproxy import Attempt, Body, Exchange, Key, ProxyError, Request, Response
from revproxy.body import EMPTY, StreamBody, Transform
from revproxy.facts import ClientAddress

COUNTRY: Key[str] = Key("country")
TRIES: Key[int] = Key("tries")


def values(exchange: Exchange) -> None:
    exchange[COUNTRY] = 41  # E: misc
    exchange[COUNTRY] = None  # E: misc
    exchange[TRIES] = "three"  # E: misc
    exchange[TRIES] += "one"  # E: operator
    exchange["country"] = "CH"  # E: index
    exchange[COUNTRY] + 1  # E: operator
    exchange["country"]  # E: index
    exchange.get("country")  # E: call-overload
    exchange.get()  # E: call-overload
    exchange.get(COUNTRY).lower()  # E: union-attr
    exchange.get(COUNTRY, 0).lower()  # E: union-attr
    exchange.get(COUNTRY, default="CH").bit_length()  # E: attr-defined
    number: int = exchange[COUNTRY]  # E: assignment
    certain: str = exchange.get(COUNTRY)  # E: assignment
    del exchange[COUNTRY]  # E: attr-defined
    exchange.country = "CH"  # E: attr-defined
    print(number, certain)


Key[str](1)  # E: arg-type
Key("country", str)  # E: call-arg
of_another_type: Key[int] = COUNTRY  # E: assignment
of_a_wider_type: Key[object] = COUNTRY  # E: assignment


def record(exchange: Exchange, attempt: Attempt) -> None:
    exchange.defer(None)  # E: arg-type
    exchange.defer(exchange.attempts.clear())  # E: arg-type, func-returns-value
    exchange.deadline = "5s"  # E: assignment
    exchange.rule = "main"  # E: assignment
    exchange.requests  # E: attr-defined
    exchange.attempts = attempt  # E: assignment
    exchange.inbound = exchange.request  # E: assignment
    exchange.attempts.append(exchange)  # E: arg-type
    exchange.id = 7  # E: assignment
    attempt.exchange = exchange  # E: misc
    attempt.status = "200"  # E: assignment
    attempt.status + 1  # E: operator
    attempt.error = "refused"  # E: assignment
    attempt.endpoint = "http://10.0.0.1"  # E: assignment


def inbound(exchange: Exchange) -> None:
    exchange.inbound.headers["X-A"] = "1"  # E: index
    del exchange.inbound.headers["X-A"]  # E: attr-defined
    exchange.inbound.query["page"] = "2"  # E: index
    exchange.inbound.query = exchange.inbound.cookies  # E: misc
    exchange.inbound.cookies = exchange.inbound.query  # E: misc
    exchange.inbound.client = ClientAddress(None)  # E: misc
    exchange.inbound.tls = None  # E: misc
    exchange.inbound.introduce("192.0.2.1")  # E: arg-type
    exchange.inbound.body  # E: attr-defined
    exchange.inbound.remote  # E: attr-defined
    exchange.inbound.client.host  # E: attr-defined
    exchange.inbound.client.ip.is_private  # E: union-attr


def request(exchange: Exchange) -> None:
    exchange.request.method = b"GET"  # E: assignment
    exchange.request.headers["X-A"] = 1  # E: assignment
    exchange.request.headers = {"X-A": "1"}  # E: assignment
    exchange.request.body = b"hello"  # E: assignment
    exchange.request.path  # E: attr-defined
    exchange.request.url = "/"  # E: attr-defined
    Request("GET")  # E: call-arg
    Request("GET", "/", b"hello")  # E: arg-type


def response() -> None:
    Response("200")  # E: arg-type
    Response(200, "hello")  # E: arg-type
    Response(200, body="hello")  # E: arg-type
    Response(200, body=b"hello")  # E: arg-type
    Response(200, text="hello")  # E: call-arg
    Response(200, {"X-A": 1})  # E: arg-type
    Response(200, {"X-A": None})  # E: arg-type
    Response()  # E: call-arg
    Response(200).statuscode  # E: attr-defined
    Response(200).staus = 204  # E: attr-defined
    Response(200).dated = True  # E: misc


class Upper:
    def feed(self, chunk: bytes) -> bytes:
        return chunk.upper()


class Decoded:
    def feed(self, chunk: bytes) -> str:
        return chunk.decode()

    def finish(self) -> str:
        return ""


async def bodies(body: Body) -> None:
    await body.read()  # E: call-arg
    await body.read("1 MiB")  # E: arg-type
    await body.read(1e6)  # E: arg-type
    text: str = await body.read(100)  # E: assignment
    body.read(100)  # E: unused-coroutine
    body.through(bytes.upper)  # E: arg-type
    body.through(Upper())  # E: arg-type
    body.through(Decoded())  # E: arg-type
    body.through(Upper)  # E: arg-type
    await body.through(Upper())  # E: arg-type, misc
    for chunk in body:  # E: attr-defined
        print(chunk)
    async for chunk in body:
        chunk.encode()  # E: attr-defined
    body.data + b""  # E: operator
    body.replayable = True  # E: misc
    Body("hello")  # E: arg-type
    Body([b"hello"])  # E: arg-type
    StreamBody([b"hello"])  # E: arg-type
    StreamBody(body, 5)  # E: call-arg
    EMPTY.encode()  # E: attr-defined
    print(text)


transform: Transform = Upper()  # E: assignment


class Refused(ProxyError):
    status = "403"  # E: assignment
    origin = "policy"  # E: assignment
    retryable = "no"  # E: assignment
