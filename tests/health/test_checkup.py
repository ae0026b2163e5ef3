"""One server that is probed."""

from __future__ import annotations

import asyncio

from revproxy import Endpoint
from revproxy.addresses import AddressPolicy
from revproxy.health.checkup import Checkup, place_of
from revproxy.health.tally import Tally
from revproxy.testing import FakeClock


def test_places() -> None:
    """One server is what has one URL and address, and may be reached by one rule."""
    one, same = Endpoint("http://a.test"), Endpoint("http://a.test", weight=3, name="other")
    assert place_of(one) == place_of(same)
    for other in (
        Endpoint("https://a.test"),
        Endpoint("http://a.test:81"),
        Endpoint("http://a.test", address="10.0.0.1"),
        Endpoint("http://a.test/b"),
        Endpoint("unix:/a.sock"),
    ):
        assert place_of(other) != place_of(one)
    one.policy = AddressPolicy()
    assert place_of(one) != place_of(same)
    same.policy = AddressPolicy()
    assert place_of(one) == place_of(same), "not the object counts, but what it says"
    same.policy = AddressPolicy(deny=["10.0.0.0/8"])
    assert place_of(one) != place_of(same)


async def test_dropped() -> None:
    """What is dropped has no timer and no task, its result is nobody's, and nobody waits for it."""
    clock = FakeClock()
    checkup = Checkup(place_of(Endpoint("http://a.test")), Tally(1, 1))
    checkup.timer = clock.call_later(1, checkup.drop)
    checkup.task = task = asyncio.create_task(asyncio.sleep(60, ""))
    assert "probed now" in repr(checkup)
    checkup.drop()
    checkup.drop()
    await asyncio.wait([task])
    assert task.cancelled()
    assert checkup.told
    assert checkup.known.is_set()
    assert clock.waiting == 0
