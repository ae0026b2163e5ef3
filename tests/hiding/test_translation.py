"""What URLs of an upstream become for its client."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revproxy.hiding.authority import authority
from revproxy.hiding.links import link, refresh
from revproxy.hiding.route import Route
from revproxy.hiding.translation import Internal, Translation

NAMES = frozenset({("10.0.0.1", 8080), ("app.internal", 0), ("fd00::1", 8080)})


def of(
    *moves: tuple[str, str],
    origin: str = "",
    came: str = "/",
    sent: str = "/",
    scheme: str = "http",
    internal: Internal = "pass",
    asked: str = "shop.example",
) -> Translation:
    """What a client of http://shop.example is told."""
    return Translation(
        lambda: NAMES,
        origin=origin,
        route=Route(moves),
        came=came,
        sent=sent,
        scheme=scheme,
        asked=asked,
        internal=internal,
    )


@pytest.mark.parametrize(
    ("said", "path", "url"),
    [
        ("http://10.0.0.1:8080/a/b?c=d#e", "/a/b?c=d#e", "https://shop.example/a/b?c=d#e"),
        ("HTTP://10.0.0.1:8080", "/", "https://shop.example/"),
        ("https://10.0.0.1:8080?q", "/?q", "https://shop.example/?q"),
        ("http://app.internal/x", "/x", "https://shop.example/x"),
        ("https://APP.internal.:443/x", "/x", "https://shop.example/x"),
        ("http://app.internal:80#f", "/#f", "https://shop.example/#f"),
        ("http://user:word@app.internal/x", "/x", "https://shop.example/x"),
        ("//app.internal/x", "/x", "https://shop.example/x"),
        ("///app.internal/x", "/x", "https://shop.example/x"),
        ("/\\app.internal/x", "/x", "https://shop.example/x"),
        ("http:\\\\app.internal\\x", "/x", "https://shop.example/x"),
        ("http://[FD00:0::1]:8080/x", "/x", "https://shop.example/x"),
        # What would be another host if it stood alone.
        ("http://app.internal//evil.example/x", "/evil.example/x", "https://shop.example/evil.example/x"),
        ("http://app.internal/\\evil.example/x", "/evil.example/x", "https://shop.example/evil.example/x"),
        ("http://app.internal\\@evil.example/", "/@evil.example/", "https://shop.example/@evil.example/"),
        ("http://app.internal/%zz caf\xe9", "/%zz caf\xe9", "https://shop.example/%zz caf\xe9"),
    ],
)
def test_urls_of_the_upstream(said: str, path: str, url: str) -> None:
    """F-105, S-42: a URL that names the upstream becomes a path, or one of the public origin, by either scheme and
    however browsers let it be written; never one of a host that its path could be taken for."""
    assert of().url(said) == path
    assert of(origin="https://shop.example").url(said) == url


@pytest.mark.parametrize(
    "said",
    [
        "https://idp.example/authorize?redirect_uri=http%3A%2F%2Fapp.internal%2Fback",
        "http://app.internal.evil.example/",
        "http://app.internal@evil.example/",
        "http://10.0.0.1:9090/",
        "//cdn.example/x",
        "/\\evil.example",
        "mailto:root@shop.example",
        "/x",
        "x/../y",
        "",
        "?a",
        "#b",
        "http:///x",
        "http:x",
        "http://[nothing/",
        "data:,http",
    ],
)
@pytest.mark.parametrize("origin", ["", "https://shop.example"], ids=["path", "origin"])
def test_what_is_not_of_the_upstream(said: str, origin: str) -> None:
    """F-105: URLs of others, references without a host, and what is no URL stay byte for byte."""
    assert of(origin=origin).url(said) == said


@pytest.mark.parametrize(
    "said",
    [
        "http:/app.internal/x",
        "http:app.internal",
        "/x\thttp://app.internal/",
        "http://app.internal:80:80/",
        "http://app.internal:port/x",
        "http:// app.internal/",
        "wss://app.internal/feed",
        # Browsers find a host there without slashes, and behind tabs.
        "ws:app.internal/feed",
        "ftp:app.internal",
        "http://app.inter\tnal/x",
        "app.internal:80/x",
        "mailto:root@app.internal",
    ],
)
def test_what_cannot_be_said(said: str) -> None:
    """F-105: what is no URL that could be mapped, and names the upstream, is not said at all."""
    assert of().url(said) is None


def test_sockets() -> None:
    """F-105: the URL of a WebSocket is mapped where there is an origin to say it by, else not said."""
    said = "wss://app.internal/feed?a"
    assert of().url(said) is None
    assert of(APP, origin="https://shop.example").url(said) == "wss://shop.example/app/feed?a"
    assert of(origin="http://shop.example:81").url("WS://app.internal") == "ws://shop.example:81/"
    for text in ("wss://shop.example/feed", "ws://10.0.0.1:9/feed", "ws:x"):
        assert of().url(text) == text


