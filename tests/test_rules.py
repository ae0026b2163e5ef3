"""Tables of rules: who answers, what is logged, what is refused at construction; and the fixed answers."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import when
from revproxy.body import EMPTY
from revproxy.errors import BadRequest, Drop, NoRoute
from revproxy.exchange import Exchange, Hooks, Key
from revproxy.filters import AllowedHosts, StripPrefix
from revproxy.handler import Component, Filter, Handler, Pipeline, walk
from revproxy.message import Response
from revproxy.rules import Rule, Rules, Severity, block, drop, redirect, respond
from revproxy.testing.exchange import exchange
from revproxy.when import When

COUNTRY: Key[str] = Key("country")


async def site(subject: Exchange) -> Response:
    return Response(200)


async def api(subject: Exchange) -> Response:
    return Response(201)


def records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "revproxy.security"]


@pytest.fixture(autouse=True)
def every_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="revproxy.security")


# Who answers.


async def test_first_match_answers() -> None:
    """The first rule whose condition holds answers, and stands on the exchange."""
    first, second = Rule(when.path("/api/*"), api), Rule(when.anything, site)
    table = Rules(first, second)
    for target, rule, status in (("/api/x", first, 201), ("/", second, 200)):
        subject = exchange(target=target)
        assert (await table(subject)).status == status
        assert subject.rule is rule


async def test_no_match() -> None:
    """A table in which no rule holds raises NoRoute, whose message holds nothing of the request."""
    table = Rules(Rule(when.path("/a"), site), name="main")
    subject = exchange(target="/evil")
    with pytest.raises(NoRoute, match=r"^no rule of <Rules main of 1> holds$"):
        await table(subject)
    assert subject.rule is None


async def test_conditions_after_the_match_are_not_asked() -> None:
    """What stands below the rule that answers is not evaluated."""
    asked: list[str] = []

    def ask(subject: Exchange) -> bool:
        asked.append("second")
        return True

    await Rules(Rule(when.path("/"), site), Rule(when.check(ask), api))(exchange())
    assert asked == []


async def test_a_failing_condition_fails_the_exchange() -> None:
    """Nothing is forwarded if a condition raises: the table does not go on to the next rule."""

    def fail(subject: Exchange) -> bool:
        raise LookupError("broken")

    with pytest.raises(LookupError):
        await Rules(Rule(when.check(fail), block()), Rule(when.anything, site))(exchange())


async def test_nested_tables() -> None:
    """A table is a handler: it nests, and the innermost rule stands on the exchange."""
    inner = Rule(when.method("GET"), api)
    subject = exchange(target="/api/x")
    response = await Rules(Rule(when.path("/api/*"), Rules(inner)), Rule(when.anything, site))(subject)
    assert response.status == 201
    assert subject.rule is inner


PATHS = ["/a", "/a/b", "/b", "/c"]
CONDITIONS = [when.path("/a/*"), when.path("/a"), when.path("/b", "/c"), when.method("GET"), when.header("X-A")]


@given(
    st.lists(st.tuples(st.sampled_from(CONDITIONS), st.booleans()), min_size=1, max_size=8),
    st.sampled_from(PATHS),
    st.sampled_from(["GET", "PUT"]),
    st.booleans(),
)
async def test_like_a_naive_table(wanted: list[tuple[When, bool]], target: str, method: str, header: bool) -> None:
    """For any table of enforcing and shadow rules, the first enforcing rule that holds answers, if any does."""
    rules: list[Rule] = []
    for condition, shadow in wanted:
        if not condition.implies_one_of(rule.when for rule in rules if not rule.shadow):
            rules.append(Rule(condition, respond(200 + len(rules)), shadow=shadow))
    subject = exchange(method, target, headers={"X-A": "1"} if header else {})
    expected = next((rule for rule in rules if not rule.shadow and rule.when(subject)), None)
    table = Rules(*rules)
    if expected is None:
        with pytest.raises(NoRoute):
            await table(subject)
    else:
        assert (await table(subject)).status == 200 + rules.index(expected)
        assert subject.rule is expected


# What is logged.


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        (Severity.NOTICE, logging.INFO),
        (Severity.WARNING, logging.WARNING),
        (Severity.ERROR, logging.ERROR),
        (Severity.CRITICAL, logging.CRITICAL),
    ],
)
async def test_logged_at_its_severity(caplog: pytest.LogCaptureFixture, severity: Severity, level: int) -> None:
    """A match of a rule with a severity is one line at its level, with everything that an operator looks for."""
    table = Rules(Rule(when.path("/admin/*"), block(404), name="admin from outside", severity=severity))
    subject = exchange("POST", "/admin?x=1", client="203.0.113.9", host="a.test:8080")
    await table(subject)
    [record] = records(caplog)
    assert record.levelno == severity.level == level
    assert record.getMessage() == (
        'rule "admin from outside": block 404, client 203.0.113.9, POST "/admin?x=..." for host "a.test:8080", '
        f"id {subject.id}"
    )
    extra = {
        "rule": "admin from outside",
        "severity": severity.name.lower(),
        "action": "block 404",
        "client": "203.0.113.9",
        "method": "POST",
        "host": "a.test:8080",
        "target": "/admin?x=...",
        "exchange_id": subject.id,
    }
    assert {name: getattr(record, name) for name in extra} == extra


def test_severities_have_an_order() -> None:
    """Severities compare by how much they matter."""
    assert Severity.NOTICE < Severity.WARNING < Severity.ERROR < Severity.CRITICAL
    assert max(Severity) is Severity.CRITICAL


@pytest.mark.parametrize(
    ("rule", "severity", "action"),
    [
        (Rule(when.anything, site), None, ""),
        (Rule(when.anything, respond(200)), None, ""),
        (Rule(when.anything, site, severity=Severity.NOTICE), Severity.NOTICE, "pass"),
        (Rule(when.anything, block()), Severity.WARNING, "block 403"),
        (Rule(when.anything, block(), severity=Severity.NOTICE), Severity.NOTICE, "block 403"),
        (Rule(when.anything, block(), shadow=True), Severity.WARNING, "shadow block 403"),
        (Rule(when.anything, site, shadow=True), Severity.NOTICE, "shadow pass"),
        (Rule(when.anything, redirect("/"), severity=Severity.ERROR), Severity.ERROR, "redirect 302"),
        (Rule(when.anything, respond(410), shadow=True), Severity.NOTICE, "shadow respond 410"),
    ],
)
async def test_default_severity(
    caplog: pytest.LogCaptureFixture, rule: Rule, severity: Severity | None, action: str
) -> None:
    """A block is logged as a warning and a shadow rule as a notice if they say nothing else; the rest is silent."""
    assert rule.severity == severity
    after = [Rule(when.path("/"), site)] if rule.shadow else []
    await Rules(rule, *after)(exchange())
    found = records(caplog)
    assert [getattr(record, "action", None) for record in found] == ([action] if severity else [])
    assert [record.levelno for record in found] == ([severity.level] if severity else [])


async def test_shadow_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """A shadow rule logs and tells observers, and the next rule answers as if it were not there."""
    told: list[Rule] = []
    trial = Rule(when.path("/a/*"), block(), name="trial", severity=Severity.ERROR, shadow=True)
    final = Rule(when.path("/a/*"), site)
    subject = told_to(told, exchange(target="/a"))
    assert (await Rules(trial, final)(subject)).status == 200
    assert subject.rule is final
    assert told == [trial]
    assert [record.getMessage().partition(",")[0] for record in records(caplog)] == ['rule "trial": shadow block 403']


def told_to(told: list[Rule], subject: Exchange) -> Exchange:
    def hook(about: Exchange, rule: Rule) -> None:
        assert about is subject
        told.append(rule)

    subject.hooks = Hooks(ruled=(hook,))
    return subject


async def test_observers_are_told_when_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Observers learn of every rule with a severity, whatever level the log has; of others they do not."""
    caplog.set_level(logging.CRITICAL, logger="revproxy.security")
    told: list[Rule] = []
    loud, silent = Rule(when.path("/a"), block()), Rule(when.anything, site)
    table = Rules(loud, silent)
    await table(told_to(told, exchange(target="/a")))
    await table(told_to(told, exchange(target="/b")))
    assert told == [loud]
    assert records(caplog) == []


