"""Other places, and look-alikes of other kinds, that nothing was tuned on: what the detectors are measured by is
these."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from random import Random

from .document import CLOSE, OPEN
from .drawing import BASE62, HEX, LOWER36, base64_of, text_of, uuid, words
from .kinds import Planted
from .lookalikes import Lookalike
from .ordinary import fields, log_line, sentence, stamp
from .places import Place, marked, name_of, spoken

__all__ = ["HELD_OUT_LOOKALIKES", "HELD_OUT_PLACES", "HELD_OUT_SEED", "HELD_OUT_TYPES"]

HELD_OUT_SEED = 77

HELD_OUT_TYPES: Mapping[str, str] = {
    "json": "application/problem+json",
    "html": "text/html",
    "xml": "application/xml",
    "text": "text/plain",
    "csv": "text/csv",
    "sse": "text/event-stream",
    "script": "text/javascript",
}


def _unmarked(written: str) -> str:
    return (
        written.replace("\\ue000", OPEN)
        .replace("\\ue001", CLOSE)
        .replace("\\\\ue000", OPEN)
        .replace("\\\\ue001", CLOSE)
    )


def graphql_error(rng: Random, planted: Planted) -> str:
    return _unmarked(
        json.dumps(
            {
                "data": None,
                "errors": [
                    {"message": f"{sentence(rng)} ({spoken(rng, planted)})", "path": words(rng, 3),
                     "locations": [{"line": 3, "column": rng.randrange(80)}],
                     "extensions": {"code": "INTERNAL", "at": stamp(rng)}},
                ],
            }
        )
    )  # fmt: skip


def json_array(rng: Random, planted: Planted) -> str:
    if planted.names:
        value: object = [{"key": rng.choice(planted.names), "value": marked(planted)}, {"key": "region", "value": "eu"}]
    else:
        value = [*words(rng, 3), marked(planted), *words(rng, 2)]
    return _unmarked(json.dumps({"items": value, **fields(rng)}, indent=rng.choice([None, 4])))


def json_in_json(rng: Random, planted: Planted) -> str:
    inner = json.dumps({**fields(rng), name_of(rng, planted): marked(planted)}, ensure_ascii=False)
    return json.dumps({"payload": inner, "retries": rng.randrange(9)}, ensure_ascii=False)


def xml_element(rng: Random, planted: Planted) -> str:
    name = name_of(rng, planted).replace(" ", "")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<response xmlns="urn:example:{rng.randrange(9)}">'
        f"<id>{rng.randrange(9999)}</id>"
        f"<{name}>{escape(marked(planted), quote=False)}</{name}><note>{sentence(rng)}</note></response>"
    )


def csv_row(rng: Random, planted: Planted) -> str:
    name = rng.choice(planted.names) if planted.names else "value"
    text = marked(planted)
    quoted = '"' + text.replace('"', '""') + '"' if '"' in text or "," in text or "\n" in text else text
    row = (
        f"{rng.randrange(999)};{name}={quoted};{stamp(rng)}"
        if planted.names
        else f"{rng.randrange(999)},{quoted},{stamp(rng)},active"
    )
    return f"id,{name},date,status\n7,,{stamp(rng)},new\n{row}\n"


def ini_file(rng: Random, planted: Planted) -> str:
    name = rng.choice(planted.names) if planted.names else "option"
    return f"; {sentence(rng)}\n[main]\ndebug = false\n{name} = {marked(planted)}\n\n[log]\nlevel = info\n"


def python_error(rng: Random, planted: Planted) -> str:
    if planted.names:
        name = "_".join(re.split("[-. ]", rng.choice(planted.names)))
        line = f"    client = Client({name}='{marked(planted)}', timeout=30)"
    else:
        line = f"    client = connect('{marked(planted)}', retries=3)"
    return (
        f'Traceback (most recent call last):\n  File "/srv/app/main.py", line {rng.randrange(99)}, in '
        f"start\n{line}\nValueError: {sentence(rng)}\n"
    )


def javascript(rng: Random, planted: Planted) -> str:
    names = [name for name in planted.names if name.isidentifier()]
    name = rng.choice(names) if names else "option"
    text = json.dumps(marked(planted), ensure_ascii=False)
    return (
        f"export const config = {{\n  region: 'eu',\n  {name}: {text},\n  retries: {rng.randrange(9)},\n}};"
        f"\nconsole.log({json.dumps(sentence(rng))});\n"
    )


def http_dump(rng: Random, planted: Planted) -> str:
    name = rng.choice(planted.names).replace(" ", "-").replace("_", "-") if planted.names else "X-Value"
    text = marked(planted).replace("\r\n", " ").replace("\n", " ")
    return (
        f"> GET /v1/items HTTP/1.1\n> Host: api.example.com\n> {name}: {text}\n> Accept: */*\n\n< HTTP/1.1 500 "
        "Internal Server Error\n< Date: Sat, 28 Nov 2026 12:00:00 GMT\n"
    )


def html_definition(rng: Random, planted: Planted) -> str:
    return (
        f"<html><body><h2>{sentence(rng)}</h2><dl><dt>{escape(words(rng, 1)[0])}</dt><dd>{rng.randrange(99)}</dd>\n"
        f"<dt>{name_of(rng, planted)}</dt>\n<dd><code>{escape(marked(planted))}</code></dd></"
        f"dl><footer>{sentence(rng)}</footer></body></html>"
    )


def html_area(rng: Random, planted: Planted) -> str:
    lines = [f"{name} = {value}" for name, value in fields(rng).items()]
    lines.insert(1, f"{rng.choice(planted.names)} = {marked(planted)}" if planted.names else marked(planted))
    return (
        f"<!doctype html><title>{sentence(rng)}</title><textarea name=config>{escape(chr(10).join(lines))}</textarea>"
    )


def sse_pretty(rng: Random, planted: Planted) -> str:
    value = json.dumps({**fields(rng), name_of(rng, planted): marked(planted)}, ensure_ascii=False, indent=2)
    return "".join(f"data: {line}\n" for line in value.split("\n")) + f"\n: ping\n\ndata: {sentence(rng)}\n\n"


def shell_log(rng: Random, planted: Planted) -> str:
    quoted = f"'{marked(planted)}'"
    name = rng.choice(planted.names).lower().replace("_", "-").replace(" ", "-") if planted.names else "value"
    return (
        f"{log_line(rng, sentence(rng))}\n+ deploy --region=eu --{name}={quoted} "
        f"--verbose\n{log_line(rng, sentence(rng))}\n"
    )


HELD_OUT_PLACES: Mapping[str, tuple[str, Place]] = {
    "graphql-error": ("json", graphql_error), "json-array": ("json", json_array),
    "json-in-json": ("json", json_in_json), "xml-element": ("xml", xml_element), "csv-row": ("csv", csv_row),
    "ini-file": ("text", ini_file), "python-error": ("text", python_error), "javascript": ("script", javascript),
    "http-dump": ("text", http_dump), "html-definition": ("html", html_definition),
    "html-area": ("html", html_area), "sse-pretty": ("sse", sse_pretty), "shell-log": ("text", shell_log),
}  # fmt: skip


def weather(rng: Random) -> Planted:
    return Planted(" ".join(f"{rng.randrange(1000, 9999)}" for _ in range(4)) + f" {rng.uniform(900, 1100):.1f} hPa")


def matrix(rng: Random) -> Planted:
    return Planted(json.dumps([[round(rng.uniform(-1, 1), 16) for _ in range(4)] for _ in range(4)]))


def polyline(rng: Random) -> Planted:
    return Planted(text_of(rng, BASE62 + "_~@?`{}|", 120))


def ssh_fingerprint(rng: Random) -> Planted:
    return Planted(rng.choice([f"SHA256:{base64_of(rng, 32)[:43]}", ":".join(text_of(rng, HEX, 2) for _ in range(16))]))


def build_log(rng: Random) -> Planted:
    one, two = words(rng, 2)
    return Planted(
        rng.choice(
            [
                f"Step 4/9 : RUN pip install {one}=={rng.randrange(9)}.{rng.randrange(9)} # cached "
                f"sha256:{text_of(rng, HEX, 64)}",
                f"[INFO] {one}-{two}-10.{rng.randrange(9)}.0.{rng.randrange(9)}.jar",
                f"webpack:///./src/{one}.js?{text_of(rng, HEX, 4)}",
                f"chunk-{text_of(rng, BASE62, 8)}.js  {rng.randrange(900)}.{rng.randrange(99)} kB",
                f"Merge pull request #{rng.randrange(9999)} from {one}/{two}-token-refresh",
                f"fix({one}): password reset token expires after 24h (#{rng.randrange(999)})",
                f"yarn add @{one}/{two}@{rng.randrange(9)}.0.0-rc.{rng.randrange(9)}",
                f"git clone git@bitbucket.org:{one}/{two}.git",
                f"diff --git a/{one} b/{two}\nindex {text_of(rng, HEX, 7)}..{text_of(rng, HEX, 7)} 100644\n@@ "
                f"-{rng.randrange(99)},7 +{rng.randrange(99)},9 @@",
                f"::set-output name=token-name::{one}",
                f"Requirement already satisfied: {one}>=10.{rng.randrange(9)}.{rng.randrange(9)}.{rng.randrange(9)}",
            ]
        )
    )  # fmt: skip


def settings(rng: Random) -> Planted:
    one, two = words(rng, 2)
    names = (
        "token_url",
        "tokenEndpoint",
        "password_policy",
        "passwordField",
        "secretsManager",
        "apiKeyHeader",
        "token_expiry",
        "password_reset_path",
        "credentials_file",
        "token_limit",
        "max_tokens",
        "secret_rotation",
        "tokenizer",
    )
    return Planted(
        rng.choice(
            [
                f"https://id.example.com/{one}/token",
                f"{one}-policy-{rng.randrange(9)}",
                f"{rng.randrange(10**5)}",
                f"/etc/{one}/{two}.json",
                f"X-{one.title()}-Key",
                f"{one}/{two}-uncased-v{rng.randrange(9)}",
                "P90D",
                "true",
            ]
        ),
        names=names,
    )


def messages(rng: Random) -> Planted:
    names = ("password", "token", "secret", "api_key")
    return Planted(
        rng.choice(
            ["is required", "Password1 is too common.", "must contain 1 digit", "has expired "
            "(E1042)", "invalid_token", "Le mot de passe est incorrect", "Invalid API key "
            "provided", "token_expired", "length 8..64", "Passwort vergessen?", "not_found", "Token #3", "wrong "
            "(2 of 5 attempts)"]
        ),
        names=names,
    )  # fmt: skip


def assets(rng: Random) -> Planted:
    one, two = words(rng, 2)
    return Planted(
        rng.choice(
            [
                f"/static/{one}.{text_of(rng, HEX, 20)}.chunk.css",
                f"https://lh3.example.com/a-/{text_of(rng, BASE62 + '_-', 60)}=s96-c",
                f"/_next/static/{text_of(rng, BASE62 + '_-', 21)}/_buildManifest.js",
                f"https://www.youtube.example/watch?v={text_of(rng, BASE62, 11)}",
                f"?v={text_of(rng, LOWER36, 32)}&w=640",
                f"IMG_20261128_{rng.randrange(240000):06d}.jpg",
                f"{rng.randrange(10**8, 10**9)}_{rng.randrange(10**15, 9 * 10**15)}_{rng.randrange(10**9)}_n.jpg",
                f"data-v-{text_of(rng, HEX, 8)}", f"css-{text_of(rng, LOWER36, 6)}-{one}", f"__next_css__{uuid(rng)}",
                f"{one}@{two}-2x.webp",
            ]
        )
    )  # fmt: skip


HELD_OUT_LOOKALIKES: Mapping[str, Lookalike] = {
    "weather": weather, "matrix": matrix, "polyline": polyline, "ssh fingerprint": ssh_fingerprint,
    "build log": build_log, "settings": settings, "messages": messages, "assets": assets,
}  # fmt: skip
