"""A service that says who asks: what it is believed, what the client is told, and what becomes of a silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Exchange, Pipeline, ProxyHandler, Response, Rule, Rules, Upstream, respond, when
from revproxy.body import Body, StreamBody
from revproxy.errors import (
    AuthenticationUnavailable,
    ConnectFailed,
    DeadlineExceeded,
    Forbidden,
    NoRoute,
    Overloaded,
    ProxyError,
    Unauthorized,
)
from revproxy.exchange import Attempt
from revproxy.facts import Principal
from revproxy.filters import FailOpen, Retry
from revproxy.filters.auth import Authorize, ForwardAuth
from revproxy.health import OutlierDetection
from revproxy.identity import PRINCIPAL
from revproxy.testing import FakeClock, FakeTransport, exchange

from ...wire import until

Answer = Response | Exception


class Setup:
    """The filter, before a site that says what it was sent."""

    def __init__(self, answer: Answer | Callable[[Attempt], Answer] | None = None, **options: Any) -> None:
        self.clock = FakeClock()
        self.auth = FakeTransport(answer)
        self.upstream = Upstream("http://auth", name="auth", transport=self.auth, clock=self.clock)
        self.subject = ForwardAuth(self.upstream, clock=self.clock, **options)
        self.sent: list[Exchange] = []

    async def site(self, exchange: Exchange) -> Response:
        self.sent.append(exchange)
        return Response(200)

    async def ask(self, asked: Exchange | None = None, **options: Any) -> Response:
        return await self.subject(asked or exchange(**options), self.site)

    def fields(self) -> list[tuple[str, str]]:
        """What the site was sent, but for who the client is."""
        headers = self.sent[-1].request.headers
        return [(name, value) for name, value in headers.items() if not name.startswith("X-Forwarded")]


async def test_it_passes() -> None:
    """2xx: the request goes on as it came, its attempts are its own, and so are those of the question; nothing is left
    in flight."""
    setup = Setup(Response(204, {"X-User": "ada"}))
    asked = exchange("POST", "/x", headers={"Authorization": "Bearer x"}, body=b"body")
    body = asked.request.body
    assert (await setup.ask(asked)).status == 200
    (attempt,) = setup.auth.attempts
    assert (attempt.request.method, attempt.request.target) == ("GET", "/")
    assert attempt.request.headers["Authorization"] == "Bearer x"
    assert (asked.attempts, attempt.released, setup.upstream.endpoints[0].in_flight) == ([], True, 0)
    assert asked.request.body is body
    assert ("Authorization", "Bearer x") in setup.fields()
    assert "X-User" not in asked.request.headers
    assert (setup.subject.asked, setup.subject.refused, setup.subject.failed) == (1, 0, 0)


async def test_what_goes_on() -> None:
    """S-24, S-23: the declared fields of the answer, all their values, and nothing that a client says in one of them or
    in an alias, with or without one of the service's."""
    setup = Setup(
        Response(200, [("X-User", "ada"), ("X-Group", "a"), ("X-Group", "b"), ("X-Other", "1")]),
        copy=["X-User", "X-Group", "X-Email"],
    )
    asked = exchange()
    for name in ("X-User", "x-user", "X_User", "X.USER", "X-Email", "X_Email", "X-Users"):
        asked.request.headers.add(name, "evil")
    await setup.ask(asked)
    assert setup.fields() == [("X-Users", "evil"), ("X-User", "ada"), ("X-Group", "a"), ("X-Group", "b")]


@pytest.mark.parametrize("answer", [Response(401), Response(500), ConnectFailed("x"), Response(302, {"Location": "/"})])
async def test_lies_go_whatever_comes_of_it(answer: Answer) -> None:
    """S-24: they are gone from the draft before anybody is asked, for whoever answers instead."""
    setup = Setup(answer, copy=["X-User"], principal="X-Name", roles="X-Roles")
    asked = exchange(headers={"X-User": "evil", "X-Name": "evil", "X-Roles": "evil"})
    try:
        await setup.ask(asked)
    except AuthenticationUnavailable:
        pass
    assert not {"X-User", "X-Name", "X-Roles"}.intersection(asked.request.headers)
    assert setup.sent == []


