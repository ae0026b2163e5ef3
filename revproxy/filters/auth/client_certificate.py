"""Certificates that clients show."""

from __future__ import annotations

import re
import ssl
from collections import OrderedDict
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from multidict import istr

from ...clock import SYSTEM_CLOCK, Clock
from ...errors import Forbidden, ProxyError
from ...exchange import Exchange
from ...facts import ClientAddress, Principal
from ...handler import Handler
from ...message import Response
from ...trust import TrustedProxies
from .base import Authentication, is_name, roles_of
from .certificate import Certificate, CertificateRefused, distinguished_name, field_of, of_field
from .jwk import check_extra

__all__ = ["ClientCertificate", "NameOf"]

NameOf: TypeAlias = Literal["common_name", "email", "uri", "dns"]

_CERT = istr("Client-Cert")
_CHAIN = istr("Client-Cert-Chain")
_FINGERPRINT = re.compile("[0-9a-f]{64}")
_KEPT = 1024
"""Certificates at most that are kept as they were read."""
_PLURAL = {"common_name": "common_names", "email": "emails", "uri": "uris", "dns": "dns"}


class _Read(NamedTuple):
    """A certificate, and what follows from it at any time."""

    certificate: Certificate
    principal: Principal | None
    why: str
    """Why there is no principal, if there is none."""
    field: str


