"""Keys of clouds."""

from __future__ import annotations

from ..detector import Detector
from .entropy import bits
from .pieces import END, NAMES
from .placeholder import is_template

__all__ = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_ACCOUNT_KEY",
    "AZURE_CLIENT_SECRET",
    "AZURE_KEY",
    "AZURE_SIGNATURE",
    "GOOGLE_API_KEY",
    "GOOGLE_CLIENT_SECRET",
    "GOOGLE_OAUTH_TOKEN",
]


def _is_varied(text: bytes) -> bool:
    return len(set(text[4:])) > 5 and not is_template(text[4:])


def _is_key(text: bytes) -> bool:
    return len(set(text)) > 8 and not is_template(text)


def _is_secret(text: bytes) -> bool:
    return bits(text) > 3.5 and text != text.lower() and text != text.upper() and not is_template(text)


AWS_ACCESS_KEY_ID = Detector(
    "aws-access-key-id",
    rb"(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}(?![0-9A-Za-z])",
    valid=_is_varied,
)
"""Ids of AWS access keys, long-lived and temporary. Not those of users, roles and groups (``AIDA``, ``AROA``), which no
request is signed with."""

AWS_SECRET_KEY = Detector(
    "aws-secret-key",
    rb"(?:(?i:secret[_ -]?(?:access)?[_ -]?key|aws[_ -]?secret)"
    + NAMES
    + rb"|A[KS]IA[0-9A-Z]{16}[ \t,;:|\"'\\]{1,6})(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
    valid=_is_secret,
    words=(b"secret", b"AKIA", b"ASIA"),
)
"""AWS secret access keys: 40 characters behind a name that tells, or behind their id."""

AWS_SESSION_TOKEN = Detector(
    "aws-session-token",
    rb"(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz)[A-Za-z0-9+/=%]{64,400}",
    swallow=rb"A-Za-z0-9+/=%",
)
"""Session tokens of AWS."""

GOOGLE_API_KEY = Detector("google-api-key", rb"AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])", valid=_is_key)
"""API keys of Google."""

GOOGLE_OAUTH_TOKEN = Detector(
    "google-oauth-token",
    rb"(?<![0-9A-Za-z])(?:ya29\.[0-9A-Za-z_-]{20,400}|1//0[0-9A-Za-z_-]{40,300})",
    valid=_is_key,
    words=(b"ya29.", b"1//0"),
    swallow=rb"0-9A-Za-z_.\-",
)
"""Access and refresh tokens of Google's OAuth."""

GOOGLE_CLIENT_SECRET = Detector("google-client-secret", rb"GOCSPX-[0-9A-Za-z_-]{28}(?![0-9A-Za-z_-])", valid=_is_key)
"""Client secrets of Google's OAuth."""

AZURE_ACCOUNT_KEY = Detector(
    "azure-account-key",
    rb"(?i:account_?key|shared_?access_?key|primary_?(?:master_?)?key|secondary_?(?:master_?)?key|storage_?key)"
    + NAMES
    + rb"(?P<secret>(?:[A-Za-z0-9+/]{86}|[A-Za-z0-9+/]{42,43})(?:={1,2}|(?:%3[Dd]){1,2}))(?![A-Za-z0-9+/=])",
    valid=_is_key,
    words=(b"key",),
)
"""Keys of storage accounts, Cosmos DB, Service Bus, Event Hubs and IoT hubs, in connection strings or by their name."""

AZURE_SIGNATURE = Detector(
    "azure-signature",
    rb"[?&;]sig=(?P<secret>(?:[A-Za-z0-9+/]|%2[BbFf]){43}(?:=|%3[Dd])?)(?![A-Za-z0-9+/%])",
    valid=_is_key,
)
"""Signatures of shared access (SAS) in URLs."""

AZURE_CLIENT_SECRET = Detector(
    "azure-client-secret",
    rb"(?<![0-9A-Za-z_~.-](?<!%[0-9A-Fa-f]{2})(?<!\\[nrt]))"
    rb"[0-9A-Za-z_~.-]{3}\dQ~[0-9A-Za-z_~.-]{31,34}(?![0-9A-Za-z_~-])",
    valid=_is_key,
    words=(b"Q~",),
)
"""Client secrets of Entra ID (Azure AD)."""

AZURE_KEY = Detector(
    "azure-key",
    rb"(?<![0-9A-Za-z])(?:[0-9A-Za-z]{52}JQQJ99[0-9A-Za-z]{26}|[0-9A-Za-z]{76}AZDO[0-9A-Za-z]{4})" + END,
    valid=_is_key,
    words=(b"JQQJ99", b"AZDO"),
)
"""Keys of Azure that say themselves what they are, and tokens of Azure DevOps."""