async def test_own_logger(caplog: pytest.LogCaptureFixture) -> None:
    """The log is a parameter."""
    caplog.set_level(logging.DEBUG, logger="mine")
    await Rules(Rule(when.anything, block()), logger=logging.getLogger("mine"))(exchange())
    assert [record.name for record in caplog.records] == ["mine"]


@pytest.mark.parametrize(
    "target",
    [
        "/\r\nCRITICAL forged",
        "/\x1b[31m\x08\x00",
        "/\u2028\u2029\x85\u202e",
        '/" for host "x", id 0',
        "/\\",
        '/\\" for host',
        "/\udcff\udc80é",
    ],
)
async def test_no_forged_lines(caplog: pytest.LogCaptureFixture, target: str) -> None:
    """Nothing from the request makes a second line, ends a quotation, or reaches a terminal: in message and extras."""
    table = Rules(Rule(when.anything, block(), name="r"))
    subject = exchange()
    subject.inbound.target = target
    subject.inbound.host = f"h{target[1:]}"
    subject.inbound.method = f"M{target[1:]}"
    subject.id = target
    await table(subject)
    [record] = records(caplog)
    said = [record.getMessage(), *(str(getattr(record, name)) for name in ("target", "host", "method", "exchange_id"))]
    for text in said:
        assert text.isascii()
        assert text.isprintable()
    shown = record.getMessage().replace("\\\\", "").replace('\\"', "")
    assert shown.count('"') == 6
    unescaped = getattr(record, "target").replace('\\"', '"').encode("ascii").decode("unicode_escape")  # noqa: B009
    assert unescaped == target


