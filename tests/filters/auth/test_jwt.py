"""Tokens: who shows a good one is let in; whatever else is shown is refused, and not told why."""

from __future__ import annotations

import builtins
import hashlib
import hmac
import json
import logging
from base64 import urlsafe_b64encode
from typing import Any
from unittest import mock

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given
from hypothesis import strategies as st

from revproxy import Exchange, ProxyHandler, Response, Upstream
from revproxy.errors import ProxyError, Unauthorized
from revproxy.filters.auth import CLAIMS, Authorize, Jwt
from revproxy.filters.auth.verifier import MAX_TOKEN, Verifier
from revproxy.handler import missing_keys
from revproxy.identity import PRINCIPAL
from revproxy.testing import FakeClock, FakeUpstream, exchange
from revproxy.when import key as when_key

from ...e2e.wire import serving
from .tokens import AUDIENCE, ISSUER, NOW, SECRET, altered, ec_key, ed_key, jwk, pem, raw, rsa_key, token

DOTTED: dict[str, Any] = {"https://r": "a b"}
INVALID = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


async def who(exchange: Exchange) -> Response:
    sent = exchange.request.headers
    said = f"{sent.get('Authorization')} {sent.get('Cookie')} {sent.get('X-User')}"
    return Response(200, {"X-Who": str(exchange.get(PRINCIPAL)), "X-Sent": said})


def subject(keys: Any = None, **options: Any) -> Jwt:
    options = {"algorithms": ["RS256"], "issuer": ISSUER, "audience": AUDIENCE, "clock": FakeClock(), **options}
    return Jwt(keys or {"one": pem(rsa_key())}, **options)


def asked(shown: str, **options: Any) -> Exchange:
    return exchange(headers={"Authorization": f"Bearer {shown}"}, **options)


async def refused(subject: Jwt, shown: str) -> str:
    """Why, as the log has it."""
    with pytest.raises(Unauthorized) as raised:
        await subject(asked(shown), who)
    assert raised.value.fields == INVALID
    assert shown not in str(raised.value)
    return str(raised.value)


async def test_a_good_token() -> None:
    """S-24: the principal and the claims are on the exchange, and in the field; the token is not passed on, nor what
    the client says he is."""
    good = token(headers={"kid": "one"}, scope="read write", email="ada@a.test")
    request = exchange(headers={"Authorization": f"bearer {good}", "X-User": "root"})
    response = await subject(roles="scope", field="X-User")(request, who)
    assert (response.headers["X-Who"], response.headers["X-Sent"]) == ("ada (jwt)", "None None ada")
    assert request[PRINCIPAL].roles == {"read", "write"}
    assert request[CLAIMS]["email"] == "ada@a.test"


async def test_claims_cannot_be_changed() -> None:
    """They are those of every request with the token: what one filter writes there the next request would have."""
    one = subject()

    async def raises(exchange: Exchange) -> Response:
        exchange[CLAIMS]["admin"] = True  # type: ignore[index]
        return Response(200)

    good = token(headers={"kid": "one"})
    for _ in range(2):
        with pytest.raises(TypeError):
            await one(asked(good), raises)
        request = asked(good)
        await one(request, who)
        assert "admin" not in request[CLAIMS]


async def test_roles_that_are_one_string() -> None:
    """A function that returns one has returned no roles: the token is refused, rather than good for its letters."""
    assert "no principal can be made of its claims: TypeError" in await refused(
        subject(roles=lambda claims: "admin"), token(headers={"kid": "one"})
    )


async def test_where_the_token_is() -> None:
    """In a field of another name, without a scheme, or in a cookie; it is taken out of what goes on, unless it is
    wanted there, and the other cookies stay."""
    good = token(headers={"kid": "one"})
    for options, headers, sent in (
        ({"header": "X-Token", "scheme": ""}, {"X-Token": good, "Authorization": "Basic x"}, "Basic x None None"),
        ({"cookie": "id"}, {"Cookie": f"a=1; id={good};b=2"}, "None a=1; b=2 None"),
        ({"cookie": "id"}, {"Cookie": f"id={good}"}, "None None None"),
        ({"cookie": "id", "forward": True}, {"Cookie": f"id={good}"}, f"None id={good} None"),
        ({"forward": True}, {"Authorization": f"Bearer {good}"}, f"Bearer {good} None None"),
    ):
        response = await subject(**options)(exchange(headers=headers), who)
        assert response.headers["X-Who"] == "ada (jwt)"
        assert response.headers["X-Sent"] == sent