def test_the_public_host_may_be_said() -> None:
    """What names the upstream by the name that the client knows passes where it cannot be read."""
    own = Translation(lambda: {("shop.example", 0)}, asked="shop.example")
    for text in ("wss://shop.example/feed", "app://shop.example/x", "http:shop.example"):
        assert own.url(text) == text
    assert link("<https://shop.example/x", own) == "<https://shop.example/x"
    assert of().url("app://app.internal/x") is None


def test_tls_that_is_insisted_on() -> None:
    """An upstream that gets the client's Host and sends it to https is not sent in circles."""
    plain = Translation(lambda: {("shop.example", 0)}, asked="shop.example", scheme="http")
    secure = Translation(lambda: {("shop.example", 0)}, asked="shop.example", scheme="https")
    assert plain.url("https://shop.example/x") == "https://shop.example/x"
    assert plain.url("http://shop.example/x") == secure.url("http://shop.example/x") == "/x"


@pytest.mark.parametrize("said", ["http://10.0.0.1:9090/x", "http://db/x", "http://192.168.7.7/x", "//a.b.internal/x"])
def test_other_hosts_inside(said: str) -> None:
    """S-42: hosts that nobody outside could mean pass, are mapped or removed, as declared."""
    assert of(internal="pass").url(said) == said
    assert of(internal="map").url(said) == "/x"
    assert of(internal="remove").url(said) is None


@pytest.mark.parametrize("said", ["http://idp.example/x", "http://localhost:9000/x", "http://8.8.8.8/x"])
def test_hosts_that_clients_know(said: str) -> None:
    """A host that the client itself has asked is none of the inside, whatever its name."""
    for internal in ("map", "remove"):
        assert of(internal=internal, asked="localhost:8080").url(said) == said


APP = ("/app", "")
BASE = ("", "/base")


@pytest.mark.parametrize(
    ("moves", "said", "told"),
    [
        ([APP], "/x", "/app/x"),
        ([APP], "/", "/app/"),
        ([APP], "/x/../y?z", "/app/y?z"),
        ([APP], "/app/x", "/app/x"),
        ([APP], "/apple", "/app/apple"),
        ([APP], "/%61pp/x", "/%61pp/x"),
        ([APP], "http://app.internal", "/app/"),
        ([APP], "http://app.internal/x%2F//", "/app/x%2F//"),
        ([APP], "\\x", "/app/x"),
        ([APP], "/%zz", "/app/%zz"),
        ([BASE], "/base/x", "/x"),
        ([BASE], "/base", "/"),
        ([BASE], "/b%61se/x", "/x"),
        ([BASE], "/other", "/other"),
        ([BASE], "/%zz", "/%zz"),
        ([BASE], "/base//evil.example", "/evil.example"),
        ([BASE], "/base/\\evil.example", "/evil.example"),
        ([BASE], "/base/..//evil.example", "/base/..//evil.example"),
        ([BASE], "http://app.internal/base//evil.example", "/evil.example"),
        ([BASE], "http://app.internal/login", "/login"),
        ([APP, BASE], "/base/x", "/app/x"),
        ([APP, BASE], "/x", "/x"),
        ([("/old", "/new"), BASE], "/base/new/x", "/old/x"),
        ([("/a/b", ""), ("", "/v2"), BASE], "/base/v2/x/", "/a/b/x/"),
    ],
)
def test_paths(moves: list[tuple[str, str]], said: str, told: str) -> None:
    """F-105: what stands before paths outside is put back, and what stands there inside is taken off; never so that
    what follows is taken for a host."""
    assert of(*moves).url(said) == told


@pytest.mark.parametrize(
    ("came", "sent", "said", "told"),
    [
        ("/app/a/b", "/a/b", "c", "c"),
        ("/app/a/b", "/a/b", "../c?d", "../c?d"),
        ("/app/a/b", "/a/b", "../../c?d", "/app/c?d"),
        ("/app", "/", "c", "/app/c"),
        ("/app", "/", ".", "/app/"),
        ("/app/", "/", "app/c", "app/c"),
        ("/app/", "/", "?c", "?c"),
        ("/app/", "/", ".//evil.example", ".//evil.example"),
        ("/app/x", "/x", "%zz", "%zz"),
    ],
)
def test_relative_references(came: str, sent: str, said: str, told: str) -> None:
    """F-105: a relative reference stays where it means the same to the client, else it is spelled out."""
    assert of(APP, came=came, sent=sent).url(said) == told


HOSTS = ["app.internal", "10.0.0.1:8080", "evil.example", "APP.INTERNAL:443", "[fd00::1]:8080", "u@app.internal", ""]
SIGNS = ["/", "\\", "//", "http:", "https://", "..", ".", "app", "base", "%2e", "%2F", "?", "#", "@", ":", "\t", " "]
PIECES = st.lists(st.sampled_from([*SIGNS, *HOSTS]), max_size=9).map("".join)
ROUTES = st.lists(st.sampled_from([APP, BASE, ("/app", "/base"), ("/base", ""), ("", "/app/base")]), max_size=3)


