"""An issuer's keys: fetched, kept fresh, and kept for a while where they cannot be."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from revproxy import Exchange, ProxyHandler, Response, Upstream
from revproxy.body import Body
from revproxy.discovery import Backoff
from revproxy.errors import AuthenticationUnavailable, ConnectFailed, Unauthorized
from revproxy.events import Event
from revproxy.exchange import Attempt
from revproxy.filters.auth import Jwks, Jwt
from revproxy.filters.auth.jwks import JwksChanged, JwksFailed, JwksMissing, JwksRecovered
from revproxy.handler import running
from revproxy.identity import PRINCIPAL
from revproxy.testing import (
    FakeClock,
    FakeTransport,
    FakeUpstream,
    close,
    exchange,
    head,
    raw,
    reset,
    respond,
    stall,
    truncate,
)
from tests.wire import turns, until

from ...e2e.wire import serving
from .tokens import AUDIENCE, ISSUER, document, jwk, rsa_key, token

ONE = jwk(rsa_key("one"), "one", alg="RS256", use="sig")
TWO = jwk(rsa_key("two"), "two", alg="RS256", use="sig")


async def who(exchange: Exchange) -> Response:
    return Response(200, {"X-Who": str(exchange.get(PRINCIPAL))})


def asked(key: str, kid: str | None = None) -> Exchange:
    shown = token(rsa_key(key), headers={"kid": kid or key}, exp=2_000_000_000)
    return exchange(headers={"Authorization": f"Bearer {shown}"})


class Issuer:
    """What an issuer answers, now; and how often it was asked."""

    def __init__(self, answer: object = None) -> None:
        self.clock = FakeClock()
        self.answer = answer or document(ONE)
        self.transport = FakeTransport(self._said)
        self.upstream = Upstream("http://login.test", transport=self.transport, clock=self.clock)
        self.events: list[Event] = []

    @property
    def times(self) -> int:
        return len(self.transport.attempts)

    async def _said(self, attempt: Attempt) -> Response:
        answer = self.answer
        if callable(answer):
            answer = await answer()
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Response):
            return answer
        assert isinstance(answer, bytes)
        return Response(200, body=Body(answer))

    def keys(self, **options: Any) -> Jwks:
        options = {"name": "login", "rng": Random(1), "clock": self.clock, **options}
        return Jwks(self.upstream, "/jwks", **options)

    @contextlib.asynccontextmanager
    async def serves(self, keys: Jwks) -> AsyncIterator[Jwt]:
        jwt = Jwt(keys, algorithms=["RS256"], issuer=ISSUER, audience=AUDIENCE, clock=self.clock)
        async with running(jwt, [self.events.append]):
            yield jwt
        assert self.clock.waiting == 0
        assert all(attempt.released for attempt in self.transport.attempts)

    def told(self, kind: type[Event]) -> list[str]:
        return [str(each) for each in self.events if isinstance(each, kind)]


async def test_fetched_at_the_start() -> None:
    """Before the first request, with a GET that asks for it; a token of a key that is there is good."""
    issuer = Issuer(document(ONE, TWO))
    async with issuer.serves(issuer.keys()) as jwt:
        assert issuer.times == 1
        sent = issuer.transport.attempts[0].request
        assert (sent.method, sent.target) == ("GET", "/jwks")
        assert sent.headers["Accept"] == "application/jwk-set+json, application/json"
        for key in ("one", "two"):
            assert (await jwt(asked(key), who)).headers["X-Who"] == "ada (jwt)"
    assert issuer.told(JwksChanged) == ["login: 2 keys, new one, two"]


async def test_fetched_again() -> None:
    """After the interval, less up to a tenth of it; a key that is gone is good for nothing, not even for a token that
    was good before."""
    issuer = Issuer(document(ONE, TWO))
    async with issuer.serves(issuer.keys(interval=100)) as jwt:
        remembered = asked("one")
        await jwt(remembered, who)
        issuer.answer = document(TWO)
        await issuer.clock.advance_async(89.9)
        assert issuer.times == 1
        await jwt(remembered, who)
        await issuer.clock.advance_async(10.2)
        assert issuer.times == 2
        with pytest.raises(Unauthorized, match="no key is known"):
            await jwt(remembered, who)
        await jwt(asked("two"), who)
        await issuer.clock.advance_async(1000)
        assert 11 <= issuer.times <= 14
    assert issuer.told(JwksChanged) == ["login: 2 keys, new one, two", "login: 1 keys, gone one"]


async def test_a_key_that_a_fetch_under_way_has_missed() -> None:
    """A token of a new key comes while the regular fetch is under way, whose answer the issuer has written before it
    had the key: it waits for the next one, which follows at once. So do those that come meanwhile."""
    issuer = Issuer()
    old, gate = document(ONE), asyncio.Event()

    async def slow() -> bytes:
        await gate.wait()
        return old

    async with issuer.serves(issuer.keys(interval=100, cooldown=1)) as jwt:
        issuer.answer = slow
        await issuer.clock.advance_async(100)
        assert issuer.times == 2
        waiting = [asyncio.create_task(jwt(asked("two"), who)) for _ in range(3)]
        await turns()
        issuer.answer = document(ONE, TWO)
        gate.set()
        for task in waiting:
            assert (await task).headers["X-Who"] == "ada (jwt)"
        assert issuer.times == 3
        await issuer.clock.advance_async(80)
        assert issuer.times == 3


async def test_an_unknown_key_has_them_fetched() -> None:
    """A token of a key that the issuer has just begun to use waits for it, and so do others; one fetch serves all."""
    issuer = Issuer()
    async with issuer.serves(issuer.keys()) as jwt:
        await jwt(asked("one"), who)
        issuer.answer = document(ONE, TWO)
        answers = await asyncio.gather(*(jwt(asked("two"), who) for _ in range(20)))
        assert {answer.status for answer in answers} == {200}
        assert issuer.times == 2


async def test_made_up_keys_do_not_hammer() -> None:
    """S-50: however many keys are made up, they are fetched once in the cooldown; after it, a new key is found."""
    issuer = Issuer()
    async with issuer.serves(issuer.keys(cooldown=30, interval=10_000, keep=10_000)) as jwt:
        for number in range(50):
            with pytest.raises(Unauthorized):
                await jwt(asked("evil", f"made up {number}"), who)
        assert issuer.times == 2
        await issuer.clock.advance_async(29)
        issuer.answer = document(ONE, TWO)
        with pytest.raises(Unauthorized):
            await jwt(asked("two"), who)
        assert issuer.times == 2
        await issuer.clock.advance_async(1)
        assert (await jwt(asked("two"), who)).status == 200
        assert issuer.times == 3


async def test_not_too_many_wait() -> None:
    """S-50: 64 requests wait for keys at most; others are answered 503 at once. Who waits and leaves is missed by
    nobody."""
    issuer = Issuer()
    async with issuer.serves(issuer.keys(timeout=5, cooldown=30)) as jwt:

        async def slow() -> bytes:
            await issuer.clock.sleep(2)
            return document(ONE, TWO)

        issuer.answer = slow
        tasks = [asyncio.create_task(jwt(asked("two"), who)) for _ in range(70)]
        await until(lambda: sum(task.done() for task in tasks) == 6)
        tasks[0].cancel()
        await issuer.clock.advance_async(3)
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(found[0], asyncio.CancelledError)
        assert sum(isinstance(each, AuthenticationUnavailable) for each in found) == 6
        assert sum(isinstance(each, Response) for each in found) == 63


GARBAGE = [
    (Response(302, {"Location": "http://169.254.169.254/"}), "status 302"),
    (Response(500), "status 500"),
    (Response(200, {"Content-Encoding": "gzip"}, Body(b"x")), "its content is coded, though nobody has asked for it"),
    (b"<html>", "it is no JSON"),
    (b"[" * 100_000, "it is no JSON"),
    (b"[]", "it is no set of keys"),
    (b'{"keys": {}}', "it is no set of keys"),
    (b'{"keys": []}', "none of its 0 keys can be used"),
    (document(*[ONE] * 65), "it has 65 keys, over 64"),
    (b" " * (256 * 1024 + 1), "ResponseBodyTooLarge: a body of 262145 bytes exceeds the limit of 262144"),
    (ConnectFailed("no"), "ConnectFailed: no"),
    (ZeroDivisionError("oops"), "ZeroDivisionError: oops"),
]


@pytest.mark.parametrize(("answer", "why"), GARBAGE)
async def test_garbage(answer: object, why: str) -> None:
    """Whatever the issuer answers that is no set of keys: the one before stays, it is told of once, and again when it
    is over."""
    issuer = Issuer()
    async with issuer.serves(issuer.keys(interval=100, keep=1000)) as jwt:
        issuer.answer = answer
        await issuer.clock.advance_async(500)
        assert issuer.times > 3
        assert (await jwt(asked("one"), who)).status == 200
        assert [each.partition(";")[0] for each in issuer.told(JwksFailed)] == [f"login: no keys: {why}"]
        issuer.answer = document(ONE)
        await issuer.clock.advance_async(100)
        assert len(issuer.told(JwksRecovered)) == 1
    assert len(issuer.told(JwksChanged)) == 1


async def test_a_slow_issuer() -> None:
    """A fetch that takes too long is given up, in the head and in the body; a token that waited for it is refused."""
    issuer = Issuer()
    async with issuer.serves(issuer.keys(timeout=5)) as jwt:

        async def never() -> bytes:
            await issuer.clock.sleep(1e6)
            return b""

        issuer.answer = never
        waits = asyncio.create_task(jwt(asked("two"), who))
        await until(lambda: issuer.times == 2)
        await issuer.clock.advance_async(4.9)
        assert not waits.done()
        await issuer.clock.advance_async(0.1)
        with pytest.raises(Unauthorized):
            await waits
        assert (await jwt(asked("one"), who)).status == 200
    assert issuer.told(JwksFailed)[0].startswith("login: no keys: no answer within 5 s; 1 stay in use for")


async def test_kept_for_a_while() -> None:
    """Old keys are good for ``keep`` seconds after they were fetched, then it is 503, also for a token that is
    remembered, until there are new ones; who shows nothing, or what is no token, is told 401 as ever."""
    issuer = Issuer()
    async with issuer.serves(issuer.keys(interval=100, keep=1000, backoff=Backoff(first=10, most=10))) as jwt:
        remembered = asked("one")
        await jwt(remembered, who)
        issuer.answer = ConnectFailed("no")
        await issuer.clock.advance_async(1000)
        await jwt(remembered, who)
        await issuer.clock.advance_async(1)
        for request in (remembered, asked("one")):
            with pytest.raises(
                AuthenticationUnavailable, match="login: there are no keys: ConnectFailed: no"
            ) as raised:
                await jwt(request, who)
            assert (raised.value.status, raised.value.fields) == (503, {"Retry-After": "5"})
        for request in (exchange(), exchange(headers={"Authorization": "Bearer x"})):
            with pytest.raises(Unauthorized):
                await jwt(request, who)
        issuer.answer = document(ONE)
        await issuer.clock.advance_async(10)
        assert (await jwt(remembered, who)).status == 200


async def test_back_off() -> None:
    """After a failure it is asked again soon, then less and less often, each time at another moment."""
    issuer = Issuer()
    async with issuer.serves(issuer.keys(interval=1000, keep=1e6, backoff=Backoff(first=1, most=64))):
        issuer.answer = ConnectFailed("no")
        await issuer.clock.advance_async(1000)
        at = [attempt.started for attempt in issuer.transport.attempts[1:]]
        gaps = [later - earlier for earlier, later in pairwise(at)]
        for number, gap in enumerate(gaps):
            most = min(64.0, 2.0**number)
            assert most / 2 <= gap <= most


async def test_no_keys_at_the_start() -> None:
    """The start fails, after some tries, and leaves nothing behind; or it does not wait, and tokens are 503 until there
    are keys."""
    issuer = Issuer(ConnectFailed("no"))
    keys = issuer.keys(initial=10)
    starts = asyncio.create_task(_start(keys))
    await until(lambda: issuer.times == 1)
    await issuer.clock.advance_async(10)
    with pytest.raises(JwksMissing, match="login: no keys within 10 s: ConnectFailed: no"):
        await starts
    assert issuer.times > 2
    assert issuer.clock.waiting == 0
    later = Issuer(ConnectFailed("no"))
    async with later.serves(later.keys(initial=None)) as jwt:
        with pytest.raises(AuthenticationUnavailable):
            await jwt(asked("one"), who)
        later.answer = document(ONE)
        await later.clock.advance_async(5)
        assert (await jwt(asked("one"), who)).status == 200


async def _start(keys: Jwks) -> None:
    async with running(keys):
        pass


async def test_a_start_that_succeeds_late() -> None:
    """Keys that come within the time are waited for; and it can be started again after its end."""
    issuer = Issuer(ConnectFailed("no"))
    keys = issuer.keys()
    for number in range(2):
        issuer.answer = ConnectFailed("no")
        starts = asyncio.create_task(_start(keys))
        await until(lambda before=issuer.times: issuer.times > before)  # type: ignore[misc]
        issuer.answer = document(ONE)
        await issuer.clock.advance_async(2)
        await starts
        assert issuer.clock.waiting == 0, number


async def test_before_the_start() -> None:
    """Nothing passes that is not running: before the start, and after the end."""
    issuer = Issuer()
    jwt = Jwt(issuer.keys(), algorithms=["RS256"], issuer=ISSUER, audience=AUDIENCE, clock=issuer.clock)
    with pytest.raises(AuthenticationUnavailable):
        await jwt(asked("one"), who)
    assert issuer.times == 0
    async with running(jwt):
        await jwt(asked("one"), who)
    with pytest.raises(AuthenticationUnavailable):
        await jwt(asked("one"), who)


async def test_not_all_at_once() -> None:
    """Many proxies that were started at once do not ask at once ever after."""
    issuers = [Issuer() for _ in range(10)]
    async with contextlib.AsyncExitStack() as stack:
        for seed, issuer in enumerate(issuers):
            await stack.enter_async_context(issuer.serves(issuer.keys(interval=100, rng=Random(seed))))
            await issuer.clock.advance_async(100)
        at = [issuer.transport.attempts[1].started - 1000.0 for issuer in issuers]
        assert len(set(at)) == 10
        assert all(90 < each <= 100 for each in at)


async def test_published_secrets_are_none() -> None:
    """RFC 8725 section 2.1: a secret in a set that anybody can read is no key, nor is a private key, nor one for
    encryption."""
    secret = {"kty": "oct", "k": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "kid": "s"}
    issuer = Issuer(
        document(secret, {**ONE, "use": "enc"}, {**ONE, "d": "AQAB"}, {**TWO, "alg": "RS256"}, {"kty": "X"})
    )
    async with issuer.serves(issuer.keys()) as jwt:
        assert (await jwt(asked("two"), who)).status == 200
        with pytest.raises(Unauthorized):
            await jwt(asked("one"), who)
    with pytest.raises(ValueError, match="algorithms: 'HS256' is for secrets"):
        Jwt(issuer.keys(), algorithms=["HS256"], issuer=ISSUER, audience=AUDIENCE)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"path": "jwks"}, "path must begin with a slash"),
        ({"path": "/a b"}, "path must begin with a slash"),
        ({"interval": 0}, "interval must be above 0"),
        ({"cooldown": 0.5}, "cooldown must be at least 1"),
        ({"keep": float("inf")}, "keep must be above 0"),
        ({"keep": 599.0}, "keep must be at least interval"),
        ({"timeout": -1}, "timeout must be above 0"),
        ({"initial": 0}, "initial must be above 0"),
    ],
)
def test_nonsense(options: dict[str, Any], says: str) -> None:
    """It says which parameter is wrong."""
    with pytest.raises(ValueError, match=says):
        Jwks(who, **options)
    with pytest.raises(TypeError, match="handler: 1 is no handler"):
        Jwks(1)  # type: ignore[arg-type]


async def test_rotation_over_the_wire() -> None:
    """S-24: with an issuer that is a real server: keys rotate while requests come; a request with the new key is the
    first to have them fetched, the old key is refused from then on, and while the issuer is away what it has published
    stays good."""
    async with FakeUpstream() as issuer, FakeUpstream() as server:
        issuer.respond(200, body=document(ONE))
        keys = Jwks(Upstream(issuer.url, name="login"), "/jwks", cooldown=1)
        jwt = Jwt(keys, algorithms=["RS256"], issuer=ISSUER, audience=AUDIENCE, field="X-User", cached=0)
        proxy = ProxyHandler(Upstream(server.url, name="site"), filters=[jwt])
        async with serving(proxy) as site:

            async def status(key: str) -> int:
                shown = token(rsa_key(key), headers={"kid": key}, exp=2_000_000_000).encode()
                return (
                    await site.ask(b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + shown + b"\r\n\r\n")
                ).status

            assert await status("one") == 200
            issuer.respond(200, body=document(TWO))
            assert await status("two") == 200
            assert await status("one") == 401
            await issuer.stop()
            assert await status("two") == 200
        assert [request.getall("X-User") for request in server.requests] == [["ada"]] * 3
        assert [request.path for request in issuer.requests] == ["/jwks"] * 2


async def test_bad_days_over_the_wire() -> None:
    """Against a real server: whatever it does, the keys from before stay in use, no request waits for it, and the next
    good set is taken."""
    good = respond(200, body=document(ONE))
    bad = [
        (raw(b"SSH-2.0-OpenSSH_9.6\r\n"), close()),
        (reset(),),
        (truncate(10, 500),),
        (head(headers={"Content-Length": "1000"}), stall()),
        (respond(200, body=b"<html>log in first</html>"),),
        (respond(200, body=b"x" * 300_000),),
        (respond(302, headers={"Location": "/jwks"}),),
        (respond(200, headers={"Content-Encoding": "gzip"}, body=document(TWO)),),
    ]
    events: list[Event] = []
    async with FakeUpstream() as issuer:
        issuer.always(good)
        for steps in (good,), *bad:
            issuer.once(*steps)
        upstream = Upstream(issuer.url, name="login", health=[])
        keys = Jwks(upstream, "/jwks", interval=0.01, timeout=0.3, backoff=Backoff(first=0.01, most=0.01))
        jwt = Jwt(keys, algorithms=["RS256"], issuer=ISSUER, audience=AUDIENCE, cached=0)
        async with running(jwt, [events.append]):
            for number in range(1, len(bad) + 2):
                await issuer.wait_requests(number)
                assert (await jwt(asked("one"), who)).status == 200
            await until(lambda: any(isinstance(each, JwksRecovered) for each in events))
            assert (await jwt(asked("one"), who)).status == 200
            issuer.respond(200, body=document(TWO))
            await until(lambda: str(events[-1]) == "jwks /jwks: 1 keys, new two, gone one")
            assert (await jwt(asked("two"), who)).status == 200
        issuer.errors.clear()
    assert sum(isinstance(each, JwksChanged) for each in events) == 2
    assert any(isinstance(each, JwksFailed) for each in events)
