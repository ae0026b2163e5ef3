"""Conditions on paths that capture, and what becomes of what they capture."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from revproxy import when
from revproxy.balancers import keys
from revproxy.errors import BadRequest, NoRoute
from revproxy.exchange import Exchange, Hooks
from revproxy.filters import RateLimit
from revproxy.handler import Pipeline
from revproxy.limiters import Gcra
from revproxy.message import Response
from revproxy.path_values import PATH_VALUES, PathValue
from revproxy.rules import Rule, Rules, respond
from revproxy.testing import FakeClock
from revproxy.testing.exchange import exchange
from revproxy.when import When

USER = when.path_template("/users/{id:int}")
FILE = when.path_template("/users/{user}/files/{name...}")
USER_OF_TENANT = when.path_regex(".*/users/(?P<id>[0-9]+)")
TENANT = when.path_regex(r"/(?P<tenant>[a-z]+)/v(?P<version>[12])(?:/.*)?")


def captured(condition: When, target: str) -> Mapping[str, PathValue]:
    subject = exchange(target=target)
    assert condition(subject)
    assert condition.captures is not None
    return condition.captures(subject)


async def values_of(table: Rules, target: str, method: str = "GET") -> Mapping[str, PathValue] | None:
    """What is on the exchange when a table has answered, or has not."""
    subject = exchange(method, target)
    try:
        await table(subject)
    except NoRoute:
        pass
    return subject.get(PATH_VALUES)


async def site(subject: Exchange) -> Response:
    return Response(200)


@pytest.mark.parametrize(
    ("target", "holds"),
    [
        *(("/users/7", True), ("/users/7/", True), ("/%75sers/%37", True), ("/users/007?x", True)),
        *(("/users/x", False), ("/users", False), ("/users/7/8", False), ("/Users/7", False), ("/users//7", False)),
        *(("/users/7.", False), ("/users/7%20", False), ("/users/7;x", False), ("/users/7%2F", False)),
    ],
)
def test_path_template(target: str, holds: bool) -> None:
    """S-39: a template holds for its form alone, segment by segment, in canonical form."""
    assert USER(exchange(target=target)) is holds
    assert USER.reads_path


def test_templates_capture_values_of_their_kinds() -> None:
    """Values are typed: a number, a UUID, text that is decoded, a path that is left as it is."""
    text = "0123abcd-4567-89ab-cdef-000000000000"
    assert captured(USER, "/users/007") == {"id": 7}
    assert captured(when.path_template("/{id:uuid}"), f"/{text}") == {"id": UUID(text)}
    assert captured(FILE, "/users/caf%c3%a9/files/a/%7e") == {"user": "café", "name": "a/~"}
    assert when.path_template("/a/b").captures is None


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (r"/v[12]/.*", ["/v1/", "/v2/x/y", "/%761/"], ["/v3/", "/v1", "/x/v1/", "/V1/"]),
        (re.compile("/admin(/.*)?", re.IGNORECASE), ["/ADMIN", "/admin/x"], ["/administrator", "/x/admin"]),
        (r"/a\.b", ["/a.b"], ["/axb", "/a.b/"]),
        (r"/caf%C3%A9", ["/café", "/caf%c3%a9"], ["/cafe"]),
        (r"/.*;.*", ["/a;b"], ["/a"]),
    ],
)
def test_path_regex(pattern: str | re.Pattern[str], yes: list[str], no: list[str]) -> None:
    """S-39: a regular expression must match the whole canonical path, without the query."""
    condition = when.path_regex(pattern)
    assert [path for path in yes if not condition(exchange(target=path))] == []
    assert [path for path in no if condition(exchange(target=path))] == []
    assert not condition(exchange(target="/?/v1/admin"))
    assert condition.reads_path


def test_groups_of_a_regex_are_captured() -> None:
    """Named groups are values, as they stand in the canonical path; those that took no part, and others, are none."""
    assert captured(TENANT, "/acme/v2/x") == {"tenant": "acme", "version": "2"}
    either = when.path_regex(r"/(?:(?P<a>a)|(?P<b>b[^/]*))(x)?")
    assert captured(either, "/b%c3%a9") == {"b": "b%C3%A9"}
    assert when.path_regex("/(a)").captures is None


@pytest.mark.parametrize("pattern", ["/(a+)+b", "(/.*)+", "/(.*)/(.*)/x", "/.*a.*b", r"/(.*)\1"])
def test_costly_patterns(pattern: str) -> None:
    """S-53: what takes more than linear time is refused unless it is asked for; a path that is too long for it is a
    400, if it begins as the pattern does."""
    with pytest.raises(ValueError, match=rf"pattern: {re.escape(repr(pattern))} has .* \(costly=True\)"):
        when.path_regex(pattern)
    condition = when.path_regex(pattern, costly=True, limit=8)
    condition(exchange(target="/1234567"))
    with pytest.raises(BadRequest, match="a path of 9 characters, of which at most 8 are matched"):
        condition(exchange(target="/a/345678"))
    assert repr(condition) == f"when.path_regex({pattern!r}, costly=True, limit=8)"


def test_what_a_costly_pattern_does_not_begin_with_is_not_for_it() -> None:
    """A long path that begins otherwise does not hold; one for a pattern that is not costly has no limit."""
    assert not when.path_regex("/x/(.*)/(.*)/y", costly=True, limit=8)(exchange(target="/abcdefghij"))
    assert when.path_regex("/x/.*")(exchange(target="/x/" + "a" * 8000))


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"pattern": "/("}, ValueError, "pattern: '/\\(' is no regular expression"),
        ({"pattern": "/é"}, ValueError, "pattern: paths are matched percent-encoded"),
        ({"pattern": None}, TypeError, "pattern must be a str or a compiled pattern of str, got None"),
        ({"pattern": re.compile(b"/")}, TypeError, "pattern must be a str or a compiled pattern"),
        ({"pattern": "/", "limit": 0}, ValueError, "limit must be an integer of at least 1, got 0"),
    ],
)
def test_bad_regex(options: dict[str, Any], error: type[Exception], says: str) -> None:
    """A mistake names the parameter and its value."""
    with pytest.raises(error, match=says):
        when.path_regex(**options)


@pytest.mark.parametrize(
    ("make", "pattern"),
    [
        (lambda value: when.header("X-A", value), ".*a.*b.*"),
        (lambda value: when.cookie("a", value), "(a+)+"),
        (lambda value: when.query("a", value), ".*a.*"),
        (lambda value: when.client_certificate(dns=value), r"\s*\s*x"),
    ],
)
def test_costly_values(make: Any, pattern: str) -> None:
    """S-53: so is a pattern for values that clients choose; in a query, where there may be ends of lines, a dot is
    none that takes everything."""
    with pytest.raises(ValueError, match=rf"(value|dns): {re.escape(repr(pattern))} has .* \(costly=True\)"):
        make(re.compile(pattern))


def test_costly_values_that_are_asked_for() -> None:
    """``costly=True`` takes them, and is printed."""
    pattern = re.compile(".*a.*b.*")
    for factory in (when.header, when.query, when.cookie):
        said = f"when.{factory.__name__}('x', {pattern!r}, costly=True)"
        assert repr(factory("x", pattern, costly=True)) == said
    assert "costly=True" in repr(when.client_certificate(dns=pattern, costly=True))
    when.query("a", re.compile("(?s).*a.*"))
    when.header("a", re.compile(".*a.*"))


# Joined.


def test_both_sides_of_and_capture() -> None:
    """Of ``&`` both sides capture, in whatever order, whatever else is joined."""
    for condition in (TENANT & USER_OF_TENANT, USER_OF_TENANT & TENANT, when.method("GET") & (TENANT & USER_OF_TENANT)):
        assert captured(condition, "/acme/v1/users/7") == {"tenant": "acme", "version": "1", "id": "7"}
    assert captured(TENANT & when.method("GET"), "/acme/v1") == {"tenant": "acme", "version": "1"}


def test_one_name_for_two_values() -> None:
    """Two sides of ``&`` that would each say what ``id`` is are refused; the same condition twice is not."""
    with pytest.raises(ValueError, match=r"when.path_template.* and when.path_regex.* both capture id"):
        USER & when.path_regex("/users/(?P<id>.*)")
    assert captured(USER & USER, "/users/7") == {"id": 7}


def test_the_first_that_holds_captures() -> None:
    """Of ``|``, the first side that holds says what is captured, also if that is nothing."""
    short = when.path_template("/u/{id:int}")
    assert captured(USER | short, "/users/7") == {"id": 7}
    assert captured(USER | short, "/u/8") == {"id": 8}
    assert captured(when.method("GET") | USER, "/users/7") == {}
    assert captured(when.method("PUT") | USER, "/users/7") == {"id": 7}
    assert captured(USER | FILE, "/users/7/files/x") == {"user": "7", "name": "x"}
    assert captured((USER | FILE) & when.method("GET"), "/users/7/files/x") == {"user": "7", "name": "x"}


def test_what_does_not_hold_captures_nothing() -> None:
    """Of ``~`` nothing is captured, even if it is denied twice."""
    assert (~USER).captures is None
    assert (~~USER).captures is None
    assert captured(~USER | USER, "/users/7") == {"id": 7}
    assert captured(~USER & TENANT, "/acme/v1") == {"tenant": "acme", "version": "1"}


# In tables.


async def test_the_rule_that_answers_captures() -> None:
    """Values are those of the rule that answers: not of shadow rules, nor of rules that hold in part."""
    table = Rules(
        Rule(when.path_template("/{shadow...}"), site, shadow=True),
        Rule(when.path_template("/users/{wrong}") & when.method("PUT"), site),
        Rule(when.path_template("/users/{also}") & ~when.method("GET"), site),
        Rule(USER, site),
        Rule(when.method("GET") & when.path("/plain"), site),
        Rule(FILE & when.method("GET"), site),
    )
    assert await values_of(table, "/users/7") == {"id": 7}
    assert await values_of(table, "/users/7", "PUT") == {"wrong": "7"}
    assert await values_of(table, "/users/7", "POST") == {"also": "7"}
    assert await values_of(table, "/users/a/files/b") == {"user": "a", "name": "b"}
    assert await values_of(table, "/plain") is None
    assert await values_of(table, "/nothing") is None


def test_explain_changes_nothing() -> None:
    """To ask a table puts nothing on the exchange, neither for the rule that would answer nor for others."""
    subject = exchange(target="/users/7")
    first, second = Rules(Rule(USER, site), Rule(FILE, site)).explain(subject)
    assert (first.answers, second.holds) == (True, False)
    assert str(first) == (
        "when.path_template('/users/{id:int}'): answers, for when.path_template('/users/{id:int}') holds"
    )
    assert PATH_VALUES not in subject


async def test_tables_within_tables() -> None:
    """What an outer rule has captured stays, and an inner one adds to it; an exchange is not changed otherwise."""
    inner = Rules(
        Rule(when.path_regex(r".*/files/(?P<name>[a-z]+)"), site), Rule(when.path_template("/users/{id}/x"), site)
    )
    table = Rules(Rule(when.path_template("/users/{id:int}/{rest...}"), inner))
    assert await values_of(table, "/users/7/files/a") == {"id": 7, "rest": "files/a", "name": "a"}
    assert await values_of(table, "/users/7/x") == {"id": "7", "rest": "x"}


async def test_what_an_earlier_table_captured_is_kept() -> None:
    """The mapping that somebody holds is not changed when a rule adds to it."""
    subject = exchange(target="/users/7")
    held: Mapping[str, PathValue] = {"other": 1}
    subject[PATH_VALUES] = held
    await Rules(Rule(USER, site))(subject)
    assert subject[PATH_VALUES] == {"other": 1, "id": 7}
    assert held == {"other": 1}


async def test_observers_see_values() -> None:
    """A handler, and whoever is told of it later, reads them; the rule is told of before."""
    seen: list[Any] = []

    async def handler(subject: Exchange) -> Response:
        seen.append(subject[PATH_VALUES]["id"])
        return Response(200)

    subject = exchange(target="/users/7")
    subject.hooks = Hooks(ruled=(lambda about, rule: seen.append(rule),))
    await Rules(Rule(USER, handler))(subject)
    assert seen == [7]


async def test_rate_limits_by_what_is_captured() -> None:
    """A limit within the rule counts for each value."""
    limit = RateLimit(Gcra(1, 1), key=keys.path_value("id"), clock=FakeClock())
    table = Rules(Rule(USER, Pipeline(limit, handler=respond(200))))
    statuses = []
    for target in ("/users/7", "/users/8", "/users/007"):
        try:
            statuses.append((await table(exchange(target=target))).status)
        except Exception as error:
            statuses.append(getattr(error, "status", 0))
    assert statuses == [200, 200, 429]
    assert keys.path_value("id")(exchange()) is None
    with pytest.raises(ValueError, match="name: 'a b' is not the name of anything captured"):
        keys.path_value("a b")


def test_equality_of_templates() -> None:
    """Templates with other names are other conditions, though one holds where the other does."""
    same, other = when.path_template("/users/{id:int}/"), when.path_template("/users/{user:int}")
    assert same == USER
    assert hash(same) == hash(USER)
    assert other != USER
    assert other.implies(USER)
    assert USER.implies(other)
