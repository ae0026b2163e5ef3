"""A guard below the handlers: deadlines and caps for the connections of aiohttp's server."""

from .diagnosis import Finding, diagnose
from .ledger import REASONS, GuardActs, GuardRests
from .runner import GuardedRunner
from .settings import Guard, PrefixCap

__all__ = [
    "REASONS",
    "Finding",
    "Guard",
    "GuardActs",
    "GuardRests",
    "GuardedRunner",
    "PrefixCap",
    "diagnose",
]
