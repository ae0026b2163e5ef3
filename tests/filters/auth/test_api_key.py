"""Keys: who shows the right one is let in, and nothing of it goes on."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Exchange, ProxyHandler, Response, Rule, Rules, respond, when
from revproxy.errors import Unauthorized
from revproxy.filters.auth import ApiKey, Authorize, digest_of, new_key
from revproxy.identity import PRINCIPAL
from revproxy.testing import exchange

KEY, OTHER = new_key(), new_key()
KEYS = {"robot": digest_of(KEY), "other": digest_of(OTHER)}


async def who(exchange: Exchange) -> Response:
    principal = exchange.get(PRINCIPAL)
    sent = exchange.request.headers
    return Response(200, {"X-Who": str(principal), "X-Sent": f"{sent.get('X-Api-Key')} {sent.get('X-User')}"})


async def said(subject: ApiKey, headers: Mapping[str, str] | list[tuple[str, str]]) -> tuple[str, str]:
    response = await subject(exchange(headers=headers), who)
    return response.headers["X-Who"], response.headers["X-Sent"]


async def test_who_it_is() -> None:
    """The principal is on the exchange and in the field; the key is not passed on, nor what the client says he is."""
    subject = ApiKey(KEYS, field="X-User")
    assert await said(subject, {"X-Api-Key": KEY, "X-User": "admin"}) == ("robot (api-key)", "None robot")
    assert await said(subject, {"X-Api-Key": OTHER}) == ("other (api-key)", "None other")


@pytest.mark.parametrize(
    "shown", [[], [("X-Api-Key", "x")], [("X-Api-Key", KEY), ("X-Api-Key", KEY)], [("X-Api-Key", "")]]
)
async def test_refused(shown: list[tuple[str, str]]) -> None:
    """S-24: none, a wrong one, or two are 401, and it is said how to come in; nothing of the key is in the error."""
    with pytest.raises(Unauthorized) as raised:
        await ApiKey(KEYS)(exchange(headers=shown), who)
    assert raised.value.fields == {"WWW-Authenticate": "ApiKey"}
    assert KEY not in str(raised.value)


async def test_optional() -> None:
    """Who shows nothing is nobody, and what he says he is is dropped; who shows what is wrong is refused."""
    subject = ApiKey(KEYS, optional=True, field="X-User")
    assert await said(subject, {"X-User": "admin"}) == ("None", "None None")
    with pytest.raises(Unauthorized):
        await said(subject, {"X-Api-Key": "wrong"})


async def test_a_scheme() -> None:
    """As ``Authorization: Bearer`` has it."""
    subject = ApiKey(KEYS, header="Authorization", scheme="Bearer")
    assert (await said(subject, {"Authorization": f"bearer {KEY}"}))[0] == "robot (api-key)"
    for wrong in (KEY, f"Basic {KEY}", "Bearer"):
        with pytest.raises(Unauthorized):
            await said(subject, {"Authorization": wrong})


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=60))
def test_nothing_else_will_do(text: str) -> None:
    """Whatever is shown that is no key is refused, and nothing breaks."""
    try:
        asked = exchange(headers={"X-Api-Key": text})
    except ValueError:
        return
    with pytest.raises(Unauthorized):
        ApiKey(KEYS)(asked, who).close()


async def test_who_may() -> None:
    """Roles, and a table that asks for the principal: without a filter that provides him it is refused."""
    subject = ApiKey(KEYS, roles={"robot": ["read"]})
    reads = when.key(PRINCIPAL, lambda principal: "read" in principal.roles)
    rules = Rules(Rule(reads, respond(200)), Rule(when.anything, respond(403)))
    ProxyHandler(rules, filters=[subject])
    ProxyHandler(respond(200), filters=[subject, Authorize(reads)])
    with pytest.raises(ValueError, match="principal"):
        ProxyHandler(rules)
    with pytest.raises(ValueError, match="principal"):
        ProxyHandler(respond(200), filters=[Authorize(reads), subject])
    for key, status in ((KEY, 200), (OTHER, 403)):
        assert (await subject(exchange(headers={"X-Api-Key": key}), rules)).status == status


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"keys": {}}, "keys must not be empty"),
        ({"keys": {"a": KEY}}, "keys: that of 'a' is no digest"),
        ({"keys": {"a": digest_of(KEY), "b": digest_of(KEY)}}, "keys: two names have the same key"),
        ({"keys": {"a\nb": digest_of(KEY)}}, "is no name for a principal"),
        ({"header": "X Key"}, "header: 'X Key' is not a field name"),
        ({"scheme": "a b"}, "scheme: 'a b' is not a scheme"),
        ({"field": ""}, "field: '' is not a field name"),
        ({"roles": {"nobody": ["x"]}}, "roles: 'nobody' is nobody"),
    ],
)
def test_nonsense(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ApiKey(**{"keys": KEYS, **options})  # type: ignore[arg-type]


def test_keys() -> None:
    """Made by chance, and not told by what is printed; short ones are refused."""
    assert len({new_key() for _ in range(100)}) == 100
    assert len(KEY) == 43
    assert KEY not in repr(ApiKey(KEYS))
    with pytest.raises(ValueError, match="fewer than 16"):
        digest_of("secret")
