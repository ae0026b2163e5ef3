"""Signatures of requests by a secret that two share (RFC 9421, ``hmac-sha256``), for both ends. Without I/O.

A server behind the proxy, in whatever framework, asks who has sent a request::

    from revproxy.signatures import BadSignature, verify

    async def whoami(request: web.Request) -> web.Response:
        try:
            said = verify(request.method, request.raw_path, request.headers.items(), KEYS, now=time.time())
        except BadSignature:
            raise web.HTTPForbidden from None
        return web.Response(text=said.fields.get("x-user", "nobody"))
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .key_ring import check_key

__all__ = ["BadSignature", "Verified", "component", "sign", "verify"]

_MAX = 8192
"""Characters at most of a field that is read."""
_DERIVED = frozenset({"@method", "@path", "@query", "@authority"})

# Structured fields (RFC 8941): as much of them as a dictionary of signatures has.
_KEY = r"[a-z*][a-z0-9_\-.*]*+"
_STRING = r'"(?:[ !#-\[\]-~]|\\["\\])*+"'
_ITEM = rf"(?:{_STRING}|:[A-Za-z0-9+/=]*+:|\?[01]|-?[0-9]+(?:\.[0-9]+)?|[A-Za-z*][A-Za-z0-9!#$%&'*+\-.^_`|~:/]*+)"
_PARAMETERS = rf"(?:;\ *{_KEY}(?:={_ITEM})?)*+"
_LIST = rf"\(\ *(?:{_ITEM}{_PARAMETERS}(?:\ +{_ITEM}{_PARAMETERS})*+\ *)?\)"
_MEMBER = re.compile(rf"({_KEY})(?:=({_LIST}|{_ITEM}))?({_PARAMETERS})[ \t]*(?:,[ \t]*(?=[a-z*])|\Z)")
_PARAMETER = re.compile(rf";\ *({_KEY})(?:=({_ITEM}))?")
_COMPONENTS = re.compile(r'\((?:"([^"\\]+)"(?: "[^"\\]+")*)?\)')
_NAME = re.compile(r'"([^"\\]+)"')
_TIME = re.compile(r"[0-9]{1,15}")
_SIGNATURE = re.compile(r":([A-Za-z0-9+/]{43}=):")


class BadSignature(Exception):
    """A request is not signed as it should be. The message says why, for the operator's log."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a good signature says. ``keyid``: the key's name. ``created``: when, in seconds since the epoch. ``fields``:
    the fields that are signed, by their lower-cased names. Believe those, and not what else the request has: a field
    that is not among them could be anybody's."""

    keyid: str
    created: int
    fields: Mapping[str, str]


def component(name: str, method: str, target: str, values: Sequence[str]) -> str:
    """The value of a component of a request (RFC 9421 section 2). ``values``: the field's lines, of a field; those of
    ``Host``, of ``@authority``."""
    if name == "@method":
        return method
    if name == "@authority":
        return ", ".join(values).strip(" \t").lower()
    path, _, query = target.partition("?")
    if name == "@path":
        return path or "/"
    return f"?{query}" if name == "@query" else ", ".join(value.strip(" \t") for value in values)


def sign(key: bytes, parts: Sequence[tuple[str, str]], parameters: str) -> tuple[str, str]:
    """What is signed, as ``Signature-Input`` says it, and the signature in base64, of components and their values (RFC
    9421 section 2.5)."""
    said = "(" + " ".join(f'"{name}"' for name, _ in parts) + ")" + parameters
    return said, b64encode(_digest(key, parts, said)).decode("ascii")


