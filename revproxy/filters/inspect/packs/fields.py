"""What is odd about the fields of a request: the predicates of ``PROTOCOL`` and ``SCANNERS`` that look at the head."""

from __future__ import annotations

import re

from multidict import istr

from ....ranges import is_sane
from ..subject import Subject

__all__ = [
    "OTHER_METHOD",
    "OTHER_URL",
    "amplified",
    "asks_for_content",
    "charset_of_no_client",
    "coded_twice",
    "expects_more",
    "has_content_type_beyond_grammar",
    "has_content_type_of_no_form",
    "has_no_accept",
    "has_no_agent",
    "has_no_type",
    "host_is_numeric",
    "is_browser_of_http_1_0",
    "is_browser_without_fetch_metadata",
    "is_browser_without_languages",
    "is_coded",
    "many_cookies",
    "many_ranges",
    "names_a_proxy",
    "odd_charset",
    "other_method",
    "other_method_is_odd",
    "other_url",
    "ranges_without_end",
    "stated_again",
    "stated_twice",
    "traces",
]

_ACCEPT = istr("Accept")
_ACCEPT_LANGUAGE = istr("Accept-Language")
_AUTHORIZATION = istr("Authorization")
_CONTENT_ENCODING = istr("Content-Encoding")
_CONTENT_LENGTH = istr("Content-Length")
_CONTENT_TYPE = istr("Content-Type")
_COOKIE = istr("Cookie")
_EXPECT = istr("Expect")
_HOST = istr("Host")
_PROXY = istr("Proxy")
_RANGE = istr("Range")
_SEC_FETCH = (istr("Sec-Fetch-Mode"), istr("Sec-Fetch-Site"), istr("Sec-Fetch-Dest"))
_TRANSFER_ENCODING = istr("Transfer-Encoding")
_USER_AGENT = istr("User-Agent")
OTHER_METHOD = (istr("X-HTTP-Method-Override"), istr("X-HTTP-Method"), istr("X-Method-Override"))
OTHER_URL = (istr("X-Original-URL"), istr("X-Rewrite-URL"), istr("X-Override-URL"), istr("X-HTTP-DestinationURL"))
_SINGLE = frozenset(
    (
        *(
            "authorization",
            "content-disposition",
            "content-type",
            "date",
            "from",
            "host",
            "if-modified-since",
            "if-range",
        ),
        *("if-unmodified-since", "max-forwards", "origin", "proxy-authorization", "range", "referer", "user-agent"),
    )
)
_LISTS = tuple(
    istr(name)
    for name in (
        "Accept",
        "Accept-Charset",
        "Accept-Encoding",
        "Accept-Language",
        "Cache-Control",
        "Connection",
        "Expect",
    )
)
_MOST_IN_A_LIST = 64
_MOST_COOKIES = 100
_MOST_COOKIE_BYTES = 8192
_MOST_RANGES = 5

