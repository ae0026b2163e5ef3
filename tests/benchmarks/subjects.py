"""The subjects: what they are called, and how each is started."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from .cases import Case
from .children import Child, StartFailed, free_port, listens
from .templates import PROXIES, fill, user_line

LOOPS = ("uvloop", "asyncio")
HTTP_PROXY = "http-proxy@1.18.1"


class NotPresent(Exception):
    """A program that a subject needs is not on this machine. The text says which."""


@dataclass(frozen=True, slots=True)
class Site:
    """What a subject must know to start."""

    directory: Path
    port: int
    backend: int


@dataclass(frozen=True, slots=True)
class Command:
    argv: list[str]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subject:
    name: str
    title: str
    command: Callable[[Site], Command]
    loop: str = ""
    """Of a Python program: the event loop. Else empty."""
    cases: frozenset[str] = frozenset({"small", "medium", "large", "upload"})

    @property
    def key(self) -> str:
        return f"{self.name}@{self.loop}" if self.loop else self.name

    def takes(self, case: Case) -> bool:
        return case.name in self.cases


@dataclass(slots=True)
class Running:
    """A subject that has started."""

    subject: Subject
    child: Child
    port: int


def start(subject: Subject, directory: Path, backend: int, stack: ExitStack) -> Running:
    """Start it and wait until it answers; ``stack`` ends it. Raises ``NotPresent`` or ``StartFailed``."""
    place = directory / subject.key
    for attempt in (1, 2, 3):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        port = free_port()
        command = subject.command(Site(place, port, backend))
        child = stack.enter_context(Child(command.argv, log=place / "output.log", env=command.env))
        try:
            child.until_ready(listens(port))
        except StartFailed as error:
            child.stop()
            if attempt < 3 and "address already in use" in str(error).lower():
                continue  # someone took the port between our finding it and the program's binding it
            raise
        return Running(subject, child, port)
    raise AssertionError("unreachable")


def python_program(module: str, loop: str, *options: str, needs: str = "asyncio") -> Callable[[Site], Command]:
    """The command of a program in ``proxies/``; ``needs``: a module that it imports, and that may not be there."""

    def command(site: Site) -> Command:
        for needed in (loop, needs):
            if importlib.util.find_spec(needed) is None:
                raise NotPresent(f"{needed} is not installed")
        argv = [sys.executable, "-m", f"tests.benchmarks.proxies.{module}", "--port", str(site.port), "--loop", loop]
        return Command([*argv, "--backend", f"http://127.0.0.1:{site.backend}", *options])

    return command


def _node(site: Site) -> Command:
    node, npm = _program("node"), _program("npm")
    program = site.directory / "http_proxy.js"
    program.write_bytes((PROXIES / "http_proxy.js").read_bytes())
    quiet = ("--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save")
    install = [npm, "install", *quiet, HTTP_PROXY]
    _prepare(install, site.directory, f"{HTTP_PROXY} could not be installed")
    return Command([node, str(program), str(site.port), str(site.backend)], {"NODE_ENV": "production"})


def _go(site: Site) -> Command:
    go = _program("go")
    program = site.directory / "reverse_proxy"
    source = str(PROXIES / "reverse_proxy.go")
    env = {} if os.environ.get("HOME") else {"GOCACHE": str(site.directory / "cache")}
    _prepare([go, "build", "-o", str(program), source], site.directory, "go could not build the program", env)
    return Command([str(program), str(site.port), str(site.backend)], {"GOMAXPROCS": "1"})


def _nginx(site: Site) -> Command:
    nginx = _program("nginx")
    values = {"DIRECTORY": str(site.directory), "PORT": str(site.port), "BACKEND": str(site.backend)}
    conf = fill("proxy.nginx.conf", site.directory / "nginx.conf", USER=user_line(), **values)
    return Command([nginx, "-p", str(site.directory), "-c", str(conf)])


def _haproxy(site: Site) -> Command:
    haproxy = _program("haproxy")
    values = {"PORT": str(site.port), "BACKEND": str(site.backend)}
    return Command([haproxy, "-db", "-f", str(fill("haproxy.cfg", site.directory / "haproxy.cfg", **values))])


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise NotPresent(f"{name} is not installed")
    return found


def _prepare(argv: list[str], directory: Path, failure: str, env: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(
        argv,
        cwd=directory,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        lines = done.stdout.strip().splitlines() or ["no output"]
        raise NotPresent(f"{failure}: {lines[0]}")


def all_subjects(loops: tuple[str, ...]) -> list[Subject]:
    """In the order of the tables. Rules are about heads, so the subjects with rules answer only the small request, and
    so do those with what keeps it up and with a limit, which look at nothing else.
    What redacts texts answers what is none."""
    subjects: list[Subject] = []
    for loop in loops:
        subjects += [
            Subject(
                "revproxy",
                "revproxy",
                python_program("library", loop),
                loop,
                frozenset({"small", "medium", "large", "upload", "browser", "json"}),
            ),
            Subject(
                "revproxy-rules",
                "revproxy, 10 rules",
                python_program("library", loop, "--rules", "10"),
                loop,
                frozenset({"small"}),
            ),
            Subject(
                "revproxy-resilient",
                "revproxy, resilient",
                python_program("library", loop, "--resilient"),
                loop,
                frozenset({"small"}),
            ),
            Subject(
                "revproxy-100-rules",
                "revproxy, 100 rules",
                python_program("library", loop, "--rules", "100"),
                loop,
                frozenset({"small"}),
            ),
            Subject(
                "revproxy-limited",
                "revproxy, rate limit",
                python_program("library", loop, "--limited"),
                loop,
                frozenset({"small"}),
            ),
            Subject(
                "revproxy-unhidden",
                "revproxy, nothing hidden",
                python_program("library", loop, "--unhidden"),
                loop,
                frozenset({"small"}),
            ),
            Subject(
                "revproxy-inspect",
                "revproxy, inspection",
                python_program("library", loop, "--inspect", "hyperscan", needs="hyperscan"),
                loop,
                frozenset({"browser", "json"}),
            ),
            Subject(
                "revproxy-inspect-words",
                "revproxy, inspection without hyperscan",
                python_program("library", loop, "--inspect", "words"),
                loop,
                frozenset({"browser", "json"}),
            ),
            Subject(
                "revproxy-redact",
                "revproxy, redaction of texts",
                python_program("library", loop, "--redact"),
                loop,
                frozenset({"medium", "large"}),
            ),
            Subject("aiohttp", "aiohttp by itself", python_program("aiohttp_alone", loop), loop),
            Subject("clientsession", "ClientSession proxy", python_program("client_session", loop), loop),
        ]
    return [
        *subjects,
        Subject("node", "node http-proxy", _node),
        Subject("go", "Go httputil", _go),
        Subject("nginx", "nginx", _nginx),
        Subject("haproxy", "haproxy", _haproxy),
    ]
