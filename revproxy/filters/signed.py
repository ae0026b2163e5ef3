"""Fields that an upstream may believe, since this proxy has signed them."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any

from multidict import istr

from ..clock import SYSTEM_CLOCK, Clock
from ..exchange import Exchange
from ..handler import Component, Handler
from ..headers import is_token
from ..key_ring import check_key
from ..message import Response
from ..signatures import component, sign

__all__ = ["Signed"]

_INPUT = istr("Signature-Input")
_SIGNATURE = istr("Signature")
_DERIVED = ("@method", "@path", "@query")


class Signed(Component):
    """Signs requests on their way upstream (RFC 9421, ``hmac-sha256``), so that a back end can tell what this proxy
    says of a user from what anybody says who reaches its port, which it does with ``signatures.verify``::

        ProxyHandler(upstream, reserved=["X-User"], filters=[authenticate, Signed(key, fields=["X-User"])])

    ``key``
        The secret that the back end knows, too; at least 32 bytes. ``rekey`` changes it.
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
        for name in fields:
            if not is_token(name):
                raise ValueError(f"fields: {name!r} is not a field name")
        for name in components:
            if name not in _DERIVED:
                raise ValueError(f"components: {name!r} is none of {', '.join(_DERIVED)}")
        if not fields and not components:
            raise ValueError("fields: there is nothing to sign")
        self._fields = [istr(name) for name in fields]
        self._components = tuple(components)
        self._label = _lowered("label", label)
        self._clock = clock
        self.rekey(key, keyid=keyid)

    def rekey(self, key: bytes, *, keyid: str) -> None:
        """Sign with another key from now on, which the back ends have to know already. Raises as the constructor does,
        and changes nothing then."""
        self._key, self._keyid = check_key("key", key), _lowered("keyid", keyid)

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        request = exchange.request
        parts = [(name, component(name, request.method, request.target, ())) for name in self._components]
        for field in self._fields:
            values = request.headers.getall(field, None)
            if values is not None:
                name = field.lower()
                parts.append((name, component(name, request.method, request.target, values)))
        created = int(self._clock.wall())
        parameters = f';created={created};keyid="{self._keyid}";alg="hmac-sha256"'
        said, signature = sign(self._key, parts, parameters)
        request.headers[_INPUT] = f"{self._label}={said}"
        request.headers[_SIGNATURE] = f"{self._label}=:{signature}:"
        return handler(exchange)

    def __repr__(self) -> str:
        return f"Signed(fields={[str(field) for field in self._fields]})"


def _lowered(what: str, name: str) -> str:
    if not is_token(name) or not name.islower():
        raise ValueError(f"{what} must be a lower-case token, got {name!r}")
    return name
