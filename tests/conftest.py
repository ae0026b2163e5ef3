"""What every test shares: the event loop under it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest
from hypothesis import settings

# How long an example takes is the machine's affair; speed is measured in tests/benchmarks.
settings.register_profile("untimed", settings(), deadline=None)
settings.load_profile("untimed")

LoopFactory: TypeAlias = Callable[[], asyncio.AbstractEventLoop]


def _chosen() -> tuple[str, LoopFactory]:
    """The loop that ``REVPROXY_TEST_LOOP`` names: ``asyncio`` (the default) or ``uvloop``."""
    name = os.environ.get("REVPROXY_TEST_LOOP") or "asyncio"
    if name == "asyncio":
        return name, asyncio.new_event_loop
    if name == "uvloop":
        import uvloop

        return name, uvloop.new_event_loop
    raise pytest.UsageError(f"REVPROXY_TEST_LOOP must be 'asyncio' or 'uvloop', not {name!r}")


def pytest_report_header() -> str:
    return f"event loop: {_chosen()[0]}"


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, LoopFactory]:
    name, factory = _chosen()
    return {name: factory}


@pytest.fixture(scope="session")
def loop_factory() -> LoopFactory:
    """The chosen loop, for a test that runs its own: ``asyncio.Runner(loop_factory=loop_factory)``."""
    return _chosen()[1]
