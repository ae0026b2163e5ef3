"""JSON that is read, and edited, as it comes: in any pieces, without more of it in memory than a name or a number."""

from .documents import JsonLines, JsonSequence
from .editor import JsonEditor
from .errors import JsonError
from .event_data import EventData
from .path import JsonPath, json_paths
from .places import Fate, Place, places

__all__ = [
    "EventData",
    "Fate",
    "JsonEditor",
    "JsonError",
    "JsonLines",
    "JsonPath",
    "JsonSequence",
    "Place",
    "json_paths",
    "places",
]
