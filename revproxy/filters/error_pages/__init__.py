"""Error pages of the application's own."""

from .debug_pages import DebugPages, DebugPageShown
from .error_pages import ErrorPages, PageFailed
from .fields import KEPT
from .page import Page, PageFrom, PageOf

__all__ = ["KEPT", "DebugPageShown", "DebugPages", "ErrorPages", "Page", "PageFailed", "PageFrom", "PageOf"]