async def test_long_values_are_cut(caplog: pytest.LogCaptureFixture) -> None:
    """A line is bounded: what the request says is cut to 256 characters, before it is escaped."""
    await Rules(Rule(when.anything, block(), name="r"))(exchange(target="/" + "a" * 8000))
    [record] = records(caplog)
    assert getattr(record, "target") == "/" + "a" * 255 + "..."  # noqa: B009


async def test_rule_without_name_is_called_by_its_condition(caplog: pytest.LogCaptureFixture) -> None:
    """A rule without a name is logged as what it says."""
    await Rules(Rule(when.path('/a"b'), block()))(exchange(target='/a"b'))
    [record] = records(caplog)
    assert record.getMessage().startswith('rule "when.path(\'/a\\"b\')": block 403, ')


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (~when.header("X-Token", "s3cr3t"), "~when.header('X-Token', ...)"),
        (when.query("k", re.compile("s3cr3t|t0k3n")), "when.query('k', ...)"),
        (when.cookie("k", re.compile("(s3cr3t)+.*t0k3n.*"), costly=True), "when.cookie('k', ...)"),
        (when.key(COUNTRY, "s3cr3t"), "when.key(Key('country'), ...)"),
        (
            when.path("/a") & ~(when.header("X-A", "s3cr3t") | when.cookie("b")),
            "when.path('/a') & ~(when.header('X-A', ...) | when.cookie('b'))",
        ),
    ],
)
async def test_what_a_rule_compares_with_is_not_logged(
    caplog: pytest.LogCaptureFixture, condition: When, said: str
) -> None:
    """S-72: a rule without a name is logged without the values in its condition, which may be keys; printed it has
    them."""
    subject = exchange(target="/a?k=s3cr3t", headers={"Cookie": "k=s3cr3tt0k3n"})
    subject[COUNTRY] = "s3cr3t"
    with caplog.at_level(logging.INFO, "revproxy.security"):
        await Rules(Rule(condition, block()))(subject)
    [record] = records(caplog)
    assert record.__dict__["rule"] == said
    assert "s3cr3t" not in record.getMessage()
    assert "s3cr3t" in repr(condition)
    assert condition.outline == said