async def test_nothing_shown() -> None:
    """Is refused without an error code (RFC 6750 section 3.1), or nobody, whatever he says he is."""
    with pytest.raises(Unauthorized) as raised:
        await subject()(exchange(), who)
    assert raised.value.fields == {"WWW-Authenticate": "Bearer"}
    response = await subject(optional=True, field="X-User")(exchange(headers={"X-User": "root"}), who)
    assert (response.headers["X-Who"], response.headers["X-Sent"]) == ("None", "None None None")


@pytest.mark.parametrize("optional", [False, True])
async def test_two_are_none(optional: bool) -> None:
    """Two fields, two cookies, another scheme, a token with more behind it."""
    good = token(headers={"kid": "one"})
    for options, headers in (
        ({}, [("Authorization", f"Bearer {good}"), ("Authorization", f"Bearer {good}")]),
        ({"cookie": "id"}, [("Cookie", f"id={good}; id={good}")]),
        ({}, [("Authorization", f"Basic {good}")]),
        ({}, [("Authorization", good)]),
        ({}, [("Authorization", f"Bearer {good} x")]),
        ({}, [("Authorization", "Bearer")]),
    ):
        with pytest.raises(Unauthorized) as raised:
            await subject(optional=optional, **options)(exchange(headers=headers), who)
        assert raised.value.fields == INVALID


@pytest.mark.parametrize(
    ("alg", "key", "keys"),
    [
        ("RS256", rsa_key(), pem(rsa_key())),
        ("PS512", rsa_key(), jwk(rsa_key())),
        ("ES256", ec_key(), pem(ec_key())),
        ("ES384", ec_key("p384", ec.SECP384R1), [jwk(ec_key("p384", ec.SECP384R1))]),
        ("ES512", ec_key("p521", ec.SECP521R1), [pem(ec_key("p521", ec.SECP521R1)).encode()]),
        ("EdDSA", ed_key(), {"a": pem(ed_key())}),
        ("HS256", SECRET, SECRET),
        ("HS512", SECRET, SECRET),
    ],
)
async def test_algorithms(alg: str, key: Any, keys: Any) -> None:
    """Every one that is known verifies what it has signed, and nothing with a byte changed."""
    one = subject(keys, algorithms=[alg])
    good = token(key, alg)
    assert (await one(asked(good), who)).status == 200
    assert await refused(one, altered(good, 1, sub="root")) == "its signature is wrong"


