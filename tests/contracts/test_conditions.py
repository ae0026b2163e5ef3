"""What everything that is made with a ``When`` keeps to: it tells composition what the condition reads. A new one is
one more line in ``MADE``; one that is forgotten is found."""

from __future__ import annotations

import importlib
import pkgutil
import typing
from collections.abc import Callable, Iterator
from inspect import isabstract

import pytest

import revproxy
from revproxy import Component, Exchange, Pipeline, ProxyHandler, Response, Rule, Rules, respond, when
from revproxy.filters import Csrf, ErrorPages
from revproxy.filters.auth import Authorize
from revproxy.filters.inspect import Exclusion, Inspect, Pack, Signature
from revproxy.filters.leaks import InspectResponse, LeakPack, LeakSignature
from revproxy.identity import PRINCIPAL
from revproxy.when import When

from ..e2e.wire import serving

PACK = Pack("x", (Signature("x-01", "odd", "oddity"),))
LEAKS = LeakPack("x", (LeakSignature("x-01", "odd", "oddity"),))
MADE: dict[type[Component], Callable[[When], Component]] = {
    Authorize: Authorize,
    Csrf: lambda condition: Csrf(bypass=condition),
    ErrorPages: lambda condition: ErrorPages(unless=condition),
    Inspect: lambda condition: Inspect(PACK, exclusions=[Exclusion(when=condition)]),
    InspectResponse: lambda condition: InspectResponse(LEAKS, exclusions=[Exclusion(when=condition)]),
    Rules: lambda condition: Rules(Rule(condition, respond(200)), Rule(when.anything, respond(200))),
}
KNOWN = when.key(PRINCIPAL, lambda principal: principal.name == "ada")


@pytest.fixture(params=MADE, ids=lambda each: each.__name__)
def make(request: pytest.FixtureRequest) -> Callable[[When], Component]:
    return MADE[request.param]


async def site(exchange: Exchange) -> Response:
    return Response(200)


@pytest.mark.parametrize(
    ("condition", "reads"),
    [
        (when.path("/admin/*"), True),
        (~when.path("/admin/*"), True),
        (~when.path("/admin/*") | KNOWN, True),
        (when.path_template("/users/{id:int}"), True),
        (when.method("POST"), False),
        (KNOWN, False),
    ],
    ids=repr,
)
def test_it_reads_what_its_condition_reads(make: Callable[[When], Component], condition: When, reads: bool) -> None:
    """S-37: ``reads_path`` follows the condition, and so do the keys that it needs."""
    subject = make(condition)
    assert subject.reads_path is condition.reads_path is reads
    assert subject.requires >= condition.requires


@pytest.mark.parametrize("target", [b"//admin/x", b"/admin;x/x", b"/%2Fadmin/x", b"/%2561dmin/x"])
async def test_nothing_slips_by(make: Callable[[When], Component], target: bytes) -> None:
    """S-36, S-37: with a condition on the path in it, a target that a server could read as another path is refused,
    400; without one it is none of the proxy's affair."""
    for condition, status in ((~when.path("/admin/*"), 400), (when.method("GET"), 200)):
        part = make(condition)
        handler = part if isinstance(part, Rules) else Pipeline(part, handler=site)  # type: ignore[arg-type]
        async with serving(ProxyHandler(handler)) as at:
            answer = await at.ask(b"GET %b HTTP/1.1\r\nHost: a.test\r\n\r\n" % target)
        assert answer.status == status


def _components() -> Iterator[type[Component]]:
    for module in pkgutil.walk_packages(revproxy.__path__, "revproxy."):
        importlib.import_module(module.name)
    found = list(Component.__subclasses__())
    for each in found:
        found.extend(each.__subclasses__())
    return (each for each in dict.fromkeys(found) if each.__module__.startswith("revproxy."))


def _takes_a_condition(hint: object, seen: frozenset[object] = frozenset()) -> bool:
    """Whether a value of this type is, holds or is made with a ``When``."""
    if hint is When:
        return True
    inner = typing.get_args(hint)
    if isinstance(hint, type) and not inner and hint.__module__.startswith("revproxy.") and hint not in seen:
        if issubclass(hint, Component):  # one that is held: the walk finds it
            return False
        held = typing.get_type_hints(hint) if hasattr(hint, "__dataclass_fields__") else {}
        return any(_takes_a_condition(each, seen | {hint}) for each in held.values())
    return any(_takes_a_condition(each, seen) for each in inner)


def test_none_is_forgotten() -> None:
    """Every component of the library whose constructor takes a condition, or what holds one, is in ``MADE``."""
    taking = set()
    for each in _components():
        try:
            hints = typing.get_type_hints(each.__init__)
        except NameError:  # of what is imported for type checking only
            hints = {}
        if not isabstract(each) and any(_takes_a_condition(hint) for hint in hints.values()):
            taking.add(each)
    assert taking == set(MADE)
