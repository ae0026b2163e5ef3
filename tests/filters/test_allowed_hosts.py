"""Only the hosts that are served here."""

from __future__ import annotations

import pytest

from revproxy import Pipeline, Upstream
from revproxy.errors import MisdirectedRequest
from revproxy.filters import AllowedHosts
from revproxy.testing import FakeTransport, exchange


@pytest.mark.parametrize("host", ["example.com", "EXAMPLE.com:8080", "example.com.", "a.b.example.org"])
async def test_served(host: str) -> None:
    """F-18, S-25: the names that are served pass, whatever their case, port and final dot."""
    site = Pipeline(
        AllowedHosts("example.com", "*.example.org"), handler=Upstream("http://a", transport=FakeTransport())
    )
    assert (await site(exchange(host=host))).status == 200


@pytest.mark.parametrize("host", ["evil.test", "example.com.evil.test", "example.org", "xexample.com", "127.0.0.1", ""])
async def test_not_served(host: str) -> None:
    """F-18, S-25: others get 421, and nothing is forwarded."""
    transport = FakeTransport()
    site = Pipeline(AllowedHosts("example.com", "*.example.org"), handler=Upstream("http://a", transport=transport))
    with pytest.raises(MisdirectedRequest) as caught:
        await site(exchange(host=host))
    assert (caught.value.status, transport.attempts) == (421, [])


def test_it_prints_itself() -> None:
    """It prints its names, and needs at least one."""
    assert repr(AllowedHosts("example.com")) == "AllowedHosts('example.com')"
    with pytest.raises(ValueError, match="must not be empty"):
        AllowedHosts()
