"""Looking for attacks in requests, by score."""

from __future__ import annotations

import base64
import gzip
import logging
from collections.abc import AsyncIterator

import pytest

from revproxy import Exchange, Pipeline, ProxyHandler, Response, Rule, Rules, Upstream, block, respond, when
from revproxy.body import Body, StreamBody
from revproxy.errors import BodyTooLarge, BudgetSpent
from revproxy.filters import Retry
from revproxy.filters.inspect import INSPECTION, Check, Exclusion, Form, Inspect, Pack, Part, Signature
from revproxy.limiters import BodyBudget
from revproxy.observer import Observer, hooks
from revproxy.security_log import Severity
from revproxy.testing import exchange

PACK = Pack(
    "x",
    (
        Signature("x-01", "<script", "a script", form=Form.HTML, where=Part.ANYWHERE),
        Signature("x-02", "odd", "oddity", severity=Severity.WARNING),
        Signature("x-03", "rare", "rarity", severity=Severity.NOTICE),
        Signature("x-04", "'", "a quote", paranoia=3),
        Check("x-05", lambda subject: next(iter(subject.troubles.values()), None), "a body that cannot be read"),
    ),
)


async def site(exchange: Exchange) -> Response:
    return Response(200, body=Body(await exchange.request.body.read(1 << 20)))


def post(body: bytes, content_type: str = "application/json", **fields: str) -> Exchange:
    return exchange("POST", "/", headers={"Content-Type": content_type, **fields}, body=body)


@pytest.mark.parametrize(
    ("target", "status", "score"),
    [
        ("/?q=hello", 200, 0),
        ("/?q=%3Cscript", 403, 5),
        ("/?q=odd", 200, 3),
        ("/?q=odd&r=odd", 200, 3),
        ("/?q=odd+and+rare", 403, 5),
        ("/?q=%3Cscript&r=odd&s=rare", 403, 10),
    ],
)
async def test_score(target: str, status: int, score: int) -> None:
    """S-60: each signature counts once; a request is stopped from the threshold on."""
    subject = exchange("GET", target)
    assert (await Inspect(PACK)(subject, site)).status == status
    assert subject[INSPECTION].score == score


async def test_threshold_and_paranoia() -> None:
    """S-60: a threshold lets more pass; more paranoia looks for more."""
    assert (await Inspect(PACK, threshold=6)(exchange("GET", "/?q=%3Cscript"), site)).status == 200
    assert (await Inspect(PACK, paranoia=2)(exchange("GET", "/?q=O%27Brien"), site)).status == 200
    assert (await Inspect(PACK, paranoia=3)(exchange("GET", "/?q=O%27Brien"), site)).status == 403


async def test_exclusions() -> None:
    """By id, by request, by parameter: what is excluded is not found."""
    inspect = Inspect(PACK, exclusions=[Exclusion(ids="x-01", names="body", when=when.path("/cms/*"))])
    assert (await inspect(exchange("GET", "/cms/?body=%3Cscript"), site)).status == 200
    assert (await inspect(exchange("GET", "/cms/?title=%3Cscript"), site)).status == 403
    assert (await inspect(exchange("GET", "/?body=%3Cscript"), site)).status == 403
    assert (
        await Inspect(PACK, exclusions=[Exclusion(ids="x-01")])(exchange("GET", "/?q=%3Cscript"), site)
    ).status == 200


async def test_a_second_value_is_found_behind_an_excluded_one() -> None:
    """What is excluded in one value is found in the next."""
    inspect = Inspect(PACK, exclusions=[Exclusion(ids="x-01", names="body")])
    assert (await inspect(exchange("GET", "/?body=%3Cscript&title=%3Cscript"), site)).status == 403


async def test_shadow(caplog: pytest.LogCaptureFixture) -> None:
    """In shadow the line is written, and the request goes on."""
    inspect = Inspect(PACK, shadow=True)
    assert (await inspect(exchange("GET", "/?q=%3Cscript"), site)).status == 200
    assert [record.__dict__["action"] for record in caplog.records] == ["shadow block 403"]
    assert inspect.stopped == 1
    assert repr(inspect).startswith("<Inspect inspect shadow at paranoia 1: stopped 1 of 1 from 5 on")


