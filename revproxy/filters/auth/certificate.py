"""Certificates that clients show, as far as they say who asks."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

__all__ = ["Certificate", "CertificateRefused", "distinguished_name", "field_of", "of_field"]

_BYTES = re.compile(r":([A-Za-z0-9+/]+={0,2}):")
"""A byte sequence of RFC 8941 section 3.3.5."""
_MAX_FIELD = 16384
"""Characters of a field with a certificate at most."""


class CertificateRefused(Exception):
    """What was shown is no certificate that can be read; the message says why, for the operator's log."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is read of a certificate (RFC 5280).

    ``fingerprint``: its SHA-256, in hexadecimal. ``subject``, ``issuer``: as RFC 4514 writes them. ``serial``: its
    number, in hexadecimal. ``common_names``, and of the alternative names ``emails``, ``uris`` and ``dns``. ``begins``,
    ``ends``: when it is valid, in seconds since the epoch.
    """

    fingerprint: str
    subject: str
    issuer: str
    serial: str
    common_names: Sequence[str]
    emails: Sequence[str]
    uris: Sequence[str]
    dns: Sequence[str]
    begins: float
    ends: float

    @classmethod
    def read(cls, der: bytes) -> Certificate:
        """Of its DER. Whether anybody has verified it is not said. Raises ``CertificateRefused``."""
        from cryptography import x509
        from cryptography.x509.oid import NameOID

        try:
            found = x509.load_der_x509_certificate(der)
            names = x509.SubjectAlternativeName([])
            for extension in found.extensions:
                if isinstance(extension.value, x509.SubjectAlternativeName):
                    names = extension.value
            return cls(
                fingerprint=sha256(der).hexdigest(),
                subject=found.subject.rfc4514_string(),
                issuer=found.issuer.rfc4514_string(),
                serial=f"{found.serial_number:x}",
                common_names=tuple(
                    each.value
                    for each in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
                    if isinstance(each.value, str)
                ),
                emails=tuple(names.get_values_for_type(x509.RFC822Name)),
                uris=tuple(names.get_values_for_type(x509.UniformResourceIdentifier)),
                dns=tuple(names.get_values_for_type(x509.DNSName)),
                begins=found.not_valid_before_utc.timestamp(),
                ends=found.not_valid_after_utc.timestamp(),
            )
        except Exception as error:  # the parser has many kinds of them
            raise CertificateRefused(f"it cannot be read: {type(error).__name__}") from None


def distinguished_name(what: str, text: str) -> str:
    """``text``, as RFC 4514 writes it, in the form that it is compared in. Raises ``ValueError`` that names the
    parameter ``what``."""
    from cryptography import x509

    try:
        return x509.Name.from_rfc4514_string(text).rfc4514_string()
    except ValueError:
        raise ValueError(f"{what}: {text!r} is no distinguished name, as 'CN=robot,O=ACME' is") from None


def of_field(lines: Sequence[str]) -> bytes:
    """The DER in ``Client-Cert`` (RFC 9440 section 2.2). Raises ``CertificateRefused``."""
    if len(lines) != 1:
        raise CertificateRefused("there are several fields")
    found = _BYTES.fullmatch(lines[0].strip(" \t")) if len(lines[0]) <= _MAX_FIELD else None
    if found is None:
        raise CertificateRefused("the field is not well-formed")
    try:
        return b64decode(found[1], validate=True)
    except ValueError:
        raise CertificateRefused("the field is not well-formed") from None


def field_of(der: bytes) -> str:
    """``der`` as ``Client-Cert`` has it."""
    return f":{b64encode(der).decode('ascii')}:"
