"""What filters have in common that edit, or watch, what responses say."""

from .base import ContentFilter
from .handling import Handling

__all__ = ["ContentFilter", "Handling"]