async def test_a_shadow_rule_refuses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A path that a costly pattern is not matched with is refused by a rule that is enforced; a shadow rule says so
    and is passed over."""
    costly = when.path_regex("/(.*)a(.*)b(.*)", costly=True, limit=50)
    told: list[Rule] = []
    subject = told_to(told, exchange(target="/" + "x" * 100))
    table = Rules(Rule(costly, block(), name="trial", shadow=True), Rule(when.anything, site))
    assert (await table(subject)).status == 200
    assert told == []
    [record] = records(caplog)
    assert record.__dict__["action"] == "shadow block 400"
    assert record.__dict__["detail"] == "a path of 101 characters, of which at most 50 are matched"
    with pytest.raises(BadRequest):
        await Rules(Rule(costly, block()), Rule(when.anything, site))(subject)


# What composition learns.


class Owner(Component):
    async def __call__(self, subject: Exchange) -> Response:
        return Response(200)


def test_component() -> None:
    """A table guards, holds its handlers, and needs what its conditions need."""
    inner, outer = Owner(), Owner()
    table = Rules(
        Rule(when.key(COUNTRY, "CH") & when.host("a.test"), inner),
        Rule(when.host("b.test"), Pipeline(handler=outer)),
    )
    assert table.guards
    assert set(walk(table)) >= {inner, outer, table}
    assert table.requires == {COUNTRY}
    assert not table.reads_path
    assert Rules(Rule(~when.path("/a"), site)).reads_path
    assert Rules(Rule(when.path("/a"), site, shadow=True), Rule(when.anything, site)).reads_path


def test_shortcuts_must_not_stand_around_rules() -> None:
    """Law 12: a cache around a table would answer what a rule forbids."""

    class Cache(Component):
        shortcuts = True

        async def __call__(self, subject: Exchange, handler: Handler) -> Response:
            return await handler(subject)

    cache: Filter = Cache()
    with pytest.raises(ValueError, match="must not stand around <Rules of 1>"):
        Pipeline(cache, handler=Rules(Rule(when.anything, site)))
    Rules(Rule(when.anything, Pipeline(cache, handler=site)))


# What is refused.


@pytest.mark.parametrize(
    "rules",
    [
        [Rule(when.anything, site), Rule(when.path("/a"), site)],
        [Rule(when.anything, site), Rule(when.path("/a"), block(), shadow=True)],
        [Rule(when.path("/a"), site), Rule(when.anything, site), Rule(when.anything, api)],
        [Rule(when.path("/a/*"), site), Rule(when.method("GET"), site), Rule(when.path("/a/**"), api)],
        [
            Rule(when.path("/a") & when.method("GET"), site, name="earlier"),
            Rule(when.method("GET") & when.path("/%61/"), api, name="later"),
        ],
        [Rule(when.path("/a/*"), site), Rule(when.path("/a/b/*") & ~when.client_in("10.0.0.0/8"), block())],
        [Rule(when.path("/a/*") | when.host("a.test"), site), Rule(when.path_template("/a/{id:int}"), api)],
        [Rule(when.client_in("10.0.0.0/8"), site), Rule(when.path("/"), api), Rule(when.client_in("10.1.0.0/16"), api)],
        [Rule(when.method("GET", "HEAD"), site), Rule(when.method("GET"), block(), shadow=True)],
        [Rule(~when.method("GET"), site), Rule(when.method("PUT"), api)],
    ],
)
def test_unreachable_rules_are_refused(rules: list[Rule]) -> None:
    """A rule that no request can reach is a ValueError that shows it and the rule before it."""
    with pytest.raises(ValueError, match=r"rules: Rule\(.*\) is never reached, Rule\(.*\) stands before it") as caught:
        Rules(*rules)
    assert repr(rules[-1]) in str(caught.value)


def test_rules_that_hide_another_together() -> None:
    """Several rules of which always one holds where a later one would are all shown, and no others."""
    first, other, second = (
        Rule(when.path("/a/*") & when.method("GET"), site, name="first"),
        Rule(when.path("/a/x") & when.header("X"), site, name="other"),
        Rule(when.path("/a/*") & ~when.method("GET"), site, name="second"),
    )
    with pytest.raises(ValueError, match=r"name='first'\) and Rule\(.*name='second'\) stand before it$") as caught:
        Rules(first, other, second, Rule(when.path("/a/b"), api, name="late"))
    assert "name='other'" not in str(caught.value)
    with pytest.raises(ValueError, match="stand before it"):
        Rules(Rule(when.path("/a"), site), Rule(when.path("/b/*"), site), Rule(when.path("/b/c", "/a"), site))
    Rules(first, Rule(second.when, site, shadow=True), Rule(when.path("/a/b"), api))


def test_the_last_resort() -> None:
    """What answers everything else may stand at the end though nothing is left for it; nothing may come behind it."""
    office = when.client_in("10.0.0.0/8")
    table = Rules(Rule(office, site), Rule(~office, api), Rule(when.anything, block()))
    assert len(table.rules) == 3
    with pytest.raises(ValueError, match="is never reached"):
        Rules(Rule(when.anything, block()), Rule(when.anything, site))


def test_large_tables() -> None:
    """A thousand rules are looked through in little time, whatever they have in common."""
    before = time.process_time()
    makers: list[Callable[[int], When]] = [
        lambda number: when.path(f"/service-{number}/*"),
        lambda number: when.path_template(f"/api/v1/service/{number}/{{id:int}}"),
        lambda number: when.host(f"{number}.test") & when.path("/a/*"),
    ]
    for make in makers:
        Rules(*(Rule(make(number), site) for number in range(1000)))
    assert time.process_time() - before < 10


def test_shadow_rules_hide_nothing() -> None:
    """A shadow rule may have any condition, `anything` too, and rules after it are reached."""
    trial = Rule(when.anything, block(), shadow=True)
    assert Rules(trial, Rule(when.path("/a"), block(), shadow=True), Rule(when.path("/a"), site)).rules[0] is trial


def test_bad_tables() -> None:
    """An empty table is a ValueError, what is no rule a TypeError."""
    with pytest.raises(ValueError, match="rules: a table needs at least one"):
        Rules()
    with pytest.raises(TypeError, match=r"rules: .* is not a Rule"):
        Rules(site)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: Rule(lambda subject: True, site), r"when: .* is not a condition: wrap a function in when\.check"),  # type: ignore[arg-type]
        (lambda: Rule(when.anything, None), "then: None is not a handler"),  # type: ignore[arg-type]
        (lambda: Rule(when.anything, site, severity="high"), "severity: 'high' is not a Severity"),  # type: ignore[arg-type]
    ],
)
def test_bad_rules(make: Callable[[], Rule], names: str) -> None:
    """A rule without a condition or a handler is a TypeError that names the parameter."""
    with pytest.raises(TypeError, match=names):
        make()


def test_rule_prints_itself() -> None:
    """A rule prints as it is written; a secret in a body stays out."""
    rule = Rule(when.path("/a"), block(), name="n", severity=Severity.ERROR, shadow=True)
    assert repr(rule) == (
        "Rule(when.path('/a'), block(403, title='Forbidden'), name='n', shadow=True, severity=Severity.ERROR)"
    )
    assert repr(Rule(when.anything, site)) == "Rule(when.anything, site)"
    assert repr(respond(200, b"secret")) == "respond(200, <6 bytes>)"
    assert repr(redirect("/a")) == "redirect('/a', 302)"


# The fixed answers.


async def test_block() -> None:
    """A block is a problem document with the status's phrase or a title, and no exception."""
    for handler, status, title in (
        (block(), 403, "Forbidden"),
        (block(429, title="Slow down"), 429, "Slow down"),
        (block(499), 499, "Refused"),
    ):
        response = await handler(exchange())
        assert response.status == status
        assert response.headers["Content-Type"] == "application/problem+json"
        assert json.loads(await response.body.read(1000))["title"] == title


