"""Multipart forms (RFC 7578): fields, and what is said of files; not what is in them."""

from __future__ import annotations

import re
from urllib.parse import unquote

from .charsets import CHARSETS
from .found import Found

__all__ = ["read_multipart"]

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_HEAD = 8192
_AS_IT_IS = frozenset({"7bit", "8bit", "binary"})
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\x00]*)")
_CHARSET = re.compile(r";[ \t]*charset[ \t]*=[ \t]*[\"']?([^\"';\s]*)", re.IGNORECASE)
_PARAMETER = re.compile(r';[ \t]*([A-Za-z0-9*!#$&+.^_`|~-]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*+"|[^;"]*)')


def read_multipart(data: bytes, boundary: str | None, found: Found) -> None:
    """The parts between ``boundary``, strictly: what is not as RFC 2046 section 5.1 says is trouble, since whoever is
    behind may take it for something else."""
    if boundary is None or _BOUNDARY.fullmatch(boundary) is None:
        found.trouble("multipart", "no usable boundary")
        found.value("", data.decode("utf-8", "replace"))
        return
    mark = b"\r\n--" + boundary.encode()
    if len(re.findall(rb"[\r\n]--" + re.escape(boundary.encode()), data)) > data.count(mark):
        found.trouble("multipart", "a boundary behind half a line break")
    pieces = (b"\r\n" + data).split(mark)
    before, *parts = pieces
    if before or not parts or parts[-1].rstrip(b" \t\r\n") != b"--" or len(parts) == 1:
        found.trouble("multipart", "does not begin or end with its boundary")
    for part in parts:
        if part[:2] == b"--" and part is parts[-1]:
            continue
        _read_part(part, found)


def _read_part(part: bytes, found: Found) -> None:
    start = part.lstrip(b" \t")
    head, empty, content = start.partition(b"\r\n\r\n")
    if not start.startswith(b"\r\n") or not empty or len(head) > _HEAD:
        found.trouble("multipart", "a part without a head of its own")
        found.value("", part.decode("utf-8", "replace"))
        return
    name: str | None = None
    is_file = encoded = disposed = False
    for line in head[2:].decode("utf-8", "replace").split("\r\n"):
        field = _FIELD.fullmatch(line)
        if field is None:
            found.trouble("multipart", "a line in a part's head that is no field")
            found.file("", line)
            continue
        kind, said = field[1].lower(), field[2]
        if kind == "content-disposition":
            if disposed:
                found.trouble("multipart", "a part with two dispositions")
            disposed = True
            name, is_file = _disposition(said, found)
        elif kind == "content-type":
            found.file("content-type", said)
            charset = _CHARSET.search(said)
            if charset is not None and charset[1].lower() not in CHARSETS:
                found.trouble("charset", "a part in a charset that is not looked into")
        else:
            encoded = encoded or (
                kind == "content-transfer-encoding" and said.lower() not in ("7bit", "8bit", "binary")
            )
            found.file(kind, said)
    if name is None:
        found.trouble("multipart", "a part without a name")
    if encoded:
        found.trouble("multipart", "a part in a transfer encoding")
    if name == "_charset_":
        found.trouble("charset", "a form that says its charset itself")
    if not is_file:
        found.value(name or "", content.decode("utf-8", "replace"))


def _disposition(said: str, found: Found) -> tuple[str | None, bool]:
    """The name of a part, and whether it is a file."""
    kind, _, _ = said.partition(";")
    parameters: dict[str, str] = {}
    at = len(kind)
    for each in _PARAMETER.finditer(said):
        if each.start() != at:
            break
        at = each.end()
        key = each[1].lower()
        if key in parameters:
            found.trouble("multipart", "a parameter of a part that is there twice")
        text = each[2]
        text = re.sub(r"\\([\"\\])", r"\1", text[1:-1]) if text[:1] == '"' else text.strip()
        parameters[key] = unquote(text.rpartition("'")[2]) if key.endswith("*") else text
    if at < len(said.rstrip()) or kind.strip().lower() != "form-data":
        found.trouble("multipart", "a part whose Content-Disposition is no form-data")
        found.file("content-disposition", said)
    for key in ("filename", "filename*"):
        if key in parameters:
            found.file(key, parameters[key])
    name = parameters.get("name")
    if name is not None:
        found.name(name, name)
    # What has no name, or one in the other form only, is a field to some.
    return name, bool(parameters.get("filename"))
