"""The command ``python -m tests.benchmarks.detection``: how many of the attacks of others ``Inspect`` stops.

``--crs DIRECTORY``
    The regression tests of the OWASP Core Rule Set (``modsecurity-crs``, a source package of Debian): each request that
    one of its rules of paranoia level 1 is to be found in is an attack; those of the families that are about attacks on
    applications are taken (930 to 944), and of the protocol 921 and 922.
``--lines FILE``
    One attack a line, sent as the value of a parameter, as the lists of fuzzers have them. Lines of fewer than five
    characters are left out: they are probes for characters.

``--requests FILE``
    What a scanner has sent, as ``tests.benchmarks.record`` writes it: each different request once, but for those that
    it sends again and again to see what is ordinary. Its own name in ``User-Agent`` is replaced by a browser's, or all
    of it would be stopped for that.

``--half`` takes one half of them, by a hash of their names: the signatures were mended by what was missed of the
``development`` half, so what counts is the ``final`` one.

By family: how many there are, how many are stopped, and with ``--missed`` what is not.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import importlib
import json
import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from revproxy import Exchange, Response
from revproxy.errors import ProxyError
from revproxy.filters.inspect import INSPECTION, Inspect
from revproxy.testing import exchange

from .table import Table

FAMILIES = re.compile(r"9(?:21|22|3[0-4]|4[1-4])\d{3}")
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Attack:
    """A request that is to be stopped."""

    family: str
    name: str
    method: str
    target: str
    fields: list[tuple[str, str]]
    body: bytes


def of_lines(path: Path) -> Iterator[Attack]:
    """Each line as the value of a parameter, and as a field of a form."""
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if len(line) >= 5:
            yield Attack(path.stem, f"{path.name}:{number}", "GET", f"/?q={quote(line)}", list(_ORDINARY), b"")


_ORDINARY = (
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    ("Accept", "text/html,*/*;q=0.8"),
)


def of_requests(path: Path) -> Iterator[Attack]:
    """What a scanner has sent."""
    told = [json.loads(line) for line in path.read_text().splitlines()]
    counts = Counter(map(_what, told))
    seen: set[str] = set()
    for number, each in enumerate(told, 1):
        what = _what(each)
        if counts[what] > _ORDINARILY or what in seen:
            continue
        seen.add(what)
        fields = [(name, value) for name, value in each["fields"] if name.lower() not in _OF_THE_CONNECTION]
        fields = [(name, _SCANNERS.sub(_ORDINARY[0][1], value)) for name, value in fields]
        body = each["body"].encode("latin-1")
        yield Attack(path.stem, f"{path.name}:{number}", each["method"], each["target"], fields, body)


def _what(told: dict[str, Any]) -> str:
    return json.dumps([told["method"], told["target"], told["body"], sorted(told["fields"])])


_ORDINARILY = 3
_OF_THE_CONNECTION = ("content-length", "connection", "transfer-encoding", "host")
_SCANNERS = re.compile(r"^sqlmap/\S* \(https://sqlmap\.org\)")


def of_crs(directory: Path) -> Iterator[Attack]:
    """The tests of rules of paranoia level 1."""
    yaml: Any = importlib.import_module("yaml")
    first = _level_one(directory / "rules")
    for path in sorted((directory / "tests" / "regression" / "tests").rglob("9*.yaml")):
        if FAMILIES.fullmatch(path.stem) is None or path.stem not in first:
            continue
        for test in yaml.safe_load(path.read_text())["tests"]:
            for stage in test["stages"]:
                if f'id "{path.stem}"' in stage["stage"]["output"].get("log_contains", ""):
                    yield _of_stage(path, test["test_title"], stage["stage"]["input"])


def _level_one(rules: Path) -> set[str]:
    found = set()
    for path in rules.glob("*.conf"):
        for rule in re.split(r"\n(?=SecRule|SecAction)", path.read_text()):
            number = re.search(r"\bid:(\d{6})", rule)
            if number is not None and "paranoia-level/1" in rule:
                found.add(number[1])
    return found


def _of_stage(path: Path, title: object, given: dict[str, Any]) -> Attack:
    fields = [(str(name), str(value)) for name, value in (given.get("headers") or {}).items()]
    data = given.get("data") or ""
    body = ("\r\n".join(data) if isinstance(data, list) else str(data)).encode()
    target = str(given.get("uri", "/"))
    method = str(given.get("method", "GET"))
    if "encoded_request" in given:
        head, _, body = base64.b64decode(given["encoded_request"]).partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, *_ = first.split(" ")
        fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    names = {name.lower() for name, _ in fields}
    if body and "content-type" not in names:
        fields.append(("Content-Type", _FORM))
    fields = [(name, value) for name, value in fields if name.lower() not in _OF_THE_CONNECTION]
    return Attack(path.stem[:3], str(title), method, target, fields, body)


async def _nothing(exchange: Exchange) -> Response:
    return Response(200)


async def is_stopped(inspect: Inspect, attack: Attack) -> tuple[bool, str]:
    """Whether it is, and by what: the proxy itself refuses targets and fields, too."""
    target = attack.target if attack.target.startswith("/") else f"/{attack.target}"
    try:
        made = exchange(attack.method, target, headers=attack.fields, body=attack.body)
    except (ProxyError, ValueError) as error:
        return True, f"refused: {error}"
    try:
        response = await inspect(made, _nothing)
    except ProxyError as error:
        return True, f"refused: {error}"
    return response.status == 403, str(made[INSPECTION])


def _is_final(attack: Attack) -> bool:
    return sha256(f"{attack.family} {attack.name}".encode()).digest()[0] % 2 == 1


async def run(attacks: list[Attack], inspect: Inspect, missed: bool) -> Table:
    table = Table(f"Attacks that are stopped at paranoia {inspect.paranoia}", ["", "attacks", "stopped", "%"])
    counts: dict[str, list[int]] = {}
    for attack in attacks:
        stopped, why = await is_stopped(inspect, attack)
        for family in (attack.family, "all"):
            count = counts.setdefault(family, [0, 0])
            count[0] += 1
            count[1] += stopped
        if missed and not stopped:
            what = f"{attack.method} {attack.target[:200]!r} {attack.body[:300]!r}"
            print(f"missed {attack.family} {attack.name}: {what} ({why})")
    counts["all"] = counts.pop("all", [0, 0])
    for family, (count_of, found) in counts.items():
        table.rows.append([family, str(count_of), str(found), f"{100 * found / max(count_of, 1):.1f}"])
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.detection", description="How many of the attacks of others are stopped."
    )
    parser.add_argument("--crs", type=Path, help="the directory of the Core Rule Set's source")
    parser.add_argument("--lines", type=Path, nargs="*", default=[], help="files with one attack a line")
    parser.add_argument("--requests", type=Path, nargs="*", default=[], help="files of what scanners have sent")
    parser.add_argument("--half", choices=("development", "final"), help="one half of the attacks")
    parser.add_argument("--paranoia", type=int, default=1)
    parser.add_argument("--missed", action="store_true", help="print what is not stopped")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    options = parser.parse_args()
    attacks = [] if options.crs is None else list(of_crs(options.crs))
    for path in options.lines:
        attacks += of_lines(path)
    for path in options.requests:
        attacks += of_requests(path)
    if options.half is not None:
        attacks = [each for each in attacks if _is_final(each) is (options.half == "final")]
    if not attacks:
        parser.error("no attacks: give --crs, --lines or --requests")
    logging.getLogger("revproxy.security").disabled = True
    table = asyncio.run(run(attacks, Inspect(paranoia=options.paranoia), options.missed))
    print(table.markdown() if options.markdown else table.text())


if __name__ == "__main__":
    main()
