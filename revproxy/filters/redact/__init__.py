"""Taking secrets out of what responses say."""

from .detector import Detector, Find
from .masks import Fixed, LastFour, Mask, SameLength, Token
from .redact import Redact, RedactAction

__all__ = ["Detector", "Find", "Fixed", "LastFour", "Mask", "Redact", "RedactAction", "SameLength", "Token"]
