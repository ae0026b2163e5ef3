"""Conditions on the certificate that a client has shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..exchange import Exchange
from .condition import When
from .values import Value, judged

__all__ = ["client_certificate"]


def client_certificate(
    *,
    common_name: Value = None,
    organisation: Value = None,
    dns: Value = None,
    uri: Value = None,
    email: Value = None,
    costly: bool = False,
) -> When:
    """The client has shown a certificate that the server has verified, and all that is asked of it holds: its subject's
    ``common_name`` and ``organisation``, and among its alternative names a ``dns`` name, a ``uri`` (SPIFFE), an
    ``email``. Each is exactly that value, or a pattern that matches it in full.

    It is verified by the ``ssl.SSLContext`` that the application listens with: ``verify_mode`` must be
    ``CERT_OPTIONAL`` or ``CERT_REQUIRED``, and its authorities those whose clients may come. Behind a proxy that ends
    TLS there is none. Raises ``TypeError`` for what is no value, and ``ValueError`` for a pattern whose time is not
    linear in the length of what it is matched with, unless ``costly=True`` is said.
    """
    asked = {
        "common_name": ("subject", "commonName", common_name),
        "organisation": ("subject", "organizationName", organisation),
        "dns": ("subjectAltName", "DNS", dns),
        "uri": ("subjectAltName", "URI", uri),
        "email": ("subjectAltName", "email", email),
    }
    judges = [
        (place, kind, judged(value, costly=costly, parameter=name))
        for name, (place, kind, value) in asked.items()
        if value is not None
    ]

    def test(exchange: Exchange) -> bool:
        tls = exchange.inbound.tls
        # Empty where it was not verified; None where there is none.
        shown: Mapping[str, Any] = {} if tls is None else tls.getpeercert() or {}
        return bool(shown) and all(judge(_values(shown, place, kind)) for place, kind, judge in judges)

    given = {name: value for name, (_, _, value) in asked.items() if value is not None}
    said = ", ".join(f"{name}={value!r}" for name, value in given.items()) + (", costly=True" if costly else "")
    return When(f"when.client_certificate({said})", test, form=("client_certificate", tuple(given.items())))


def _values(shown: Mapping[str, Any], place: str, kind: str) -> list[str]:
    pairs: Iterable[tuple[str, str]] = shown.get(place, ())
    if place == "subject":
        pairs = (pair for part in shown.get(place, ()) for pair in part)
    return [value for name, value in pairs if name == kind]
