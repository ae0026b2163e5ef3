"""Certificates of clients: who shows one that somebody has verified whose word counts."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import cache
from typing import Any
from unittest import mock

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Exchange, ProxyHandler, Response, Upstream
from revproxy.errors import Forbidden
from revproxy.filters.auth import ClientCertificate
from revproxy.filters.auth.certificate import Certificate, field_of, of_field
from revproxy.identity import PRINCIPAL
from revproxy.testing import FakeClock, FakeUpstream, exchange
from revproxy.trust import TrustedProxies

from ...e2e.wire import Site, serving
from .tokens import NOW, ec_key

LB = TrustedProxies("192.0.2.1")


@cache
def certificate(
    *names: x509.GeneralName,
    subject: str = "CN=robot,O=ACME",
    issuer: str = "CN=robots,O=ACME",
    days: tuple[int, int] = (-1, 1),
) -> bytes:
    """As DER."""
    begins, ends = (datetime.fromtimestamp(NOW + 86400 * day, UTC) for day in days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string(subject))
        .issuer_name(x509.Name.from_rfc4514_string(issuer))
        .public_key(ec_key().public_key())
        .serial_number(0xABC)
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(ec_key("authority"), hashes.SHA256()).public_bytes(Encoding.DER)


async def who(exchange: Exchange) -> Response:
    sent = exchange.request.headers
    said = f"{sent.get('X-User')} {sent.getall('Client-Cert', [])} {sent.get('Client-Cert-Chain')}"
    return Response(200, {"X-Who": str(exchange.get(PRINCIPAL)), "X-Sent": said})


def subject(**options: Any) -> ClientCertificate:
    return ClientCertificate(**{"trusted": LB, "clock": FakeClock(), **options})


def asked(der: bytes | None, client: str = "192.0.2.1", **headers: str) -> Exchange:
    return exchange(headers={**({} if der is None else {"Client-Cert": field_of(der)}), **headers}, client=client)


async def refused(subject: ClientCertificate, request: Exchange) -> str:
    with pytest.raises(Forbidden) as raised:
        await subject(request, who)
    assert raised.value.fields == {}
    return str(raised.value)


async def test_what_a_trusted_proxy_says() -> None:
    """RFC 9440 section 2.2: the principal is who it names; the servers get it if they shall, once."""
    der = certificate()
    request = asked(der, **{"X-User": "root", "Client-Cert-Chain": ":AAAA:"})
    response = await subject(field="X-User", roles={"robot": ["read"]})(request, who)
    assert (response.headers["X-Who"], response.headers["X-Sent"]) == ("robot (certificate)", "robot [] None")
    found = request[PRINCIPAL]
    assert found.roles == {"read"}
    assert found.attributes == {
        "fingerprint": x509.load_der_x509_certificate(der).fingerprint(hashes.SHA256()).hex(),
        "subject": "CN=robot,O=ACME",
        "issuer": "CN=robots,O=ACME",
        "serial": "abc",
    }
    response = await subject(forward=True)(asked(der), who)
    assert response.headers["X-Sent"] == f"None {[field_of(der)]} None"


async def test_what_others_say() -> None:
    """S-22, S-24: a field of anybody else is not believed, and does not go on, whether or not somebody is let in."""
    der = certificate()
    for one in (subject(), subject(trusted=None)):
        assert await refused(one, asked(der, client="203.0.113.9")) == "no certificate was shown"
    response = await subject(optional=True, field="X-User", forward=True)(
        asked(der, "203.0.113.9", **{"X-User": "a"}), who
    )
    assert (response.headers["X-Who"], response.headers["X-Sent"]) == ("None", "None [] None")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "the field is not well-formed"),
        ("::", "the field is not well-formed"),
        (":AAAA:", "it cannot be read: ValueError"),
        (":AAA:", "the field is not well-formed"),
        (":A=AA:", "the field is not well-formed"),
        (b64encode(certificate()).decode(), "the field is not well-formed"),
        (field_of(certificate()) + ";a=1", "the field is not well-formed"),
        (field_of(certificate()) + ", " + field_of(certificate()), "the field is not well-formed"),
        ("-----BEGIN CERTIFICATE-----", "the field is not well-formed"),
        (":" + "A" * 20000 + ":", "the field is not well-formed"),
    ],
)
async def test_bad_fields(value: str, why: str) -> None:
    """What is no certificate is refused, also where none need be shown; two are none."""
    for one in (subject(), subject(optional=True)):
        assert await refused(one, exchange(headers={"Client-Cert": value})) == why
    two = exchange(headers=[("Client-Cert", field_of(certificate()))] * 2)
    assert await refused(subject(), two) == "there are several fields"


@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 255))
def test_any_bytes(raw: bytes, at: int, byte: int) -> None:
    """Whatever bytes a trusted proxy passes on: ``Forbidden``, or a principal."""
    good = bytearray(certificate())
    good[at % len(good)] = byte
    for der in (raw, bytes(good)):
        try:
            subject()(asked(der), who).close()
        except Forbidden:
            pass


async def test_dates() -> None:
    """To the second, for each request anew."""
    clock = FakeClock(wall=NOW - 86400 - 1)
    one = subject(clock=clock)
    assert await refused(one, asked(certificate())) == "it is not valid yet"
    clock.advance(1)
    await one(asked(certificate()), who)
    clock.advance(2 * 86400)
    await one(asked(certificate()), who)
    clock.advance(1)
    assert await refused(one, asked(certificate())) == "it has expired"


NAMES = (
    x509.RFC822Name("robot@acme.test"),
    x509.UniformResourceIdentifier("spiffe://acme.test/robot"),
    x509.DNSName("robot.acme.test"),
)


async def test_names() -> None:
    """The one of the kind that is asked for; none, or several, name nobody, nor does what could not stand in a
    field."""
    der = certificate(*NAMES)
    for kind, name in (
        ("common_name", "robot"),
        ("email", "robot@acme.test"),
        ("uri", "spiffe://acme.test/robot"),
        ("dns", "robot.acme.test"),
        (lambda certificate: certificate.serial, "abc"),
    ):
        request = asked(der)
        await subject(name=kind)(request, who)
        assert request[PRINCIPAL].name == name
    two = certificate(x509.DNSName("a.test"), x509.DNSName("b.test"))
    assert await refused(subject(name="dns"), asked(two)) == "it has 2 names of the kind dns, and should have one"
    assert await refused(subject(name="uri"), asked(two)) == "it has 0 names of the kind uri, and should have one"
    assert "it has 2 names" in await refused(subject(), asked(certificate(subject="CN=a,CN=b")))
    for odd in ("CN=\u00e4", "CN=a\\0D\\0AX-Admin: 1", "CN=" + "x" * 60 + ",CN=a"):
        await refused(subject(), asked(certificate(subject=odd)))
    for broken in (lambda certificate: None, lambda certificate: 1 / 0, lambda certificate: ""):
        await refused(subject(name=broken), asked(der))


async def test_who_is_let_in() -> None:
    """By fingerprint, subject and issuer; all that are given must hold."""
    der = certificate()
    fingerprint = Certificate.read(der).fingerprint
    colons = ":".join(fingerprint[at : at + 2].upper() for at in range(0, 64, 2))
    for options, why in (
        ({"fingerprints": [colons]}, ""),
        ({"fingerprints": ["0" * 64]}, "the certificate is not one that is let in"),
        ({"subjects": ["CN=robot,O=ACME"]}, ""),
        ({"subjects": ["CN=robot"]}, "the subject is not one that is let in"),
        ({"subjects": ["O=ACME,CN=robot"]}, "the subject is not one that is let in"),
        ({"issuers": ["CN=x", "CN=robots,O=ACME"]}, ""),
        ({"issuers": ["CN=robot,O=ACME"]}, "the issuer is not one that is let in"),
        ({"issuers": ["CN=robots,O=ACME"], "fingerprints": ["0" * 64]}, "the certificate is not one that is let in"),
    ):
        if why:
            assert await refused(subject(**options), asked(der)) == why
        else:
            assert (await subject(**options)(asked(der), who)).status == 200


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"name": "cn"}, "name must be one of 'common_name'"),
        ({"fingerprints": ["abc"]}, "fingerprints: 'abc' is no SHA-256"),
        ({"subjects": ["robot"]}, "subjects: 'robot' is no distinguished name"),
        ({"issuers": ["="]}, "issuers: '=' is no distinguished name"),
        ({"field": "a b"}, "field: 'a b' is not a field name"),
        ({"field": "client-cert"}, "field: 'client-cert' is what credentials are shown in"),
    ],
)
def test_nonsense(options: dict[str, Any], says: str) -> None:
    """It says which parameter is wrong."""
    with pytest.raises(ValueError, match=says):
        subject(**options)
    with pytest.raises(TypeError, match="subjects must be several strings"):
        ClientCertificate(subjects="CN=robot")
    with pytest.raises(TypeError, match="roles: those of 'ada' must be several strings, got one: 'admin'"):
        subject(roles={"ada": "admin"})


async def test_few_are_kept() -> None:
    """S-50: what was read is kept for 1,024 certificates, and is not read again."""
    one = subject()
    for number in range(1030):
        one(asked(certificate()[:-4] + number.to_bytes(4)), who).close()
    assert len(one._known) == 1024
    await one.stop()
    assert not one._known


# TLS itself.


class Pki:
    def __init__(self) -> None:
        self.ca = trustme.CA(organization_name="ACME")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("127.0.0.1").configure_cert(self.context)
        self.ca.configure_trust(self.context)
        self.context.verify_mode = ssl.CERT_OPTIONAL

    def client(self, *names: str, ca: trustme.CA | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.ca.configure_trust(context)
        if names:
            (ca or self.ca).issue_cert(*names).configure_cert(context)
        return context


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki()


async def over_tls(site: Site, context: ssl.SSLContext, lines: bytes) -> bytes:
    """What comes back; nothing, where the server has refused the handshake."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port, ssl=context)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + lines + b"\r\n")
        return await reader.read()
    except (ConnectionError, ssl.SSLError):
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def behind(filter: ClientCertificate, pki: Pki) -> AsyncIterator[tuple[Site, FakeUpstream]]:
    async with (
        FakeUpstream() as server,
        serving(ProxyHandler(Upstream(server.url), filters=[filter]), ssl_context=pki.context) as site,
    ):
        yield site, server


