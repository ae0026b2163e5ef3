"""Requests that are not as clients make them (CWE-20, CWE-113, CWE-444): content that could not be read and so was not
inspected, two readings of one field, encodings within encodings, lines that would become fields of another message."""

from __future__ import annotations

from collections.abc import Callable

from ....security_log import Severity
from ..forms import Form
from ..pack import Pack
from ..signature import Signature
from ..subject import Check, Subject
from ..value import Part
from .fields import (
    OTHER_METHOD,
    OTHER_URL,
    amplified,
    asks_for_content,
    charset_of_no_client,
    coded_twice,
    expects_more,
    has_content_type_beyond_grammar,
    has_content_type_of_no_form,
    has_no_accept,
    has_no_agent,
    has_no_type,
    host_is_numeric,
    is_coded,
    many_cookies,
    many_ranges,
    names_a_proxy,
    odd_charset,
    other_method,
    other_method_is_odd,
    other_url,
    ranges_without_end,
    stated_again,
    stated_twice,
    traces,
)
from .texts import CONTROLS, NOT_UTF_8, any_text, has_nul, is_disguised, is_interrupted, lines

__all__ = ["PROTOCOL"]

_BODY = ("content-length", "transfer-encoding")
"""Fields of a request that has content."""
_MOST_ARGUMENTS = 255
_MOST_FIELDS = 100
_LONGEST_NAME = 256
_LONGEST_TARGET = 4096
_SINGLE = frozenset(
    (
        *(
            "id",
            "uid",
            "user",
            "user_id",
            "userid",
            "username",
            "login",
            "email",
            "password",
            "passwd",
            "token",
            "csrf",
        ),
        *("page", "action", "cmd", "callback", "redirect", "redirect_uri", "url", "next", "return", "amount", "price"),
        *("role", "admin", "code", "state", "client_id", "account", "to", "from", "session", "key", "api_key"),
    )
)


def _trouble(*kinds: str) -> Callable[[Subject], str | None]:
    def test(subject: Subject) -> str | None:
        return next((subject.troubles[kind] for kind in kinds if kind in subject.troubles), None)

    return test


def _excess(subject: Subject) -> str | None:
    inbound = subject.exchange.inbound
    if len(inbound.headers) > _MOST_FIELDS:
        return "very many fields"
    if len(inbound.target) <= _LONGEST_NAME:
        return None
    query = inbound.query_string or ""
    if query.count("&") >= _MOST_ARGUMENTS:
        return "very many parameters"
    if any(len(each.partition("=")[0]) > _LONGEST_NAME and "=" in each for each in query.split("&")):
        return "a parameter with a very long name"
    return None


def _long_target(subject: Subject) -> str | None:
    return "a very long target" if len(subject.exchange.inbound.target) > _LONGEST_TARGET else None


def _repeated(subject: Subject) -> str | None:
    query = subject.exchange.inbound.query_string
    if query is None or "&" not in query:
        return None
    seen: set[str] = set()
    for name in [parameter[0] for parameter in subject.exchange.inbound.query.items()]:  # keys() has each but once
        if name in seen and name.lower() in _SINGLE:
            return "a parameter that is there twice and should not be"
        seen.add(name)
    return None