async def test_respond() -> None:
    """A fixed answer: text as UTF-8, bytes as they are, fields added and winning."""
    response = await respond(200, "é", headers={"X-A": "1"})(exchange())
    assert await response.body.read(10) == b"\xc3\xa9"
    assert dict(response.headers) == {"Content-Type": "text/plain; charset=utf-8", "X-A": "1"}
    response = await respond(200, b"\xff", content_type="image/x", headers={"content-type": "image/y"})(exchange())
    assert await response.body.read(10) == b"\xff"
    assert response.headers.getall("Content-Type") == ["image/y"]
    response = await respond(204)(exchange())
    assert response.body is EMPTY
    assert not response.headers


async def test_fixed_answers_share_no_fields() -> None:
    """A filter that edits one answer changes no other."""
    handler = respond(200, "x")
    (await handler(exchange())).headers["X-A"] = "1"
    assert "X-A" not in (await handler(exchange())).headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/", "/a?b=c#d", "https://a.test/x", "http://a.test"])
async def test_redirect(status: int, location: str) -> None:
    """A redirect sends every client to the same place."""
    response = await redirect(location, status)(exchange(host="evil.test"))
    assert response.status == status
    assert dict(response.headers) == {"Location": location}
    assert response.body is EMPTY


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: block(200), "status must be 400 to 599, got 200"),
        (lambda: block(600), "status must be 400 to 599, got 600"),
        (lambda: respond(101), "status must be 200 to 599, got 101"),
        (lambda: respond(600), "status must be 200 to 599, got 600"),
        (lambda: respond(204, "x"), "body: a 204 response has none"),
        (lambda: respond(304, b"x"), "body: a 304 response has none"),
        (lambda: respond(200, headers={"X-A": "1\r\nX-B: 2"}), "X-A"),
        (lambda: respond(200, headers={"X A": "1"}), "'X A' is not a field name"),
        (lambda: respond(200, "x", content_type="a\nb"), "Content-Type"),
        (lambda: redirect("/a?b", keep_target=True), "nothing can follow '/a\\?b'"),
        (lambda: redirect("/", keep_target=True), "nothing can follow '/'"),
        (lambda: block("403"), "status must be 400 to 599, got '403'"),  # type: ignore[arg-type]
        (lambda: redirect("/", 200), "status must be one of 301, 302, 303, 307, 308, got 200"),
        (lambda: redirect("/", 304), "status must be one of"),
        (lambda: redirect(""), "location: ''"),
        (lambda: redirect("a"), "location: 'a'"),
        (lambda: redirect("//evil.test"), "location: '//evil.test'"),
        (lambda: redirect("javascript:alert(1)"), "location: 'javascript"),
        (lambda: redirect("/a\r\nX: y"), "location: .*printable"),
        (lambda: redirect("/a\tb"), "location: .*printable"),
        (lambda: redirect("/a b"), "location: .*printable"),
        (lambda: redirect("/é"), "location: .*printable"),
    ],
)
def test_bad_answers(make: Callable[[], Handler], names: str) -> None:
    """S-26, S-27: what must not reach a wire is a ValueError at construction that names parameter and value."""
    with pytest.raises(ValueError, match=names):
        make()


