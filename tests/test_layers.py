"""The layers of the library, held by reading its source.

Imports point downward, without cycles, and aiohttp stays at the edge. A new module is one line in ``LAYERS``; a
package there speaks for all that it holds.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import aiohttp
import pytest

PACKAGE = "revproxy"
ROOT = Path(__file__).parents[1] / PACKAGE

LAYERS: Mapping[str, int] = {
    # 0 facts: the standard library, multidict and yarl; no I/O
    "errors": 0,
    "clock": 0,
    "body": 0,
    "headers": 0,
    "canonical": 0,
    "paths": 0,
    "path_templates": 0,
    "pattern_tree": 0,
    "pattern_cost": 0,
    "pattern_effort": 0,
    "pattern_widened": 0,
    "pattern_width": 0,
    "pattern_words": 0,
    "addresses": 0,
    "networks": 0,
    "ranges": 0,
    "key_ring": 0,
    "signatures": 0,
    "media_types": 0,
    "codings": 0,
    "json_stream": 0,
    "logged": 0,
    # 1 nouns
    "message": 1,
    "endpoint": 1,
    "events": 1,
    "exchange": 1,
    "facts": 1,
    "identity": 1,
    "path_values": 1,
    "patience": 1,
    "geography": 1,
    "trust": 1,
    "forwarded": 1,
    # 2 verbs and pure policy
    "handler": 2,
    "observer": 2,
    "when": 2,
    "affinity": 2,
    "balancers": 2,
    "health": 2,
    "wire": 2,
    "limiters": 2,
    "discovery": 2,
    "problems": 2,
    "proxy_status": 2,
    "strict": 2,
    "hiding": 2,
    # 3 what answers, what wraps
    "answers": 3,
    "security_log": 3,
    "tarpit": 3,
    "describe": 3,
    "rule_index": 3,
    "rules": 3,
    "filters": 3,
    "slow_start": 2,
    "transport": 3,
    "upstream": 3,
    "group": 3,
    "members": 2,
    "routing": 3,
    # 4 the edge
    "_aiohttp": 4,
    "_aiohttp_server": 4,
    "tcp_info": 2,
    "composition": 3,
    "proxy": 4,
    "receive": 4,
    "client_body": 4,
    "mount": 4,
    "deliver": 4,
    "upgrade": 4,
    "tunnel": 1,
    "guard": 4,
    "observers": 4,
    "testing": 4,
    # the public names: above everything, so nothing inside may import from it
    "": 5,
}

EDGE = 4
"""The layer that may import aiohttp."""

PRIVATE_DOOR = "_aiohttp"
"""The module that may touch aiohttp's private parts; so may those whose names it begins."""

NAMED_ABOVE: Mapping[tuple[str, str], str] = {
    ("errors", "message"): "an error may have an answer of its own",
    ("exchange", "rules"): "the record says which rule decided",
    ("observer", "rules"): "a hook is told which rule matched",
}
"""Upward imports under ``TYPE_CHECKING`` that are allowed, each with its reason."""

THIRD_PARTY: Mapping[str, frozenset[str]] = {
    "multidict": frozenset(LAYERS),
    "yarl": frozenset(LAYERS),
    "httptools": frozenset({"wire"}),
    "dns": frozenset({"discovery"}),
    "maxminddb": frozenset({"filters"}),
    "jsonschema_rs": frozenset({"filters"}),
    "jwt": frozenset({"filters"}),
    "cryptography": frozenset({"filters"}),
    "hyperscan": frozenset({"filters"}),
    "brotli": frozenset({"codings"}),
    "backports": frozenset({"codings"}),
    "compression": frozenset({"codings"}),  # the standard library's, from 3.14 on
    "wsproto": frozenset({"filters"}),
    "aiohappyeyeballs": frozenset({"wire"}),
    "uvloop": frozenset(),
    "pytest": frozenset({"testing"}),
    "pytest_asyncio": frozenset({"testing"}),
}
"""Which modules import what the library depends on. aiohttp has a rule of its own."""

NETWORK = frozenset(
    {"http.client", "select", "selectors", "socket", "socketserver", "ssl", "subprocess", "urllib.request"}
)
"""Standard modules that layer 0 has no use for."""

