"""What of the documentation follows from the code: the table of errors, and which test proves which forwarding row.

python docs/tables.py           writes the table of errors into its page, and lists rows that no test names

The documentation's build calls it too. There a table of errors that is out of date is a warning, and the tests are
looked up anew each time, so the page in the repository has the rows without them.
"""

from __future__ import annotations

import ast
import asyncio
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import ClientError, ClientSession, web
from aiohttp.test_utils import TestServer

from revproxy import Exchange, ProxyError, ProxyHandler, Response, errors

if TYPE_CHECKING:
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
CONCEPTS = ROOT / "docs" / "concepts.md"
FORWARDING = ROOT / "docs" / "forwarding.md"

_log = logging.getLogger("mkdocs.plugins.tables")
_ERRORS = re.compile(r"(?<=<!-- errors:begin -->\n).*?(?=<!-- errors:end -->)", re.DOTALL)
_ROW = re.compile(r"^\| (F-\d+) \|.*\|$", re.MULTILINE)
_NAMED = re.compile(r"\bF-(\d+)(?:(?: to |-|–)F-(\d+))?")


# Errors: each is raised behind a real proxy, so that status and level are what happens, not what is meant to.


async def errors_table() -> str:
    lines = ["| | status | to blame | when | retryable | level | RFC 9209 |", "|---|---|---|---|---|---|---|"]
    for name in sorted(errors.__all__, key=list(vars(errors)).index):
        error = getattr(errors, name)
        if isinstance(error, type) and issubclass(error, ProxyError):
            status, level = await _outcome(error)
            again = "yes" if error.retryable else ""
            lines.append(
                f"| `{name}` | {status} | {error.origin} | {error.phase} | {again} | {level} | `{error.token}` |"
            )
    return "\n".join(["", *lines, "", ""])


async def _outcome(error: type[ProxyError]) -> tuple[str, str]:
    """What the client gets when a handler raises ``error``, and the level that it is logged at."""
    levels: list[str] = []

    async def fail(exchange: Exchange) -> Response:
        raise error("as a test")

    class Note(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            levels.append(record.levelname)

    log, note = logging.getLogger("revproxy.error"), Note()
    level, propagate, log.propagate = log.level, log.propagate, False
    log.setLevel(logging.DEBUG)
    log.addHandler(note)
    app = web.Application()
    ProxyHandler(fail).mount(app)
    try:
        async with TestServer(app) as server, ClientSession() as client:
            try:
                async with client.post(server.make_url("/")) as response:  # a GET would be tried twice
                    status = str(response.status)
            except ClientError:
                status = "closed"
    finally:
        log.removeHandler(note)
        log.setLevel(level)
        log.propagate = propagate
    (noted,) = levels
    return status, noted


# Forwarding: a test names the rows that it proves in its docstring.


def proofs() -> dict[int, list[str]]:
    """For each row, the tests whose docstrings name it: ``F-02``, or a range ``F-45 to F-48``."""
    found: dict[int, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        where = path.relative_to(ROOT).as_posix()
        for test in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef) and test.name.startswith("test_"):
                for first, last in _NAMED.findall(ast.get_docstring(test) or ""):
                    for row in range(int(first), int(last or first) + 1):
                        found.setdefault(row, []).append(f"{where}::{test.name}")
    return {row: list(dict.fromkeys(tests)) for row, tests in found.items()}


def with_proofs(text: str) -> str:
    """The page of forwarding rows with a column of tests."""
    proved = proofs()

    def row(match: re.Match[str]) -> str:
        tests = proved.get(int(match[1].removeprefix("F-")), [])
        shown = "<br>".join(f"`{test}`" for test in tests[:3])
        more = f"<br>and {len(tests) - 3} more" if len(tests) > 3 else ""
        return f"{match[0]} {shown or '–'}{more} |"

    text = text.replace("| Row | What holds |\n|---|---|\n", "| Row | What holds | Proved by |\n|---|---|---|\n")
    return _ROW.sub(row, text)


# Called by MkDocs.


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    if page.file.src_uri == CONCEPTS.name:
        written = _ERRORS.search(markdown)
        if written is None or written[0] != asyncio.run(errors_table()):
            _log.warning("the table of errors in %s is out of date: run python docs/tables.py", page.file.src_uri)
    return with_proofs(markdown) if page.file.src_uri == FORWARDING.name else markdown


def main() -> None:
    text = CONCEPTS.read_text(encoding="utf-8")
    table = asyncio.run(errors_table())
    CONCEPTS.write_text(_ERRORS.sub(lambda _: table, text), encoding="utf-8")
    proved = proofs()
    for row in _ROW.findall(FORWARDING.read_text(encoding="utf-8")):
        if int(row.removeprefix("F-")) not in proved:
            print(f"{row}: no test names it")


if __name__ == "__main__":
    main()
