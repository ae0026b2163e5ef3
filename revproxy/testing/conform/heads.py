"""Rows of the request line and of fields."""

from __future__ import annotations

from collections.abc import Mapping

from .talk import Bench, Check, Pairs, Talk, chunks

__all__ = ["HEADS"]


async def version(bench: Bench) -> None:
    """The upstream is spoken to in HTTP/1.1 whatever the client speaks, and the client is answered in HTTP/1.1."""
    for spoken in ("1.1", "1.0"):
        async with bench.talk(bench.respond(body=b"ok", http=spoken)) as talk:
            request, answer = await talk.exchange(version=spoken)
            talk.check(request.version == "1.1", "the upstream is asked in HTTP/1.1", f"HTTP/{request.version}")
            talk.check(answer.version == "HTTP/1.1", "the client is answered in HTTP/1.1", answer.version)


async def target(bench: Bench) -> None:
    """Path and query go upstream byte for byte."""
    await _targets(
        bench,
        "/conform/a%20b/%7euser/%C3%A9/%c3%a9",
        "/conform/~x,p=1/a+b/!$&'()*,=:@",
        "/conform/%25%41/?q=%41%2f..%2F&u=http://a/%7e?",
    )


async def empty_query(bench: Bench) -> None:
    """A `?` with nothing behind it is kept."""
    await _targets(bench, "/conform?")


async def query(bench: Bench) -> None:
    """Repeated and valueless keys, `;`, `+` and what cannot be decoded pass as they are."""
    await _targets(bench, "/conform?b=2&a=1&b=1&c&d=&;e=1;f&g=a+b%20c&h=%zz&%FF&&i==")


async def _targets(bench: Bench, *paths: str) -> None:
    async with bench.talk() as talk:
        for number, path in enumerate(paths):
            await talk.ask(path=path)
            request = await talk.asked(number, await talk.client.answer())
            wanted = bench.needs.upstream_prefix + path
            talk.check(request.target == wanted, f"the upstream is asked for {wanted}", request.target)


async def host(bench: Bench) -> None:
    """`Host` is the upstream's authority; `X-Forwarded-Host` has what the client asked for."""
    async with bench.talk() as talk:
        sent = await talk.ask()
        request = await talk.asked(0, await talk.client.answer())
        talk.arrived(request, "Host", [talk.upstream.url.removeprefix("http://")])
        talk.arrived(request, "X-Forwarded-Host", _values(sent, "Host"))


async def named_fields(bench: Bench) -> None:
    """Every field that a `Connection` line names ends at the proxy, both ways."""
    named = [("Connection", "x-one, , X-Two"), ("X-One", "1"), ("x-two", "2"), ("X-Three", "3")]
    async with bench.talk(bench.respond(200, named, b"ok")) as talk:
        request, answer = await talk.exchange(fields=[*named, ("Connection", "x-four"), ("X-Four", "4")])
        for name in ("X-One", "X-Two", "X-Four", "Connection"):
            talk.arrived(request, name, [])
        for name in ("X-One", "X-Two"):
            talk.returned(answer, name, [])
        talk.arrived(request, "X-Three", ["3"])
        talk.returned(answer, "X-Three", ["3"])


async def protected_fields(bench: Bench) -> None:
    """What a `Connection` line cannot remove, though it names it: what others rely on."""
    # RFC 9110 section 7.6.1 lets them be named; that proxies obeyed was CVE-2021-32813 and CVE-2024-45410.
    relied_on = [("Authorization", "Basic eDp5"), ("Cookie", "a=1; b=2"), ("Content-Type", "text/plain")]
    named = ("Connection", "Host, Content-Length, Content-Type, Authorization, Cookie, Set-Cookie")
    came = [("Set-Cookie", "a=1"), ("Content-Type", "text/x-conform"), named]
    async with bench.talk(bench.respond(200, came, b"ok")) as talk:
        sent = await talk.ask("POST", fields=[named, *relied_on], body=b"hello", length=5)
        answer = await talk.client.answer()
        request = await talk.asked(0, answer)
        for name, _ in relied_on:
            talk.arrived(request, name, _values(sent, name))
        talk.body(request, b"hello")
        talk.check(len(request.getall("Host")) == 1, "the upstream gets a Host", request.getall("Host"))
        talk.returned(answer, "Set-Cookie", ["a=1"])
        talk.returned(answer, "Content-Type", ["text/x-conform"])
        talk.check(bool(answer.whole), "the client gets the whole response", answer)