KNOWN_PRIVATE = frozenset(
    {
        "_cancel",
        "_current_request",
        "_drain_waiter",
        "_message",
        "_paused",
        "_payload_writer",
        "_prepare_hook",
        "_read_bytes",
        "_start",
        "_write_headers",
    }
)
"""Private names of aiohttp that are tempting; at the edge, all the others are found in its source too."""


@dataclass(frozen=True, slots=True)
class Import:
    target: str  # an absolute dotted name
    line: int
    typing_only: bool


@dataclass(slots=True)
class Module:
    name: str  # relative to the package: "wire.pool"; the package itself is ""
    tree: ast.Module
    is_package: bool = False
    imports: list[Import] = field(default_factory=list)

    @property
    def entry(self) -> str | None:
        """The line of LAYERS that speaks for this module."""
        parts = self.name.split(".") if self.name else []
        while parts:
            if (name := ".".join(parts)) in LAYERS:
                return name
            parts.pop()
        return "" if not self.name else None

    @property
    def layer(self) -> int:
        entry = self.entry
        assert entry is not None, unknown(self)
        return LAYERS[entry]


def unknown(module: Module) -> str:
    return f"{PACKAGE}.{module.name} has no layer: add it to LAYERS in {Path(__file__).name}"


def read(sources: Mapping[str, tuple[str, bool]]) -> dict[str, Module]:
    """Modules by name, from ``name -> (source, is_package)``."""
    modules = {name: Module(name, ast.parse(source), is_package) for name, (source, is_package) in sources.items()}
    for module in modules.values():
        module.imports = list(_imports(module, modules))
    return modules


@cache
def library() -> dict[str, Module]:
    sources: dict[str, tuple[str, bool]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        sources[".".join(parts[:-1] if is_package else parts)] = (path.read_text(encoding="utf-8"), is_package)
    return read(sources)


def _imports(module: Module, modules: Mapping[str, Module]) -> Iterator[Import]:
    def visit(node: ast.AST, *, typing_only: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, typing_only)
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, node)
            for alias in node.names:
                target = f"{base}.{alias.name}"
                if base == PACKAGE or base.startswith(f"{PACKAGE}."):
                    # `from .wire import pool` is an import of the module, `from .wire import Pool` of the package.
                    target = target if target.removeprefix(f"{PACKAGE}.") in modules else base
                yield Import(target, node.lineno, typing_only)
        else:
            guarded = isinstance(node, ast.If) and ast.unparse(node.test).removeprefix("typing.") == "TYPE_CHECKING"
            for name, value in ast.iter_fields(node):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        yield from visit(child, typing_only=typing_only or (guarded and name == "body"))

    return visit(module.tree, typing_only=False)


def _base(module: Module, node: ast.ImportFrom) -> str:
    if node.level == 0:
        assert node.module is not None
        return node.module
    here = [PACKAGE, *(module.name.split(".") if module.name else [])]
    up = node.level - 1 if module.is_package else node.level
    return ".".join([*here[: len(here) - up], *([node.module] if node.module else [])])


def _inside(target: str, modules: Mapping[str, Module]) -> Module | None:
    if target == PACKAGE:
        return modules.get("")
    return modules.get(target.removeprefix(f"{PACKAGE}.")) if target.startswith(f"{PACKAGE}.") else None


# The laws. Each yields what breaks it, in words.


def upward(modules: Mapping[str, Module]) -> Iterator[str]:
    for module in modules.values():
        for imported in module.imports:
            target = _inside(imported.target, modules)
            if target is None or target.layer <= module.layer:
                continue
            if imported.typing_only and (module.name, target.name) in NAMED_ABOVE:
                continue
            yield (
                f"{PACKAGE}.{module.name} (layer {module.layer}), line {imported.line}, imports "
                f"{imported.target} (layer {target.layer})"
            )


