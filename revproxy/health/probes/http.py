"""A probe that sends a request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from typing import TypeAlias

from ...body import EMPTY, Body
from ...endpoint import Endpoint
from ...message import Fields, Response
from ...wire.settings import Tls
from .ask import BODY, asked, probe_request
from .base import ProbeFailed

__all__ = ["BodyTest", "HttpProbe"]

BodyTest: TypeAlias = bytes | Callable[[bytes], object]
"""Bytes that stand somewhere in a body, or a function that says whether it is good."""


class HttpProbe:
    """Sends a request, and looks at the answer::

        HttpProbe("/healthz", expect_body=b"ok")

    ``path``
        Path and query. It is sent as other targets are: behind what the endpoint's URL puts before them.
    ``method``, ``host``, ``headers``
        ``host`` is what ``Host`` says, by default the endpoint's authority.
    ``expect_status``
        One status or several. By default 200 to 299, so a redirect is a failure.
    ``expect_headers``
        Fields that must be there, with these values.
    ``expect_body``
        What must stand in the body, or a function of it that returns something true. It gets 64 KiB at most, the rest
        is not read. Without it none of the body is waited for: the head decides.
    ``tls``
        How to speak TLS to ``https`` endpoints; it does not know the upstream's. Default: ``Tls()``.

    Raises ``ValueError`` that names the parameter and its value. A probe fails with ``ProbeFailed``, or with what the
    wire raises.
    """

    def __init__(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        host: str | None = None,
        headers: Fields = (),
        expect_status: int | Iterable[int] = range(200, 300),
        expect_headers: Mapping[str, str] | None = None,
        expect_body: BodyTest | None = None,
        tls: Tls | None = None,
    ) -> None:
        self._request = probe_request(method, path, host, headers)
        self._statuses = frozenset((expect_status,) if isinstance(expect_status, int) else expect_status)
        wrong = [each for each in self._statuses if type(each) is not int or not 200 <= each <= 599]
        if wrong or not self._statuses:
            raise ValueError(f"expect_status must be of 200 to 599, got {wrong or expect_status!r}")
        if expect_body is not None and not isinstance(expect_body, bytes) and not callable(expect_body):
            raise TypeError(f"expect_body must be bytes or a function, got {expect_body!r}")
        if expect_body is not None and method == "HEAD":
            raise ValueError("expect_body: an answer to method='HEAD' has none")
        self._fields = dict(expect_headers or {})
        self._body = expect_body
        self._tls = tls

    async def __call__(self, endpoint: Endpoint) -> None:
        if endpoint.secure and self._tls is None:
            self._tls = Tls()
        async with asked(endpoint, self._request.copy(EMPTY), self._tls) as response:
            self._check_head(response)
            if self._body is not None:
                body = await _beginning(response.body, BODY)
                good = self._body in body if isinstance(self._body, bytes) else self._body(body)
                if not good:
                    raise ProbeFailed(f"a body that begins with {body[:40]!r}")

    def _check_head(self, response: Response) -> None:
        if response.status not in self._statuses:
            to = response.headers.get("Location", "")
            raise ProbeFailed(f"answered {response.status}{f', to {to[:80]!r}' if to else ''}")
        for name, value in self._fields.items():
            found = response.headers.getall(name, [])
            if value not in found:
                raise ProbeFailed(f"{name} is {', '.join(found)[:80]!r}, not {value!r}")

    def __repr__(self) -> str:
        method = "" if self._request.method == "GET" else f", method={self._request.method!r}"
        return f"HttpProbe({self._request.target!r}{method})"


async def _beginning(body: Body, most: int) -> bytes:
    """The first ``most`` bytes of ``body``, or all of it."""
    parts: list[bytes] = []
    size = 0
    chunks = aiter(body)
    try:
        async for chunk in chunks:
            parts.append(chunk)
            size += len(chunk)
            if size >= most:
                break
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
    return b"".join(parts)[:most]
