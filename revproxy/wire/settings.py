"""What a developer may set of the wire: times, bounds, TLS."""

from __future__ import annotations

import math
import ssl
from dataclasses import dataclass, field, fields
from pathlib import Path

__all__ = ["Limits", "Timeouts", "Tls"]


def _check_positive(settings: object) -> None:
    for each in fields(settings):  # type: ignore[arg-type]
        value = getattr(settings, each.name)
        if value is None and each.default is None:
            continue
        if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0 or value == math.inf:
            raise ValueError(f"{type(settings).__name__}.{each.name} must be above 0 and finite, got {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Deadlines of one attempt, in seconds. Raises ``ValueError`` for what is not above 0.

    ``connect``
        Resolving, connecting, TLS handshake.
    ``head``
        From the last byte of the request to the response head.
    ``idle``
        Between two pieces of a body, in either direction, while the receiver could take more.
    ``expect``
        For ``100 Continue``, when the client waits for it; after that the body is sent anyway.
    ``tunnel``
        Without a byte through a tunnel (a WebSocket), in either direction.
    ``total``
        The whole attempt up to the response head; ``None``: no such bound. A body that makes progress is never cut.
    """

    connect: float = 5.0
    head: float = 60.0
    idle: float = 60.0
    expect: float = 1.0
    tunnel: float = 300.0
    total: float | None = None

    def __post_init__(self) -> None:
        _check_positive(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of an upstream's connections. Raises ``ValueError`` for what is not above 0.

    ``connections``, ``waiting``, ``wait``
        Open connections per endpoint; requests that wait for one; how long they wait (seconds). Beyond: 503.
    ``tunnels``
        Tunnels (WebSockets) per endpoint, which are not counted as ``connections``. Beyond: 503.
    ``idle``, ``lifetime``
        Seconds that a connection is kept unused (below the 5 s after which uvicorn and others close it), and seconds
        after which it is not used again.
    ``head_bytes``, ``head_fields``
        Size of a response head, and its number of fields. Beyond: 502.
    ``read_buffer``
        Bytes of a response body that are held while nobody takes them; then reading pauses.
    """

    connections: int = 256
    waiting: int = 1024
    tunnels: int = 10_000
    wait: float = 5.0
    idle: float = 4.0
    lifetime: float = 3600.0
    head_bytes: int = 65536
    head_fields: int = 256
    read_buffer: int = 262144

    def __post_init__(self) -> None:
        _check_positive(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How to speak TLS to ``https`` endpoints. By default certificates are verified against the system's CAs.

    ``ca``
        A PEM file or a directory of CAs to trust instead of the system's.
    ``certificate``, ``key``
        The client certificate (PEM, chain included) and its key, if it is not in the same file.
    ``server_hostname``
        The name to send (SNI) and to verify, where it is not the endpoint's host.
    ``verify``
        ``False`` accepts any certificate: whoever is between can then read and change everything.
    ``context``
        A ready ``ssl.SSLContext`` instead of all of these but ``server_hostname``.

    Raises ``ValueError`` for contradictory arguments, ``OSError`` or ``ssl.SSLError`` for unreadable files.
    """

    ca: str | Path | None = None
    certificate: str | Path | None = None
    key: str | Path | None = None
    server_hostname: str | None = None
    verify: bool = True
    context: ssl.SSLContext | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.key is not None and self.certificate is None:
            raise ValueError(f"key={str(self.key)!r} needs a certificate")
        if self.context is not None:
            if self.ca is not None or self.certificate is not None or not self.verify:
                raise ValueError("context stands alone: set ca, certificate and verify on it")
        else:
            object.__setattr__(self, "context", self._build())

    def _build(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.ca is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            path = Path(self.ca)
            context.load_verify_locations(
                cafile=None if path.is_dir() else str(path), capath=str(path) if path.is_dir() else None
            )
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate is not None:
            context.load_cert_chain(str(self.certificate), None if self.key is None else str(self.key))
        return context
