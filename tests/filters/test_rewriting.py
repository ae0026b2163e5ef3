"""What the filters that rewrite targets have in common."""

from __future__ import annotations

import pytest

from revproxy import Pipeline, ProxyHandler, Response, Rule, Rules, Upstream, block, when
from revproxy.errors import BadRequest, ConnectFailed, NoRoute
from revproxy.exchange import Attempt
from revproxy.filters import AddPrefix, PathRewrite, PathTemplate, SetHost, StripPrefix
from revproxy.filters.rewriting import Otherwise, Rewriting, check
from revproxy.message import Move
from revproxy.routing import Failover
from revproxy.testing import FakeTransport, exchange

from ..e2e.wire import serving
from .rewritten import answer

FILTERS = [
    StripPrefix("/api"),
    AddPrefix("/v2"),
    PathRewrite("/api/(.*)", r"/v2/\1", otherwise="refuse"),
    PathTemplate("/api/{rest...}", "/v2/{rest...}", otherwise="refuse"),
]
SENT = ["/x?a", "/v2/api/x?a", "/v2/x?a", "/v2/x?a"]


@pytest.mark.parametrize(("filter", "sent"), list(zip(FILTERS, SENT, strict=True)))
async def test_only_the_draft(filter: Rewriting, sent: str) -> None:
    """F-37: the draft has another target; what the client sent, and what rules read, stays what it is."""
    asked = exchange("GET", "/api/x?a")
    assert (await filter(asked, answer)).status == 200
    assert asked.request.target == sent
    inbound = asked.inbound
    assert (inbound.target, inbound.path, inbound.query_string) == ("/api/x?a", "/api/x", "a")


MOVES = [("/api", ""), ("", "/v2"), ("/api", "/v2"), ("/api", "/v2")]


@pytest.mark.parametrize(("filter", "move"), list(zip(FILTERS, MOVES, strict=True)))
async def test_what_is_told_of_it(filter: Rewriting, move: Move) -> None:
    """F-105: the draft says what was taken off in front of its path, and put there, so that it can be undone."""
    asked = exchange("GET", "/api/x?a")
    before: tuple[Move | None, ...] = (("/mounted", ""),)
    asked.request.moves = before
    await filter(asked, answer)
    assert asked.request.moves == (*before, move)


@pytest.mark.parametrize(
    "filter",
    [
        PathRewrite("/api/([^/]+)", r"/by/\1"),
        PathRewrite("/api/(.*)", r"/v2/\1/x"),
        PathRewrite("/api/(.*)", r"/v2\1"),
        PathRewrite("/api/(.*)", r"/v2?q=\1"),
        PathRewrite("/ap./(.*)", r"/v2/\1"),
        PathTemplate("/api/{id}", "/v2/{id}"),
        PathTemplate("/{version}/{rest...}", "/{version}/v2/{rest...}"),
        PathTemplate("/api/{rest...}", "/v2/{rest...}?a=b"),
    ],
    ids=repr,
)
async def test_what_cannot_be_undone(filter: Rewriting) -> None:
    """F-105: of a rewriting that is not one of the beginning of a path, for all paths alike, nothing is told."""
    asked = exchange("GET", "/api/x")
    await filter(asked, answer)
    assert asked.request.target != "/api/x"
    assert asked.request.moves == (None,)


@pytest.mark.parametrize("filter", FILTERS)
async def test_an_asterisk_passes(filter: Rewriting) -> None:
    """F-10: ``OPTIONS *`` has no path: it passes, also where others are refused."""
    asked = exchange("OPTIONS", "*")
    await filter(asked, answer)
    assert asked.request.target == "*"


@pytest.mark.parametrize("filter", FILTERS)
async def test_what_is_no_path(filter: Rewriting) -> None:
    """What a filter of somebody's has made of the target is left alone, or refused, if it is no path."""
    asked = exchange("GET", "/")
    asked.request.target = "http://evil.test/api/x"
    if filter.otherwise == "refuse":
        with pytest.raises(NoRoute):
            await filter(asked, answer)
    else:
        await filter(asked, answer)
    assert asked.request.target == "http://evil.test/api/x"


@pytest.mark.parametrize("filter", FILTERS[2:])
async def test_what_another_filter_made(filter: Rewriting) -> None:
    """Law 9: what a filter further out has done to the target is read, too, if it is captured."""
    for target in ("/api/../x", "/api/a\\b", "/api/a\r\nX: y", "/api/%00", "/api/x#y", "/api/%zz"):
        asked = exchange("GET", "/")
        asked.request.target = target
        with pytest.raises(BadRequest):
            await filter(asked, answer)


async def test_they_read_the_draft() -> None:
    """One after the other, each of them finds what those outside of it have left."""
    asked = exchange("GET", "/shop/api/users/7?x")
    filters = [
        StripPrefix("/shop"),
        PathTemplate("/api/users/{id}", "/u/{id}"),
        PathRewrite("/u/(.*)", r"/person/\1"),
        AddPrefix("/v2"),
        AddPrefix("/base"),
    ]
    await Pipeline(*filters, handler=answer)(asked)
    assert asked.request.target == "/base/v2/person/7?x"