PROTOCOL = Pack(
    "protocol",
    (
        Check(
            "protocol-01", _trouble("json", "xml", "multipart", "form"), "content that could not be read", troubled=True
        ),
        Check(
            "protocol-02", _trouble("charset", "coding"), "content whose encoding could not be undone", troubled=True
        ),
        Check("protocol-03", _trouble("values", "depth"), "content of which not all was looked at", troubled=True),
        Check(
            "protocol-04", _trouble("doctype"), "a document type declaration", severity=Severity.ERROR, troubled=True
        ),
        Check("protocol-05", has_nul, "NUL, where many a language ends a text", fields=_BODY),
        Check("protocol-06", lines, "a line break, and behind it what belongs to another message"),
        Check(
            "protocol-10",
            stated_twice,
            "a field that must be single, twice",
            fields=("authorization", "content-type", "range"),
        ),
        Check(
            "protocol-11", names_a_proxy, "a field that becomes a variable of CGI (CVE-2016-5385)", fields=("proxy",)
        ),
        Check(
            "protocol-12",
            ranges_without_end,
            "ranges that cost more than they deliver (CVE-2011-3192)",
            fields=("range",),
        ),
        Check("protocol-13", has_content_type_beyond_grammar, "a Content-Type that is none", fields=("content-type",)),
        Check(
            "protocol-14",
            has_content_type_of_no_form,
            "a malformed Content-Type",
            severity=Severity.WARNING,
            fields=("content-type",),
        ),
        Check(
            "protocol-15",
            charset_of_no_client,
            "two charsets or boundaries, or one that hides what is said",
            fields=("content-type",),
        ),
        Check("protocol-16", coded_twice, "content that must be decoded twice", fields=("content-encoding",)),
        Check(
            "protocol-17",
            other_method_is_odd,
            "an override of the method that no application offers",
            fields=OTHER_METHOD,
        ),
        Check("protocol-18", traces, "a method that shows what a proxy adds"),
        Signature(
            "protocol-19",
            r"%(?:25)?0[ad](?:%(?:25)?(?:0[ad9]|20)|\+| ){0,4}(?:(?:set-cookie2?|content-(?:type|length)"
            r"|transfer-encoding)"
            r"(?:%20|\+| )?(?::|%(?:25)?3a)|http(?:/|%(?:25)?2f)1\.)|(?:%e5%98%8[ad]){2}"
            r"|(?:%(?:25)?0d%(?:25)?0a){2}(?:<|%3c)(?:html|!doctype|body|script|iframe|svg|img|meta)",
            "a line break, encoded, and a field behind it",
            form=Form.AS_IS,
            where=Part.TARGET | Part.TOLD | Part.REFERER,
        ),
        Signature(
            "protocol-20",
            r"%u00[0-7][0-9a-f]|%25u00[0-7][0-9a-f]",
            "ASCII encoded as no client does it",
            form=Form.AS_IS,
            where=Part.TARGET | Part.TOLD,
        ),
        Signature(
            "protocol-21",
            r"(?:%25(?:4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])){2}|%2500",
            "letters that are encoded twice",
            form=Form.AS_IS,
            where=Part.TARGET,
            severity=Severity.WARNING,
        ),
        Check(
            "protocol-22", asks_for_content, "content where a method has none", severity=Severity.NOTICE, fields=_BODY
        ),
        Check("protocol-23", has_no_agent, "a client that does not say what it is", severity=Severity.NOTICE),
        Check(
            "protocol-24", host_is_numeric, "a server asked for by its address", severity=Severity.NOTICE, paranoia=2
        ),
        Check("protocol-25", _excess, "very many parameters or fields, or a very long name", severity=Severity.WARNING),
        Check(
            "protocol-27", amplified, "lists that cost more to read than to send", severity=Severity.WARNING, paranoia=2
        ),
        Check(
            "protocol-29", many_cookies, "very many cookies, or very long ones", severity=Severity.WARNING, paranoia=2
        ),
        Check(
            "protocol-30",
            expects_more,
            "an Expect that is not 100-continue",
            severity=Severity.WARNING,
            fields=("expect",),
        ),
        Check(
            "protocol-31",
            other_url,
            "a target that overrides the target",
            severity=Severity.WARNING,
            paranoia=2,
            fields=OTHER_URL,
        ),
        Check("protocol-32", has_no_accept, "a client that accepts nothing", severity=Severity.NOTICE, paranoia=2),
        Check("protocol-33", has_no_type, "content of no type", severity=Severity.NOTICE, paranoia=2, fields=_BODY),
        Check(
            "protocol-34",
            odd_charset,
            "an uncommon charset",
            severity=Severity.WARNING,
            paranoia=2,
            fields=("content-type",),
        ),
        Check(
            "protocol-35",
            is_coded,
            "content in a coding",
            severity=Severity.WARNING,
            paranoia=2,
            fields=("content-encoding",),
        ),
        Check(
            "protocol-36",
            other_method,
            "a method that overrides the method",
            severity=Severity.WARNING,
            paranoia=2,
            fields=OTHER_METHOD,
        ),
        Check("protocol-37", many_ranges, "many ranges", severity=Severity.WARNING, paranoia=2, fields=("range",)),
        Check("protocol-38", _long_target, "a very long target", severity=Severity.NOTICE, paranoia=2),
        Check(
            "protocol-39",
            any_text(CONTROLS, "a control character in a value"),
            "control characters",
            severity=Severity.ERROR,
            paranoia=2,
        ),
        Check(
            "protocol-40",
            any_text(NOT_UTF_8, "bytes that are no UTF-8 in a value"),
            "what is no UTF-8",
            severity=Severity.WARNING,
            paranoia=2,
        ),
        Check("protocol-41", is_disguised, "quotes and slashes in disguise", severity=Severity.WARNING, paranoia=2),
        Signature(
            "protocol-42",
            r"\b(?:set-cookie|transfer-encoding|content-length|x-forwarded-(?:for|host|proto)|proxy-authorization) ?:"
            r"|\bhttp/[12](?:\.[01])? \d\d\d|\b(?:get|post|put|delete|head|options) [/h][^ ]{0,200} http/[12]",
            "a field, a status line or a request line in a value",
            where=Part.TOLD,
            paranoia=2,
        ),
        Signature(
            "protocol-43",
            r"%(?:[^0-9a-fu]|[0-9a-f](?:[^0-9a-f]|$)|$)|%uff[0-5][0-9a-f]",
            "a percent sign that encodes nothing, or a full-width character",
            form=Form.AS_IS,
            where=Part.TARGET,
            severity=Severity.WARNING,
            paranoia=2,
        ),
        Signature(
            "protocol-44",
            r"%[0-9a-f]{2}",
            "encoded twice",
            form=Form.AS_IS,
            where=Part.TOLD,
            severity=Severity.WARNING,
            paranoia=3,
        ),
        Signature(
            "protocol-45",
            r"%25(?:25){1,4}[2-7][0-9a-f]|%25(?:2[27]|3[ce]|0[ad])",
            "quotes, brackets or line breaks that are encoded twice",
            form=Form.AS_IS,
            where=Part.TARGET,
            severity=Severity.WARNING,
            paranoia=2,
        ),
        Check("protocol-46", _repeated, "a parameter that should be single", severity=Severity.WARNING, paranoia=3),
        Check(
            "protocol-47", is_interrupted, "a word with a gap that is not seen", severity=Severity.WARNING, paranoia=3
        ),
        Signature(
            "protocol-48",
            r"[^ -~]|[\"'<>`|;{}\\^]",
            "a character that is neither letter, digit nor common sign",
            form=Form.AS_IS,
            where=Part.ARGUMENTS,
            severity=Severity.WARNING,
            paranoia=4,
        ),
        Signature(
            "protocol-49",
            r"%00|%2500\.[a-z]",
            "NUL, encoded",
            form=Form.AS_IS,
            where=Part.TARGET,
        ),
        Check(
            "protocol-50", stated_again, "a field that should be single, twice", severity=Severity.WARNING, paranoia=2
        ),
    ),
)
