"""Requests with random aborts, resets, stalls and truncations on both sides; ``tests/soak`` has more of them."""

from __future__ import annotations

import logging
import os
import secrets

import pytest

from .abuse import abuse

REQUESTS = 500


async def test_abuse_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    """F-54, F-60, F-76, F-79, F-80: whatever clients and upstreams do, no task, no socket and no in-flight count is
    left behind; who behaves gets what is theirs."""
    caplog.set_level(logging.CRITICAL, "revproxy")  # there would be a lot
    seed = int(os.environ.get("REVPROXY_TEST_SEED") or secrets.randbits(32))
    print(f"REVPROXY_TEST_SEED={seed}")
    came = await abuse(REQUESTS, seed)
    print(came)
    assert came["served"] > REQUESTS / 8
    assert came["rude"] > REQUESTS / 8
    assert came["refused"] > REQUESTS / 40
    assert came["cut"] > REQUESTS / 80
