"""A handshake, and what the certificate says."""

from __future__ import annotations

import datetime
import ssl

import pytest

from revproxy import Endpoint
from revproxy.health import ActiveHealth, ProbeFailed, TlsProbe
from revproxy.health.probes.elsewhere import elsewhere
from revproxy.testing import FakeClock, FakeUpstream
from revproxy.wire.settings import Tls

from . import answering, ask, found
from .conftest import Pki


async def test_handshake(pki: Pki) -> None:
    """A certificate that is verified is well; one that is not, for whatever reason, is not. No request is sent."""
    async with FakeUpstream(ssl=pki.server("127.0.0.1")) as server:
        await ask(TlsProbe(tls=Tls(ca=pki.pem)), server.url)
        assert "TlsFailed" in await found(TlsProbe(), server.url)
        assert "TlsFailed" in await found(TlsProbe(tls=Tls(ca=pki.pem, server_hostname="other.test")), server.url)
        assert server.requests == []
        await server.wait_closed_connections(server.connections)


async def test_days_left(pki: Pki) -> None:
    """A certificate that ends soon is a failure in time; how soon is declared."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    now = datetime.datetime.now(datetime.UTC)
    pki.ca.issue_cert("127.0.0.1", not_after=now + datetime.timedelta(days=20)).configure_cert(context)
    clock = FakeClock(wall=now.timestamp())
    async with FakeUpstream(ssl=context) as server:
        for days, well in ((0, True), (19.9, True), (20.1, False)):
            said = await found(TlsProbe(tls=Tls(ca=pki.pem), days_left=days, clock=clock), server.url)
            assert said.startswith("" if well else "1 probe failed: the certificate ends in 20.0 days, at ")
            assert bool(said) is not well


async def test_no_tls_there() -> None:
    """An endpoint without TLS fails; so does a server that speaks none, or says nothing at all."""
    with pytest.raises(ProbeFailed, match="no TLS"):
        await TlsProbe()(Endpoint("http://127.0.0.1"))
    with answering(b"SSH-2.0-OpenSSH_9\r\n") as url:
        assert "TlsFailed" in await found(TlsProbe(), url)
    with answering(b"") as url:
        assert await found(TlsProbe(), url, late=True) == "1 probe failed: no answer within 30 s"


async def test_by_scheme(pki: Pki) -> None:
    """``scheme="https"`` probes what is used without TLS with it."""
    async with FakeUpstream(ssl=pki.server("127.0.0.1")) as server:
        plain = Endpoint("http://127.0.0.1:1")
        await ask(TlsProbe(tls=Tls(ca=pki.pem)), elsewhere(plain, port=server.port, scheme="https"))
    assert "ActiveHealth" in repr(ActiveHealth(TlsProbe(), scheme="https", port=443))


@pytest.mark.parametrize("days", [-1, float("nan"), float("inf")])
def test_nonsense(days: float) -> None:
    """A number of days that cannot be, and one that nobody could check."""
    with pytest.raises(ValueError, match=f"days_left must be at least 0 and finite, got {days}"):
        TlsProbe(days_left=days)
    with pytest.raises(ValueError, match="days_left=3 needs a certificate that is verified"):
        TlsProbe(days_left=3, tls=Tls(verify=False))
    assert repr(TlsProbe(days_left=14)) == "TlsProbe(days_left=14)"
