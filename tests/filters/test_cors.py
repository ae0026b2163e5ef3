"""Who may read answers: preflights, answers, errors, caches, and what the upstream says of it."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from revproxy import Exchange, Handler, Pipeline, Response, respond
from revproxy.body import Body
from revproxy.errors import ForbiddenOrigin, RateLimited
from revproxy.filters import Cors, Retry
from revproxy.testing import exchange

APP, OTHER = "https://app.test", "https://evil.test"
SUBJECT = Cors(APP, methods=["GET", "PUT"], headers=["Content-Type", "X-A"], expose_headers=["X-B"], credentials=True)


async def site(exchange: Exchange) -> Response:
    return Response(200, {"X-A": "1"})


async def voices(exchange: Exchange) -> Response:
    """An upstream that has its own opinion."""
    headers = {
        "access-control-allow-origin": "*",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "X-Secret",
        "Access-Control-Allow-Private-Network": "true",
        "Vary": "Accept-Encoding",
    }
    return Response(200, headers)


def request(*origins: str, method: str = "GET", **options: Any) -> Exchange:
    fields = [("Origin", origin) for origin in origins] + list(options.pop("fields", ()))
    return exchange(method, headers=fields, scheme="https", host="api.test", **options)


def preflight(*origins: str, method: str = "PUT") -> Exchange:
    return request(*origins, method="OPTIONS", fields=[("Access-Control-Request-Method", method)])


async def answer(subject: Cors, asked: Exchange, handler: Handler = site) -> CIMultiDict[str]:
    return (await subject(asked, handler)).headers


def said(headers: CIMultiDict[str]) -> dict[str, str]:
    """What an answer says of all this."""
    return {name: value for name, value in headers.items() if name.startswith(("Access", "access")) or name == "Vary"}


# Preflights.


async def test_a_preflight() -> None:
    """S-70: it is answered, in full, and goes no further: 204 without content."""

    async def never(exchange: Exchange) -> Response:
        raise AssertionError("it was asked")

    response = await SUBJECT(preflight(APP), never)
    assert (response.status, response.body.length) == (204, 0)
    assert dict(response.headers) == {
        "Access-Control-Allow-Origin": APP,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "GET, PUT",
        "Access-Control-Allow-Headers": "Content-Type, X-A",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }


async def test_what_is_no_preflight() -> None:
    """F-10: an ``OPTIONS`` that does not ask for another method is the upstream's; and so is one without an origin."""
    for asked in (
        request(APP, method="OPTIONS"),
        request(method="OPTIONS", fields=[("Access-Control-Request-Method", "PUT")]),
        request(APP, method="GET", fields=[("Access-Control-Request-Method", "PUT")]),
    ):
        assert (await SUBJECT(asked, site)).status == 200


@pytest.mark.parametrize(
    "origins",
    [
        [OTHER],
        ["null"],
        [""],
        [APP, APP],
        [f"{APP} {OTHER}"],
        [f"{APP}/"],
        ["http://app.test"],
        ["https://app.test:8443"],
    ],
)
async def test_a_preflight_of_others(origins: list[str], caplog: pytest.LogCaptureFixture) -> None:
    """S-70: 403, for ``null`` too, and nothing in it lets anybody read it; caches are told that it depends on who asks,
    and the security log what was said."""
    with caplog.at_level(logging.WARNING, "revproxy.security"), pytest.raises(ForbiddenOrigin) as raised:
        await Cors(APP)(preflight(*origins), site)
    assert raised.value.fields == {"Vary": "Origin"}
    assert [(record.rule, record.action) for record in caplog.records] == [("CORS", "block 403")]  # type: ignore[attr-defined]


async def test_least_and_most() -> None:
    """What is not given is not said."""
    headers = await answer(Cors(APP, max_age=None), preflight(APP))
    assert said(headers) == {
        "Access-Control-Allow-Origin": APP,
        "Access-Control-Allow-Methods": "GET, HEAD, POST",
        "Vary": "Origin",
    }
    headers = await answer(Cors("*", methods=["*"], headers=["*"], max_age=0), preflight(OTHER))
    assert said(headers) == {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "*",
        "Access-Control-Allow-Headers": "*",
        "Access-Control-Max-Age": "0",
    }


# Answers.


async def test_an_answer() -> None:
    """S-70: to a page that may read it, and nothing that is for preflights alone. The origin is said as the browser has
    said it, for that compares bytes."""
    for origin in (APP, "https://APP.test:443"):
        assert said(await answer(SUBJECT, request(origin))) == {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": "X-B",
            "Vary": "Origin",
        }


@pytest.mark.parametrize("origins", [[], [OTHER], ["null"], [APP, APP], ["https://api.test"]])
async def test_others(origins: list[str]) -> None:
    """S-70: they are answered, but for who may read it; that this depends on who asks is said to everybody, those who
    name no origin among them, or a cache would give their answer to a page that may read it, and the other way round.
    """
    assert said(await answer(SUBJECT, request(*origins))) == {"Vary": "Origin"}


async def test_one_voice() -> None:
    """S-70: whatever the upstream says of all this is dropped, for everybody, and the rest of its ``Vary`` stays."""
    assert said(await answer(SUBJECT, request(OTHER), voices)) == {"Vary": "Accept-Encoding, Origin"}
    assert said(await answer(SUBJECT, request(APP), voices)) == {
        "Access-Control-Allow-Origin": APP,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "X-B",
        "Vary": "Accept-Encoding, Origin",
    }
    headers = await answer(Cors("*"), request(OTHER), voices)
    assert said(headers) == {"Access-Control-Allow-Origin": "*", "Vary": "Accept-Encoding"}