async def hop_by_hop(bench: Bench) -> None:
    """Hop-by-hop fields end at the proxy whether or not they are named; of responses, `Alt-Svc` does too."""
    asked = [("Keep-Alive", "timeout=7"), ("Proxy-Connection", "x"), ("Proxy-Authorization", "Basic eDp5")]
    came = [("Keep-Alive", "timeout=7"), ("Proxy-Connection", "x"), ("Alt-Svc", 'h2=":1"')]
    async with bench.talk(bench.respond(200, came, b"ok")) as talk:
        request, answer = await talk.exchange(fields=asked)
        for name, _ in asked:
            talk.arrived(request, name, [])
        for name, _ in came:
            talk.returned(answer, name, [])


async def repeated_fields(bench: Bench) -> None:
    """Repeated fields keep their order, and are not merged."""
    cookies = ["a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "b=2", "a=3"]
    many = [("X-Many", "b"), ("x-many", "a, c"), ("X-Other", "1"), ("X-Many", "b")]
    async with bench.talk(bench.respond(200, [*many, *(("Set-Cookie", each) for each in cookies)], b"ok")) as talk:
        request, answer = await talk.exchange(fields=many)
        talk.arrived(request, "X-Many", _values(many, "X-Many"))
        talk.returned(answer, "X-Many", _values(many, "X-Many"))
        talk.returned(answer, "Set-Cookie", cookies)


async def case(bench: Bench) -> None:
    """The case of field names is kept."""
    fields = [("x-MiXeD-caSe", "1"), ("x-lower", "1"), ("X-UPPER", "1")]
    await _pass(bench, fields, exact=True)


async def high_bytes(bench: Bench) -> None:
    """Bytes from 0x80 up in values pass unchanged, UTF-8 or not."""
    await _pass(bench, [("X-Latin", "caf\xe9"), ("X-Utf-8", "caf\xc3\xa9"), ("X-High", "\x80\xff")])


async def empty_values(bench: Bench) -> None:
    """An empty value stays one."""
    await _pass(bench, [("X-Empty", ""), ("X-Full", "1"), ("X-Empty", "")])


async def _pass(bench: Bench, fields: Pairs, *, exact: bool = False) -> None:
    """The fields pass both ways."""
    fields = list(fields)
    async with bench.talk(bench.respond(200, fields, b"ok")) as talk:
        request, answer = await talk.exchange(fields=fields)
        for name, _ in fields:
            talk.arrived(request, name, _values(fields, name))
            talk.returned(answer, name, _values(fields, name))
            if exact:
                _spelled(talk, "the upstream gets", name, request.headers, bench.needs.request_edits)
                _spelled(talk, "the client gets", name, answer.fields, bench.needs.response_edits)


def _spelled(talk: Talk, who: str, name: str, fields: Pairs, edited: frozenset[str]) -> None:
    names = [key for key, _ in fields if key.lower() == name.lower()]
    talk.check(names == [name] or name.lower() in edited, f"{who} the name {name}", names)


async def controls(bench: Bench) -> None:
    """No control character in a field arrives anywhere."""
    bad = ["a\x01b", "a\x00b", "a\x7fb", "a\rX-Smuggled: 1"]
    for value in bad:
        async with bench.talk(bench.respond(200, [("X-Bad", value)], b"ok")) as talk:
            await talk.ask()
            answer = await talk.client.answer()
            await talk.asked(0, answer)
            found = _controls(answer.head)
            talk.check(not found, "no control character reaches the client", found)
            talk.check(answer.status >= 500, "the client is told that the upstream failed", answer)
        async with bench.talk() as talk:
            await talk.ask(fields=[("X-Bad", value)])
            await talk.client.answer()
            for request in talk.upstream.requests:
                found = _controls(request.raw_head)
                talk.check(not found, "no control character reaches the upstream", found)


def _controls(head: bytes) -> list[bytes]:
    """Lines of ``head`` that have one."""
    return [line for line in head.split(b"\r\n") if any((c < 32 and c != 9) or c == 127 for c in line)]


async def nothing_added_to_requests(bench: Bench) -> None:
    """Nothing is added to a request but `Host`, `Via` and what says where it comes from."""
    async with bench.talk() as talk:
        sent = await talk.ask()
        request = await talk.asked(0, await talk.client.answer())
        known = {name.lower() for name, _ in sent} | {"host", "via", "forwarded"} | bench.needs.request_edits
        more = [n for n, _ in request.headers if n.lower() not in known and not n.lower().startswith("x-forwarded-")]
        talk.check(not more, "the upstream gets no other fields (request_edits= names what you add)", more)


async def nothing_added_to_responses(bench: Bench) -> None:
    """Nothing is added to a response but a `Date` that is missing, and the framing: no `Server`, no `Content-Type`."""
    async with bench.talk(bench.respond(200, [("X-A", "1")], b"ok")) as talk:
        _, answer = await talk.exchange()
        known = {name.lower() for name, _ in bench.needs.response_fields} | bench.needs.response_edits
        known |= {"x-a", "date", "content-length", "transfer-encoding", "connection"}
        more = [name for name, _ in answer.fields if name.lower() not in known]
        talk.check(not more, "the client gets no other fields (response_edits= names what you add)", more)
        talk.returned(answer, "X-A", ["1"])


async def date(bench: Bench) -> None:
    """An upstream's `Date` is kept."""
    said = "Thu, 01 Jan 1970 00:00:07 GMT"
    async with bench.talk(bench.respond(200, [("Date", said)], b"ok")) as talk:
        _, answer = await talk.exchange()
        talk.returned(answer, "Date", [said])


async def ranges(bench: Bench) -> None:
    """A request for a range, its condition and a partial response pass."""
    part = [("Content-Range", "bytes 0-1/9"), ("ETag", '"x"')]
    async with bench.talk(bench.respond(206, part, b"ab")) as talk:
        request, answer = await talk.exchange(fields=[("Range", "bytes=0-1"), ("If-Range", '"x"')])
        talk.arrived(request, "Range", ["bytes=0-1"])
        talk.arrived(request, "If-Range", ['"x"'])
        talk.got(answer, 206, b"ab")
        for name, value in part:
            talk.returned(answer, name, [value])


async def reasons(bench: Bench) -> None:
    """The reason phrase is relayed, an empty one too, and so are statuses that nobody knows."""
    for status, reason in ((200, "Fine"), (299, "Odd But Fine"), (418, ""), (404, "Gone Fishing"), (599, "Strange")):
        async with bench.talk(bench.respond(status, [], b"ok", reason=reason)) as talk:
            _, answer = await talk.exchange()
            same = (answer.status, answer.reason) == (status, reason)
            talk.check(same, f"the client gets {status} {reason}", f"{answer.status} {answer.reason}")


async def trailers(bench: Bench) -> None:
    """Trailers never become fields, of this message or of the next."""
    late = [("X-Late", "1"), ("Set-Cookie", "late=1")]
    script = bench.respond(200, [("Trailer", "X-Late")], b"hello", chunked=True, trailers=late)
    async with bench.talk(script) as talk:
        wire = chunks(b"hello", trailers=b"X-Late: 1\r\nAuthorization: late\r\n")
        request, answer = await talk.exchange("POST", fields=[("Trailer", "X-Late")], body=wire, chunked=True)
        talk.body(request, b"hello")
        talk.got(answer, 200, b"hello")
        follows = await talk.next(answer)
        for asked, got in ((request, answer), follows):
            talk.arrived(asked, "X-Late", [])
            talk.returned(got, "X-Late", [])
            talk.check("late=1" not in got.getall("Set-Cookie"), "no cookie comes of a trailer", got.fields)
            talk.check("late" not in asked.getall("Authorization"), "no credentials come of a trailer", asked.headers)
        announced = not answer.getall("Trailer") or b"x-late" in answer.trailers.lower()
        talk.check(announced, "no trailers are announced that do not come", answer.getall("Trailer"))


def _values(fields: Pairs, name: str) -> list[str]:
    return [value for key, value in fields if key.lower() == name.lower()]


HEADS: Mapping[str, Check] = {
    "F-01": version,
    "F-02": target,
    "F-03": empty_query,
    "F-07": query,
    "F-13": host,
    "F-20": named_fields,
    "F-21": protected_fields,
    "F-22": hop_by_hop,
    "F-24": repeated_fields,
    "F-25": case,
    "F-26": high_bytes,
    "F-27": empty_values,
    "F-28": controls,
    "F-29": nothing_added_to_requests,
    "F-30": nothing_added_to_responses,
    "F-31": date,
    "F-65": trailers,
    "F-109": ranges,
    "F-111": reasons,
}
