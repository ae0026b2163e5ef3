"""Opening a connection to an endpoint: TCP over both address families, TLS, Unix sockets."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from ipaddress import ip_address

import aiohappyeyeballs
from aiohappyeyeballs import AddrInfoType

from ..addresses import AddressPolicy
from ..endpoint import Endpoint
from ..errors import AddressRefused, ConnectFailed, ConnectTimeout, DnsFailed, TlsFailed
from .connection import Connection
from .settings import Tls

__all__ = ["dial"]

_ATTEMPT_DELAY = 0.25
"""Seconds after which the next address is tried beside the one before (RFC 8305 section 5)."""

_TLS_SHUTDOWN = 0.5
"""Seconds that a server has to answer our close_notify. Its place in the pool is free meanwhile, the socket is not."""


async def dial(
    endpoint: Endpoint, factory: Callable[[], Connection], *, tls: Tls | None, timeout: float | None
) -> Connection:
    """A connection to ``endpoint``, TLS handshake included, within ``timeout`` seconds; ``None``: whoever asks for it
    bounds that.

    Where the endpoint has a policy, it is asked for every address, and what it was asked for is what is connected to:
    nothing is resolved twice. Raises ``ConnectFailed`` or one of its kinds (``DnsFailed``, ``AddressRefused``,
    ``TlsFailed``, ``ConnectTimeout``).
    """
    where = f"{endpoint.name}: "
    try:
        async with asyncio.timeout(timeout):
            return await _open(endpoint, factory, tls)
    except TimeoutError as error:  # or the kernel's own, which has a text
        raise ConnectTimeout(f"{where}{str(error) or f'no connection within {timeout} s'}") from None
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
    policy = endpoint.policy
    refused = None if policy is None else endpoint.refused_by(policy)
    if refused is not None:
        raise AddressRefused(f"{endpoint.name}: {refused}")
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
    host = endpoint.address or endpoint.host
    if _is_address(host):
        _, connection = await loop.create_connection(
            factory, host, endpoint.port, ssl=context, server_hostname=hostname, ssl_shutdown_timeout=shutdown
        )
        return connection
    addresses: Sequence[AddrInfoType] = await loop.getaddrinfo(host, endpoint.port, type=socket.SOCK_STREAM)
    if policy is not None:
        addresses = _allowed(addresses, policy, endpoint)
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


def _allowed(addresses: Sequence[AddrInfoType], policy: AddressPolicy, endpoint: Endpoint) -> list[AddrInfoType]:
    """Those of ``addresses`` that ``policy`` does not refuse. Raises ``AddressRefused`` where none is left."""
    refused = [policy.refuses(ip_address(str(each[4][0]))) for each in addresses]
    allowed = [each for each, why in zip(addresses, refused, strict=True) if why is None]
    if not allowed:
        why = "; ".join(str(each) for each in dict.fromkeys(refused))
        raise AddressRefused(f"{endpoint.name}: {endpoint.host!r} resolves to what is refused: {why}")
    return allowed


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