def seen_by_browsers(url: str) -> str | None:
    """The host that a browser would ask of a page of http://shop.example/app/x, in WHATWG's reading; ``None``: the
    same."""
    url = re.sub("[\t\r\n]", "", url.strip(" \t"))
    if re.match("https?:", url, re.IGNORECASE):
        scheme, _, rest = url.partition(":")
        if scheme.lower() == "http" and not rest.startswith(("/", "\\")):
            return None  # relative, to the same scheme
        if scheme.lower() == "http" and not re.match(r"[/\\]{2}", rest):
            return None
        host = re.split(r"[/\\?#]", rest.lstrip("/\\"))[0]
    elif re.match(r"[/\\]{2}", url):
        host = re.split(r"[/\\?#]", url.lstrip("/\\"))[0]
    else:
        return None
    named = authority(host)
    return host if named is None else named[0]


@given(PIECES, ROUTES, st.sampled_from(["", "https://shop.example"]))
@example("/base//evil.example", [BASE], "")
@example("http:/app.internal", [], "")
@example(" //app.internal", [], "")
@example("  http://app.internal/x ", [BASE], "https://shop.example")
@example("//app.internal/..//evil.example", [], "")
def test_no_other_host_comes_of_it(said: str, moves: list[tuple[str, str]], origin: str) -> None:
    """F-105, S-27, S-42: whatever the upstream says, the client is sent to the host that stood there, or stays; never
    to the upstream, and never to what was a path."""
    told = of(*moves, origin=origin).url(said)
    if told is None:
        return
    before, after = seen_by_browsers(said), seen_by_browsers(told)
    assert after in (None, before, "shop.example")
    assert after not in {host for host, _ in NAMES}
    if told != said:
        assert after == (urlsplit(origin).hostname if told.startswith("https:") else None)
        assert re.search(r"[\0-\x1f\x7f]", told) is None
        assert told.startswith((origin or "/") if re.match(r"[a-z]+:|[/\\]{2}", said.strip(" "), re.I) else "/")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("</x>; rel=next", "</app/x>; rel=next"),
        (
            '<http://app.internal/x>; rel="next"; title="a <b>, \\"</c>", </y>;rel=prev , <https://cdn.example/z>',
            '</app/x>; rel="next"; title="a <b>, \\"</c>", </app/y>;rel=prev , <https://cdn.example/z>',
        ),
        ("<x>; rel=preload", "<x>; rel=preload"),
        ("< /x >; rel=preload", "</app/x>; rel=preload"),
        ("<>; rel=self", "<>; rel=self"),
        ("", ""),
        ("nonsense", "nonsense"),
        ('<https://cdn.example/z>; title="open', '<https://cdn.example/z>; title="open'),
        ("</x; rel=next", "</x; rel=next"),
        ('</x>; rel=up; Anchor="http://app.internal/y"', '</app/x>; rel=up; Anchor="/app/y"'),
        ('</x>; anchor = "/y", </z>', '</app/x>; anchor = "/app/y", </app/z>'),
        ('<x>; anchor="#a"; title="/y"', '<x>; anchor="#a"; title="/y"'),
        ('<x>; notanchor="/y"', '<x>; notanchor="/y"'),
        ('<x>; anchor="wss://app.internal/"', None),
        ('<x>; anchor="http://app.internal/\\""', None),
        ("<x>; anchor=http://app.internal/y", None),
        ("<http://app.internal/x; rel=next", None),
        ('</x>; title="http://app.internal', None),
        ("</x>, <wss://app.internal/feed>", None),
    ],
)
def test_links(said: str, told: str | None) -> None:
    """F-105: every target of a Link is mapped (RFC 8288), whatever stands in quotes beside it; what cannot be read
    passes, unless it names the upstream."""
    assert link(said, of(APP, came="/app/", sent="/")) == told


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("0; url=/x", "0; url=/app/x"),
        ("5;URL='http://app.internal/x'", "5;URL='/app/x'"),
        ('5, url = "http://app.internal/x"; more', '5, url = "/app/x"; more'),
        ("0; http://app.internal/x", "0; /app/x"),
        ("0 /x", "0 /app/x"),
        ("0;url='http://app.internal/x", "0;url='/app/x"),
        ("1.5;url=https://idp.example/", "1.5;url=https://idp.example/"),
        ("5", "5"),
        ("", ""),
        ("now", "now"),
        ("now; http://app.internal/", None),
        ("0; url=wss://app.internal/", None),
    ],
)
def test_refresh(said: str, told: str | None) -> None:
    """F-105: the URL of a Refresh is mapped, in quotes or not."""
    assert refresh(said, of(APP, came="/app/", sent="/")) == told


@given(st.text(st.sampled_from("<>\"\\;,= '0url:/app.internalx\t\0"), max_size=30))
def test_nothing_is_too_odd(said: str) -> None:
    """Whatever a server writes there, it is mapped, passed or removed: nothing is raised."""
    for translate in (link, refresh, lambda value, translation: translation.url(value)):
        for translation in (of(), of(APP, BASE), of(origin="https://shop.example", internal="remove")):
            told = translate(said, translation)
            assert told is None or not re.search(r"//app\.internal(?![\w.-])", re.sub('"[^"]*"|\\?.*', "", told))