async def test_a_principal() -> None:
    """Name and roles, for rules and ``Authorize``; a client's word in those fields is dropped though they are not
    handed on."""
    setup = Setup(
        Response(200, [("X-User", "ada@example.com"), ("X-Groups", "admin, ops"), ("X-Groups", " ,qa")]),
        principal="X-User",
        roles="X-Groups",
    )
    asked = exchange(headers={"X-User": "evil", "X-Groups": "evil"})
    await setup.ask(asked)
    assert asked[PRINCIPAL] == Principal("ada@example.com", "forward", frozenset({"admin", "ops", "qa"}))
    assert not {"X-User", "X-Groups"}.intersection(asked.request.headers)
    setup = Setup(Response(200, {"U": "José", "G": "a|b, c"}), principal="U", roles="G", separator="|")
    asked = exchange()
    await setup.ask(asked)
    assert asked[PRINCIPAL] == Principal("José", "forward", frozenset({"a", "b, c"}))


async def test_nobody() -> None:
    """A service that lets somebody pass without a name: no principal, and ``Authorize`` refuses him."""
    setup = Setup(Response(200, {"X-User": ""}), principal="X-User")
    asked = exchange(headers={"X-User": "evil"})
    await setup.ask(asked)
    assert PRINCIPAL not in asked
    guarded = Pipeline(setup.subject, Authorize(when.key(PRINCIPAL, lambda who: True)), handler=setup.site)
    with pytest.raises(Forbidden):
        await guarded(exchange())


@pytest.mark.parametrize("names", [["a", "b"], ["x" * 256], ["a\tb"], ["\udcff"]])
async def test_no_one_name(names: list[str]) -> None:
    """It fails closed: two names, or one that nobody could read in a log, are no answer."""
    setup = Setup(Response(200, [("X-User", name) for name in names]), principal="X-User")
    with pytest.raises(AuthenticationUnavailable, match="X-User names no one principal"):
        await setup.ask()
    assert (setup.sent, setup.subject.failed) == ([], 1)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (401, {"WWW-Authenticate": 'Bearer realm="x"'}),
        (403, {}),
        *((status, {"Location": "https://login.test/?rd=x"}) for status in (301, 302, 303, 307, 308)),
    ],
)
async def test_refused(status: int, headers: dict[str, str]) -> None:
    """The client is told what the service says, in the declared fields; caches are told to keep none of it."""
    said = {**headers, "Content-Type": "text/html", "X-Inside": "10.0.0.5", "Set-Cookie": "csrf=1", "Server": "x"}
    setup = Setup(Response(status, said, Body(b"<p>no")))
    response = await setup.ask()
    assert (response.status, response.body.data) == (status, b"<p>no")
    assert dict(response.headers) == {
        **headers,
        "Content-Type": "text/html",
        "Set-Cookie": "csrf=1",
        "Cache-Control": "no-store",
    }
    assert (setup.sent, setup.subject.refused, setup.upstream.endpoints[0].in_flight) == ([], 1, 0)


async def test_several_cookies() -> None:
    """All values of a field; and what the service says of caches stands."""
    headers = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Cache-Control", "private"), ("Location", "/login")]
    response = await Setup(Response(303, headers)).ask()
    assert response.headers.getall("Set-Cookie") == ["a=1", "b=2"]
    assert response.headers.getall("Cache-Control") == ["private"]


@pytest.mark.parametrize("status", [302, 304, 300, 400, 404, 407, 429, 500, 502, 503])
async def test_no_answer(status: int) -> None:
    """It fails closed: all else is 503, a redirect to nowhere too, and nothing of it reaches the client."""
    setup = Setup(Response(status, {"X-Inside": "1"}, Body(b"inside")))
    with pytest.raises(AuthenticationUnavailable, match=f"it has answered {status}") as raised:
        await setup.ask()
    assert (raised.value.status, raised.value.fields) == (503, {"Retry-After": "5"})
    assert (setup.sent, setup.subject.failed) == ([], 1)


@pytest.mark.parametrize("error", [ConnectFailed("refused by 10.0.0.5"), NoRoute("x"), Overloaded("x", retry_after=9)])
async def test_it_cannot_be_asked(error: ProxyError) -> None:
    """It fails closed, whichever way; when to come again is passed on."""
    setup = Setup(error)
    with pytest.raises(AuthenticationUnavailable) as raised:
        await setup.ask()
    assert raised.value.fields == {"Retry-After": "9" if isinstance(error, Overloaded) else "5"}
    assert type(error).__name__ in str(raised.value)
    assert setup.sent == []