def cycles(modules: Mapping[str, Module]) -> Iterator[str]:
    """Of what is imported at run time, wherever in the module: an import inside a function only hides a cycle."""
    graph = {
        module.name: {
            target.name
            for imported in module.imports
            if not imported.typing_only and (target := _inside(imported.target, modules)) is not None
        }
        for module in modules.values()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield " <- ".join(f"{PACKAGE}.{name}" for name in error.args[1])


def foreign(modules: Mapping[str, Module]) -> Iterator[str]:
    for module in modules.values():
        for imported in module.imports:
            top = imported.target.partition(".")[0]
            where = f"{PACKAGE}.{module.name}, line {imported.line}, imports {imported.target}"
            if top == PACKAGE or top == "__future__":
                continue
            if top in sys.stdlib_module_names:
                if module.layer == 0 and any(f"{imported.target}.".startswith(f"{name}.") for name in NETWORK):
                    yield f"{where}: layer 0 does no I/O"
            elif top == "aiohttp":
                if module.layer < EDGE:
                    yield f"{where}: aiohttp stays at the edge"
                elif any(part.startswith("_") for part in imported.target.split(".")) and not is_door(module):
                    yield f"{where}: aiohttp's private parts are for {PRIVATE_DOOR}.py"
            elif module.entry not in THIRD_PARTY.get(top, ()):
                yield f"{where}: not for this module"


@cache
def aiohttp_private() -> frozenset[str]:
    """The private attributes that aiohttp's server side sets, reads or defines, from its source."""
    names: set[str] = set(KNOWN_PRIVATE)
    home = Path(aiohttp.__file__).parent
    for path in (*home.glob("web*.py"), home / "base_protocol.py", home / "http_writer.py", home / "streams.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                names.add(node.attr)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                names.add(node.name)
    named_tuples = {"_asdict", "_fields", "_make", "_replace"}  # public, for all their looks
    return frozenset(name for name in names if name.startswith("_") and not name.startswith("__")) - named_tuples


def private(modules: Mapping[str, Module]) -> Iterator[str]:
    """Private parts of aiohttp, reached by attribute, by ``getattr`` and the like, or by subclassing.

    A name that the library itself sets on a ``self`` is its own: ``connection._paused`` in the wire is not aiohttp's.
    At the edge, where aiohttp's objects are, that excuses a tempting name only in the module that sets it.
    """
    own = frozenset().union(*map(_own_names, modules.values()))
    for module in modules.values():
        if is_door(module):
            continue
        if module.layer >= EDGE:
            suspects = (aiohttp_private() - own) | (KNOWN_PRIVATE - _own_names(module))
        else:
            suspects = KNOWN_PRIVATE - own
        for name, line in _touched(module, suspects):
            yield f"{PACKAGE}.{module.name}, line {line}, touches {name}: that is for {PRIVATE_DOOR}.py"


def is_door(module: Module) -> bool:
    return module.name == PRIVATE_DOOR or module.name.startswith(f"{PRIVATE_DOOR}_")


def _own_names(module: Module) -> set[str]:
    """What classes of the module define, where no base of theirs is aiohttp's."""
    names: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and not _extends_aiohttp(node, module):
            for part in ast.walk(node):
                if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    names.add(part.name)
                elif isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store) and _on_self(part):
                    names.add(part.attr)
                elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                    names.add(part.target.id)
    return names


def _extends_aiohttp(node: ast.ClassDef, module: Module) -> bool:
    names = {i.target.rpartition(".")[2] for i in module.imports if i.target.partition(".")[0] == "aiohttp"}
    return any(base.partition("[")[0].partition(".")[0] in names for base in map(ast.unparse, node.bases))


def _touched(module: Module, suspects: frozenset[str]) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            if node.attr in suspects and not _on_self(node):
                yield node.attr, node.lineno
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "setattr", "hasattr", "delattr"):
            for name in node.args[1:2]:
                if isinstance(name, ast.Constant) and name.value in suspects:
                    yield str(name.value), node.lineno
        elif isinstance(node, ast.ClassDef) and _extends_aiohttp(node, module):
            for part in ast.walk(node):
                if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)) and part.name in aiohttp_private():
                    yield part.name, part.lineno
                elif isinstance(part, ast.Attribute) and part.attr in aiohttp_private() and _on_self(part):
                    yield part.attr, part.lineno


def _on_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


# The library under the laws.


@cache
def placed() -> dict[str, Module]:
    """The modules that have a layer; the first test is for those that have none."""
    return {name: module for name, module in library().items() if module.entry is not None}


