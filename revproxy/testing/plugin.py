"""The pytest plugin: fixtures for testing what was composed. Loaded by pytest when the package is installed.

``fake_upstream`` needs pytest-asyncio, which pytest-aiohttp brings along; without it there is no such fixture.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from .clock import FakeClock
from .transport import FakeTransport
from .upstream import FakeUpstream

__all__ = ["fake_clock", "fake_transport"]


@pytest.fixture
def fake_clock() -> FakeClock:
    """A ``FakeClock``: time that goes on only when the test says so."""
    return FakeClock()


@pytest.fixture
def fake_transport() -> FakeTransport:
    """A ``FakeTransport`` that answers 200."""
    return FakeTransport()


try:
    import pytest_asyncio
except ImportError:  # not everybody who has pytest has it
    pass
else:

    @pytest_asyncio.fixture
    async def fake_upstream() -> AsyncIterator[FakeUpstream]:
        """A ``FakeUpstream`` on a free loopback port, stopped after the test."""
        async with FakeUpstream() as server:
            yield server
