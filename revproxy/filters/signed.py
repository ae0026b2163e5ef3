"""Fields that an upstream may believe, since this proxy has signed them."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Coroutine, Sequence
from typing import Any

from multidict import istr

from ..clock import SYSTEM_CLOCK, Clock
from ..exchange import Exchange
from ..handler import Component, Handler
from ..headers import is_token
from ..message import Request, Response

__all__ = ["Signed"]

_INPUT = istr("Signature-Input")
_SIGNATURE = istr("Signature")
_DERIVED = ("@method", "@path", "@query")


class Signed(Component):
    """Signs requests on their way upstream (RFC 9421, ``hmac-sha256``), so that a back end can tell what this proxy
    says of a user from what anybody says who reaches its port::

        ProxyHandler(upstream, reserved=["X-User"], filters=[authenticate, Signed(key, fields=["X-User"])])

    ``key``
        The secret that the back end knows, too; at least 32 bytes.
    ``fields``
        Fields to sign, of those that the request has. Reserve them, so that a client cannot bring its own.
    ``components``
        What else is signed: ``"@method"``, ``"@path"``, ``"@query"``, as the filter finds them. Leave out the path
        where an endpoint's URL puts a prefix before it.
    ``keyid``, ``label``
        How the key and the signature are called.

    A client's ``Signature`` and ``Signature-Input`` are not passed on. Raises ``ValueError`` that names the parameter.
    """

    def __init__(
        self,
        key: bytes,
        *,
        fields: Sequence[str],
        components: Sequence[str] = _DERIVED,
        keyid: str = "proxy",
        label: str = "proxy",
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if len(key) < 32:
            raise ValueError(f"key must have at least 32 bytes, got {len(key)}")
        for name in fields:
            if not is_token(name):
                raise ValueError(f"fields: {name!r} is not a field name")
        for name in components:
            if name not in _DERIVED:
                raise ValueError(f"components: {name!r} is none of {', '.join(_DERIVED)}")
        if not fields and not components:
            raise ValueError("fields: there is nothing to sign")
        for what, name in (("keyid", keyid), ("label", label)):
            if not is_token(name) or not name.islower():
                raise ValueError(f"{what} must be a lower-case token, got {name!r}")
        self._key = key
        self._fields = [istr(name) for name in fields]
        self._components = tuple(components)
        self._keyid = keyid
        self._label = label
        self._clock = clock

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        request = exchange.request
        parts = [(name, _derived(request, name)) for name in self._components]
        for field in self._fields:
            values = request.headers.getall(field, None)
            if values is not None:
                parts.append((field.lower(), ", ".join(value.strip(" \t") for value in values)))
        created = int(self._clock.wall())
        parameters = f';created={created};keyid="{self._keyid}";alg="hmac-sha256"'
        said, signature = signed(self._key, parts, parameters)
        request.headers[_INPUT] = f"{self._label}={said}"
        request.headers[_SIGNATURE] = f"{self._label}=:{signature}:"
        return handler(exchange)

    def __repr__(self) -> str:
        return f"Signed(fields={[str(field) for field in self._fields]})"


def signed(key: bytes, parts: Sequence[tuple[str, str]], parameters: str) -> tuple[str, str]:
    """What is signed, as ``Signature-Input`` says it, and the signature in base64, of components and their values (RFC
    9421 section 2.5)."""
    said = "(" + " ".join(f'"{name}"' for name, _ in parts) + ")" + parameters
    base = "".join(f'"{name}": {value}\n' for name, value in parts) + f'"@signature-params": {said}'
    digest = hmac.new(key, base.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()
    return said, b64encode(digest).decode("ascii")


def _derived(request: Request, name: str) -> str:
    path, _, query = request.target.partition("?")
    return request.method if name == "@method" else path if name == "@path" else f"?{query}"