@given(st.integers(100, 599), st.sampled_from([{}, {"Location": "/x"}]))
def test_only_2xx_passes(status: int, headers: dict[str, str]) -> None:
    """S-24: whatever a service answers, a request goes on after 2xx alone, and the client is answered with what the
    service says for a refusal alone."""

    async def ask() -> None:
        setup = Setup(Response(status, headers))
        try:
            response = await setup.ask()
        except AuthenticationUnavailable:
            response = None
        assert bool(setup.sent) == (200 <= status < 300)
        if response is not None and not setup.sent:
            assert status in (401, 403) or (status in (301, 302, 303, 307, 308) and headers)

    asyncio.run(ask())


# Bodies and time.


def streamed(*pieces: bytes, closed: list[bool] | None = None) -> Body:
    async def source() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    class Watched(StreamBody):
        def close(self) -> None:
            if closed is not None:
                closed.append(True)

    return Watched(source())


async def test_a_long_refusal() -> None:
    """S-52: what is held of a refusal is bounded; beyond that it is no answer."""
    closed: list[bool] = []
    setup = Setup(lambda attempt: Response(403, {}, streamed(b"x" * 600, b"y" * 600, closed=closed)), limit=1000)
    with pytest.raises(AuthenticationUnavailable, match="ResponseBodyTooLarge"):
        await setup.ask()
    assert closed
    setup = Setup(lambda attempt: Response(403, {}, streamed(b"x" * 600, b"y" * 400)), limit=1000)
    assert (await setup.ask()).body.length == 1000


async def test_a_long_grant() -> None:
    """The body of a 2xx means nothing: it is given up where it is long, and the request goes on."""
    closed: list[bool] = []
    setup = Setup(lambda attempt: Response(200, {}, streamed(b"x" * 600, b"y" * 600, closed=closed)), limit=1000)
    assert (await setup.ask()).status == 200
    assert closed


@pytest.mark.parametrize("status", [200, 401, 302, 500])
async def test_bodies_are_closed(status: int) -> None:
    """Whatever it has answered, nothing of the answer stays open."""
    closed: list[bool] = []
    setup = Setup(lambda attempt: Response(status, {"Location": "/"}, streamed(b"x", closed=closed)))
    try:
        await setup.ask()
    except AuthenticationUnavailable:
        pass
    assert closed


async def stuck(attempt: Attempt) -> Response:
    attempt.sent = True
    await asyncio.Event().wait()
    raise AssertionError


async def asking(setup: Setup, asked: Exchange) -> asyncio.Task[Response]:
    task = asyncio.create_task(setup.ask(asked))
    await until(lambda: bool(setup.auth.attempts))
    return task


async def test_in_time() -> None:
    """It fails closed: where there is no answer in time there is none, and the endpoint's health learns of it."""
    setup = Setup(stuck, timeout=2.0)  # type: ignore[arg-type]
    task = await asking(setup, exchange())
    await setup.clock.advance_async(1.9)
    assert not task.done()
    await setup.clock.advance_async(0.2)
    with pytest.raises(AuthenticationUnavailable, match="no answer within 2 s"):
        await task
    (attempt,) = setup.auth.attempts
    assert (attempt.released, repr(attempt.error)) == (True, "ResponseTimeout('no answer in time')")
    assert (attempt.deadline, setup.clock.waiting) == (1002.0, 0)


async def test_a_body_in_time() -> None:
    """The time holds to the end of the answer."""

    async def silent() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    setup = Setup(lambda attempt: Response(401, {}, StreamBody(silent())), timeout=2.0)
    task = await asking(setup, exchange())
    await setup.clock.advance_async(2.1)
    with pytest.raises(AuthenticationUnavailable, match="no answer within 2 s"):
        await task
    assert type(setup.auth.attempts[0].error).__name__ == "StreamTimeout"


async def test_the_deadline_of_the_exchange() -> None:
    """It is inherited, and where it is over first that is what the client is told: 504."""
    setup = Setup(stuck, timeout=5.0)  # type: ignore[arg-type]
    asked = exchange()
    asked.deadline = 1001.0
    task = await asking(setup, asked)
    assert setup.auth.attempts[0].deadline == 1001.0
    await setup.clock.advance_async(1.1)
    with pytest.raises(DeadlineExceeded):
        await task
    with pytest.raises(DeadlineExceeded):
        await setup.ask(asked)
    assert len(setup.auth.attempts) == 1


async def test_cancelled() -> None:
    """With the request: nothing of the question is left, no timer, no load, and nobody is blamed."""
    setup = Setup(stuck)  # type: ignore[arg-type]
    task = await asking(setup, exchange())
    assert setup.upstream.endpoints[0].in_flight == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (attempt,) = setup.auth.attempts
    assert (attempt.released, attempt.error, setup.upstream.endpoints[0].in_flight) == (True, None, 0)
    assert (setup.clock.waiting, setup.subject.failed) == (0, 0)


