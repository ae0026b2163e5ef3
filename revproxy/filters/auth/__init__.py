"""Filters that find out who asks, and whether he may."""

from .api_key import ApiKey, digest_of, new_key
from .authorize import Authorize
from .base import Authentication
from .basic import BasicAuth, hash_of
from .client_certificate import ClientCertificate
from .forward_auth import ForwardAuth
from .jwks import Jwks
from .jwt import CLAIMS, Jwt

__all__ = [
    "CLAIMS",
    "ApiKey",
    "Authentication",
    "Authorize",
    "BasicAuth",
    "ClientCertificate",
    "ForwardAuth",
    "Jwks",
    "Jwt",
    "digest_of",
    "hash_of",
    "new_key",
]
