"""The README, the documentation and the examples do what they say: every Python block is run, and every program.

A block stands for itself, as a reader would paste it into a file and run it. A comment above its fence says otherwise:

``<!-- continues -->``
    It goes on in the names of the block before it.
``<!-- fails: ValueError -->``
    It raises that. (Both: ``<!-- continues, fails: ValueError -->``)

``web.run_app`` starts the application on a free port, stops it and returns, so that start-up and clean-up really run;
an ``app`` that a program only defines is started and stopped too. Blocks that hold tests are run by pytest.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

import pytest
from aiohttp import web

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
LIMIT = 60.0  # seconds, for a program in a process of its own

LoopFactory: TypeAlias = Callable[[], asyncio.AbstractEventLoop]


@dataclass(frozen=True, slots=True)
class Block:
    page: Path
    line: int  # of the first line of code, from 1
    language: str
    code: str
    comment: str  # the HTML comment above the fence, without its marks

    @property
    def continues(self) -> bool:
        return re.search(r"\bcontinues\b", self.comment) is not None

    @property
    def fails(self) -> str | None:
        named = re.search(r"\bfails: (\w+)", self.comment)
        return None if named is None else named[1]

    @property
    def has_tests(self) -> bool:
        return re.search(r"^\s*(async )?def test_", self.code, re.MULTILINE) is not None

    @property
    def padded(self) -> str:
        """The code on the lines where the page has it, so that a traceback points into the page."""
        return "\n" * (self.line - 1) + self.code


_FENCE = re.compile(
    r"^(?P<indent>[ ]*)(?P<fence>`{3,}|~{3,})[ ]*(?P<language>\w*)[^\n]*\n(?P<code>.*?)^(?P=indent)(?P=fence)[ ]*$",
    re.MULTILINE | re.DOTALL,
)
_COMMENT = re.compile(r"<!--\s*(?P<text>[^>]*?)\s*-->\s*\Z")


def blocks(page: Path, text: str) -> Iterator[Block]:
    """The fenced blocks of a page, also those inside lists and admonitions."""
    for fence in _FENCE.finditer(text):
        indent = len(fence["indent"])
        comment = _COMMENT.search(text, 0, fence.start())
        yield Block(
            page=page,
            line=text.count("\n", 0, fence.start("code")) + 1,
            language=fence["language"],
            code="".join(line[indent:] for line in fence["code"].splitlines(keepends=True)),
            comment="" if comment is None else comment["text"],
        )


def programs(page: Path, text: str) -> list[list[Block]]:
    """The Python blocks of a page, each with those that continue it."""
    found: list[list[Block]] = []
    for block in blocks(page, text):
        if block.language == "python":
            if block.continues:
                assert found, f"{page}:{block.line} continues, but no block is before it"
                found[-1].append(block)
            else:
                found.append([block])
    return found


ALL = [program for page in PAGES if page.exists() for program in programs(page, page.read_text(encoding="utf-8"))]
TESTS = [program for program in ALL if any(block.has_tests for block in program)]
PROGRAMS = [program for program in ALL if program not in TESTS]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


async def start_and_stop(app: web.Application | Awaitable[web.Application]) -> None:
    """What ``web.run_app`` does, on a free port, without waiting for a request."""
    runner = web.AppRunner(await app if inspect.isawaitable(app) else app)
    try:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
    finally:
        await runner.cleanup()
    assert asyncio.all_tasks() == {asyncio.current_task()}, "the application left tasks behind"


@pytest.mark.parametrize("program", [pytest.param(p, id=f"{named(p[0].page)}:{p[0].line}") for p in PROGRAMS])
def test_program(program: list[Block], loop_factory: LoopFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python block of the README or the documentation runs as it stands there."""
    started: list[object] = []

    def run_app(app: web.Application | Awaitable[web.Application], **_options: object) -> None:
        started.append(app)
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(start_and_stop(app))

    main = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setattr(web, "run_app", run_app)
    for block in program:
        code = compile(block.padded, str(block.page), "exec")
        if block.fails is None:
            exec(code, vars(main))
        else:
            with pytest.raises(Exception) as raised:  # noqa: PT011 - the name is compared below
                exec(code, vars(main))
            assert block.fails in [cls.__name__ for cls in raised.type.__mro__]
    app = vars(main).get("app")
    if isinstance(app, web.Application) and not started:
        run_app(app)


@pytest.mark.parametrize(
    "page", [pytest.param(list(of_page), id=named(page)) for page, of_page in groupby(TESTS, lambda p: p[0].page)]
)
def test_tests(page: list[list[Block]], tmp_path: Path) -> None:
    """The tests that a page of the documentation shows pass under pytest, with the library's own settings."""
    for program in page:
        lines: list[str] = []
        for block in program:
            lines += [""] * (block.line - 1 - len(lines)) + block.code.splitlines()
        (tmp_path / f"test_line_{program[0].line}.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    pytest_ = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [*pytest_, "-p", "tests.conftest", "-p", "no:cacheprovider", "--quiet", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("example", [pytest.param(path, id=path.name) for path in EXAMPLES])
def test_example(example: Path, tmp_path: Path) -> None:
    """A program under ``examples/`` ends well; one that would serve until interrupted knows ``--check``."""
    check = ["--check"] if "--check" in example.read_text(encoding="utf-8") else []
    done = subprocess.run(
        [sys.executable, "-W", "default", example, *check],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert "ResourceWarning" not in done.stderr, done.stderr


def test_readme_commands() -> None:
    """The README has the two commands that a fresh machine needs, each on one line; CI runs what stands there."""
    marked = [block for block in blocks(README, README.read_text(encoding="utf-8")) if "command:" in block.comment]
    assert [(block.language, block.comment) for block in marked] == [
        ("sh", "command: quickstart"),
        ("sh", "command: tests"),
    ]
    assert [block.code.count("\n") for block in marked] == [1, 1]


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in sorted(ROOT.glob("*.md"))])
def test_links(page: Path) -> None:
    """What a page at the root links to is there. (The documentation's own links are checked as it is built.)"""
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize(
    "package", ["revproxy", "revproxy.balancers", "revproxy.filters", "revproxy.health", "revproxy.testing"]
)
def test_reference(package: str) -> None:
    """Every public name is in the reference: it, or the module that has it in its ``__all__``."""
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "reference").glob("*.md"))
    documented: set[str] = set()
    for module in re.findall(r"^::: (\S+)$", pages, re.MULTILINE):
        documented |= {module.rpartition(".")[2], *importlib.import_module(module).__all__}
    assert [name for name in importlib.import_module(package).__all__ if name not in documented] == []


# The reader of pages itself.

PAGE = """\
Text.

```python
a = 1
```

- A list.

    <!-- continues -->
    ```python
    assert a == 1
    ```

<!-- continues, fails: ZeroDivisionError -->

```python title="x.py"
1 / 0
```

```sh
true
```
~~~python
def test_it() -> None: ...
~~~
"""


def test_reading_a_page() -> None:
    """Blocks are found with their lines, comments and indentation; others than Python belong to no program."""
    program, tests = programs(README, PAGE)
    assert [(block.line, block.code, block.fails) for block in program] == [
        (4, "a = 1\n", None),
        (11, "assert a == 1\n", None),
        (17, "1 / 0\n", "ZeroDivisionError"),
    ]
    assert [(block.line, block.has_tests) for block in tests] == [(24, True)]
