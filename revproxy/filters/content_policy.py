"""Policies for browsers, checked: what they would pass over in silence protects nobody."""

from __future__ import annotations

import re

__all__ = ["check_content_policy", "check_permissions_policy", "frame_options"]

_DIRECTIVES = frozenset(
    {
        *("default-src", "script-src", "script-src-elem", "script-src-attr", "style-src", "style-src-elem"),
        *("style-src-attr", "img-src", "font-src", "connect-src", "media-src", "object-src", "frame-src", "child-src"),
        *("worker-src", "manifest-src", "prefetch-src", "fenced-frame-src", "base-uri", "form-action"),
        *("frame-ancestors", "sandbox", "report-uri", "report-to", "upgrade-insecure-requests"),
        *("block-all-mixed-content", "require-trusted-types-for", "trusted-types", "webrtc"),
    }
)
"""Of CSP Level 3, of the specifications that add to it, and of what it has dropped but browsers know."""

_KEYWORDS = frozenset(
    {
        *("self", "none", "unsafe-inline", "unsafe-eval", "unsafe-hashes", "strict-dynamic", "report-sample"),
        *("wasm-unsafe-eval", "inline-speculation-rules"),
    }
)
_PLAIN = re.compile(r"[ -+\--~]*")
"""Without control characters, which would end the field, and without commas, which would divide a policy in two."""

_WHO = r'(?: \* | self | src | "[!#-\[\]-~]+" )'
_FEATURE = re.compile(
    rf"[a-z][a-z0-9-]* = (?: \* | self | \( \ * (?: {_WHO} (?: \ + {_WHO} )* )? \ * \) ) (?: ;report-to=[a-z0-9_-]+ )?",
    re.VERBOSE,
)


def check_content_policy(parameter: str, policy: str, *, but: str = "") -> None:
    """Raise ``ValueError`` for what is no policy of CSP Level 3 (section 2.2), for a directive that nobody knows, that
    is there twice, or is ``but``, and for a keyword without its quotes: browsers pass over it."""
    if _PLAIN.fullmatch(policy) is None:
        raise ValueError(f"{parameter}: {policy!r} is not printable ASCII without commas")
    seen: set[str] = set()
    for directive in filter(None, (each.strip(" ") for each in policy.split(";"))):
        name, *values = directive.split()
        if name.lower() not in _DIRECTIVES:
            raise ValueError(f"{parameter}: {name!r} is no directive")
        if name.lower() == but:
            raise ValueError(f"{parameter}: {name} has a parameter of its own")
        if name.lower() in seen:
            raise ValueError(f"{parameter}: {name!r} is there twice, and only the first one would count")
        seen.add(name.lower())
        _check_values(parameter, name, values)
    if not seen:
        raise ValueError(f"{parameter}: {policy!r} says nothing")


def _check_values(parameter: str, name: str, values: list[str]) -> None:
    for value in values:
        if value.lower() in _KEYWORDS and name.lower() != "sandbox":
            raise ValueError(f"{parameter}: {value} of {name} needs its quotes: '{value}'")
    if len(values) > 1 and "'none'" in map(str.lower, values):
        raise ValueError(f"{parameter}: 'none' of {name} stands alone")


def frame_options(ancestors: str) -> str | None:
    """What ``X-Frame-Options`` says where ``frame-ancestors`` says this; ``None``: it has no words for it. Raises
    ``ValueError`` for what is no list of sources."""
    values = ancestors.split()
    if not values or ";" in ancestors or ancestors != ancestors.strip() or _PLAIN.fullmatch(ancestors) is None:
        raise ValueError(f"frame_ancestors must be sources, as 'self' with its quotes, got {ancestors!r}")
    _check_values("frame_ancestors", "frame-ancestors", values)
    return {"'none'": "DENY", "'self'": "SAMEORIGIN"}.get(ancestors.lower())


def check_permissions_policy(policy: str) -> None:
    """Raise ``ValueError`` for what is no list of features, each with those that may use it (Permissions Policy section
    5.2; RFC 8941 section 3.2). ``camera 'none'``, as ``Feature-Policy`` had it, is none."""
    seen: set[str] = set()
    for member in policy.split(","):
        feature = member.strip(" ")
        if _FEATURE.fullmatch(feature) is None:
            raise ValueError(f"permissions_policy: {feature!r} is not as camera=() or geolocation=(self) is")
        name = feature.partition("=")[0]
        if name in seen:
            raise ValueError(f"permissions_policy: {name!r} is there twice")
        seen.add(name)