async def test_cancelled_as_the_time_is_over() -> None:
    """Both at once: it is cancelled."""
    setup = Setup(stuck, timeout=2.0)  # type: ignore[arg-type]
    task = await asking(setup, exchange())
    setup.clock.advance(2.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert setup.upstream.endpoints[0].in_flight == 0


# An exchange of its own.


async def test_it_is_another_exchange() -> None:
    """Neither observers nor the client see anything of it; what a retry further out has given up says nothing of the
    question; but it knows what filters have found out."""
    seen: list[Exchange] = []

    async def service(exchange: Exchange) -> Response:
        assert exchange.interim is None
        seen.append(exchange)
        exchange.defer(lambda: released.append(True))
        return Response(204)

    released: list[bool] = []
    asked = exchange(upgrade="websocket")
    asked.interim = lambda status, headers: None
    asked.spent = ConnectFailed("x")
    asked.paid = (object(),)
    asked[PRINCIPAL] = Principal("ada", "basic")

    async def site(exchange: Exchange) -> Response:
        assert released == [True]
        assert exchange is asked
        return Response(101)

    assert (await ForwardAuth(service)(asked, site)).status == 101
    (question,) = seen
    assert (question.spent, question.paid, question.id) == (None, (), asked.id)
    assert (question[PRINCIPAL].name, question.request.upgrade, asked.request.upgrade) == ("ada", None, "websocket")
    assert asked.mark == 0


@pytest.mark.parametrize("error", [Unauthorized("x", challenge="Basic"), Forbidden("x")])
async def test_in_the_program(error: ProxyError) -> None:
    """A function that says so by an error says so to the client."""

    async def service(exchange: Exchange) -> Response:
        raise error

    subject = ForwardAuth(service)
    with pytest.raises(type(error)) as raised:
        await subject(exchange(), respond(200))
    assert raised.value is error
    assert subject.refused == 1


async def test_what_breaks() -> None:
    """What is no answer at all is an error, as anywhere, and nobody passes."""

    async def service(exchange: Exchange) -> Response:
        raise KeyError("x")

    passed: list[Exchange] = []

    async def site(exchange: Exchange) -> Response:
        passed.append(exchange)
        return Response(200)

    with pytest.raises(KeyError):
        await ForwardAuth(service)(exchange(), site)
    assert passed == []


async def test_it_does_not_fail_open() -> None:
    """``FailOpen`` is not for what guards, and takes no such filter; nor would it catch that nobody can be asked, where
    one that guards by another name hides it: that is a decision, and stands."""
    setup = Setup(ConnectFailed("x"))
    with pytest.raises(AuthenticationUnavailable):
        await FailOpen(lambda asked, handler: setup.subject(asked, handler))(exchange(), setup.site)
    with pytest.raises(ValueError, match="guards"):
        FailOpen(setup.subject)
    assert setup.sent == []


async def test_health_learns() -> None:
    """An endpoint of the service that fails is ejected, as of any upstream."""
    transport = FakeTransport(lambda attempt: Response(503 if attempt.endpoint.name == "http://a" else 204))
    health = OutlierDetection(consecutive_5xx=2)
    upstream = Upstream("http://a", "http://b", name="auth", health=[health], transport=transport, panic=0)
    subject = ForwardAuth(Pipeline(Retry(statuses=[503]), handler=upstream))
    for number in range(40):
        assert (await subject(exchange(client=f"192.0.2.{number + 1}"), respond(200))).status == 200
    assert [each.held for each in upstream.endpoints] == [True, False]


# What it remembers.


async def test_remember() -> None:
    """A grant is known for a while by all that the service was shown and told; what differs is asked again."""
    setup = Setup(Response(200, {"X-User": "ada"}), remember=10, copy=["X-User"], principal="X-User")
    for options in (
        {"headers": {"Cookie": "a=1"}},
        {"headers": {"Cookie": "a=2"}},
        {"headers": [("Cookie", "a=1"), ("Cookie", "a=2")]},
        {"headers": {"Cookie": "a=1"}, "target": "/admin"},
        {"headers": {"Cookie": "a=1"}, "method": "DELETE"},
        {"headers": {"Cookie": "a=1"}, "host": "other.test"},
        {"headers": {"Cookie": "a=1"}, "client": "192.0.2.99"},
        {"headers": {"Cookie": "a=1"}, "scheme": "https"},
    ):
        before = len(setup.auth.attempts)
        for _ in range(3):
            asked = exchange(**options)
            await setup.ask(asked)
            assert asked[PRINCIPAL].name == "ada"
            assert setup.sent[-1].request.headers.getall("X-User") == ["ada"]
        assert len(setup.auth.attempts) == before + 1
    setup.clock.advance(10)
    await setup.ask(headers={"Cookie": "a=1"})
    assert setup.subject.asked == 9
    await setup.subject.stop()
    await setup.ask(headers={"Cookie": "a=1"})
    assert setup.subject.asked == 10


async def test_what_it_is_not_told_does_not_matter() -> None:
    """What the service does not decide by makes no other question of it."""
    setup = Setup(Response(200), remember=10, told=[])
    for target in ("/a", "/b"):
        await setup.ask(target=target, headers={"Cookie": "a=1", "X-A": target})
    assert setup.subject.asked == 1


@pytest.mark.parametrize(
    "answer", [Response(401), Response(500), Response(200, {"Cache-Control": "private, No-Store"}), ConnectFailed("x")]
)
async def test_not_remembered(answer: Answer) -> None:
    """Refusals, failures, and what must not be stored: who has logged in meanwhile passes at once."""
    setup = Setup(answer, remember=10)
    for _ in range(2):
        try:
            await setup.ask()
        except AuthenticationUnavailable:
            pass
    assert setup.subject.asked == 2


async def test_by_default_it_is_asked_each_time() -> None:
    """Whoever is logged out is out at once."""
    setup = Setup(Response(200))
    for _ in range(2):
        await setup.ask()
    assert setup.subject.asked == 2


# How it is composed.


def test_composition() -> None:
    """It guards, so that a retry must not stand around it; it reads the path; it provides a principal if it is told
    where one is; and its upstream is one of the proxy's."""
    auth = Upstream("http://auth", name="auth")
    with pytest.raises(ValueError, match="must not stand around"):
        Pipeline(Retry(), ForwardAuth(auth), handler=respond(200))
    rules = Rules(Rule(when.key(PRINCIPAL, lambda who: True), respond(200)))
    ProxyHandler(rules, filters=[ForwardAuth(auth, principal="X-User")])
    with pytest.raises(ValueError, match="principal"):
        ProxyHandler(rules, filters=[ForwardAuth(auth)])
    with pytest.raises(ValueError, match="auth"):
        ProxyHandler(Upstream("http://b", name="auth"), filters=[ForwardAuth(auth)])
    assert "auth" in ProxyHandler(respond(200), filters=[ForwardAuth(auth)]).describe()


def test_what_it_reserves() -> None:
    """S-24: what it tells servers, on every route; but not what it is shown, nor what others are."""
    copy = ["X-User", "Authorization", "Cookie", "X-Token"]
    assert ForwardAuth(respond(200), copy=copy, send=["X-Token", "Cookie"]).reserves == {"X-User"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"path": "x"}, "path must begin with a slash"),
        ({"copy": ["Host"]}, "copy must be fields"),
        ({"copy": "X-User"}, "copy must be fields"),
        ({"copy": ["X-User", "x_user"]}, "copy must be fields of letters, digits and dashes"),
        ({"principal": ""}, "principal must be fields"),
        ({"roles": "X-Roles"}, "roles: 'X-Roles' are nobody's without a principal"),
        ({"principal": "X", "roles": "Y", "separator": " "}, "separator must be"),
        ({"answer": ["Transfer-Encoding"]}, "answer must be fields"),
        ({"timeout": 0}, "timeout must be above 0 and finite, got 0"),
        ({"timeout": float("inf")}, "timeout must be above 0"),
        ({"remember": -1}, "remember must be at least 0 and finite, got -1"),
        ({"limit": -1}, "limit must be an integer of at least 0, got -1"),
        ({"limit": 1.5}, "limit must be an integer"),
    ],
)
def test_nonsense(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ForwardAuth(respond(200), **options)


def test_no_service() -> None:
    with pytest.raises(TypeError, match="service: 'http://auth' is no handler"):
        ForwardAuth("http://auth")  # type: ignore[arg-type]


async def test_it_prints_itself() -> None:
    """It prints what it asks, and how often; nothing of what it was shown."""
    setup = Setup(Response(200), remember=5, path="/auth")
    await setup.ask(headers={"Authorization": "Bearer secret"})
    assert repr(setup.subject).startswith("<ForwardAuth forward auth by GET /auth of <Upstream auth")
    assert repr(setup.subject).endswith("asked 1 refused 0 failed 0, 1 known>")
    assert "secret" not in repr(setup.subject) + repr(vars(setup.subject))
