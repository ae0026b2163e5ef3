"""What conditions on paths have taken from the path of a request."""

from __future__ import annotations

from collections.abc import Mapping

from .exchange import Key
from .path_templates import PathValue

__all__ = ["PATH_VALUES", "PathValue"]

PATH_VALUES: Key[Mapping[str, PathValue]] = Key("path values")
"""By name, what the condition of the rule that answers has captured (``when.path_template``, ``when.path_regex``), for
handlers and filters within that rule. Of tables within tables, an inner rule adds to what an outer one has captured."""