class ClientCertificate(Authentication):
    """Lets in who shows a certificate that the server has verified (mutual TLS). ::

        ClientCertificate(name="uri", issuers=["CN=ACME robots,O=ACME"], field="X-User")

    The ``ssl.SSLContext`` that the application listens with verifies: its ``verify_mode`` must be ``CERT_OPTIONAL`` or
    ``CERT_REQUIRED``, and its authorities those whose clients may come.

    ``name``
        Which of its names is the principal's: the subject's common name, or of the alternative names the e-mail
        address, the URI (SPIFFE) or the DNS name; there must be one of that kind, and no more. Or a function of the
        ``Certificate``.
    ``trusted``
        Proxies before this one that end TLS, verify, and say in ``Client-Cert`` (RFC 9440) what was shown. What they do
        not say was not shown: a certificate of their own is not the client's. Nobody else is believed. A proxy that
        does not replace what its clients say there must not be named.
    ``fingerprints``, ``subjects``, ``issuers``
        Those that are let in; where several are given, all must hold. SHA-256 in hexadecimal, and names as RFC 4514
        writes them (``"CN=robot,O=ACME"``). By default each that is verified.
    ``roles``
        Of each name, for ``Authorize``.
    ``forward``
        Whether servers get the certificate, in ``Client-Cert``. What clients say there, or in ``Client-Cert-Chain``, is
        dropped in any case.
    ``optional``, ``field``
        See ``Authentication``.

    Its dates are looked at for each request, as connections last longer than a handshake. The principal's attributes
    are ``fingerprint``, ``subject``, ``issuer`` and ``serial``. Who shows none, or another one, is told 403
    (``Forbidden``): no challenge of HTTP is for certificates, and without one there can be no 401 (RFC 9110 section
    15.5.2). Needs the extra ``jwt``. Raises ``ImportError`` without it, and ``ValueError`` that names the parameter.
    """

    def __init__(
        self,
        *,
        name: NameOf | Callable[[Certificate], str | None] = "common_name",
        trusted: TrustedProxies | None = None,
        fingerprints: Collection[str] = (),
        subjects: Collection[str] = (),
        issuers: Collection[str] = (),
        roles: Mapping[str, Iterable[str]] | None = None,
        forward: bool = False,
        optional: bool = False,
        field: str | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        check_extra("ClientCertificate")
        if not callable(name) and name not in get_args(NameOf):
            raise ValueError(f"name must be one of {', '.join(map(repr, get_args(NameOf)))}, got {name!r}")
        for what, given in (("fingerprints", fingerprints), ("subjects", subjects), ("issuers", issuers)):
            if isinstance(given, str):
                raise TypeError(f"{what} must be several strings, got one: {given!r}")
        super().__init__(optional=optional, field=field, challenge="", shown_in=(_CERT, _CHAIN))
        self.reserves: frozenset[str] = self.reserves | {_CERT, _CHAIN}
        self._name = name
        self._trusted = trusted
        self._fingerprints = frozenset(map(_fingerprint, fingerprints))
        self._subjects = frozenset(distinguished_name("subjects", each) for each in subjects)
        self._issuers = frozenset(distinguished_name("issuers", each) for each in issuers)
        self._roles = {each: roles_of(each, given) for each, given in (roles or {}).items()}
        self._forward = forward
        self._known: OrderedDict[bytes, _Read] = OrderedDict()
        self._clock = clock

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        headers = exchange.request.headers
        headers.popall(_CERT, None)
        headers.popall(_CHAIN, None)
        read: _Read | None = None
        why = "no certificate was shown"
        try:
            der = self._shown(exchange)
            shown = der is not None
            if der is not None:
                read = self._read(der)
                why = self._refuses(read)
        except CertificateRefused as refused:
            shown, why = True, str(refused)
        principal = None if read is None or why else read.principal
        self.admit(exchange, principal, shown=shown, why=why)
        if principal is not None and read is not None and self._forward:
            headers[_CERT] = read.field
        return handler(exchange)

    def refusal(self, why: str, *, shown: bool) -> ProxyError:
        return Forbidden(why)

    def _shown(self, exchange: Exchange) -> bytes | None:
        """The certificate of the client, as DER, that somebody has verified whose word counts."""
        inbound = exchange.inbound
        if self._trusted is not None and self._trusted.trusts(ClientAddress.of_peer(inbound.peer)):
            lines = inbound.headers.getall(_CERT, ())
            return of_field(lines) if lines else None
        tls = inbound.tls
        if tls is None or tls.context.verify_mode is ssl.CERT_NONE:
            return None
        der: bytes | None = tls.getpeercert(True)
        return der

    def _read(self, der: bytes) -> _Read:
        read = self._known.get(der)
        if read is not None:
            self._known.move_to_end(der)
            return read
        certificate = Certificate.read(der)
        principal, why = self._judge(certificate)
        read = self._known[der] = _Read(certificate, principal, why, field_of(der) if self._forward else "")
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return read

    def _judge(self, certificate: Certificate) -> tuple[Principal | None, str]:
        """Who it is, or why nobody."""
        for allowed, value, what in (
            (self._fingerprints, certificate.fingerprint, "certificate"),
            (self._subjects, certificate.subject, "subject"),
            (self._issuers, certificate.issuer, "issuer"),
        ):
            if allowed and value not in allowed:
                return None, f"the {what} is not one that is let in"
        name: str | None
        if callable(self._name):
            try:
                name = self._name(certificate)
            except Exception as error:  # a function of the developer's, of a certificate that it did not expect
                return None, f"no name can be made of it: {type(error).__name__}"
        else:
            names = getattr(certificate, _PLURAL[self._name])
            if len(names) != 1:
                return None, f"it has {len(names)} names of the kind {self._name}, and should have one"
            name = names[0]
        if name is None or not is_name(name):
            return None, "it names nobody"
        attributes = {what: getattr(certificate, what) for what in ("fingerprint", "subject", "issuer", "serial")}
        return Principal(name, "certificate", self._roles.get(name, frozenset()), attributes), ""

    def _refuses(self, read: _Read) -> str:
        """Why it is not good now; nothing, if it is."""
        now = self._clock.wall()
        if now < read.certificate.begins:
            return "it is not valid yet"
        if now > read.certificate.ends:
            return "it has expired"
        return read.why

    async def stop(self) -> None:
        await super().stop()
        self._known.clear()

    def __repr__(self) -> str:
        name = self._name if isinstance(self._name, str) else "function"
        return f"<ClientCertificate by {name} trusted={self._trusted!r}>"


def _fingerprint(text: str) -> str:
    found = text.replace(":", "").lower()
    if _FINGERPRINT.fullmatch(found) is None:
        raise ValueError(f"fingerprints: {text!r} is no SHA-256 in hexadecimal")
    return found
