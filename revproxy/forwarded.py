"""What the upstream is told of where a request comes from: ``X-Forwarded-*``, ``Forwarded`` (RFC 7239), ``Via``."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Sequence
from typing import Literal, TypeAlias, get_args

from multidict import CIMultiDictProxy, istr

from .errors import BadRequest, LoopDetected
from .facts import ClientAddress
from .headers import REQUEST_FIELDS, TRUSTED_REQUEST_FIELDS, RequestFields, is_token, reserved_names
from .trust import TrustedProxies, entries, is_authority, parse_forwarded

__all__ = ["DEFAULT_FIELDS", "ForwardedField", "Introduction"]

ForwardedField: TypeAlias = Literal[
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "Forwarded",
]

DEFAULT_FIELDS: tuple[ForwardedField, ...] = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto")

MAX_HOPS = 32
"""Proxies that a request may have come through, by its ``Via``. More is a loop that does not come by here alone."""

_FOR = istr("X-Forwarded-For")
_FORWARDED = istr("Forwarded")
_PREFIX = istr("X-Forwarded-Prefix")
_PLAIN_PREFIX = re.compile(r"(?:/(?!\.)[A-Za-z0-9._~!$&'()*+,;=:@-]+)+/?")
"""A prefix that a back end may put before a path in a redirect: it names no other host."""
_PORTS = {"http": "80", "https": "443"}


class Introduction(dict[tuple["str | None", str, str, str], bytes]):
    """Introduces requests to the upstream: the field lines that say where one comes from, by the address of the peer
    (``None``: it has none), the host, the scheme and the mount point that was stripped.

    ``fields``
        Which of them are sent.
    ``via``
        The pseudonym of this proxy in ``Via`` (RFC 9110 section 7.6.3), by which it knows its own requests again;
        ``None``: no such field, and no loop is found. Default: made up, so that two proxies in a row differ.
    ``trusted``
        The proxies before this one whose own introduction is continued. Everybody else's is replaced.
    ``reserved``
        Other fields that nobody but this proxy may say upstream.

    A look-up raises ``BadRequest`` for a host that is none. What is kept is bounded in number and in size: the host is
    the client's word. Raises ``ValueError`` that names the parameter and its value.
    """

    def __init__(
        self,
        fields: Collection[ForwardedField] = DEFAULT_FIELDS,
        *,
        via: str | None = "",
        trusted: TrustedProxies | None = None,
        reserved: Collection[str] = (),
    ) -> None:
        super().__init__()
        for field in fields:
            if field not in get_args(ForwardedField):
                raise ValueError(f"forwarded: {field!r} is none of {', '.join(get_args(ForwardedField))}")
        if via == "":
            via = f"revproxy-{secrets.token_hex(4)}"
        if via is not None and not is_token(via):
            raise ValueError(f"via: {via!r} is not a token: letters, digits, - . _ and their like")
        self.fields: tuple[ForwardedField, ...] = tuple(field for field in get_args(ForwardedField) if field in fields)
        self.via = via
        self.trusted = trusted
        names = reserved_names(reserved)
        self.reserved: frozenset[str] = names
        self.names: RequestFields = RequestFields(reserved=names) if names else REQUEST_FIELDS
        self.trusted_names: RequestFields = (
            RequestFields(trusted=True, reserved=names) if names else TRUSTED_REQUEST_FIELDS
        )

    def reserving(self, names: Collection[str]) -> Introduction:
        """The same with more reserved names. Raises ``ValueError`` for what cannot be reserved."""
        if reserved_names(names) <= self.reserved:
            return self
        reserved = [*self.reserved, *names]
        return Introduction(self.fields, via=self.via, trusted=self.trusted, reserved=reserved)

    def __missing__(self, key: tuple[str | None, str, str, str]) -> bytes:
        peer, host, scheme, prefix = key
        if host and not is_authority(host):
            raise BadRequest("the host is not one host with or without a port")
        lines = self._lines(_plain(peer), host, scheme, prefix, (), ())
        if len(host) <= 128:
            if len(self) >= 1024:
                self.clear()
            self[key] = lines
        return lines

    def continued(
        self,
        peer: str | None,
        host: str,
        scheme: str,
        prefix: str,
        headers: CIMultiDictProxy[str],
        client: ClientAddress,
    ) -> bytes:
        """The same for a request that a trusted peer has introduced in ``headers``, as coming from ``client``. Only the
        field that is trusted is continued: the other may be the client's own, and says who the client is."""
        assert self.trusted is not None
        limit = self.trusted.limit
        inner = entries(headers.getall(_PREFIX, ()), 1)
        if inner and _PLAIN_PREFIX.fullmatch(inner[-1]) is not None:
            prefix = inner[-1].rstrip("/") + prefix
        named = client.source != "peer"
        known: Sequence[str] = [str(client)] if named else ()
        elements: Sequence[str] = [_element(str(client), host, scheme)] if named else ()
        if self.trusted.field == "X-Forwarded-For":
            known = entries(headers.getall(_FOR, ()), limit)[-limit:] if named else ()
        elif named:
            said = headers.getall(_FORWARDED, ())
            if len(parse_forwarded(said) or ()) <= limit:
                elements = said
        return self._lines(_plain(peer), host, scheme, prefix, known, elements)

    def _lines(
        self,
        peer: str | None,
        host: str,
        scheme: str,
        prefix: str,
        known: Sequence[str],
        elements: Sequence[str],
    ) -> bytes:
        text = ""
        for field in self.fields:
            value: str | None
            if field == "X-Forwarded-For":
                value = ", ".join([*known, *([] if peer is None else [peer])])
            elif field == "X-Forwarded-Host":
                value = host
            elif field == "X-Forwarded-Proto":
                value = scheme
            elif field == "X-Forwarded-Port":
                value = _port(host) or _PORTS[scheme]
            elif field == "X-Forwarded-Prefix":
                value = prefix
            else:
                value = ", ".join([*elements, _element(peer, host, scheme)])
            if value:
                text += f"{field}: {value}\r\n"
        if self.via is not None:
            text += f"Via: 1.1 {self.via}\r\n"
        return text.encode("utf-8", "surrogateescape")

    def check_hops(self, via: Sequence[str]) -> None:
        """Raise ``LoopDetected`` if a request with these lines of ``Via`` has been here before."""
        hops = entries(via, MAX_HOPS)
        if len(hops) > MAX_HOPS:
            raise LoopDetected(f"more than {MAX_HOPS} proxies in Via")
        for hop in hops:
            if self.via in hop.split()[1:2]:
                raise LoopDetected(f"{self.via} stands in Via")

    def __repr__(self) -> str:
        return f"Introduction({', '.join(self.fields)}, via={self.via!r}, trusted={self.trusted!r})"


def _plain(peer: str | None) -> str | None:
    return None if peer is None else str(ClientAddress.of_peer((peer, 0)))


def _port(host: str) -> str:
    return host.rpartition(":")[2] if not host.endswith("]") and ":" in host else ""


def _element(peer: str | None, host: str, scheme: str) -> str:
    """One element of ``Forwarded`` (RFC 7239 section 4): IPv6 addresses in brackets and quotes (section 6)."""
    node = "unknown" if peer is None else f'"[{peer}]"' if ":" in peer else peer
    said = f'for={node};host="{host}"' if host else f"for={node}"
    return f"{said};proto={scheme}"