async def test_over_tls(pki: Pki) -> None:
    """S-20, S-23, S-24: the certificate of the connection is what counts; what the client says in fields, in whatever
    spelling, is neither believed nor passed on."""
    filter = ClientCertificate(name="email", field="X-User", forward=True)
    lies = (
        b"Client-Cert: :AAAA:\r\nclient-cert-chain: :AAAA:\r\nClient_Cert: :AAAA:\r\nX-User: root\r\nX_User: root\r\n"
    )
    async with behind(filter, pki) as (site, server):
        answer = await over_tls(site, pki.client("robot@acme.test"), lies)
        assert answer.startswith(b"HTTP/1.1 200 ")
        nobody = await over_tls(site, pki.client(), lies)
        assert nobody.startswith(b"HTTP/1.1 403 ")
        assert b"certificate" not in nobody.partition(b"\r\n\r\n")[2]
        assert await over_tls(site, pki.client("eve@acme.test", ca=trustme.CA()), lies) == b""
        (request,) = server.requests
        assert request.getall("X-User") == ["robot@acme.test"]
        (field,) = request.getall("Client-Cert")
        assert list(Certificate.read(of_field([field])).emails) == ["robot@acme.test"]
        assert b"root" not in request.raw_head
        assert b":AAAA:" not in request.raw_head


