"""Where secrets and look-alikes stand: JSON, HTML, logs, events; with the escapes that each has."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from html import escape
from random import Random

from .document import CLOSE, OPEN
from .kinds import Planted
from .ordinary import fields, log_line, sentence, stamp

__all__ = ["PLACES", "TYPES", "marked", "name_of", "spoken"]

Place = Callable[[Random, Planted], str]

TYPES: Mapping[str, str] = {
    "json": "application/json",
    "html": "text/html",
    "log": "text/plain",
    "sse": "text/event-stream",
    "ndjson": "application/x-ndjson",
}


def marked(planted: Planted) -> str:
    return f"{planted.before}{OPEN}{planted.value}{CLOSE}{planted.after}"


def name_of(rng: Random, planted: Planted) -> str:
    return rng.choice(planted.names or ("value", "note", "data", "text", "result", "detail"))


def spoken(rng: Random, planted: Planted) -> str:
    """The secret as it stands in a text."""
    text = marked(planted)
    if not planted.names:
        return text
    return f"{rng.choice(planted.names)}{rng.choice(['=', ': ', '='])}{text}"


def _dumped(value: object, rng: Random, **options: object) -> str:
    """JSON, in which the marks are left."""
    written = json.dumps(value, ensure_ascii=rng.random() < 0.5, **options)  # type: ignore[arg-type]
    return written.replace("\\ue000", OPEN).replace("\\ue001", CLOSE)


def _with(rng: Random, name: str, text: object) -> dict[str, object]:
    members = [*fields(rng).items(), (name, text)]
    rng.shuffle(members)
    return dict(members)


def json_member(rng: Random, planted: Planted) -> str:
    indent = rng.choice([None, 2])
    separators = (",", ":") if indent is None and rng.random() < 0.6 else None
    return _dumped(_with(rng, name_of(rng, planted), marked(planted)), rng, indent=indent, separators=separators)


def json_deep(rng: Random, planted: Planted) -> str:
    rows: list[object] = [fields(rng) for _ in range(rng.randrange(1, 6))]
    rows.insert(rng.randrange(len(rows) + 1), _with(rng, name_of(rng, planted), marked(planted)))
    return _dumped({"data": rows, "meta": fields(rng)}, rng, separators=(",", ":"))


def json_text(rng: Random, planted: Planted) -> str:
    return _dumped(_with(rng, "message", f"{sentence(rng)} {spoken(rng, planted)} {sentence(rng)}"), rng)


def json_escaped(rng: Random, planted: Planted) -> str:
    """Some characters as ``\\u0041``, which no serialiser has to write, and any may."""
    written = _dumped(_with(rng, name_of(rng, planted), marked(planted)), rng)
    before, _, rest = written.partition(OPEN)
    secret, _, after = rest.partition(CLOSE)
    out, at = [], 0
    while at < len(secret):
        piece = (
            secret[at : at + 6]
            if secret[at : at + 2] == "\\u"
            else secret[at : at + 2]
            if secret[at] == "\\"
            else secret[at]
        )
        at += len(piece)
        if len(piece) == 1 and rng.random() < 0.2:
            piece = f"\\u{ord(piece):04{rng.choice('xX')}}" if ord(piece) < 0x10000 else piece
        elif piece == "/" and rng.random() < 0.5:
            piece = "\\/"
        out.append(piece)
    return f"{before}{OPEN}{''.join(out)}{CLOSE}{after}"


def ndjson(rng: Random, planted: Planted) -> str:
    rows = [fields(rng) for _ in range(4)]
    rows.insert(2, _with(rng, name_of(rng, planted), marked(planted)))
    return "".join(_dumped(row, rng, separators=(",", ":")) + "\n" for row in rows)


def _page(rng: Random, body: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{sentence(rng)}</title>'
        f'<link rel="stylesheet" href="/static/app.3f9c2b1d.css"></head>\n<body class="page '
        f'page--wide">\n<h1>{sentence(rng)}</h1>\n'
        f"{body}\n<p>{sentence(rng)}</p>\n</body></html>\n"
    )


def html_text(rng: Random, planted: Planted) -> str:
    return _page(rng, f"<p>{sentence(rng)} <b>{escape(spoken(rng, planted))}</b> {sentence(rng)}</p>")


def html_table(rng: Random, planted: Planted) -> str:
    rows = [f"<tr><td>{name}</td><td>{escape(str(value))}</td></tr>" for name, value in fields(rng).items()]
    rows.insert(
        rng.randrange(len(rows)), f"<tr><td>{name_of(rng, planted)}</td><td>{escape(marked(planted))}</td></tr>"
    )
    return _page(rng, "<table>\n" + "\n".join(rows) + "\n</table>")


def html_references(rng: Random, planted: Planted) -> str:
    before, after = escape(planted.before), escape(planted.after)
    name = f"{rng.choice(planted.names)}: " if planted.names else ""
    pieces = []
    for each in planted.value:
        if rng.random() < 0.15:
            pieces.append(rng.choice([f"&#{ord(each)};", f"&#x{ord(each):X};"]))
        else:
            pieces.append(escape(each))
    return _page(rng, f"<p>{sentence(rng)} {name}{before}{OPEN}{''.join(pieces)}{CLOSE}{after} {sentence(rng)}</p>")


def html_attribute(rng: Random, planted: Planted) -> str:
    if planted.names:
        return _page(
            rng,
            f'<form><input type="hidden" name="{rng.choice(planted.names)}" value="{escape(marked(planted))}"></form>',
        )
    return _page(rng, f'<a data-value="{escape(marked(planted))}" class="btn btn-primary">{sentence(rng)}</a>')


def html_script(rng: Random, planted: Planted) -> str:
    return _page(
        rng, f"<script>window.__STATE__={_dumped(_with(rng, name_of(rng, planted), marked(planted)), rng)};</script>"
    )


def log_text(rng: Random, planted: Planted) -> str:
    lines = [log_line(rng, sentence(rng)) for _ in range(rng.randrange(2, 6))]
    lines.insert(
        rng.randrange(len(lines)),
        log_line(rng, f"{sentence(rng)} {spoken(rng, planted)} after {rng.randrange(900)} ms"),
    )
    return "\n".join(lines) + "\n"


def log_environment(rng: Random, planted: Planted) -> str:
    name = (
        rng.choice(planted.names).upper().replace(".", "_").replace(" ", "_").replace("-", "_")
        if planted.names
        else "APP_VALUE"
    )
    quote = rng.choice(['"', "'", ""]) if " " not in marked(planted) and "\n" not in marked(planted) else '"'
    return (
        f"PATH=/usr/local/bin:/usr/bin\nLANG=C.UTF-8\n{name}={quote}{marked(planted)}{quote}\nHOME=/srv/"
        "app\nPORT=8080\n"
    )


def log_query(rng: Random, planted: Planted) -> str:
    name = rng.choice(planted.names or ("q", "next", "ref")).replace(" ", "_")
    return (
        f'203.0.113.7 - - [28/Nov/2026:12:00:01 +0000] "GET /search?page=2&{name}={marked(planted)} HTTP/1.1" '
        '200 512 "-" "Mozilla/5.0"\n'
    )


def log_yaml(rng: Random, planted: Planted) -> str:
    name = rng.choice(planted.names or ("value",))
    return f"server:\n  port: 8080\n  host: www.example.com\n  {name}: {marked(planted)}\nlogging:\n  level: info\n"


def sse_json(rng: Random, planted: Planted) -> str:
    events = [f"id: {rng.randrange(9999)}\ndata: {json.dumps(fields(rng))}\n\n" for _ in range(3)]
    events.insert(1, f"event: update\ndata: {_dumped(_with(rng, name_of(rng, planted), marked(planted)), rng)}\n\n")
    return "".join(events)


def sse_text(rng: Random, planted: Planted) -> str:
    text = spoken(rng, planted).replace("\r\n", "\n").replace("\n", "\ndata: ")
    return (
        f"data: {sentence(rng)}\n\ndata: {sentence(rng)} {text}\ndata: {sentence(rng)}\n\nretry: 3000\n\ndata: "
        f"{stamp(rng)}\n\n"
    )


PLACES: Mapping[str, tuple[str, Place]] = {
    "json-member": ("json", json_member), "json-deep": ("json", json_deep), "json-text": ("json", json_text),
    "json-escaped": ("json", json_escaped), "ndjson": ("ndjson", ndjson),
    "html-text": ("html", html_text), "html-table": ("html", html_table),
    "html-references": ("html", html_references), "html-attribute": ("html", html_attribute),
    "html-script": ("html", html_script), "log-text": ("log", log_text), "log-environment": ("log", log_environment),
    "log-query": ("log", log_query), "log-yaml": ("log", log_yaml),
    "sse-json": ("sse", sse_json), "sse-text": ("sse", sse_text),
}  # fmt: skip
