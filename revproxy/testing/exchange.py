"""An exchange as the edge makes it, without a socket: what a filter, a rule or a handler is tested with.

In three lines:

    async def test_blocks_admin() -> None:
        response = await table(exchange("GET", "/admin", client="203.0.113.9"))
        assert response.status == 403
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from multidict import CIMultiDict, CIMultiDictProxy

from ..body import EMPTY, Body
from ..exchange import Exchange
from ..forwarded import Introduction
from ..headers import encode_fields, passed_on
from ..message import HttpVersion, Inbound, request_of_lines
from ..paths import PathPolicy

__all__ = ["exchange"]

_read = PathPolicy().bind(conditions=False)


_introduction = Introduction(via=None)


def exchange(
    method: str = "GET",
    target: str = "/",
    *,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    body: bytes | Body = b"",
    client: str | None = "192.0.2.1",
    scheme: Literal["http", "https"] = "http",
    host: str = "example.test",
    version: HttpVersion = (1, 1),
    upgrade: str | None = None,
    path_policy: PathPolicy | None = None,
) -> Exchange:
    """A request from ``client`` (``None``: over a Unix socket), and the first draft of what goes upstream.

    ``headers`` are what the client sent, in order; a mapping or pairs. ``Host`` (unless ``host`` is empty) and the
    framing of ``body`` are put before and after them, unless they are there. The draft has no hop-by-hop fields, no
    ``Host``, and its own ``X-Forwarded-*``. ``started`` is 1000.0, when a ``FakeClock`` starts. ``upgrade``: the
    protocol that the client asks for; ``"websocket"`` makes a good handshake of it.

    ``path_policy``
        As of a proxy that has conditions on paths: ``PathPolicy()`` refuses what ``ProxyHandler`` does then. Without
        one whatever has several readings is let in, as a proxy without such conditions does.

    Raises ``BadRequest`` for a target and ``ValueError`` for a field that no proxy lets in.
    """
    fields: CIMultiDict[str] = CIMultiDict(headers or {})
    sent = CIMultiDict([("Host", host)] if host and "Host" not in fields else [])
    if upgrade is not None:
        sent.update({"Connection": "Upgrade", "Upgrade": upgrade})
        if upgrade == "websocket":
            sent.update({"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    sent.extend(fields)
    payload = body if isinstance(body, Body) else Body(body) if body else EMPTY
    if payload is not EMPTY and "Content-Length" not in sent and "Transfer-Encoding" not in sent:
        if payload.length is None:
            sent["Transfer-Encoding"] = "chunked"
        else:
            sent["Content-Length"] = str(payload.length)
    encode_fields(sent)  # raises for what no server lets in
    reading = (_read if path_policy is None else path_policy.bind(conditions=True))(target)
    inbound = Inbound(
        method,
        target,
        CIMultiDictProxy(sent),
        path=reading.path,
        query_string=reading.query,
        version=version,
        scheme=scheme,
        host=sent.get("Host", ""),
        peer="" if client is None else (client, 50000),
    )
    raw = [(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in sent.items()]
    lines = [*passed_on(raw, sent.getall("Connection", ())), _introduction[client, inbound.host, scheme, ""]]
    declared = sent.get("Content-Length")
    draft = request_of_lines(
        method, reading.target, b"\r\n".join(lines), None if declared is None else int(declared.lstrip("0") or "0")
    )
    draft.body = payload
    draft.upgrade = upgrade
    return Exchange(inbound, draft, started=1000.0)