async def test_not_verified(pki: Pki) -> None:
    """A server that asks for no certificate has verified none."""
    plain = Pki()
    plain.context.verify_mode = ssl.CERT_NONE
    async with behind(ClientCertificate(name="email"), plain) as (site, server):
        assert (await over_tls(site, plain.client("robot@acme.test"), b"")).startswith(b"HTTP/1.1 403 ")
        assert server.requests == []
    request = exchange()
    tls = request.inbound._tls = mock.Mock(getpeercert=lambda binary: certificate())
    tls.context.verify_mode = ssl.CERT_OPTIONAL
    assert (await subject(trusted=None)(request, who)).status == 200
    tls.context.verify_mode = ssl.CERT_NONE
    assert await refused(subject(trusted=None), request) == "no certificate was shown"


async def test_a_proxy_s_own_certificate(pki: Pki) -> None:
    """A trusted proxy that shows a certificate of its own, and says nothing of the client's, has brought nobody."""
    filter = ClientCertificate(name="email", trusted=TrustedProxies("127.0.0.1"))
    async with behind(filter, pki) as (site, _):
        context = pki.client("lb@acme.test")
        assert (await over_tls(site, context, b"")).startswith(b"HTTP/1.1 403 ")
        said = field_of(_client_der(pki)).encode()
        assert (await over_tls(site, context, b"Client-Cert: " + said + b"\r\n")).startswith(b"HTTP/1.1 200 ")


def _client_der(pki: Pki) -> bytes:
    found = x509.load_pem_x509_certificate(pki.ca.issue_cert("robot@acme.test").cert_chain_pems[0].bytes())
    assert not found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return found.public_bytes(Encoding.DER)
