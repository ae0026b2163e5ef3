"""The opening handshake of WebSocket (RFC 6455 section 4), as far as one between the two ends must judge it."""

from __future__ import annotations

import base64
import binascii
import hashlib

from multidict import CIMultiDict, istr

from ..errors import ProtocolError
from ..headers import decode_fields
from ..message import Request, Response

__all__ = ["accept_key", "check_switch", "is_key"]

_ACCEPT = istr("Sec-WebSocket-Accept")
_KEY = istr("Sec-WebSocket-Key")

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_key(key: str) -> str:
    """What ``Sec-WebSocket-Accept`` must say to a ``Sec-WebSocket-Key`` (RFC 6455 section 4.2.2)."""
    digest = hashlib.sha1(key.encode("utf-8", "surrogateescape") + _GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode("ascii")


def is_key(value: str) -> bool:
    """Whether ``value`` is a ``Sec-WebSocket-Key``: 16 bytes in base64 (RFC 6455 section 4.1)."""
    try:
        return len(value) == 24 and len(base64.b64decode(value, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def check_switch(request: Request, response: Response, protocol: str) -> None:
    """Raise ``ProtocolError`` for a 101 that is not what ``request`` asked for. ``protocol``: what it switches to."""
    asked = request.upgrade
    if asked is None:
        raise ProtocolError("101 for a request that asked for no upgrade")
    if protocol != asked.lower():
        raise ProtocolError(f"101 that switches to {protocol[:80]!r}, not to {asked!r}")
    if protocol == "websocket":
        accepted, key = _fields(response).getall(_ACCEPT, ()), _fields(request).get(_KEY, "")
        if accepted != [accept_key(key)]:
            raise ProtocolError(f"Sec-WebSocket-Accept {', '.join(accepted)[:80]!r} to the key {key!r}")


def _fields(message: Request | Response) -> CIMultiDict[str]:
    """The fields of ``message``, which does not keep them decoded: a tunnel holds both messages as long as it lasts."""
    return message.headers if message.lines is None else decode_fields(message.lines)