async def test_a_public_key_is_no_secret() -> None:
    """RFC 8725 section 2.1: a token signed by HMAC with the public key, in any of its forms, is refused, also where
    secrets are taken beside public keys."""
    both = subject({"one": pem(rsa_key()), "two": SECRET}, algorithms=["RS256", "HS256"])
    for form in (pem(rsa_key()).encode(), pem(rsa_key()).strip().encode()):
        for kid in ("one", "two", None, "three"):
            header = {"alg": "HS256", "typ": "JWT", **({} if kid is None else {"kid": kid})}
            unsigned = raw(header, {"sub": "root", "iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 60}).rpartition(".")[0]
            digest = hmac.digest(form, unsigned.encode(), "sha256")
            forged = f"{unsigned}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"
            assert await refused(both, forged) in (
                "its signature is wrong",
                "no key is known that could have signed it",
            )
    assert (await both(asked(token(SECRET, "HS256", headers={"kid": "two"})), who)).status == 200


async def test_no_signature() -> None:
    """``none`` in any case, an empty signature, a key's algorithm that is not taken."""
    claims = {"sub": "root", "iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 60}
    names: list[object] = ["none", "None", "NONE", "nOnE", "", "HS256", "RS512", "ES256", None, 1, ["RS256"], {}]
    for name in names:
        why = await refused(subject(), raw({"alg": name, "kid": "one"}, claims))
        assert why == "its algorithm is not one that is taken"
    good = token(headers={"kid": "one"})
    for shown in (raw({"alg": "none"}, claims, b""), good.rpartition(".")[0] + ".", good.rpartition(".")[0]):
        assert await refused(subject(), shown) == "there is not one token, as there should be"


async def test_keys_of_the_token_itself() -> None:
    """A token that brings a key, or says where one is, is not believed."""
    evil = rsa_key("evil")
    for members in (
        {"jwk": jwk(evil)},
        {"jku": "http://127.0.0.1:1/"},
        {"x5u": "http://127.0.0.1:1/"},
        {"x5c": ["MIIB"]},
    ):
        assert await refused(subject(), token(evil, headers={"kid": "one", **members})) == "its signature is wrong"


@pytest.mark.parametrize(
    ("kid", "why"),
    [
        ("two", "no key is known that could have signed it"),
        ("../../dev/null", "no key is known that could have signed it"),
        ("one' OR '1'='1", "no key is known that could have signed it"),
        ("", "no key is known that could have signed it"),
        (1, "its kid is no name"),
        (["one"], "its kid is no name"),
        ({"a": 1}, "its kid is no name"),
    ],
)
async def test_key_names(kid: object, why: str) -> None:
    """A name that no key has, or that is none, is refused; without one any that fits will do."""
    assert await refused(subject(), altered(token(headers={"kid": "one"}), 0, kid=kid)) == why
    assert (await subject()(asked(token()), who)).status == 200


@pytest.mark.parametrize("members", [{"crit": ["exp"]}, {"crit": ["b64"], "b64": True}, {"b64": False}, {"crit": []}])
async def test_extensions(members: dict[str, Any]) -> None:
    """RFC 7515 section 4.1.11: what says that it must be understood is refused, for nothing is."""
    assert "which is not understood" in await refused(subject(), altered(token(headers={"kid": "one"}), 0, **members))


async def test_types() -> None:
    """``typ`` is compared as RFC 7515 section 4.1.9 has it, where it is asked for (RFC 9068 section 4)."""
    one = subject(typ="at+jwt")
    for typ in ("at+jwt", "AT+JWT", "application/at+jwt"):
        assert (await one(asked(token(headers={"typ": typ})), who)).status == 200
    for other in ("JWT", "", "jwt"):
        assert await refused(one, token(headers={"typ": other})) == "it is of another type"
    assert (await subject()(asked(token(headers={"typ": "whatever"})), who)).status == 200


async def test_size() -> None:
    """S-50: over 8 KiB it is not even decoded."""
    with mock.patch.object(Verifier, "peek", side_effect=AssertionError) as peek:
        for shown in (raw({"alg": "RS256"}, {"a": "x" * 7000}), "a." * 5000, "x" * 100_000):
            assert await refused(subject(), shown) == "there is not one token, as there should be"
        assert not peek.called
    assert len(token(headers={"kid": "one"}, x="y" * 5000)) < MAX_TOKEN
    assert (await subject()(asked(token(headers={"kid": "one"}, x="y" * 5000)), who)).status == 200


async def test_time() -> None:
    """Good to the second that ``exp`` and the leeway say, no longer, whether or not it is remembered."""
    good = token(headers={"kid": "one"}, exp=NOW + 60)
    for cached in (0, 10):
        clock = FakeClock()
        one = subject(leeway=5, cached=cached, clock=clock)
        assert (await one(asked(good), who)).status == 200
        clock.advance(64.75)
        assert (await one(asked(good), who)).status == 200
        clock.advance(0.25)
        assert (await refused(one, good)).startswith("it has expired")


async def test_what_is_remembered() -> None:
    """A good token is verified once, a bad one each time; the one that was not shown for longest is forgotten."""
    one = subject(cached=2)
    first, second, third = (token(headers={"kid": "one"}, sub=name) for name in ("a", "b", "c"))
    with mock.patch.object(one._verifier, "verify", wraps=one._verifier.verify) as verify:

        async def times(shown: str) -> int:
            verify.reset_mock()
            await one(asked(shown), who)
            return verify.call_count

        assert [await times(each) for each in (first, first, second, first, third, first, second)] == [
            1,
            0,
            1,
            0,
            1,
            0,
            1,
        ]
        verify.reset_mock()
        for _ in range(2):
            await refused(one, altered(first, 1, sub="x"))
        assert verify.call_count == 2
    await one.stop()
    assert not one._known


async def test_names_and_roles() -> None:
    """From other claims, from within others, from functions; who has no name, or none that could stand in a field, is
    refused."""
    good = token(headers={"kid": "one"}, email="ada@a.test", realm_access={"roles": ["admin", 1, "x"]}, **DOTTED)
    cases: list[tuple[dict[str, Any], str, frozenset[str]]] = [
        ({"name": "email", "roles": "realm_access.roles"}, "ada@a.test", frozenset({"admin", "x"})),
        ({"name": lambda claims: claims["sub"].upper(), "roles": lambda claims: ["one"]}, "ADA", frozenset({"one"})),
        ({"roles": ("https://r",)}, "ada", frozenset({"a", "b"})),
        ({"roles": "none.of.that"}, "ada", frozenset()),
        ({"roles": "sub.x"}, "ada", frozenset()),
    ]
    for options, name, roles in cases:
        request = asked(good)
        await subject(**options)(request, who)
        assert (request[PRINCIPAL].name, request[PRINCIPAL].roles) == (name, roles)
    nobodies: list[object] = ["", " ada", "a\r\nX-Admin: 1", "a\x00", "ad\u00e4", "x" * 256, 7, None, ["ada"], {}]
    for sub in nobodies:
        assert await refused(subject(), token(headers={"kid": "one"}, sub=sub)) == "it names nobody"
    for broken in ({"name": lambda claims: claims["nothing"]}, {"roles": lambda claims: 1 / 0}):
        assert (await refused(subject(**broken), good)).startswith("no principal can be made of its claims")


@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(st.characters(max_codepoint=0x7F), max_size=200).map(str.encode),
        st.lists(
            st.binary(max_size=60).map(lambda part: urlsafe_b64encode(part).rstrip(b"=")), min_size=3, max_size=3
        ).map(b".".join),
    )
)
@example(b"e30.e30.e30")
@example(b"W10.W10.W10")
def test_any_bytes(shown: bytes) -> None:
    """Whatever is shown, nothing but ``Unauthorized`` comes of it."""
    try:
        request = asked(shown.decode("utf-8", "surrogateescape"))
    except ValueError:
        return
    with pytest.raises(Unauthorized):
        subject()(request, who).close()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "x5c", "exp", "nbf", "iat", "iss", "aud", "sub"])


