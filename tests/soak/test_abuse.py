"""Many requests with random aborts, resets, stalls and truncations on both sides."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets

import pytest

from ..e2e.abuse import abuse

REQUESTS = 10_000


@pytest.mark.soak
async def test_ten_thousand_abused_requests_leave_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    """F-54, F-60, F-76, F-79, F-80: after 10,000 requests with every fault on both sides there is no task, no socket
    and no in-flight count left; the pools know how many connections they have; who behaved got what was theirs."""
    caplog.set_level(logging.CRITICAL, "revproxy")  # there would be a lot
    seed = int(os.environ.get("REVPROXY_TEST_SEED") or secrets.randbits(32))
    print(f"REVPROXY_TEST_SEED={seed}")
    async with asyncio.timeout(110):
        came = await abuse(REQUESTS, seed)
    print(came)
    assert came["served"] > REQUESTS / 5
    assert came["rude"] > REQUESTS / 5
    assert came["refused"] > REQUESTS / 20
    assert came["cut"] > REQUESTS / 20
    assert came["lost"] < REQUESTS / 20
