"""Content codings (RFC 9110 section 8.4.1), undone and put on again as bytes come, within bounds."""

from .base import CodingError, Decoder, Encoder
from .registry import decoder, encoder, is_readable, readable

__all__ = ["CodingError", "Decoder", "Encoder", "decoder", "encoder", "is_readable", "readable"]
