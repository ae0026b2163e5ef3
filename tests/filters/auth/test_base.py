"""What ways to prove who asks have in common: no client says who he is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from revproxy import Exchange, Filter, Pipeline, ProxyHandler, Response, Rule, Rules, Upstream, when
from revproxy.errors import Unauthorized
from revproxy.facts import Principal
from revproxy.filters import FailOpen, Signed
from revproxy.filters.auth import ApiKey, BasicAuth, digest_of, hash_of, new_key
from revproxy.filters.auth.base import is_name, roles_of
from revproxy.identity import PRINCIPAL
from revproxy.signatures import verify
from revproxy.testing import FakeUpstream, exchange

from ...e2e.wire import serving

KEY, SECRET = new_key(), b"s" * 32
KEYS = {"robot": digest_of(KEY)}
LIES = (
    b"X-User: root\r\nx-uSER: root\r\nX_User: root\r\nX.User: root\r\nx_user: root\r\n"
    b"Connection: X-User, keep-alive\r\n"
)


async def test_on_every_route() -> None:
    """S-20, S-23, S-24: what clients say in the field is gone on every route, in every case and spelling, twice or
    nominated by ``Connection``: where they have to show something and do, where they need not, and where nobody asks
    them; what the filter says there goes on."""
    async with FakeUpstream() as server:
        site = Upstream(server.url)
        rules = Rules(
            Rule(when.path("/private"), Pipeline(ApiKey(KEYS, field="X-User"), handler=site)),
            Rule(when.path("/both"), Pipeline(ApiKey(KEYS, field="X-User", optional=True), handler=site)),
            Rule(when.anything, site),
        )
        async with serving(ProxyHandler(rules)) as proxy:
            for path, key, status in (
                (b"/private", KEY, 200),
                (b"/private", "", 401),
                (b"/private", "wrong", 401),
                (b"/both", KEY, 200),
                (b"/both", "", 200),
                (b"/public", KEY, 200),
                (b"/public", "", 200),
            ):
                shown = f"X-Api-Key: {key}\r\n".encode() if key else b""
                answer = await proxy.ask(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n" + LIES + shown + b"\r\n")
                assert answer.status == status
        assert [request.getall("X-User") for request in server.requests] == [["robot"], ["robot"], [], [], []]
        assert not [request for request in server.requests if b"root" in request.raw_head]


async def test_where_the_filter_breaks() -> None:
    """S-24: where a filter that should have found out breaks nothing goes on; that it may is not taken."""

    class Broken(ApiKey):
        def admit(self, exchange: Exchange, principal: Principal | None, *, shown: bool, why: str = "") -> None:
            raise ZeroDivisionError

    async with FakeUpstream() as server:
        broken = Broken(KEYS, field="X-User")
        async with serving(ProxyHandler(Upstream(server.url), filters=[broken])) as site:
            assert (await site.ask(b"GET / HTTP/1.1\r\nHost: a\r\n" + LIES + b"\r\n")).status == 500
        assert server.requests == []
    with pytest.raises(ValueError, match="guards"):
        FailOpen(broken)


async def test_where_the_composition_is_replaced() -> None:
    """S-24: a field is reserved from the request on that finds the filter."""
    async with FakeUpstream() as server:
        site = Upstream(server.url)
        proxy = ProxyHandler(site)
        async with serving(proxy) as listening:
            ask = b"GET / HTTP/1.1\r\nHost: a\r\nX-User: root\r\n\r\n"
            await listening.ask(ask)
            await proxy.replace(site, filters=[ApiKey(KEYS, optional=True, field="X-User")])
            await listening.ask(ask)
            await proxy.replace(site, filters=[])
            await listening.ask(ask)
            await proxy.retired()
        assert [request.getall("X-User") for request in server.requests] == [["root"], [], ["root"]]


async def test_signed() -> None:
    """S-24: what is passed on is signed, and a server can tell it from what comes around the proxy."""
    async with FakeUpstream() as server:
        filters: list[Filter] = [ApiKey(KEYS, field="X-User"), Signed(SECRET, fields=["X-User"])]
        async with serving(ProxyHandler(Upstream(server.url), filters=filters)) as site:
            shown = f"X-Api-Key: {KEY}\r\n".encode()
            await site.ask(b"GET /a?b HTTP/1.1\r\nHost: a\r\n" + LIES + shown + b"\r\n")
        (request,) = server.requests
        created = int(request.getall("Signature-Input")[0].partition("created=")[2].partition(";")[0])
        said = verify(request.method, request.target, request.headers, {"proxy": SECRET}, now=created)
        assert said.fields == {"x-user": "robot"}


async def test_several_ways() -> None:
    """Of two filters that need not find anybody, the inner one leaves what the outer one has found, also in the
    field."""

    async def who(exchange: Exchange) -> Response:
        found = exchange.get(PRINCIPAL)
        return Response(200, {"X-Who": f"{found} {exchange.request.headers.getall('X-User', [])}"})

    ways = (
        ApiKey(KEYS, optional=True, field="X-User"),
        BasicAuth({"ada": hash_of("lovelace")}, optional=True, field="X-User"),
    )
    for filters in (ways, tuple(reversed(ways))):
        site = Pipeline(*filters, handler=who)
        for headers, said in (
            ({"X-Api-Key": KEY, "X-User": "root"}, "robot (api-key) ['robot']"),
            ({"Authorization": "Basic YWRhOmxvdmVsYWNl", "X-User": "root"}, "ada (basic) ['ada']"),
            ({"X-User": "root"}, "None []"),
        ):
            assert (await site(exchange(headers=headers))).headers["X-Who"] == said
        with pytest.raises(Unauthorized):
            await site(exchange(headers={"Authorization": "Basic YWRhOmxvdmVsYWNl", "X-Api-Key": "wrong"}))


def test_fields() -> None:
    """The field is reserved. What frames a request cannot be one."""
    assert ApiKey(KEYS, field="X-User").reserves == {"X-User"}
    assert ApiKey(KEYS).reserves == frozenset()
    with pytest.raises(ValueError, match="reserved must be names of fields"):
        ProxyHandler(Upstream("http://a"), filters=[ApiKey(KEYS, field="Host")])


@pytest.mark.parametrize(
    ("name", "good"),
    [
        *(("ada", True), ("ada@a.test", True), ("Ada Lovelace", True), ("x" * 255, True)),
        *(("", False), (" ada", False), ("a\r\nb", False), ("a\x7f", False), ("\u00e4", False), ("x" * 256, False)),
    ],
)
def test_names(name: str, good: bool) -> None:
    """S-26: a principal's name can stand in a field."""
    assert is_name(name) is good


