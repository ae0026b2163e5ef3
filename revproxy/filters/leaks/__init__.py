"""Leaks: what responses should not say."""

from .inspect_response import LEAKS, TEXTS, InspectResponse
from .pack import LeakPack
from .search import Search, Watch
from .signature import LeakSignature

__all__ = ["LEAKS", "TEXTS", "InspectResponse", "LeakPack", "LeakSignature", "Search", "Watch"]
