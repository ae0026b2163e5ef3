"""Edits of what responses say."""

from .map_json import DROP, KEEP, MapJson
from .replace_text import ReplaceBytes, ReplaceText
from .transform_content import TransformContent

__all__ = ["DROP", "KEEP", "MapJson", "ReplaceBytes", "ReplaceText", "TransformContent"]