async def test_everybody() -> None:
    """``*``: everyone is answered alike, with or without an origin, so that caches need not know who asks."""
    for asked in (request(), request(OTHER), request("null")):
        assert said(await answer(Cors("*", expose_headers=["*"]), asked)) == {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": "*",
        }


async def test_errors() -> None:
    """Pages may read why they are refused, if they may read anything."""

    async def limited(exchange: Exchange) -> Response:
        raise RateLimited("x", retry_after=2)

    for origin, fields in (
        (APP, {"Access-Control-Allow-Origin": APP, "Retry-After": "2", "Vary": "Origin"}),
        (OTHER, {"Retry-After": "2", "Vary": "Origin"}),
    ):
        with pytest.raises(RateLimited) as raised:
            await Cors(APP)(request(origin), limited)
        assert dict(raised.value.fields) == fields


async def test_the_answer_is_a_copy() -> None:
    """What a handler gives out again has nothing of it."""
    kept = Response(200, {"Vary": "Accept"}, Body(b"x"))

    async def handler(exchange: Exchange) -> Response:
        return kept

    assert (await SUBJECT(request(APP), handler)).body is kept.body
    assert dict(kept.headers) == {"Vary": "Accept"}


# Who may.


async def test_a_function() -> None:
    """It gets an origin, in the form that browsers give it, and never ``null`` or what is none."""
    asked: list[str] = []

    def is_tenant(origin: str) -> bool:
        asked.append(origin)
        return origin.endswith(".tenants.test")

    subject = Cors(APP, is_tenant)
    for origin, allowed in (
        (APP, True),
        ("https://A.tenants.test:443", True),
        (OTHER, False),
        ("null", False),
        ("https://x y", False),
    ):
        headers = await answer(subject, request(origin))
        assert ("Access-Control-Allow-Origin" in headers) is allowed
    assert asked == ["https://a.tenants.test", OTHER]


async def test_a_function_that_does_not_say() -> None:
    """It fails closed: what is no bool is an error, not a yes."""
    with pytest.raises(TypeError, match="must return a bool, not a str"):
        await Cors(lambda origin: origin)(request(APP), site)  # type: ignore[arg-type, return-value]


async def test_enforce(caplog: pytest.LogCaptureFixture) -> None:
    """S-70: others are refused, WebSockets among them; who names no origin is no page; its own always is."""
    subject = Cors(APP, enforce=True)
    with caplog.at_level(logging.WARNING, "revproxy.security"):
        for asked in (request(OTHER), request("null", method="POST"), request(OTHER, upgrade="websocket")):
            with pytest.raises(ForbiddenOrigin):
                await subject(asked, site)
    assert (len(caplog.records), subject.refused) == (3, 3)
    for asked in (request(), request(APP), request("https://api.test")):
        assert (await subject(asked, site)).status == 200


def test_what_may_stand_around_it() -> None:
    """Where it refuses, what shortcuts must not stand around it."""
    Pipeline(Retry(), Cors(APP), handler=respond(200))
    with pytest.raises(ValueError, match="must not stand around"):
        Pipeline(Retry(), Cors(APP, enforce=True), handler=respond(200))


@given(st.text(max_size=30), st.sampled_from(["", "https://", APP]))
def test_nobody_else(text: str, before: str) -> None:
    """S-70: whatever is said that is not the one origin, nobody is told that he may read; and what is said stands by
    itself, so that nothing of the client's gets into other fields."""
    said_ = before + text
    allowed = SUBJECT._allowed([said_])
    assert allowed is None or (allowed == said_ and said_.lower() in (APP, f"{APP}:443", f"{APP}:"))


# What is wrong with it.


@pytest.mark.parametrize(
    ("origins", "options", "says"),
    [
        ([], {}, "origins: there is none"),
        (["null"], {}, "origins: 'null' is no origin"),
        (["*", APP], {}, "origins: '\\*' stands alone"),
        (["*"], {"credentials": True}, "origins: '\\*' stands alone, without credentials"),
        (["*"], {"enforce": True}, "origins: '\\*' stands alone"),
        (["https://*.app.test"], {}, "no wildcards"),
        (["app.test"], {}, "origins: 'app.test' is no origin"),
        ([APP], {"methods": []}, "methods must not be empty"),
        ([APP], {"methods": "GET"}, "methods must be names"),
        ([APP], {"methods": ["put"]}, "methods: 'put' is none"),
        ([APP], {"methods": ["TRACE"]}, "methods: 'TRACE' is none"),
        ([APP], {"methods": ["*"], "credentials": True}, "methods: '\\*' stands alone, and without credentials"),
        ([APP], {"headers": ["X A"]}, "headers must be names"),
        ([APP], {"headers": ["X-A", "*"]}, "headers: '\\*' stands alone"),
        ([APP], {"headers": ["X-A\r\nX-B"]}, "headers must be names"),
        ([APP], {"expose_headers": ["Set-Cookie"]}, "expose_headers must be names that a page may know"),
        ([APP], {"expose_headers": ["*"], "credentials": True}, "expose_headers: '\\*' stands alone"),
        ([APP], {"max_age": -1}, "max_age must be seconds"),
        ([APP], {"max_age": 0.5}, "max_age must be seconds"),
    ],
)
def test_nonsense(origins: list[str], options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Cors(*origins, **options)


async def is_async(origin: str) -> bool:
    return True


@pytest.mark.parametrize("origin", [1, None, is_async])
def test_what_is_no_origin(origin: Any) -> None:
    with pytest.raises(TypeError, match="is neither an origin nor a function of one"):
        Cors(origin)


def test_it_prints_itself() -> None:
    """It prints whose pages may."""

    def is_ours(origin: str) -> bool:
        return True

    assert repr(Cors(APP, is_ours, enforce=True)).startswith(f"Cors({APP!r}, test_it_prints_itself")
    assert repr(Cors("*")) == "Cors('*')"
