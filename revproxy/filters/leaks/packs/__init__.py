"""Packs of signatures, one family of leaks each."""

from ..pack import LeakPack
from .clouds import CLOUD_METADATA
from .errors import JAVA_ERRORS, PHP_ERRORS, PYTHON_ERRORS, RUBY_ERRORS
from .inside import INSIDE
from .listings import LISTINGS
from .more_errors import DOTNET_ERRORS, NATIVE_ERRORS, NODE_ERRORS
from .shells import WEB_SHELLS
from .sources import FILES, SOURCES
from .sql import SQL_ERRORS

__all__ = [
    "ALL",
    "CLOUD_METADATA",
    "DOTNET_ERRORS",
    "FILES",
    "INSIDE",
    "JAVA_ERRORS",
    "LISTINGS",
    "NATIVE_ERRORS",
    "NODE_ERRORS",
    "PHP_ERRORS",
    "PYTHON_ERRORS",
    "RUBY_ERRORS",
    "SOURCES",
    "SQL_ERRORS",
    "TRACES",
    "WEB_SHELLS",
]

TRACES: tuple[LeakPack, ...] = (
    PYTHON_ERRORS,
    JAVA_ERRORS,
    PHP_ERRORS,
    RUBY_ERRORS,
    DOTNET_ERRORS,
    NODE_ERRORS,
    NATIVE_ERRORS,
)
"""Traces and debug pages: what programs say when they fail."""

ALL: tuple[LeakPack, ...] = (
    *TRACES,
    SQL_ERRORS,
    LISTINGS,
    SOURCES,
    FILES,
    WEB_SHELLS,
    CLOUD_METADATA,
    INSIDE,
)
"""Every pack that there is."""
