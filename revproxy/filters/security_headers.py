"""Fields that have browsers protect their users."""

from __future__ import annotations

import re
from collections.abc import Collection, Coroutine, Mapping
from functools import partial
from typing import Any, Literal

from multidict import CIMultiDict, istr

from ..exchange import Exchange
from ..handler import Component, Handler
from ..headers import is_token
from ..message import Response
from .content_policy import check_content_policy, check_permissions_policy, frame_options
from .edited import edited

__all__ = ["SecurityHeaders"]

_CSP = istr("Content-Security-Policy")
_FRAME_OPTIONS = istr("X-Frame-Options")
_HSTS = istr("Strict-Transport-Security")
_HSTS_VALUE = re.compile(r"max-age=(?P<age>[0-9]{1,10})(?P<subdomains>; ?includeSubDomains)?(?P<preload>; ?preload)?")
_YEAR = 31_536_000
_CHOICES = {
    "opener_policy": ("unsafe-none", "same-origin-allow-popups", "same-origin", "noopener-allow-popups"),
    "embedder_policy": ("unsafe-none", "require-corp", "credentialless"),
    "resource_policy": ("same-site", "same-origin", "cross-origin"),
}
_REFERRERS = frozenset(
    {
        *("no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin"),
        *("origin-when-cross-origin", "strict-origin-when-cross-origin", "unsafe-url"),
    }
)


