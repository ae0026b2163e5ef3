"""Conditions, and the rules that are made of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import Any, assert_type
from uuid import UUID

from revproxy import Exchange, Handler, Key, Response, Rule, Rules, Severity, Upstream, When, block, when
from revproxy.path_values import PATH_VALUES
from revproxy.testing import FakeTransport, exchange

COUNTRY: Key[str] = Key("country")
SCORE: Key[float] = Key("score")


def is_large(exchange: Exchange) -> bool:
    return (exchange.request.body.length or 0) > 1024


def is_high(score: float) -> bool:
    return score > 0.5


class IsLarge:
    def __call__(self, exchange: Exchange) -> bool:
        return is_large(exchange)


def test_every_factory_makes_a_condition() -> None:
    """Whatever a condition is about, it is a ``When``."""
    assert_type(when.anything, When)
    assert_type(when.path("/admin/*", "/root", case_sensitive=False), When)
    assert_type(when.method("GET", "HEAD"), When)
    assert_type(when.scheme("https"), When)
    assert_type(when.host("example.test", "*.example.test"), When)
    assert_type(when.header("X-A"), When)
    assert_type(when.header("X-A", "1"), When)
    assert_type(when.header("X-A", re.compile("[0-9]+")), When)
    assert_type(when.query("page", "1"), When)
    assert_type(when.cookie("session", re.compile("[a-z]+")), When)
    assert_type(when.client_in("10.0.0.0/8", ip_network("192.0.2.0/24")), When)
    assert_type(when.check(is_large), When)
    assert_type(when.check(IsLarge(), name="large"), When)
    assert_type(when.check(lambda exchange: exchange.inbound.version == (1, 0)), When)


def test_a_condition_on_a_key_takes_what_the_key_holds() -> None:
    """Its value has the key's type, and so has what a function of one's own is asked about."""
    assert_type(when.key(COUNTRY, "CH"), When)
    assert_type(when.key(SCORE, 1.0), When)
    assert_type(when.key(SCORE, 1), When)
    assert_type(when.key(SCORE, is_high), When)
    assert_type(when.key(COUNTRY, lambda country: assert_type(country, str).startswith("C")), When)


def test_what_conditions_capture() -> None:
    """A template captures values of three types; they stand on the exchange under a key that knows them."""
    user = when.path_template("/users/{id:int}")
    assert_type(user, When)
    assert_type(when.path_regex(re.compile("/a"), costly=True, limit=8), When)
    assert_type(user.implies(when.path("/users/*")), bool)
    assert_type(exchange().get(PATH_VALUES), Mapping[str, str | int | UUID] | None)


def test_conditions_are_joined_by_operators() -> None:
    """``&``, ``|`` and ``~`` make conditions of conditions; calling one says yes or no."""
    admin, inside = when.path("/admin/*"), when.client_in("10.0.0.0/8")
    assert_type(admin & inside, When)
    assert_type(admin | inside, When)
    assert_type(~inside, When)
    assert_type(admin & ~inside | when.method("TRACE"), When)
    joined = admin
    joined &= ~inside
    joined |= when.check(is_large)
    assert_type(joined, When)
    assert_type(joined(exchange()), bool)
    assert_type(joined.test, Callable[[Exchange], bool])
    assert_type(joined.reads_path, bool)
    assert_type(joined.requires, frozenset[Key[Any]])
    assert_type(admin == inside, bool)
    assert_type({admin: "admin", inside: "inside"}, dict[When, str])


async def test_rules_are_a_handler() -> None:
    """A rule knows its condition and its answer; a table of them is a handler."""
    rule = Rule(when.path("/admin/*"), block(), name="admin", severity=Severity.CRITICAL, shadow=True)
    assert_type(rule.when, When)
    assert_type(rule.then, Handler)
    assert_type(rule.name, str)
    assert_type(rule.severity, Severity | None)
    assert_type(rule.shadow, bool)
    assert_type(Severity.ERROR.level, int)
    rules = Rules(
        rule,
        Rule(when.method("TRACE"), block(405), severity=None),
        Rule(when.anything, Upstream("http://10.0.0.1:8080", transport=FakeTransport())),
        name="main",
    )
    assert_type(rules.rules, tuple[Rule, ...])
    handler: Handler = rules
    asked = exchange()
    assert_type(await handler(asked), Response)
    assert_type(asked.rule, Rule | None)
    nested: Handler = Rules(Rule(when.path("/a/*"), rules), Rule(when.anything, handler))
    assert (await nested(exchange())).status == 200
