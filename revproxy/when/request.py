"""Conditions on the request line, the host and the scheme."""

from __future__ import annotations

import re
from http import HTTPMethod
from ipaddress import IPv6Address
from typing import Literal

from multidict import istr

from ..exchange import Exchange
from ..headers import is_protocol, is_token
from .condition import When, call, some

__all__ = ["host", "method", "scheme", "upgrade"]

_UPGRADE = istr("Upgrade")


def method(*names: str) -> When:
    """The request's method is one of ``names``. Methods are case-sensitive (RFC 9110 section 9.1)."""
    for name in some("names", names):
        if not is_token(name):
            raise ValueError(f"names: {name!r} is not a method")
        if name not in HTTPMethod.__members__ and name.upper() in HTTPMethod.__members__:
            raise ValueError(f"names: methods are case-sensitive, {name!r} is not {name.upper()!r}")
    wanted = frozenset(names)
    return When(call("method", *names), lambda exchange: exchange.inbound.method in wanted, form=("method", wanted))


def scheme(name: Literal["http", "https"]) -> When:
    """The client's connection is ``"http"`` or ``"https"``."""
    if name not in ("http", "https"):
        raise ValueError(f"name must be 'http' or 'https', got {name!r}")
    return When(call("scheme", name), lambda exchange: exchange.inbound.scheme == name, form=("scheme", name))


def upgrade(*protocols: str) -> When:
    """The client asks for one of ``protocols`` by ``Upgrade``, ``"websocket"`` for one. Their case makes no
    difference."""
    wanted = frozenset(each.lower() for each in some("protocols", protocols))
    for each in wanted:
        if not is_protocol(each):
            raise ValueError(f"protocols: {each!r} is no protocol")

    def test(exchange: Exchange) -> bool:
        return any(said.lower() in wanted for said in exchange.inbound.headers.getall(_UPGRADE, ()))

    return When(call("upgrade", *protocols), test, form=("upgrade", wanted))


def host(*patterns: str) -> When:
    """The host that the client asked for is one of ``patterns``: ``"example.com"``, ``"*.example.com"``, ``"[::1]"``.

    Neither its case, nor its port, nor a dot at its end makes a difference. ``*.`` stands for one or more labels.
    """
    hosts = frozenset(map(_pattern, some("patterns", patterns)))
    exact = frozenset(each for each in hosts if each[0] != "*")
    suffixes = tuple(each[1:] for each in hosts if each[0] == "*")

    def test(exchange: Exchange) -> bool:
        name = _hostname(exchange.inbound.host)
        return name in exact or (name.endswith(suffixes) and name[0] != ".")

    return When(call("host", *patterns), test, form=("host", hosts))


_HOST = re.compile(r"(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]")


def _pattern(pattern: str) -> str:
    if not pattern.isascii():
        raise ValueError(f"patterns: {pattern!r}: write an international name in its ASCII form (xn--...)")
    if _HOST.fullmatch(pattern) is None:
        raise ValueError(f"patterns: {pattern!r} is neither a host (without port), '*.' and a host, nor '[IPv6]'")
    host = _hostname(pattern)
    if host == "[]":
        raise ValueError(f"patterns: {pattern!r} is not an IPv6 address")
    return host


def _hostname(authority: str) -> str:
    """The host of an authority in its one form; ``[]`` for brackets around what is no IPv6 address.

    What is not ASCII is left alone: folding its case could make it ASCII (the Kelvin sign).
    """
    if authority[:1] == "[":
        try:
            return f"[{IPv6Address(authority[1:].partition(']')[0])}]"
        except ValueError:
            return "[]"
    name, _, port = authority.partition(":")
    if port and not (port.isascii() and port.isdigit()):  # "a.test:80@evil.test" is nobody's name
        return "[]"
    name = name.removesuffix(".")
    return name.lower() if name.isascii() else name