@given(st.dictionaries(_NAMES, _JSON), st.dictionaries(_NAMES, _JSON), st.binary(max_size=80))
def test_any_header(header: dict[str, Any], claims: dict[str, Any], signature: bytes) -> None:
    """Whatever a token that nobody has signed says of itself."""
    one = subject(
        [pem(ec_key()), pem(rsa_key()), pem(ed_key()), SECRET], algorithms=["ES256", "RS256", "EdDSA", "HS256"]
    )
    for alg in (header.get("alg"), "ES256", "RS256", "EdDSA", "HS256"):
        shown = raw({**header, "alg": alg}, claims, signature)
        with pytest.raises(Unauthorized):
            one(asked(shown), who).close()


_TIMES = st.one_of(_JSON, st.integers(NOW - 90, NOW + 90), st.floats(NOW - 90, NOW + 90))


@given(st.fixed_dictionaries({"exp": _TIMES}, optional={"nbf": _TIMES, "iat": _TIMES, "sub": _JSON, "aud": _JSON}))
def test_any_claims(claims: dict[str, Any]) -> None:
    """Whatever an issuer has signed: it passes, or ``Unauthorized`` comes of it; without a good time never."""
    shown = jwt.PyJWS().encode(json.dumps({"sub": "ada", **claims}).encode(), SECRET, "HS256")
    one = subject(SECRET, algorithms=["HS256"], issuer=None, audience=None)
    try:
        one(asked(shown), who).close()
    except Unauthorized:
        return
    assert type(claims["exp"]) in (int, float)
    assert NOW - 30 < claims["exp"] < 2**53
    for name in ("nbf", "iat"):
        assert claims.get(name, 0) <= NOW + 30


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"algorithms": []}, "algorithms must be names"),
        ({"algorithms": "RS256"}, "algorithms must be names"),
        ({"algorithms": ["none"]}, "algorithms: 'none' is none of"),
        ({"algorithms": ["HS256"]}, "algorithms: no key is for 'HS256'"),
        ({"keys": {"a": pem(rsa_key()), "b": SECRET}}, "keys: <VerifyingKey 'b' .*> is for none of the algorithms"),
        ({"keys": [b"short"], "algorithms": ["HS256"]}, "keys: key 1 of 1: a secret of 5 bytes"),
        ({"keys": [SECRET[:32]], "algorithms": ["HS512"]}, "algorithms: no key is for 'HS512'"),
        ({"issuer": ""}, "issuer must be a name"),
        ({"audience": []}, "audience must be a name"),
        ({"leeway": -1}, "leeway must be at least 0"),
        ({"required": "exp"}, "required must be names of claims"),
        ({"header": "a b"}, "header: 'a b' is not a token"),
        ({"cookie": "a;b"}, "cookie: 'a;b' is not a token"),
        ({"scheme": "a b"}, "scheme: 'a b' is not a token"),
        ({"name": ""}, "name: '' is no path"),
        ({"roles": "a..b"}, r"roles: 'a..b' is no path"),
        ({"cached": -1}, "cached must be a whole number"),
        ({"field": "a b"}, "field: 'a b' is not a field name"),
        ({"field": "authorization"}, "field: 'authorization' is what credentials are shown in"),
        ({"field": "X-T", "header": "x-t", "forward": True}, "field: 'X-T' is what credentials are shown in"),
    ],
)
def test_nonsense(options: dict[str, Any], says: str) -> None:
    """It says which parameter is wrong."""
    with pytest.raises(ValueError, match=says):
        subject(**options)


