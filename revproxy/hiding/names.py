"""Names of response fields: which tell of what stands behind, and which HTTP cannot do without."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from ..headers import RESPONSE_DROPPED, is_token

__all__ = ["KEPT", "NEEDED", "TELLING", "alternatives", "check_names", "covers"]

TELLING: tuple[str, ...] = (
    # What the server runs, and in which version.
    *(
        "Server",
        "X-Server",
        "X-Powered-*",
        "Powered-By",
        "X-Server-Powered-By",
        "X-CF-Powered-By",
        "X-Turbo-Charged-By",
    ),
    *("X-AspNet*", "X-Php-Version", "X-Framework", "X-Cocoon-Version", "X-CMS", "X-Generator", "X-Generated-By"),
    "X-Application-Context",
    *("X-Joomla-Version", "X-Umbraco-Version", "Liferay-Portal", "OracleCommerceCloud-Version", "X-Redirect-By"),
    *("X-Content-Encoded-By", "X-Jitsi-Release", "X-Mod-Pagespeed", "X-Page-Speed", "X-LiteSpeed-*"),
    # Which server it was, and who stands between.
    *("Via", "X-Served-By", "X-Server-Name", "X-Hostname", "X-Backend", "X-Backend-*", "X-BEServer", "X-FEServer"),
    *("X-CalculatedBETarget", "X-DiagInfo", "X-Upstream", "X-Upstream-*", "Pega-Host", "Host-Header", "$wsep"),
    *("X-Varnish", "X-Varnish-*", "X-Envoy-*", "X-Kong-*", "X-Backside-Transport", "K-Proxy-Request"),
    *("X-Kubernetes-PF-*", "X-Old-Content-Length", "X-Timer"),
    *("X-Cache", "X-Cache-*", "X-Proxy-Cache", "X-FastCGI-Cache", "X-Rack-Cache", "X-Symfony-Cache"),
    *("X-Drupal-Cache*", "X-Drupal-Dynamic-Cache", "X-Magento-Cache-Control", "X-Magento-Cache-Debug"),
    *("X-Magento-Debug", "X-Magento-Tags"),
    # How it did it: for who looks for errors there.
    *("X-Runtime", "X-Debug", "X-Debug-*", "X-SourceFiles", "X-B3-*", "X-ChromeLogger-Data", "X-ChromePhp-Data"),
    *("X-Wf-*", "X-Clockwork-*", "PHPDebugBar*", "X-dtAgentId", "X-dtHealthCheck", "X-dtInjectedServlet"),
    *("X-ruxit-JS-Agent", "X-OneAgent-JS-Injection"),
)
"""What no client needs. Those of the OWASP Secure Headers Project's list that are of that kind, and their like.

Not here, though they are on that list or beside it, is what front ends read: ``X-Nextjs-*`` (its router),
``X-Atmosphere-*`` (its protocol), ``X-Drupal-Ajax-Token`` (without which Drupal drops the answer), ``SourceMap``,
``X-OWA-Version``, ``Product``, ``Server-Timing`` (real user monitoring, W3C), ``X-Request-Id`` (what users quote)."""

NEEDED: tuple[str, ...] = (
    # RFC 9110 and 9111: what the message is, and what may be done with it.
    *("Accept-Patch", "Accept-Post", "Accept-Ranges", "Age", "Allow", "Authentication-Info", "Cache-Control"),
    *("Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-Location"),
    *("Content-Range", "Content-Type", "Date", "ETag", "Expires", "Last-Modified", "Location", "Retry-After", "Vary"),
    "WWW-Authenticate",
    # RFC 6455 section 4.1: without them a 101 is none.
    *("Sec-WebSocket-Accept", "Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol", "Sec-WebSocket-Version"),
    # What a page must not do or keep, and crawlers must not show: less of it would be a hole.
    *("Clear-Site-Data", "Content-Security-Policy", "Content-Security-Policy-Report-Only"),
    *("Cross-Origin-Embedder-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Document-Policy"),
    *("Integrity-Policy", "Origin-Agent-Cluster", "Permissions-Policy", "Referrer-Policy"),
    *("Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options"),
    *("X-Permitted-Cross-Domain-Policies", "X-Robots-Tag"),
)
"""What passes whatever list there is of what may."""

KEPT: frozenset[str] = RESPONSE_DROPPED | {
    *("content-encoding", "content-length", "content-range", "content-type", "date"),
    *(name.lower() for name in NEEDED if name.startswith("Sec-WebSocket-")),
}
"""What cannot be removed: the content would be read otherwise, or not at all."""


def check_names(parameter: str, names: Collection[str], *, removed: bool = False) -> tuple[str, ...]:
    """``names``, lower-cased. Raises ``TypeError`` or ``ValueError`` that names ``parameter`` for what is no field's
    name, with or without ``*`` at its end, and for what cannot be ``removed``."""
    if isinstance(names, str) or not isinstance(names, Collection):
        raise TypeError(f"{parameter} must be names of fields, in a list or the like, got {names!r}")
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"{parameter} must be names of fields, got {name!r}")
        if not is_token(name.removesuffix("*")) or "*" in name.removesuffix("*"):
            raise ValueError(f"{parameter} must be names of fields, with or without * at the end, got {name!r}")
        if removed and name.lower() in KEPT:
            raise ValueError(f"{parameter}: no response can do without {name}")
    return tuple(name.lower() for name in names)


def covers(names: Iterable[str], name: str) -> bool:
    """Whether ``name``, lower-cased, is one of ``names``."""
    return any(name.startswith(each[:-1]) if each.endswith("*") else name == each for each in names)


def alternatives(names: Iterable[str]) -> str:
    """A regular expression for any of ``names``, lower-cased, as they stand in a field line. What several begin with is
    looked at once, so that a field that is none of them is soon passed over."""
    rests: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        rests.setdefault(name[:1], []).append(name[1:])
    if "*" in rests:
        return "[^:]*"  # which is all others that begin so, too
    branches = [re.escape(first) + alternatives(rests[first]) if first else "" for first in sorted(rests, reverse=True)]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