# Why.


async def test_explained() -> None:
    """What each rule would do and the part of its condition that says so; nothing is done or noted."""
    seen: list[Rule] = []
    table = Rules(
        Rule(when.path("/admin/*") & ~when.client_in("10.0.0.0/8"), block(403), name="admin from outside"),
        Rule(when.method("POST"), block(403), shadow=True, name="trial"),
        Rule(when.path("/api/*") | when.header("X-Api"), api),
        Rule(when.anything, site),
    )
    subject = exchange("POST", "/admin/users", client="192.0.2.1")
    subject.hooks = Hooks(ruled=(lambda exchange, rule: seen.append(rule),))
    outcomes = table.explain(subject)
    assert [(each.holds, each.answers) for each in outcomes] == [
        (True, True),
        (True, False),
        (False, False),
        (True, False),
    ]
    assert list(map(str, outcomes)) == [
        "admin from outside: answers, for when.path('/admin/*') holds and when.client_in('10.0.0.0/8') does not hold",
        "trial: is noted, for when.method('POST') holds",
        "when.path('/api/*') | when.header('X-Api'): does not hold, for when.path('/api/*') does not hold and"
        " when.header('X-Api') does not hold",
        "when.anything: holds, for when.anything holds",
    ]
    assert seen == []
    assert subject.rule is None
    inside = table.explain(exchange("GET", "/admin/users", client="10.1.2.3"))
    assert str(inside[0]) == "admin from outside: does not hold, for when.client_in('10.0.0.0/8') holds"
    assert [each.answers for each in inside] == [False, False, False, True]


