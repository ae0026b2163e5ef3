"""Opening a connection to an endpoint: TCP over both address families, TLS, Unix sockets."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from ipaddress import ip_address

import aiohappyeyeballs

from ..endpoint import Endpoint
from ..errors import ConnectFailed, ConnectTimeout, DnsFailed, TlsFailed
from .connection import Connection
from .settings import Tls

__all__ = ["dial"]

_ATTEMPT_DELAY = 0.25
"""Seconds after which the next address is tried beside the one before (RFC 8305 section 5)."""

_TLS_SHUTDOWN = 0.5
"""Seconds that a server has to answer our close_notify. Its place in the pool is free meanwhile, the socket is not."""


async def dial(endpoint: Endpoint, factory: Callable[[], Connection], *, tls: Tls | None, timeout: float) -> Connection:
    """A connection to ``endpoint``, TLS handshake included, within ``timeout`` seconds.

    Raises ``ConnectFailed`` or one of its kinds (``DnsFailed``, ``TlsFailed``, ``ConnectTimeout``).
    """
    where = f"{endpoint.name}: "
    try:
        async with asyncio.timeout(timeout):
            return await _open(endpoint, factory, tls)
    except TimeoutError:
        raise ConnectTimeout(f"{where}no connection within {timeout} s") from None
    except (socket.gaierror, UnicodeError) as error:  # UnicodeError: what IDNA cannot encode
        raise DnsFailed(f"{where}{endpoint.host!r} does not resolve: {error}") from None
    except (ssl.SSLError, ssl.CertificateError) as error:
        raise TlsFailed(f"{where}{str(error) or type(error).__name__}") from None
    except (
        ConnectionResetError,
        ConnectionAbortedError,
    ) as error:  # by a server that will not shake hands, if it is TLS
        failed = TlsFailed if endpoint.secure else ConnectFailed
        raise failed(f"{where}{str(error) or type(error).__name__}") from None
    except (OSError, RuntimeError) as error:  # uvloop raises RuntimeError from a closed socket
        raise ConnectFailed(f"{where}{str(error) or type(error).__name__}") from None


async def _open(endpoint: Endpoint, factory: Callable[[], Connection], tls: Tls | None) -> Connection:
    loop = asyncio.get_running_loop()
    if endpoint.socket_path is not None:
        _, connection = await loop.create_unix_connection(factory, endpoint.socket_path)
        return connection
    context: ssl.SSLContext | None = None
    hostname: str | None = None
    if endpoint.secure:
        tls = tls or Tls()
        context = tls.context
        hostname = tls.server_hostname or endpoint.host
    shutdown = _TLS_SHUTDOWN if context is not None else None
    if _is_address(endpoint.host):
        _, connection = await loop.create_connection(
            factory, endpoint.host, endpoint.port, ssl=context, server_hostname=hostname, ssl_shutdown_timeout=shutdown
        )
        return connection
    addresses = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    sock = await aiohappyeyeballs.start_connection(addresses, happy_eyeballs_delay=_ATTEMPT_DELAY, loop=loop)
    made: list[Connection] = []

    def noted() -> Connection:
        connection = factory()
        made.append(connection)
        return connection

    try:
        _, connection = await loop.create_connection(
            noted, sock=sock, ssl=context, server_hostname=hostname, ssl_shutdown_timeout=shutdown
        )
    except BaseException:
        if not made:
            sock.close()  # nobody else does
        elif made[0].connected:
            made[0].abort()  # the event loop would take its time for an orderly end of TLS
        raise
    return connection


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
