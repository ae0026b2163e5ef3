"""A connection, and nothing else."""

from __future__ import annotations

import pathlib
import socket

import pytest

from revproxy import Endpoint
from revproxy.addresses import AddressPolicy
from revproxy.errors import AddressRefused, ConnectFailed
from revproxy.health import TcpProbe
from revproxy.testing import FakeUpstream

from . import ask, found
from .conftest import Pki


async def test_connects() -> None:
    """A server that accepts is well; it is sent nothing, and left."""
    async with FakeUpstream() as server:
        await ask(TcpProbe(), server.url)
        await server.wait_closed_connections()
        assert server.requests == []


async def test_a_kernel_is_enough() -> None:
    """Nobody need accept."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        await ask(TcpProbe(), f"http://127.0.0.1:{listener.getsockname()[1]}")


async def test_refused() -> None:
    """Nobody listens: why is told."""
    async with FakeUpstream() as server:
        url = server.url
    with pytest.raises(ConnectFailed):
        await TcpProbe()(Endpoint(url))
    assert "ConnectFailed" in await found(TcpProbe(), url)


async def test_no_tls(pki: Pki) -> None:
    """An endpoint with TLS is connected to without it, at the same port."""
    async with FakeUpstream(ssl=pki.server("nobody.test")) as server:
        await ask(TcpProbe(), server.url)
        await server.wait_closed_connections()


async def test_unix_socket(tmp_path: pathlib.Path) -> None:
    """A socket that is there and one that is not."""
    async with FakeUpstream(path=tmp_path / "a.sock") as server:
        await ask(TcpProbe(), server.url)
    assert "ConnectFailed" in await found(TcpProbe(), server.url)


async def test_address_policy() -> None:
    """Without TLS, too, a policy is asked."""
    endpoint = Endpoint("https://127.0.0.1:9")
    endpoint.policy = AddressPolicy(schemes=["https"])
    with pytest.raises(AddressRefused):
        await TcpProbe()(endpoint)
    assert repr(TcpProbe()) == "TcpProbe()"