async def test_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """The connection is closed without a word, and the match is logged like a block's."""
    table = Rules(Rule(when.path("/wp-admin/*"), drop()), Rule(when.anything, site))
    with pytest.raises(Drop):
        await table(exchange(target="/wp-admin/x"))
    [record] = records(caplog)
    assert (record.levelno, record.__dict__["action"]) == (logging.WARNING, "drop")
    assert repr(drop()) == "drop()"


@pytest.mark.parametrize(
    ("location", "target", "sent"),
    [
        ("https://shop.example", "/a/b?c=d", "https://shop.example/a/b?c=d"),
        ("https://shop.example/", "/", "https://shop.example/"),
        ("/new", "/a%20b?x=%27", "/new/a%20b?x=%27"),
        ("https://shop.example", "//evil.test/x", "https://shop.example/evil.test/x"),
        ("/new", '/"<é>', "/new/%22%3C%C3%A9%3E"),
    ],
)
async def test_redirect_that_keeps_the_target(location: str, target: str, sent: str) -> None:
    """S-26, S-42: path and query follow, and never lead to another host."""
    made = exchange("GET", "/")
    made.request.target = target
    response = await redirect(location, 308, keep_target=True)(made)
    assert (response.status, response.headers["Location"]) == (308, sent)


async def test_redirect_behind_a_filter() -> None:
    """What a filter within the rule has made of the target follows."""
    table = Rules(
        Rule(when.path("/old/*"), Pipeline(StripPrefix("/old"), handler=redirect("/new", keep_target=True))),
        Rule(when.anything, respond(200)),
    )
    response = await table(exchange("GET", "/old/a?b=c"))
    assert response.headers["Location"] == "/new/a?b=c"


any_rule: Any = Rule
any_pipeline: Any = Pipeline


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: any_rule(when.anything, block), "then: block makes a handler: call it"),
        (lambda: any_rule(when.anything, AllowedHosts("a.test")), "it looks like a filter: put it into a Pipeline"),
        (lambda: any_rule(when.anything, AllowedHosts), "then: AllowedHosts is a class: call it"),
        (lambda: any_pipeline(AllowedHosts, handler=respond(200)), "filters: AllowedHosts is a class: call it"),
        (lambda: any_pipeline(respond(200), handler=respond(200)), "it looks like a handler"),
        (lambda: any_pipeline(handler=AllowedHosts("a.test")), "it looks like a filter"),
    ],
)
def test_wrong_shapes(make: Callable[[], object], said: str) -> None:
    """What is no handler, or no filter, is found when it is composed, not by the first request."""
    with pytest.raises(TypeError, match=said):
        make()