_NUMERIC_HOST = re.compile(
    r"(?:\d{1,10}|0x[0-9A-Fa-f]{1,8})(?:\.(?:\d{1,10}|0x[0-9A-Fa-f]{1,2})){0,3}(?::\d*)?|\[[^\]]*\](?::\d*)?"
)
_TYPE = re.compile(r"\s*[\w!#&^.+-]+/[\w!#&^.+-]+\s*(?:;.*)?", re.ASCII)
_NEVER_IN_A_TYPE = re.compile(r"[%${}<>\\]|^[^;]*[()\"']")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\"';\s]*)", re.IGNORECASE)
_TYPE_WITHIN = re.compile(r"(?:boundary|charset)\s*=\s*\"?(?:application|multipart|text)/", re.IGNORECASE)
_CHARSETS = frozenset(
    (
        *("utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "latin1", "windows-1250", "windows-1251"),
        *("windows-1252", "gbk", "gb2312", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr", "koi8-r", "iso-8859-2"),
    )
)
_NO_CLIENTS = re.compile(
    r"utf-?7|ibm-?\d+|cp-?\d{3,4}$|ebcdic|x-|utf-?(?:16|32)|ucs|utf-?1$|hz-|iso-2022|punycode|cesu|scsu"
)
_BROWSER = re.compile(r"Mozilla/5\.0 \((?:Windows NT|Macintosh|X11|iPhone|iPad|Linux; Android)")
_EVERGREEN = re.compile(r"(?:Chrome/(?:9\d|1\d\d)|Firefox/(?:9\d|1\d\d))\.")
_METHOD = re.compile(r"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|MERGE|PROPFIND|REPORT)", re.IGNORECASE)


def asks_for_content(subject: Subject) -> str | None:
    inbound = subject.exchange.inbound
    if inbound.method not in ("GET", "HEAD"):
        return None
    headers = inbound.headers
    if headers.get(_CONTENT_LENGTH, "0").strip("0") or _TRANSFER_ENCODING in headers:
        return "content in a request that is answered as if it had none"
    return None


def has_no_agent(subject: Subject) -> str | None:
    agent = subject.exchange.inbound.headers.get(_USER_AGENT)
    return None if agent and agent != "-" else "no User-Agent, or an empty one"


def has_no_accept(subject: Subject) -> str | None:
    inbound = subject.exchange.inbound
    return None if inbound.headers.get(_ACCEPT) or inbound.method == "OPTIONS" else "no Accept, or an empty one"


def has_no_type(subject: Subject) -> str | None:
    headers = subject.exchange.inbound.headers
    if headers.get(_CONTENT_LENGTH, "0").strip("0") and not headers.get(_CONTENT_TYPE):
        return "content of no type"
    return None


def host_is_numeric(subject: Subject) -> str | None:
    host = subject.exchange.inbound.headers.get(_HOST, "")
    return "an address for a Host" if _NUMERIC_HOST.fullmatch(host) else None


def stated_twice(subject: Subject) -> str | None:
    """Of those by which a server decides what it is asked, and by whom."""
    headers = subject.exchange.inbound.headers
    for name in (_AUTHORIZATION, _CONTENT_TYPE, _RANGE):
        if len(headers.getall(name, ())) > 1:
            return f"two fields of the name {name.lower()}"
    return None


def stated_again(subject: Subject) -> str | None:
    names = [field[0].lower() for field in subject.exchange.inbound.headers.items()]  # keys() has each but once
    if len(set(names)) == len(names):
        return None
    twice = next((name for name in names if name in _SINGLE and names.count(name) > 1), None)
    return None if twice is None else f"two fields of the name {twice}"


def names_a_proxy(subject: Subject) -> str | None:
    """CGI makes ``HTTP_PROXY`` of it, which many a client library heeds."""
    return "a field Proxy" if _PROXY in subject.exchange.inbound.headers else None


def ranges_without_end(subject: Subject) -> str | None:
    value = subject.exchange.inbound.headers.get(_RANGE)
    return None if value is None or is_sane(value) else "a Range of very many parts, or of some that overlap"


def many_ranges(subject: Subject) -> str | None:
    inbound = subject.exchange.inbound
    value = inbound.headers.get(_RANGE)
    if value is None or value.count(",") < _MOST_RANGES or inbound.path.lower().endswith(".pdf"):
        return None
    return "a Range of many parts"


def has_content_type_beyond_grammar(subject: Subject) -> str | None:
    value = subject.exchange.inbound.headers.get(_CONTENT_TYPE)
    return None if value is None or _NEVER_IN_A_TYPE.search(value) is None else "a Content-Type with code in it"


def has_content_type_of_no_form(subject: Subject) -> str | None:
    value = subject.exchange.inbound.headers.get(_CONTENT_TYPE)
    return None if not value or _TYPE.fullmatch(value) else "a Content-Type that is none"


def charset_of_no_client(subject: Subject) -> str | None:
    value = subject.exchange.inbound.headers.get(_CONTENT_TYPE)
    if value is None or ";" not in value:
        return None
    if _TYPE_WITHIN.search(value) is not None:
        return "a Content-Type with another in it"
    charsets = _CHARSET.findall(value)
    if len(charsets) > 1 or value.lower().count("boundary=") > 1:
        return "a Content-Type with a parameter twice"
    return "a charset that hides what is said" if charsets and _NO_CLIENTS.match(charsets[0].lower()) else None


def odd_charset(subject: Subject) -> str | None:
    value = subject.exchange.inbound.headers.get(_CONTENT_TYPE)
    found = None if value is None else _CHARSET.search(value)
    return None if found is None or found[1].lower() in _CHARSETS else "an uncommon charset"


def coded_twice(subject: Subject) -> str | None:
    codings = ",".join(subject.exchange.inbound.headers.getall(_CONTENT_ENCODING, ())).split(",")
    return "content in two codings" if len([each for each in codings if each.strip()]) > 1 else None


def is_coded(subject: Subject) -> str | None:
    coding = subject.exchange.inbound.headers.get(_CONTENT_ENCODING, "identity")
    return None if coding.strip().lower() in ("", "identity") else "content in a coding"


def other_method(subject: Subject) -> str | None:
    headers = subject.exchange.inbound.headers
    return "a method in a field" if any(name in headers for name in OTHER_METHOD) else None


def other_method_is_odd(subject: Subject) -> str | None:
    headers = subject.exchange.inbound.headers
    for name in OTHER_METHOD:
        value = headers.get(name)
        if value is not None and not _METHOD.fullmatch(value.strip()):
            return "a method in a field that no application overrides to"
    return None


def other_url(subject: Subject) -> str | None:
    headers = subject.exchange.inbound.headers
    return "a target in a field" if any(name in headers for name in OTHER_URL) else None


def traces(subject: Subject) -> str | None:
    return "a method for debugging" if subject.exchange.inbound.method in ("TRACE", "TRACK", "DEBUG") else None


def amplified(subject: Subject) -> str | None:
    headers = subject.exchange.inbound.headers
    for name in _LISTS:
        if name in headers and sum(value.count(",") for value in headers.getall(name)) >= _MOST_IN_A_LIST:
            return f"very many members in {name}"
    return None


def many_cookies(subject: Subject) -> str | None:
    lines = subject.exchange.inbound.headers.getall(_COOKIE, ())
    if sum(map(len, lines)) > _MOST_COOKIE_BYTES or sum(line.count(";") for line in lines) >= _MOST_COOKIES:
        return "cookies in excess"
    return None


def expects_more(subject: Subject) -> str | None:
    value = subject.exchange.inbound.headers.get(_EXPECT)
    return None if value is None or value.strip().lower() == "100-continue" else "an Expect of its own"


def _claims_browser(subject: Subject) -> bool:
    return _BROWSER.match(subject.exchange.inbound.headers.get(_USER_AGENT, "")) is not None


def is_browser_without_languages(subject: Subject) -> str | None:
    headers = subject.exchange.inbound.headers
    if _ACCEPT_LANGUAGE in headers or not _claims_browser(subject):
        return None
    return "a browser that sends no Accept-Language"


def is_browser_without_fetch_metadata(subject: Subject) -> str | None:
    inbound = subject.exchange.inbound
    headers = inbound.headers
    if inbound.scheme != "https" or any(name in headers for name in _SEC_FETCH) or not _claims_browser(subject):
        return None
    agent = headers[_USER_AGENT]
    return "a recent browser that sends no Sec-Fetch fields" if _EVERGREEN.search(agent) else None


def is_browser_of_http_1_0(subject: Subject) -> str | None:
    inbound = subject.exchange.inbound
    return "a browser that speaks HTTP/1.0" if inbound.version < (1, 1) and _claims_browser(subject) else None