class SecurityHeaders(Component):
    """Has every answer say what browsers should not do with it, errors of the proxy included, in the manner of the
    OWASP Secure Headers project. The defaults break nothing that is meant to work; whatever else the project recommends
    has to fit the pages, and is for their developer to say. ``None`` leaves a field alone.

    ``strict_transport_security``
        Over TLS only: for how long browsers use nothing else for this host (RFC 6797). Over plain HTTP the field is
        removed. ``includeSubDomains`` and ``preload`` are promises for hosts that this proxy may know nothing of.
    ``nosniff``
        Browsers take an answer for what ``Content-Type`` says (``X-Content-Type-Options``).
    ``frame_ancestors``
        Who may show the pages in a frame, as CSP has it: ``"'self'"``, ``"'none'"``, origins. It is said in
        ``Content-Security-Policy``, and in ``X-Frame-Options`` for old browsers as far as that can say it.
    ``referrer_policy``
        What browsers tell other sites of where a link was. With ``no-referrer`` they also send ``Origin: null`` when a
        form is posted.
    ``content_security_policy``, ``content_security_policy_report_only``
        The policy, always the same one (there are no nonces), without ``frame-ancestors``, which is added; and one that
        is only reported on.
    ``permissions_policy``
        What pages may use: ``"camera=(), geolocation=(self)"``.
    ``opener_policy``, ``embedder_policy``, ``resource_policy``
        ``Cross-Origin-Opener-Policy``, ``-Embedder-Policy`` and ``-Resource-Policy``.
    ``remove``
        Fields that no answer has. ``X-XSS-Protection`` switches on what has holes of its own.
    ``override``
        Whether what the upstream says is replaced. By default its word stands, field by field, and what it has not said
        is added; who may frame the pages is one thing, in whichever field it says so.

    Interim answers and the 101 of a WebSocket are left alone. Let it stand outermost, so that refusals have the fields,
    too. What the proxy refuses before any filter sees it does not have them: a malformed request's 400, a head's 431, a
    declared length's 413. Those answers have nothing of the request in them, and ``nosniff``.

    Raises ``ValueError`` that names the parameter and its value, for a policy with an unknown directive or an unquoted
    keyword as well.
    """

    def __init__(
        self,
        *,
        strict_transport_security: str | None = f"max-age={_YEAR}",
        nosniff: bool = True,
        frame_ancestors: str | None = "'self'",
        referrer_policy: str | None = "strict-origin-when-cross-origin",
        content_security_policy: str | None = None,
        content_security_policy_report_only: str | None = None,
        permissions_policy: str | None = None,
        opener_policy: (
            Literal["unsafe-none", "same-origin-allow-popups", "same-origin", "noopener-allow-popups"] | None
        ) = None,
        embedder_policy: Literal["unsafe-none", "require-corp", "credentialless"] | None = None,
        resource_policy: Literal["same-site", "same-origin", "cross-origin"] | None = None,
        remove: Collection[str] = ("X-XSS-Protection",),
        override: bool = False,
    ) -> None:
        if strict_transport_security is not None:
            _check_transport(strict_transport_security)
        if referrer_policy is not None:
            for each in referrer_policy.split(","):
                if each.strip(" ") not in _REFERRERS:
                    raise ValueError(f"referrer_policy: {each!r} is none of {', '.join(sorted(_REFERRERS))}")
        for parameter, given in (
            ("opener_policy", opener_policy),
            ("embedder_policy", embedder_policy),
            ("resource_policy", resource_policy),
        ):
            if given is not None and given not in _CHOICES[parameter]:
                raise ValueError(f"{parameter} must be one of {', '.join(_CHOICES[parameter])} or None, got {given!r}")
        for each in remove:
            if isinstance(remove, str) or not is_token(each):
                raise ValueError(f"remove must be names of fields, got {remove!r}")
        policy = content_security_policy
        if policy is not None:
            check_content_policy("content_security_policy", policy, but="frame-ancestors")
            policy = policy.strip("; ")
        if content_security_policy_report_only is not None:
            check_content_policy("content_security_policy_report_only", content_security_policy_report_only)
        if permissions_policy is not None:
            check_permissions_policy(permissions_policy)
        self._remove = [istr(each) for each in remove]
        self._framing: dict[istr, str] = {}
        self._policy = policy
        if frame_ancestors is not None:
            ancestors, options = f"frame-ancestors {frame_ancestors}", frame_options(frame_ancestors)
            self._framing[_CSP] = ancestors if policy is None else f"{policy}; {ancestors}"
            if options is not None:
                self._framing[_FRAME_OPTIONS] = options
            elif override:
                self._remove.append(_FRAME_OPTIONS)  # or there were two opinions
        said: dict[str, str | None] = {
            "X-Content-Type-Options": "nosniff" if nosniff else None,
            "Content-Security-Policy-Report-Only": content_security_policy_report_only,
            "Referrer-Policy": referrer_policy,
            "Permissions-Policy": permissions_policy,
            "Cross-Origin-Opener-Policy": opener_policy,
            "Cross-Origin-Embedder-Policy": embedder_policy,
            "Cross-Origin-Resource-Policy": resource_policy,
        }
        self._plain = {istr(field): value for field, value in said.items() if value is not None}
        self._secure = dict(self._plain)
        if strict_transport_security is not None:
            self._secure[_HSTS] = strict_transport_security
        self._override = override

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        return edited(exchange, handler, partial(self._edit, exchange.inbound.scheme == "https"))

    def _edit(self, secure: bool, headers: CIMultiDict[str]) -> None:
        for each in self._remove:
            headers.popall(each, None)
        if not secure:
            headers.popall(_HSTS, None)
        if self._override or not _says_who_frames(headers):
            self._set(headers, self._framing)
        if self._policy is not None:
            self._set(headers, {_CSP: self._policy}, override=self._override and not self._framing)
        self._set(headers, self._secure if secure else self._plain)

    def _set(self, headers: CIMultiDict[str], fields: Mapping[istr, str], override: bool | None = None) -> None:
        override = self._override if override is None else override
        for field, value in fields.items():
            if override or field not in headers:
                headers[field] = value

    def __repr__(self) -> str:
        said = [*self._framing, *self._secure]
        if self._policy is not None and not self._framing:
            said.insert(0, _CSP)
        return f"SecurityHeaders({', '.join(said)}{', override=True' if self._override else ''})"


def _says_who_frames(headers: CIMultiDict[str]) -> bool:
    return _FRAME_OPTIONS in headers or any("frame-ancestors" in each.lower() for each in headers.getall(_CSP, ()))


def _check_transport(value: str) -> None:
    match = _HSTS_VALUE.fullmatch(value)
    if match is None:
        raise ValueError(
            "strict_transport_security must be max-age=<seconds>, then includeSubDomains and preload if they are "
            f"meant, got {value!r}"
        )
    if match["preload"] and not (match["subdomains"] and int(match["age"]) >= _YEAR):
        raise ValueError(
            f"strict_transport_security: preload needs includeSubDomains and a max-age of a year or more, got {value!r}"
        )