def test_issuer_and_audience_are_asked_for() -> None:
    """Whether they are checked is not left to a default."""
    for missing in ("issuer", "audience", "algorithms"):
        options = {"issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["RS256"]}
        del options[missing]
        with pytest.raises(TypeError, match=missing):
            Jwt(pem(rsa_key()), **options)  # type: ignore[arg-type]


def test_without_the_extra() -> None:
    """It says what to install."""
    real = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name == "jwt":
            raise ImportError(name)
        return real(name, *rest)

    with (
        mock.patch.object(builtins, "__import__", absent),
        pytest.raises(ImportError, match=r"aiohttp-revproxy\[jwt\]"),
    ):
        subject()


def test_what_is_printed() -> None:
    """Nothing of a secret."""
    text = repr(subject({"a": SECRET}, algorithms=["HS256"]))
    assert text == "<Jwt HS256 <KeySet of 1> cached=0>"


def test_conditions() -> None:
    """It provides what conditions on principals and claims require."""
    reads = when_key(CLAIMS, lambda claims: claims.get("tier") == "gold")
    assert not missing_keys([subject(), Authorize(reads)], who)
    assert missing_keys([Authorize(reads)], who) == {CLAIMS}


async def test_over_the_wire(caplog: pytest.LogCaptureFixture) -> None:
    """S-20, S-23, S-24: the server is told of the principal and nothing that the client says of himself, in whatever
    case or spelling, twice, or nominated by ``Connection``; the client is not told what is wrong, and the log has
    nothing of the token."""
    caplog.set_level(logging.INFO, "revproxy.error")
    good = token(headers={"kid": "one"})
    lies = b"X-User: root\r\nx-USER: root\r\nX_User: root\r\nX.User: root\r\nConnection: X-User, Authorization\r\n"
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), filters=[subject(field="X-User", optional=True)])
        async with serving(proxy) as site:
            head = b"GET / HTTP/1.1\r\nHost: a\r\n" + lies
            for line, status in (
                (b"Authorization: Bearer " + good.encode(), 200),
                (b"X-A: 1", 200),
                (b"Authorization: Bearer " + altered(good, 1, sub="root").encode(), 401),
            ):
                answer = await site.ask(head + line + b"\r\n\r\n")
                assert answer.status == status
                if status == 401:
                    assert answer.getall(b"WWW-Authenticate") == [b'Bearer error="invalid_token"']
                    assert b"signature" not in answer.raw_head + answer.body
        named, nameless = server.requests
    assert named.getall("X-User") == ["ada"]
    assert nameless.getall("X-User") == []
    for request in (named, nameless):
        assert b"root" not in request.raw_head
        assert b"Bearer" not in request.raw_head
    (record,) = (each for each in caplog.records if "Unauthorized" in each.getMessage())
    assert "its signature is wrong" in record.getMessage()
    assert good[20:60] not in caplog.text


def test_digests_only() -> None:
    """What is remembered of a token is its SHA-256."""
    one = subject()
    good = token(headers={"kid": "one"})
    one(asked(good), who).close()
    assert list(one._known) == [hashlib.sha256(good.encode()).digest()]
    assert issubclass(Unauthorized, ProxyError)
