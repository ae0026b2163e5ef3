"""A probe that shakes hands."""

from __future__ import annotations

import ssl

from ...clock import SYSTEM_CLOCK, Clock
from ...endpoint import Endpoint
from ...wire.settings import Tls
from .ask import connected
from .base import ProbeFailed

__all__ = ["TlsProbe"]

_DAY = 86400.0


class TlsProbe:
    """Connects and shakes hands: the certificate is verified as ``tls`` says, by default against the system's CAs.

    ``days_left``
        How many days the certificate must go on being valid. Without it, that it is valid now is enough.

    An endpoint without TLS fails. Raises ``ValueError`` for ``days_left`` that is negative, or that nobody could read
    since ``tls`` does not verify.
    """

    def __init__(self, *, tls: Tls | None = None, days_left: float | None = None, clock: Clock = SYSTEM_CLOCK) -> None:
        if days_left is not None and not 0 <= days_left < float("inf"):
            raise ValueError(f"days_left must be at least 0 and finite, got {days_left}")
        context = None if tls is None else tls.context
        if days_left is not None and context is not None and context.verify_mode == ssl.CERT_NONE:
            raise ValueError(f"days_left={days_left:g} needs a certificate that is verified, got {tls!r}")
        self._tls = tls
        self._days_left = days_left
        self._clock = clock

    async def __call__(self, endpoint: Endpoint) -> None:
        if not endpoint.secure:
            raise ProbeFailed("the endpoint has no TLS")
        if self._tls is None:
            self._tls = Tls()
        async with connected(endpoint, self._tls) as connection:
            if self._days_left is not None:
                certificate = None if connection.tls is None else connection.tls.getpeercert()
                ends = None if certificate is None else certificate.get("notAfter")
                if not isinstance(ends, str):
                    raise ProbeFailed("a certificate that does not say when it ends")
                left = (ssl.cert_time_to_seconds(ends) - self._clock.wall()) / _DAY
                if left < self._days_left:
                    raise ProbeFailed(f"the certificate ends in {left:.1f} days, at {ends}")

    def __repr__(self) -> str:
        return f"TlsProbe({'' if self._days_left is None else f'days_left={self._days_left:g}'})"