def test_every_module_has_a_layer() -> None:
    """No module of the library is outside the list."""
    assert [unknown(module) for module in library().values() if module.entry is None] == []


def test_imports_point_downward() -> None:
    """No module imports from a layer above its own, not even for types, except where NAMED_ABOVE says why."""
    assert list(upward(placed())) == []


def test_exceptions_are_used() -> None:
    """NAMED_ABOVE holds no exception that nothing needs any more."""
    modules = placed()
    used = {
        (module.name, target.name)
        for module in modules.values()
        for imported in module.imports
        if imported.typing_only and (target := _inside(imported.target, modules)) is not None
    }
    assert set(NAMED_ABOVE) - used == set()


def test_no_cycles() -> None:
    """What is imported at run time has no cycle."""
    assert list(cycles(placed())) == []


def test_foreign_imports() -> None:
    """aiohttp is imported by the edge alone, httptools and aiohappyeyeballs by the wire alone, others by none."""
    assert list(foreign(placed())) == []


def test_private_parts() -> None:
    """Only ``_aiohttp.py`` touches what is private to aiohttp."""
    assert list(private(placed())) == []


# The laws themselves: each catches what it is for.


@pytest.mark.parametrize(
    ("sources", "law", "said"),
    [
        ({"body": "from .message import X", "message": ""}, upward, "body (layer 0), line 1, imports revproxy.message"),
        ({"body": "import revproxy", "": ""}, upward, "imports revproxy (layer 5)"),
        ({"body": "def f():\n    from revproxy import proxy", "proxy": "", "": ""}, upward, "line 2"),
        (
            {"paths": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .when import When", "when": ""},
            upward,
            "line 3",
        ),
        ({"when": "from .handler import X", "handler": "def f():\n    from . import when", "": ""}, cycles, "when"),
        ({"wire.pool": "from .head import X", "wire.head": "from .pool import Y"}, cycles, "wire.pool"),
        ({"when": "from aiohttp import web"}, foreign, "aiohttp stays at the edge"),
        ({"proxy": "from aiohttp.web_request import _X"}, foreign, "private parts"),
        ({"body": "import socket"}, foreign, "no I/O"),
        ({"upstream": "import httptools"}, foreign, "not for this module"),
        ({"rules": "import requests"}, foreign, "not for this module"),
        ({"rules": "def f(r):\n    r._payload_writer.write(b'')"}, private, "line 2, touches _payload_writer"),
        ({"proxy": "from aiohttp import web\ndef f(r: web.Request):\n    r._protocol"}, private, "_protocol"),
        ({"proxy": "from aiohttp import web\ndef f(r):\n    getattr(r, '_read_bytes')"}, private, "_read_bytes"),
        (
            {"deliver": "from aiohttp import web\nclass R(web.StreamResponse):\n    async def _start(self, r): ..."},
            private,
            "_start",
        ),
        (
            {"deliver": "from aiohttp import web\nclass R(web.Response):\n    def f(self): return self._req"},
            private,
            "_req",
        ),
    ],
)
def test_law_catches(sources: dict[str, str], law: object, said: str) -> None:
    """Every law reports the offence that it is there for, with the place."""
    assert callable(law)
    packages = {name.rpartition(".")[0] for name in sources}
    found = list(law(read({name: (text, name in packages) for name, text in sources.items()})))
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("sources", "law"),
    [
        ({"message": "from .body import X", "body": ""}, upward),
        ({"wire": "from .pool import Pool", "wire.pool": "from . import head", "wire.head": "", "": ""}, cycles),
        (
            {
                "when": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .handler import X",
                "handler": "from .when import Y",
            },
            cycles,
        ),
        ({"wire.pool": "import ssl, httptools, aiohappyeyeballs"}, foreign),
        (
            {"wire.pool": "class C:\n    def f(self): self._paused = 1\ndef g(c): c._paused"},
            private,
        ),
        ({"_aiohttp": "from aiohttp import web\ndef f(r): r._cancel(None)"}, private),
    ],
)
def test_law_allows(sources: dict[str, str], law: object) -> None:
    """What looks like an offence and is none passes."""
    assert callable(law)
    packages = {name.rpartition(".")[0] for name in sources}
    assert list(law(read({name: (text, name in packages) for name, text in sources.items()}))) == []