def verify(
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]],
    keys: Mapping[str, bytes],
    *,
    now: float,
    max_age: float = 30.0,
    leeway: float = 5.0,
    label: str = "proxy",
    components: Collection[str] = ("@method", "@path", "@query"),
) -> Verified:
    """What the proxy has signed of a request, as a server behind it got it.

    ``method``, ``target``, ``headers``
        The request: its target as it was sent, path and query; its fields in order, as names and values.
    ``keys``
        The secrets by their names (``keyid``). To change one, have servers know the new one, too; then have the proxy
        sign with it (``Signed.rekey``); then take the old one away.
    ``now``
        The time, in seconds since the epoch.
    ``max_age``, ``leeway``
        Seconds that a signature is good for, and by which the clocks may differ. Within them the same request can be
        sent again by who has read it: use TLS where somebody may.
    ``label``
        The signature's name.
    ``components``
        What has to be signed. Names of fields mean that they have to be there.

    Raises ``BadSignature``; ``ValueError`` and ``TypeError`` for keys that are none.
    """
    for secret in keys.values():
        check_key("keys", secret)
    lines: dict[str, list[str]] = {}
    for name, value in headers:
        lines.setdefault(name.lower(), []).append(value)
    said, parameters = _member(lines, "signature-input", label)
    signature = _SIGNATURE.fullmatch(_member(lines, "signature", label)[0])
    if _COMPONENTS.fullmatch(said) is None or signature is None:
        raise BadSignature("it is not well-formed")
    names = _NAME.findall(said)
    missing = {each.lower() for each in components}.difference(names)
    if missing:
        raise BadSignature(f"it does not cover {', '.join(sorted(missing))}")
    parts: list[tuple[str, str]] = []
    for name in names:
        if name != name.lower() or (name.startswith("@") and name not in _DERIVED) or names.count(name) > 1:
            raise BadSignature(f"it covers {name!r}, which is not understood")
        values = lines.get("host" if name == "@authority" else name, [])
        if not values and name not in ("@method", "@path", "@query"):
            raise BadSignature(f"{name} is signed, and not there")
        parts.append((name, component(name, method, target, values)))
    known = dict(_PARAMETER.findall(parameters))
    keyid = _string(known.get("keyid", ""))
    secret_of = keys.get(keyid)
    if secret_of is None:
        raise BadSignature("its key is not known")
    if known.get("alg", '"hmac-sha256"') != '"hmac-sha256"':
        raise BadSignature("its algorithm is not hmac-sha256")
    if not hmac.compare_digest(b64decode(signature[1]), _digest(secret_of, parts, said + parameters)):
        raise BadSignature("it does not fit the request")
    created, expires = known.get("created", ""), known.get("expires", "9" * 15)
    if _TIME.fullmatch(created) is None or _TIME.fullmatch(expires) is None:
        raise BadSignature("it does not say when it was made")
    if not int(created) - leeway <= now <= min(int(created) + max_age, int(expires)) + leeway:
        raise BadSignature(f"it was made {now - int(created):.0f} s ago")
    return Verified(keyid, int(created), {name: value for name, value in parts if not name.startswith("@")})


def _digest(key: bytes, parts: Sequence[tuple[str, str]], said: str) -> bytes:
    base = "".join(f'"{name}": {value}\n' for name, value in parts) + f'"@signature-params": {said}'
    return hmac.digest(key, base.encode("utf-8", "surrogateescape"), "sha256")


def _member(lines: Mapping[str, Sequence[str]], field: str, label: str) -> tuple[str, str]:
    """What a dictionary (RFC 8941 section 3.2) has under ``label``: the value, and its parameters."""
    text = ", ".join(lines.get(field, ())).strip(" \t")
    if len(text) > _MAX:
        raise BadSignature(f"{field} is too long")
    found: tuple[str, str] | None = None
    at = 0
    while at < len(text):
        member = _MEMBER.match(text, at)
        if member is None:
            raise BadSignature(f"{field} is not well-formed")
        if member[1] == label:
            if found is not None:
                raise BadSignature(f"{field} has {label} twice")
            found = member[2] or "", member[3]
        at = member.end()
    if found is None:
        raise BadSignature("it is not signed" if not text else f"{field} has no {label}")
    return found


def _string(item: str) -> str:
    return re.sub(r"\\(.)", r"\1", item[1:-1]) if item.startswith('"') else ""