async def test_log(caplog: pytest.LogCaptureFixture) -> None:
    """S-60, S-62, S-72: one line, at the severity of the gravest; what was found where, and of what matched its shape;
    below the threshold, too, as a notice. The client is told nothing of it."""
    caplog.set_level(logging.INFO, "revproxy.security")
    inspect = Inspect(PACK, then=block(404))
    response = await inspect(exchange("GET", "/?token=%3Cscript%3Ehunter2"), site)
    assert response.status == 404
    assert b"x-01" not in (response.body.data or b"")
    await inspect(exchange("GET", "/?q=odd"), site)
    first, second = caplog.records
    assert (first.levelno, second.levelno) == (logging.CRITICAL, logging.INFO)
    assert "block 404 for \"score 5: x-01 (a script) in value 'token': <xxxxxx\"" in first.getMessage()
    assert (second.__dict__["action"], second.__dict__["severity"]) == ("pass", "notice")
    assert "score 3: x-02" in second.__dict__["detail"]


async def test_observers_are_told_of_it_as_of_a_rule() -> None:
    """A request that is stopped has the rule that decided, with its severity, for logs and metrics."""
    told: list[tuple[str, Severity | None, bool]] = []

    class Notes(Observer):
        def ruled(self, exchange: Exchange, rule: Rule) -> None:
            told.append((rule.name, rule.severity, rule.shadow))

    subject = exchange("GET", "/?q=%3Cscript")
    subject.hooks = hooks([Notes()])
    await Inspect(PACK, name="waf")(subject, site)
    assert told == [("waf", Severity.CRITICAL, False)]
    assert subject.rule is not None


async def test_bodies_go_on_as_they_came() -> None:
    """What was looked into is sent on byte for byte, its length as declared, or not declared."""

    for body in (Body(b'{"a": "b"}'), Body.unsized(b'{"a": "b"}')):
        seen = post(b"")
        seen.request.body = body
        response = await Inspect(PACK)(seen, site)
        assert response.body.data == b'{"a": "b"}'
        assert seen.request.body.length == body.length


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"a": {"b": ["\\u003cscript>"]}}', "application/json"),
        (b"a=1&b=%3Cscript", "application/x-www-form-urlencoded"),
        (b"<a b='&lt;script'/>", "text/xml"),
        (
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="<script"\r\n\r\n\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
        (b"hello <script", "text/plain"),
        (b"PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==", "text/plain"),
    ],
)
async def test_bodies_are_looked_into(body: bytes, content_type: str) -> None:
    """S-60: in any format that is read; not if it is switched off."""
    assert (await Inspect(PACK)(post(body, content_type), site)).status == 403
    assert (await Inspect(PACK, body=False)(post(body, content_type), site)).status == 200
    coded = post(gzip.compress(body), content_type, **{"Content-Encoding": "gzip"})
    assert (await Inspect(PACK)(coded, site)).status == 403


async def test_what_cannot_be_read_is_stopped() -> None:
    """S-51, S-66: a body that is not what it says, or in a coding that is not known, does not pass unread."""
    assert (await Inspect(PACK)(post(b"{"), site)).status == 403
    assert (await Inspect(PACK)(post(b"{}", **{"Content-Encoding": "br"}), site)).status == 403
    assert (
        await Inspect(PACK)(post(gzip.compress(bytes(200_000)), **{"Content-Encoding": "gzip"}), site)
    ).status == 403


async def test_large_bodies() -> None:
    """More than is looked into is refused with 413, and counts in a budget that has bounds; pictures stream through."""
    with pytest.raises(BodyTooLarge):
        await Inspect(PACK, max_body=10)(_streamed(b'{"a": "bcdef"}'), site)
    with pytest.raises(BudgetSpent):
        await Inspect(PACK, budget=BodyBudget(10))(post(b'{"a": "bcdef"}'), site)
    picture = post(b"x" * 200_000, "image/png")
    assert (await Inspect(PACK)(picture, site)).status == 200


async def test_large_bodies_in_shadow(caplog: pytest.LogCaptureFixture) -> None:
    """In shadow nothing is stopped: what is too large goes on whole, and the log says what would have been."""
    for made in (_streamed(b'{"a": "bcdef"}'), _of_chunks(b'{"a": ', b'"bcdef"', b"}"), post(b'{"a": "bcdef"}')):
        response = await Inspect(PACK, max_body=10, shadow=True)(made, site)
        assert (response.status, response.body.data) == (200, b'{"a": "bcdef"}')
    assert [record.__dict__["action"] for record in caplog.records] == ["shadow block 413"] * 3


def _of_chunks(*chunks: bytes) -> Exchange:
    async def sent() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    made = post(b"")
    made.request.body = StreamBody(sent())
    return made


def _streamed(data: bytes) -> Exchange:
    made = post(b"")

    class Streamed(Body):
        overflow = BodyTooLarge

    made.request.body = Streamed(data)
    return made


