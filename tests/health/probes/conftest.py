"""What every test of a probe is held to: it leaves no task and no socket behind."""

from __future__ import annotations

import asyncio
import gc
import pathlib
import ssl
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import trustme

from tests.wire import open_sockets, until


@pytest_asyncio.fixture(autouse=True)
async def _nothing_left() -> AsyncIterator[None]:
    before = open_sockets()
    yield
    gc.collect()
    await until(lambda: open_sockets() <= before)
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})


class Pki:
    """An authority, what a server needs of it, and the file that a client needs."""

    def __init__(self, path: pathlib.Path) -> None:
        self.ca = trustme.CA()
        self.pem = path / "ca.pem"
        self.ca.cert_pem.write_to_path(self.pem)

    def server(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names).configure_cert(context)
        return context


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))
