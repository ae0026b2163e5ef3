"""Filters that find out who asks, and whether he may."""

from .api_key import ApiKey, digest_of, new_key
from .authorize import Authorize
from .base import Authentication
from .basic import BasicAuth, hash_of

__all__ = ["ApiKey", "Authentication", "Authorize", "BasicAuth", "digest_of", "hash_of", "new_key"]