async def test_the_head_alone_may_be_enough() -> None:
    """Where the head is an attack the body is not waited for."""

    class Never(Body):
        async def read(self, limit: int) -> bytes:
            raise AssertionError("read")

    made = exchange("POST", "/?q=%3Cscript", headers={"Content-Type": "application/json", "Content-Length": "5"})
    never = Never()
    never.data, never.length = None, 5
    made.request.body = never
    assert (await Inspect(PACK)(made, site)).status == 403


async def test_a_field_that_says_what_a_cookie_says() -> None:
    """It is looked at all the same."""
    made = exchange("GET", "/", headers={"User-Agent": "a; <script", "Cookie": "a; <script"})
    assert (await Inspect(PACK)(made, site)).status == 403


async def test_a_type_that_cannot_be_read() -> None:
    """S-44: what the body is then is for the server to guess, not for us."""
    for content_type in ("application/x-www-form-urlencoded;x", "multipart/form-data; boundary=x; foo"):
        assert (await Inspect(PACK)(post(b"a=1", content_type), site)).status == 403


async def test_base64_behind_a_scheme() -> None:
    """What is shown as credentials is looked into."""
    shown = base64.b64encode(b"admin:<script>alert(1)</script>").decode()
    made = exchange("GET", "/", headers={"Authorization": f"Basic {shown}"})
    assert (await Inspect(PACK)(made, site)).status == 403


async def test_what_hides_in_spaces_is_found_without_any_too() -> None:
    """Entities of spaces, in a value that has none itself."""
    pack = Pack("c", (Signature("c-01", "javascript:", "a script", form=Form.COMPACT),))
    for target in ("/?q=java%26Tab;script:x", "/?q=java%26%23115;cript:x", "/?q=java%09script:x"):
        for prefilter in ("words", "hyperscan"):
            inspect = Inspect(pack, prefilter=prefilter)
            assert (await inspect(exchange("GET", target), site)).status == 403, (target, prefilter)


async def test_enough_is_enough() -> None:
    """S-53: a request that is full of attacks is not looked at for longer than it takes to be sure."""
    pack = Pack("m", tuple(Signature(f"m-{number:02}", f"x{number:02}", "one of many") for number in range(60)))
    made = post(" ".join(f"x{number:02}" for number in range(60)).encode(), "text/plain")
    assert (await Inspect(pack)(made, site)).status == 403
    assert 25 <= made[INSPECTION].score < 35


async def test_own_answer() -> None:
    """``then`` is any handler."""
    inspect = Inspect(PACK, then=respond(200, "all is well"))
    response = await inspect(exchange("GET", "/?q=%3Cscript"), site)
    assert (response.status, response.body.data) == (200, b"all is well")


async def test_rules_read_what_was_found() -> None:
    """``INSPECTION`` is there for conditions further in, and a table that needs it is refused without the filter."""
    suspicious = when.key(INSPECTION, lambda inspection: inspection.score >= 3)
    rules = Rules(Rule(suspicious, block(451)), Rule(when.anything, site))
    ProxyHandler(rules, filters=[Inspect(PACK)])
    with pytest.raises(ValueError, match="inspection"):
        ProxyHandler(rules)
    made = exchange("GET", "/?q=odd")
    assert (await Inspect(PACK)(made, rules)).status == 451


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"paranoia": 0}, "paranoia must be 1 to 4, got 0"),
        ({"threshold": 0}, "threshold must be a positive integer, got 0"),
        ({"max_body": True}, "max_body must be a positive integer, got True"),
        ({"prefilter": "x"}, "prefilter must be"),
        ({"then": 3}, "then: 3 is not a handler"),
        ({"exclusions": [3]}, "exclusions: 3 is not an Exclusion"),
        ({"exclusions": Exclusion(ids="x-01")}, "exclusions: several of them, in a list, got one"),
        ({"exclusions": [Exclusion(ids="y-*")]}, "exclusions: no signature is called"),
    ],
)
def test_bad(arguments: dict[str, object], said: str) -> None:
    """Each mistake names its parameter."""
    with pytest.raises((ValueError, TypeError), match=said):
        Inspect(PACK, **arguments)  # type: ignore[arg-type]


def test_bad_pack() -> None:
    """A pack is a ``Pack``."""
    with pytest.raises(TypeError, match="packs: 'sqli' is not a Pack"):
        Inspect("sqli")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="packs: two of the same name, of x, x"):
        Inspect(PACK, PACK)


def test_it_stands_outside_what_shortcuts() -> None:
    """A retry around it would decide twice."""
    with pytest.raises(ValueError, match="must not stand around"):
        Pipeline(Retry(), Inspect(PACK), handler=Upstream("http://127.0.0.1:1"))