@pytest.mark.parametrize("field", ["X_User", "X.User", "X User", "", "X-Us\xe9r"])
def test_a_field_that_could_be_taken_for_another(field: str) -> None:
    """S-23: a server may read ``X_User`` as ``X-User``, and cannot be told of it in a way that no client can forge."""
    with pytest.raises(ValueError, match="is not a field name of letters, digits and dashes"):
        ApiKey(KEYS, field=field)


@pytest.mark.parametrize(
    "make",
    [
        lambda field: ApiKey(KEYS, header="X-Key", field=field),
        lambda field: ApiKey(KEYS, header="X-Key", scheme="Bearer", optional=True, field=field),
    ],
)
@pytest.mark.parametrize("field", ["X-Key", "x-kEY"])
def test_one_field_for_both(make: Callable[[str], object], field: str) -> None:
    """What credentials are shown in is not passed on, and so can tell nothing."""
    with pytest.raises(ValueError, match="is what credentials are shown in, and is not passed on"):
        make(field)


def test_roles_that_are_one_string() -> None:
    """They would be its letters."""
    with pytest.raises(TypeError, match="roles: those of 'robot' must be several strings, got one: 'admin'"):
        ApiKey(KEYS, roles={"robot": "admin"})
    assert roles_of("robot", ["admin", "admin"]) == {"admin"}
