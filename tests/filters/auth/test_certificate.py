"""Certificates as they are read."""

from __future__ import annotations

import pytest

from revproxy.filters.auth.certificate import Certificate, CertificateRefused, distinguished_name, field_of, of_field

from .test_client_certificate import NAMES, certificate
from .tokens import NOW


def test_what_is_read() -> None:
    """Names of each kind, dates, and the two that it is known by."""
    found = Certificate.read(certificate(*NAMES))
    assert (found.subject, found.issuer, found.serial) == ("CN=robot,O=ACME", "CN=robots,O=ACME", "abc")
    assert (found.common_names, found.emails) == (("robot",), ("robot@acme.test",))
    assert (found.uris, found.dns) == (("spiffe://acme.test/robot",), ("robot.acme.test",))
    assert (found.begins, found.ends) == (NOW - 86400, NOW + 86400)
    assert len(found.fingerprint) == 64
    with pytest.raises(CertificateRefused, match="it cannot be read"):
        Certificate.read(b"")


def test_the_field() -> None:
    """RFC 9440 section 2.2, RFC 8941 section 3.3.5: what is written can be read, byte for byte."""
    assert field_of(b"\x00\xff\xfe") == ":AP/+:"
    assert of_field([f" {field_of(certificate())}\t"]) == certificate()
    for lines in ([], ["", ""], [":AP/+"], ["AP/+:"], [":AP/+\n:"], [":AP_-:"], [":A:"]):
        with pytest.raises(CertificateRefused):
            of_field(lines)


def test_names_are_compared_in_one_form() -> None:
    """RFC 4514 section 2.4: whichever of several ways it is escaped in."""
    assert distinguished_name("x", "CN=a\\2Cb,O=c") == distinguished_name("x", "CN=a\\,b,O=c") == "CN=a\\,b,O=c"
    with pytest.raises(ValueError, match="x: 'a' is no distinguished name"):
        distinguished_name("x", "a")
