"""Requests that are not as clients make them."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.inspect.packs.protocol import PROTOCOL
from revproxy.filters.inspect.subject import Check, Subject
from revproxy.filters.inspect.value import Part, Value
from revproxy.testing import exchange

from . import Samples, check_pack, is_found


def asked(
    *fields: tuple[str, str],
    method: str = "GET",
    target: str = "/",
    body: bytes = b"",
    host: str = "example.test",
    agent: str = "a/1",
) -> Subject:
    if agent:
        fields = (("User-Agent", agent), ("Accept", "*/*"), *fields)
    return Subject(exchange(method, target, headers=fields, body=body, host=host))


def sent(kind: str, *fields: tuple[str, str]) -> Subject:
    return asked(("Content-Type", kind), *fields, method="POST", body=b"x")


def told(*texts: str) -> Subject:
    subject = asked(method="POST", body=b"x")
    subject.add(Value(Part.VALUE, "q", text) for text in texts)
    return subject


def troubled(kind: str, words: str = "odd") -> Subject:
    subject = asked()
    subject.trouble(kind, words)
    return subject


def target(text: str) -> Value:
    return Value(Part.TARGET, "", text)


FINE = (
    asked(),
    asked(target="/a?b=c"),
    sent("application/json"),
    sent("multipart/form-data; boundary=x"),
    asked(("Cookie", "a=b"), method="DELETE"),
)

SAMPLES: Mapping[str, Samples] = {
    "protocol-01": Samples(
        (troubled("json"), troubled("xml"), troubled("multipart"), troubled("form"), troubled("json", "not JSON")),
        (troubled("depth"), troubled("charset"), *FINE),
    ),
    "protocol-02": Samples(
        (
            troubled("charset"),
            troubled("coding"),
            troubled("charset", "x"),
            troubled("coding", "y"),
            troubled("coding", "z"),
        ),
        (troubled("json"), *FINE),
    ),
    "protocol-03": Samples(
        (
            troubled("values"),
            troubled("depth"),
            troubled("values", "x"),
            troubled("depth", "y"),
            troubled("depth", "z"),
        ),
        (troubled("json"), *FINE),
    ),
    "protocol-04": Samples(
        tuple(troubled("doctype", words) for words in ("a", "b", "c", "d", "e")),
        (troubled("xml"), *FINE),
    ),
    "protocol-05": Samples(
        (told("a\0b"), told("\0'"), told("x.php\0.jpg"), told("ok", "a\0b"), told("'\0'")),
        (told("a"), told("\\0"), told("%00"), told("\n"), told("\x01"), told("SEND\n\nhello\0")),
    ),
    "protocol-06": Samples(
        (
            told("x\r\nSet-Cookie: a=b"),
            told("/home\nLocation: https://evil.test"),
            told("en\r\n\r\nHTTP/1.1 200 OK"),
            told("\r\nContent-Type: text/html"),
            told("a\u560d\u560aSet-Cookie:b"),
            told("a\n\nHTTP/1.0 302 Found"),
            told("a\rX-Injected: b"),
            told("x\r\nGET /admin HTTP/1.1\r\nHost: x"),
            told("0\r\n\r\nPOST / HTTP/1.1"),
            told("\r\n\r\nGET http://a/ HTTP/1.0"),
            told("a=b\r\n0\r\n\r\nDELETE /x HTTP/1.1"),
            told("\nHEAD / HTTP/1.1"),
            told("a@x.test\nBcc: b@y.test"),
            told("Hello\r\ncc: b@y.test"),
            told("x\nMIME-Version: 1.0"),
            told("a@x.test\rBCC:b@y.test"),
            told("a\nReply-To: b"),
            asked(target="/a%0d%0ab"),
            asked(target="/%0Aa"),
            asked(target="/a%0D"),
            asked(target="/x/%0aSet-Cookie:a=b"),
            asked(target="/?a=b&%0d%0aRemote-addr:%20x=Y"),
            asked(target="/a%0a?b"),
        ),
        (
            told("Party\nLocation: Berlin"),
            told("Dear all,\nSet-Cookie: is a field"),
            told("The answer was\nContent-Type: text/html"),
            told("one\ntwo"),
            told("Set-Cookie: a"),
            told("a\u560d\u6c34"),
            told("GET / HTTP/1.1"),
            told("the request was\nGET / HTTP/1.1"),
            told('192.0.2.1 "GET / HTTP/1.1" 200'),
            told("GET\nPOST"),
            told("x\nGET a life"),
            told("Hello\nCC: Bob"),
            told("Hello all\nBcc: b@y.test"),
            told("a@x.test\nb@y.test"),
            told("bcc: a@x.test"),
            told("one\ncc"),
            asked(target="/a?b=%0a"),
            asked(target="/a%20b"),
            asked(target="/0a0d"),
            asked(target="/%C3%A0"),
            *FINE,
        ),
    ),
    "protocol-10": Samples(
        (
            sent("text/plain", ("Content-Type", "application/json")),
            sent("text/plain", ("content-type", "text/plain")),
            asked(("Range", "bytes=0-1"), ("range", "bytes=1-2")),
            asked(("Authorization", "a"), ("Authorization", "b")),
            asked(("authorization", "Basic eA=="), ("Authorization", "Bearer x"), method="PUT", body=b"x"),
        ),
        (asked(("Accept", "a")), asked(("Via", "a"), ("Via", "b")), asked(("Cookie", "a=b"), ("Cookie", "c=d")), *FINE),
    ),
    "protocol-11": Samples(
        (
            asked(("Proxy", "http://evil.test")),
            asked(("PROXY", "x")),
            asked(("proxy", "10.0.0.1:3128"), method="POST", body=b"x"),
            asked(("Proxy", "")),
            asked(("pRoXy", "evil.test"), target="/cgi-bin/x"),
        ),
        (asked(("X-Proxy", "a")), asked(("Proxies", "a")), asked(("Proxy-Connection", "close")), *FINE),
    ),
    "protocol-12": Samples(
        (
            asked(("Range", "bytes=0-,0-,0-,0-")),
            asked(("Range", "bytes=" + ",".join(f"{at}-{at}" for at in range(100)))),
            asked(("Range", "bytes=0-9,1-8,2-7,3-6")),
            asked(("Range", "bytes=" + "-1," * 200 + "-1")),
            asked(("Range", "bytes=5-,4-,3-,2-,1-")),
        ),
        (
            asked(("Range", "bytes=0-1023")),
            asked(("Range", "bytes=0-1,5-6,10-")),
            asked(("Range", "bytes=-500")),
            asked(("Range", "bytes=0-10,5-20")),
            asked(),
        ),
    ),
    "protocol-13": Samples(
        (
            sent("%{(#a='multipart/form-data')}"),
            sent("${jndi:ldap://x}"),
            sent("text/html<script>"),
            sent("application/(json)"),
            sent("multipart/form-data; boundary=a; x=%{1}"),
        ),
        (
            sent('multipart/form-data; boundary="a b(c)"'),
            sent("text/plain; charset=utf-8"),
            sent("application/vnd.api+json"),
            sent("application/json;charset=UTF-8;"),
            sent("json"),
        ),
    ),
    "protocol-14": Samples(
        (
            sent("json"),
            sent("text/plain, text/html"),
            sent("application/"),
            sent("multipart/form-data, boundary=x"),
            sent("a/b/c"),
        ),
        (
            sent("text/plain"),
            sent(" application/json "),
            sent("image/svg+xml; charset=utf-8"),
            sent("application/x-www-form-urlencoded"),
            asked(),
        ),
    ),
    "protocol-15": Samples(
        (
            sent("text/plain; charset=utf-7"),
            sent("application/json; charset=ibm037"),
            sent("a/b; charset=utf-8; charset=utf-7"),
            sent("multipart/form-data; boundary=a; boundary=b"),
            sent("text/xml; charset=UTF-16"),
            sent("text/plain;charset='cp875'"),
            sent('application/x-www-form-urlencoded;boundary="application/json"'),
        ),
        (
            sent("text/plain; charset=utf-8"),
            sent("text/plain; charset=iso-8859-1"),
            sent("text/plain; charset=cp1252-like"),
            sent("multipart/form-data; boundary=----WebKitFormBoundary"),
            sent('multipart/related; type="application/xop+xml"; boundary="b"; start-info="text/xml"'),
            sent("text/plain"),
        ),
    ),
    "protocol-16": Samples(
        (
            sent("a/b", ("Content-Encoding", "gzip, gzip")),
            sent("a/b", ("Content-Encoding", "gzip"), ("Content-Encoding", "deflate")),
            sent("a/b", ("Content-Encoding", "br,gzip")),
            sent("a/b", ("content-encoding", "identity, gzip")),
            sent("a/b", ("Content-Encoding", "x,y,z")),
        ),
        (sent("a/b", ("Content-Encoding", "gzip")), sent("a/b", ("Content-Encoding", "")), *FINE),
    ),
    "protocol-17": Samples(
        (
            asked(("X-HTTP-Method-Override", "TRACE")),
            asked(("X-HTTP-Method", "DEBUG")),
            asked(("X-Method-Override", "GETS")),
            asked(("X-HTTP-Method-Override", "' OR 1=1")),
            asked(("x-http-method-override", "CONNECT")),
        ),
        (
            asked(("X-HTTP-Method-Override", "PUT")),
            asked(("X-HTTP-Method", "merge")),
            asked(("X-Method-Override", "PATCH")),
            *FINE,
        ),
    ),
    "protocol-18": Samples(
        (
            asked(method="TRACE"),
            asked(method="TRACK"),
            asked(method="DEBUG"),
            asked(method="TRACE", target="/x"),
            asked(method="DEBUG", target="/y"),
        ),
        (asked(method="OPTIONS"), asked(method="HEAD"), asked(method="PROPFIND"), asked(method="trace"), *FINE),
    ),
    "protocol-19": Samples(
        (
            target("/?a=%0d%0aSet-Cookie:%20a=b"),
            target("/x%0AContent-Type%3A%20text/html"),
            "%0d%0aTransfer-Encoding: chunked",
            target("/?q=%E5%98%8A%E5%98%8Dx"),
            target("/?q=%250d%250aset-cookie%253aa"),
            target("/?x=%0d%0a%0d%0aHTTP/1.1%20200"),
            Value(Part.COOKIE, "a", "b%0d%0a%0d%0a<HTML>"),
        ),
        (
            target("/?text=one%0Atwo"),
            target("/?q=%0ALocation%3A+Berlin"),
            target("/?q=%C4%8D%C4%8A"),
            "%0a",
            target("/?q=set-cookie:"),
            target("/?q=%E5%98%8A"),
        ),
    ),
    "protocol-20": Samples(
        (target("/?q=%u003cscript"), target("/%u0027"), "%u0022", target("/?q=%25u0041"), target("/?q=%U002F")),
        (target("/?q=%u0434%u0430"), target("/?q=u0041"), "\\u0041", target("/?q=%uFF01"), "50% u0041"),
    ),
    "protocol-21": Samples(
        (
            target("/?q=%2573%2565lect"),
            target("/?x=%2561%2562"),
            target("/%2541%2542%2543"),
            target("/?f=a%2500.jpg"),
            target("/?q=%2575%256e%2569on"),
        ),
        (
            target("/?next=%2Fa%3Fb%3D%252Fc"),
            target("/?q=50%25"),
            target("/?q=100%25%20sure"),
            target("/?q=%25E4%25B8"),
            target("/?q=%2541"),
        ),
    ),
    "protocol-22": Samples(
        (
            asked(body=b"x"),
            asked(method="HEAD", body=b"x"),
            asked(("Content-Length", "10")),
            asked(("Transfer-Encoding", "chunked")),
            asked(target="/a", body=b"{}"),
        ),
        (asked(("Content-Length", "0")), asked(method="POST", body=b"x"), *FINE),
    ),
    "protocol-23": Samples(
        (
            asked(agent=""),
            asked(("User-Agent", ""), agent=""),
            asked(("User-Agent", "-"), agent=""),
            asked(agent="", target="/x"),
            asked(agent="", method="POST", body=b"x"),
            asked(("Accept", "*/*"), agent=""),
        ),
        FINE,
    ),
    "protocol-24": Samples(
        (
            asked(host="10.0.0.1"),
            asked(host="127.0.0.1:8080"),
            asked(host="[::1]"),
            asked(host="2130706433"),
            asked(host="0x7f.0.0.1"),
        ),
        (
            asked(host="example.com"),
            asked(host="1.example.com"),
            asked(host="10-0-0-1.test"),
            asked(host="localhost:80"),
            asked(host="4chan.test"),
        ),
    ),
    "protocol-25": Samples(
        (
            *(asked(target="/?" + "&".join(f"{name}{at}=1" for at in range(300))) for name in "abc"),
            *(asked(target=f"/?{'n' * size}=1") for size in (257, 400, 600)),
            *(asked(*((f"X-{at}", "a") for at in range(count))) for count in (100, 120, 180)),
        ),
        (
            asked(target=f"/?a={'n' * 500}"),
            asked(target=f"/?{'n' * 300}"),
            asked(target="/" + "n" * 300),
            asked(*((f"X-{at}", "a") for at in range(40))),
            *FINE,
        ),
    ),
    "protocol-27": Samples(
        tuple(
            asked((name, ",".join(["x"] * 80)))
            for name in ("Accept-Encoding", "Accept-Language", "Cache-Control", "Accept-Charset", "Connection")
        ),
        (asked(("Accept-Language", "de,en;q=0.8,fr;q=0.5")), asked(("Accept-Encoding", "gzip, br, zstd")), *FINE),
    ),
    "protocol-29": Samples(
        (
            asked(("Cookie", "; ".join(f"a{at}=b" for at in range(120)))),
            asked(("Cookie", "a=" + "b" * 9000)),
            asked(("Cookie", "a=" + "b" * 5000), ("Cookie", "c=" + "d" * 5000)),
            asked(("Cookie", ";" * 200)),
            asked(*[("Cookie", "a=b;" * 30)] * 4),
        ),
        (asked(("Cookie", "a=" + "b" * 4000)), asked(("Cookie", "; ".join(["a=b"] * 50))), *FINE),
    ),
    "protocol-30": Samples(
        tuple(asked(("Expect", value)) for value in ("200-ok", "", "100", "<script>", "100-continue, x")),
        (asked(("Expect", "100-continue")), asked(("Expect", "100-Continue ")), *FINE),
    ),
    "protocol-31": Samples(
        tuple(
            asked((name, "/admin"))
            for name in ("X-Original-URL", "X-Rewrite-URL", "x-original-url", "X-Override-URL", "X-HTTP-DestinationURL")
        ),
        (asked(("X-Forwarded-Uri", "/a")), asked(("Referer", "/admin")), *FINE),
    ),
    "protocol-32": Samples(
        (
            asked(agent=""),
            asked(("Accept", ""), agent=""),
            asked(agent="", method="POST", body=b"x"),
            asked(agent="", target="/x"),
            asked(("User-Agent", "a"), agent=""),
        ),
        (asked(agent="", method="OPTIONS"), *FINE),
    ),
    "protocol-33": Samples(
        tuple(asked(method=method, body=b"x") for method in ("POST", "PUT", "PATCH", "DELETE", "REPORT")),
        FINE,
    ),
    "protocol-34": Samples(
        tuple(sent(f"a/b; charset={name}") for name in ("utf-16", "x-user-defined", "", "koi9", "mac-roman")),
        (sent("a/b; charset=UTF-8"), sent('a/b; charset="utf-8"'), *FINE),
    ),
    "protocol-35": Samples(
        tuple(sent("a/b", ("Content-Encoding", coding)) for coding in ("gzip", "deflate", "br", "x", "gzip, gzip")),
        (sent("a/b", ("Content-Encoding", "identity")), *FINE),
    ),
    "protocol-36": Samples(
        (
            asked(("X-HTTP-Method-Override", "PUT")),
            asked(("X-HTTP-Method", "DELETE")),
            asked(("X-Method-Override", "PATCH")),
            asked(("x-http-method", "")),
            asked(("X-HTTP-Method-Override", "GET")),
        ),
        (asked(("X-HTTP", "PUT")), *FINE),
    ),
    "protocol-37": Samples(
        tuple(
            asked(("Range", "bytes=" + ",".join(f"{at}0-{at}1" for at in range(1, count))))
            for count in (7, 8, 9, 10, 11)
        ),
        (
            asked(("Range", "bytes=0-1,4-5"), target="/a"),
            asked(("Range", "bytes=1-2" + ",3-4" * 9), target="/a.pdf"),
            *FINE,
        ),
    ),
    "protocol-38": Samples(
        tuple(asked(target="/?a=" + "b" * size) for size in (5000, 5100, 5200, 5300, 5400)),
        (asked(target="/?a=" + "b" * 2000), *FINE),
    ),
    "protocol-39": Samples(
        (told("a\x01b"), told("\x1b[31m"), told("\x08"), told("x\x0by"), told("ok", "\x1f")),
        (told("a\tb"), told("a\r\nb"), told("a b"), told("\u00a0"), told("é")),
    ),
    "protocol-40": Samples(
        (told("\udcc0"), told("a\udce9b"), told("\ufffd"), told("ok", "\udcff"), told("x\ufffdy")),
        (told("é"), told("日本語"), told("🎉"), told("a"), told("\u00a0")),
    ),
    "protocol-41": Samples(
        (told("\uff07 or 1"), told("\uff1cscript\uff1e"), told("\uff02"), told("..\u2215"), told("a\uff0fb")),
        (told("日本語（テスト）"), told("l’été"), told("п’ять"), told("6′ 2″"), told("«a»")),
    ),
    "protocol-42": Samples(
        (
            "x Set-Cookie: a",
            "HTTP/1.1 200",
            "GET /a HTTP/1.1",
            "a transfer-encoding : chunked",
            "x-forwarded-for: 127.0.0.1",
            "POST http://a HTTP/2",
        ),
        ("set a cookie", "http/1", "get /a life", "the host: me", "HTTPS://a", "content length"),
    ),
    "protocol-43": Samples(
        (target("/?q=100%"), target("/?q=%zz"), target("/?q=%4"), target("/?q=%uFF1C"), target("/?q=5%&a=b")),
        (target("/?q=100%25"), target("/?q=%20"), target("/"), target("/?q=%u0434"), "100%"),
    ),
    "protocol-44": Samples(
        ("%41", "a%20b", "%2e%2e", "100%25", Value(Part.COOKIE, "a", "%7B")),
        ("100%", "a b", "5 % 10", "%zz", "x%y"),
    ),
    "protocol-45": Samples(
        (target("/?q=%2527"), target("/?q=%253Cb"), target("/?q=%25252e"), target("/?q=%250a"), target("/?q=%252522")),
        (target("/?q=%27"), target("/?q=25%25"), target("/?q=%252F"), target("/?q=%25"), "%2527"),
    ),
    "protocol-46": Samples(
        (
            asked(target="/?id=1&id=2"),
            asked(target="/?a=b&token=x&token=y"),
            asked(target="/?role=user&role=admin"),
            asked(target="/?page=1&x=2&page=3"),
            asked(target="/?url=a&url=b"),
        ),
        (asked(target="/?tag=a&tag=b"), asked(target="/?id[]=1&id[]=2"), asked(target="/?id=1&ID=2"), *FINE),
    ),
    "protocol-47": Samples(
        (told("sel\u200bect"), told("scr\u00adipt"), told("a\ufeffb"), told("x\u200dy"), told("ok", "a\u2060b")),
        (told("👨\u200d👩"), told("می\u200cخواهم"), told("a \u200b b"), told("abc"), told("\ufeffabc")),
    ),
    "protocol-48": Samples(
        ("it's", "<b>", "a|b", "a → b", "a;b", "{", "^", "`"),
        ("a b", "a-b.c", "x=1", "(a)", "10%", "a, b: c!"),
    ),
    "protocol-49": Samples(
        (
            target("/x.php%00.jpg"),
            target("/?f=../etc/passwd%00"),
            target("/?q=%00%00"),
            target("/?a=b%00&c"),
            target("/%00"),
            target("/?f=x.jsp%2500.png"),
        ),
        (target("/?q=100%2500"), target("/00"), target("/?q=%20"), target("/?q=50%25%30%30"), "%00"),
    ),
    "protocol-50": Samples(
        (
            sent("text/plain", ("Content-Type", "application/json")),
            asked(("User-Agent", "b")),
            asked(("Range", "bytes=0-1"), ("range", "bytes=1-2")),
            asked(("Authorization", "a"), ("Authorization", "b")),
            asked(("Referer", "a"), ("referer", "b")),
        ),
        (asked(("Accept", "a")), asked(("Via", "a"), ("Via", "b")), asked(("Cookie", "a=b"), ("Cookie", "c=d")), *FINE),
    ),
}


def test_pack() -> None:
    """S-60, S-30: each check finds what no honest client sends, and nothing in what clients do send."""
    check_pack(PROTOCOL, SAMPLES)


def test_weak_hints() -> None:
    """S-60: a health check that asks for an address is not even noted; one without a name is, and not stopped."""
    subject = asked(agent="", host="10.0.0.1")
    found = [each for each in PROTOCOL if isinstance(each, Check) and each.paranoia == 1 and is_found(each, subject)]
    assert [each.id for each in found] == ["protocol-23"]
    assert all(each.severity.name == "NOTICE" for each in found)


def test_fields() -> None:
    """S-60: what is no UTF-8 is seen in a field's value as in a parameter's."""
    subject = asked()
    assert not any(is_found(each, subject) for each in PROTOCOL if each.id == "protocol-40")
    subject.later([], list, lasting=["a\udcc0"])
    assert any(is_found(each, subject) for each in PROTOCOL if each.id == "protocol-40")


@given(st.text(st.characters(codec="utf-8")))
def test_any_text(text: str) -> None:
    """S-60: no text is too odd to be looked at."""
    for each in PROTOCOL:
        is_found(each, told(text) if isinstance(each, Check) else Value(Part.VALUE, "q", text))