async def test_failover() -> None:
    """Each of several handlers rewrites what came, not what the one before it has made of it."""
    sent: list[tuple[str, str | None]] = []

    def upstream(name: str, *, fails: bool) -> Upstream:
        def send(attempt: object) -> Response | Exception:
            request = attempt.request  # type: ignore[attr-defined]
            sent.append((request.target, request.headers.get("Host")))
            return ConnectFailed("down") if fails else Response(200)

        return Upstream(f"http://{name}", transport=FakeTransport(send))

    asked = exchange("GET", "/api/api/x")
    await Failover(
        Pipeline(SetHost("old.test"), StripPrefix("/api"), AddPrefix("/v1"), handler=upstream("a", fails=True)),
        Pipeline(StripPrefix("/api"), handler=upstream("b", fails=True)),
        Pipeline(PathRewrite("/api/(.*)", r"/v2/\1"), handler=upstream("c", fails=False)),
    )(asked)
    assert sent == [("/v1/api/x", "old.test"), ("/api/x", None), ("/v2/api/x", None)]
    assert asked.request.target == "/v2/api/x"


@pytest.mark.parametrize("filter", FILTERS)
async def test_who_decides_by_the_path(filter: Rewriting) -> None:
    """S-36, S-37: what decides by the path says so; then targets with two readings are refused at the edge."""
    upstream = Upstream("http://a.test", transport=FakeTransport())
    table = Rules(Rule(when.method("GET"), Pipeline(filter, handler=upstream)), Rule(when.anything, block(405)))
    async with serving(ProxyHandler(table)) as site:
        answer = await site.ask(b"GET /api/a%2Fb HTTP/1.1\r\nHost: a.test\r\n\r\n")
    assert answer.status == (200 if isinstance(filter, AddPrefix) else 400)


@pytest.mark.parametrize("again", ["failure", "answer"])
async def test_each_lane_rewrites_what_came(again: str) -> None:
    """Whether a lane failed or answered, the next one finds the draft as it came; attempts tell what was sent."""

    def send(attempt: Attempt) -> Response | Exception:
        if attempt.endpoint.name == "http://b.test":
            return Response(200)
        return ConnectFailed("down") if again == "failure" else Response(503)

    def lane(server: str, prefix: str) -> Pipeline:
        return Pipeline(
            AddPrefix(prefix), SetHost(server), handler=Upstream(f"http://{server}", transport=FakeTransport(send))
        )

    asked = exchange("GET", "/x")
    assert (await Failover(lane("a.test", "/v1"), lane("b.test", "/v2"), statuses=[503])(asked)).status == 200
    sent = [(attempt.request.target, attempt.request.headers["Host"]) for attempt in asked.attempts]
    assert sent == [("/v1/x", "a.test"), ("/v2/x", "b.test")]
    assert asked.request is asked.attempts[-1].request


class Careless(Rewriting):
    def rewrite(self, target: str) -> str:
        return "//evil.test/.."


async def test_a_subclass_cannot_forget() -> None:
    """What one of somebody's own returns is read as well."""
    asked = exchange("GET", "/x")
    with pytest.raises(BadRequest, match="dot segment"):
        await Careless("pass")(asked, answer)


@pytest.mark.parametrize("otherwise", ["", "drop", None, True])
def test_otherwise(otherwise: Otherwise) -> None:
    """``otherwise`` is one of two words, wherever it is a parameter."""
    for make in (
        lambda: StripPrefix("/a", otherwise=otherwise),
        lambda: PathRewrite("/a", "/b", otherwise=otherwise),
        lambda: PathTemplate("/a", "/b", otherwise=otherwise),
    ):
        with pytest.raises(ValueError, match=f"otherwise must be 'pass' or 'refuse', got {otherwise!r}"):
            make()


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("/a", "/a/b?c", None),
        ("/a%2fb", "/%2F", None),
        ("/a//b", "/c//", None),
        ("//a", "//b", None),
        ("/a", "a", "no slash"),
        ("/a", "", "no slash"),
        ("/a", "*", "no slash"),
        ("/a", "?b", "no slash"),
        ("/a?b//%2F", "/%2f", "encoded slash"),
        ("/a?b//%2F", "/b//", "empty segment"),
        ("/a//b", "//b", "two slashes"),
        ("/a", "/..", "dot segment"),
        ("/a", "/b?c\r\n", "control character"),
    ],
)
def test_check(before: str, after: str, why: str | None) -> None:
    """S-26, S-35, S-36, S-37: what came may come again; what did not is refused."""
    if why is None:
        check(before, after)
    else:
        with pytest.raises(BadRequest, match=why):
            check(before, after)
