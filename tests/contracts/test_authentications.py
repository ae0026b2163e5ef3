"""What every way to prove who asks keeps to. A new one is one more ``Way`` in the list."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from revproxy import Exchange, Pipeline, Response, Rule, Rules, when
from revproxy.errors import Forbidden, Origin, Unauthorized
from revproxy.filters import Retry
from revproxy.filters.auth import (
    ApiKey,
    Authorize,
    BasicAuth,
    ClientCertificate,
    Jwt,
    digest_of,
    hash_of,
)
from revproxy.filters.auth.certificate import field_of
from revproxy.handler import running
from revproxy.identity import PRINCIPAL
from revproxy.rules import respond
from revproxy.testing import FakeClock, exchange
from revproxy.trust import TrustedProxies

from ..filters.auth.test_client_certificate import certificate
from ..filters.auth.tokens import AUDIENCE, ISSUER, pem, rsa_key, token

KEY = "a key that nobody could guess"


@dataclass(frozen=True)
class Way:
    """``make``: the filter, with ``options``, that takes ``ada``. ``good``, ``wrong``: fields that show her
    credentials, and others; ``secret``: what must be told to nobody; ``status``: that of a refusal."""

    make: Callable[..., Any]
    good: Mapping[str, str]
    wrong: Mapping[str, str]
    secret: str
    status: int = 401


def _basic(password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'ada:{password}'.encode()).decode()}"}


_HASH = hash_of("lovelace")
_GOOD = token(headers={"kid": "one"})
WAYS = {
    "api-key": Way(
        lambda **more: ApiKey({"ada": digest_of(KEY)}, **more), {"X-Api-Key": KEY}, {"X-Api-Key": KEY[1:]}, KEY[1:]
    ),
    "basic": Way(lambda **more: BasicAuth({"ada": _HASH}, **more), _basic("lovelace"), _basic("byron of"), "byron of"),
    "jwt": Way(
        lambda **more: Jwt(
            {"one": pem(rsa_key())}, algorithms=["RS256"], issuer=ISSUER, audience=AUDIENCE, clock=FakeClock(), **more
        ),
        {"Authorization": f"Bearer {_GOOD}"},
        {"Authorization": f"Bearer {_GOOD[:-8]}AAAAAAAA"},
        _GOOD[-40:-8],
    ),
    "certificate": Way(
        lambda **more: ClientCertificate(
            trusted=TrustedProxies("192.0.2.1"), subjects=["CN=ada"], clock=FakeClock(), **more
        ),
        {"Client-Cert": field_of(certificate(subject="CN=ada"))},
        {"Client-Cert": field_of(certificate(subject="CN=eve"))},
        field_of(certificate(subject="CN=eve"))[-40:],
        403,
    ),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return WAYS[request.param]


async def who(exchange: Exchange) -> Response:
    sent = exchange.request.headers
    said = {"X-Who": str(exchange.get(PRINCIPAL)), "X-User": str(sent.getall("X-User", []))}
    return Response(200, said, reason="\n".join(sent.values()))


async def test_who_it_is(way: Way) -> None:
    """S-24: the principal is on the exchange, and in the field instead of whoever the client says he is; what has
    proved it does not go on. The same the second time."""
    subject = way.make(field="X-User")
    async with running(subject):
        for _ in range(2):
            asked = exchange(headers={**way.good, "X-User": "root", "x-user": "root"})
            answer = await subject(asked, who)
            assert asked[PRINCIPAL].name == "ada"
            assert answer.headers["X-User"] == "['ada']"
            for value in way.good.values():
                assert value not in (answer.reason or "")


@pytest.mark.parametrize("optional", [False, True])
async def test_what_is_wrong(way: Way, optional: bool) -> None:
    """S-24: is refused, also where nothing need be shown, and nothing of it is in the error, nor is it the server's
    fault; so is what is right twice over."""
    subject = way.make(field="X-User", optional=optional)
    async with running(subject):
        for headers in ([*way.wrong.items()], [*way.good.items()] * 2, [*way.good.items(), *way.wrong.items()]):
            with pytest.raises((Unauthorized, Forbidden)) as raised:
                await subject(exchange(headers=headers), who)
            error = raised.value
            assert (error.status, error.origin) == (way.status, Origin.CLIENT)
            assert way.secret not in f"{error} {error!r} {error.fields} {error.title}"
            assert ("WWW-Authenticate" in error.fields) is (way.status == 401)


async def test_nothing(way: Way) -> None:
    """Is refused, or nobody: then the client's own word for it is gone."""
    with pytest.raises((Unauthorized, Forbidden)) as raised:
        await way.make()(exchange(), who)
    assert raised.value.status == way.status
    asked = exchange(headers={"X-User": "root"})
    answer = await way.make(field="X-User", optional=True)(asked, who)
    assert (answer.headers["X-Who"], answer.headers["X-User"]) == ("None", "[]")
    assert PRINCIPAL not in asked


async def test_who_does_not_pass_is_in_the_log(way: Way, caplog: pytest.LogCaptureFixture) -> None:
    """S-62, S-72: one line in the security log, a warning for what is wrong and a notice for nothing, no secret."""
    caplog.set_level(logging.INFO, "revproxy.security")
    subject = way.make()
    for headers in (way.wrong, {}):
        with pytest.raises((Unauthorized, Forbidden)):
            await subject(exchange(headers=headers), who)
    noted = [record for record in caplog.records if record.name == "revproxy.security"]
    assert [record.levelno for record in noted] == [logging.WARNING, logging.INFO]
    assert [record.__dict__["action"] for record in noted] == [f"block {way.status}"] * 2
    assert not any(way.secret in record.getMessage() for record in noted)


def test_what_it_tells_of_itself(way: Way) -> None:
    """It guards, so that nothing that shortcuts stands around it; it provides what conditions need; it reserves its
    field; and it prints nothing of what it knows."""
    subject: Any = way.make(field="X-User")
    assert subject.guards
    assert PRINCIPAL in subject.provides
    assert "X-User" in subject.reserves
    with pytest.raises(ValueError, match="must not stand around"):
        Pipeline(Retry(attempts=2), subject, handler=respond(200))
    ada = when.key(PRINCIPAL, lambda principal: principal.name == "ada")
    Pipeline(subject, Authorize(ada), handler=Rules(Rule(ada, respond(200))))
    for said in (KEY, _HASH, "BEGIN"):
        assert said not in repr(subject)


def test_bad_fields(way: Way) -> None:
    """A field that is none is a mistake, and named."""
    with pytest.raises(ValueError, match="field: 'a b' is not a field name"):
        way.make(field="a b")
