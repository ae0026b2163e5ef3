"""Detectors, a small file for each family, and groups of them."""

from ..detector import Detector
from .addresses import INTERNAL_IPV4, INTERNAL_IPV6
from .bank_accounts import IBAN
from .cards import LONG_PAYMENT_CARD, PAYMENT_CARD
from .cloud_keys import (
    AWS_ACCESS_KEY_ID,
    AWS_SECRET_KEY,
    AWS_SESSION_TOKEN,
    AZURE_ACCOUNT_KEY,
    AZURE_CLIENT_SECRET,
    AZURE_KEY,
    AZURE_SIGNATURE,
    GOOGLE_API_KEY,
    GOOGLE_CLIENT_SECRET,
    GOOGLE_OAUTH_TOKEN,
)
from .connection_strings import (
    CONNECTION_PASSWORD,
    DATABASE_URL_PASSWORD,
    DSN_PASSWORD,
    JDBC_PASSWORD,
    URL_PASSWORD,
)
from .contact import EMAIL, NATIONAL_PHONE, PHONE
from .forge_keys import GITHUB_PAT, GITHUB_TOKEN, GITLAB_TOKEN, NPM_TOKEN, PYPI_TOKEN
from .named import NAMED_PASSWORD, NAMED_SECRET
from .national_ids import NAMED_US_SSN, US_SSN
from .private_keys import AGE_SECRET_KEY, JWK_PRIVATE_KEY, PRIVATE_KEY, PUTTY_PRIVATE_KEY
from .saas_keys import (
    DISCORD_WEBHOOK,
    MODEL_API_KEY,
    SAAS_KEY,
    SENDGRID_KEY,
    SLACK_TOKEN,
    SLACK_WEBHOOK,
    STRIPE_KEY,
    STRIPE_WEBHOOK_SECRET,
    TELEGRAM_BOT_TOKEN,
    TWILIO_KEY,
)
from .tokens import BASIC_CREDENTIALS, BEARER_TOKEN, JWT

__all__ = [
    "AGE_SECRET_KEY",
    "ALL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_ACCOUNT_KEY",
    "AZURE_CLIENT_SECRET",
    "AZURE_KEY",
    "AZURE_SIGNATURE",
    "BASIC_CREDENTIALS",
    "BEARER_TOKEN",
    "CARDS",
    "CLOUD_KEYS",
    "CONNECTION_PASSWORD",
    "CONNECTION_STRINGS",
    "DATABASE_URL_PASSWORD",
    "DISCORD_WEBHOOK",
    "DSN_PASSWORD",
    "EMAIL",
    "FORGE_KEYS",
    "GITHUB_PAT",
    "GITHUB_TOKEN",
    "GITLAB_TOKEN",
    "GOOGLE_API_KEY",
    "GOOGLE_CLIENT_SECRET",
    "GOOGLE_OAUTH_TOKEN",
    "IBAN",
    "INTERNAL_ADDRESSES",
    "INTERNAL_IPV4",
    "INTERNAL_IPV6",
    "JDBC_PASSWORD",
    "JWK_PRIVATE_KEY",
    "JWT",
    "KEYS",
    "LONG_PAYMENT_CARD",
    "MODEL_API_KEY",
    "NAMED",
    "NAMED_PASSWORD",
    "NAMED_SECRET",
    "NAMED_US_SSN",
    "NATIONAL_PHONE",
    "NPM_TOKEN",
    "PAYMENT_CARD",
    "PERSONAL",
    "PHONE",
    "PRIVATE_KEY",
    "PRIVATE_KEYS",
    "PUTTY_PRIVATE_KEY",
    "PYPI_TOKEN",
    "SAAS_KEY",
    "SAAS_KEYS",
    "SENDGRID_KEY",
    "SLACK_TOKEN",
    "SLACK_WEBHOOK",
    "STRIPE_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "TELEGRAM_BOT_TOKEN",
    "TOKENS",
    "TWILIO_KEY",
    "URL_PASSWORD",
    "US_SSN",
]

CARDS: tuple[Detector, ...] = (PAYMENT_CARD, LONG_PAYMENT_CARD)
"""Payment cards."""

PERSONAL: tuple[Detector, ...] = (*CARDS, IBAN, US_SSN, NAMED_US_SSN, EMAIL, PHONE)
"""What belongs to people: cards, accounts, Social Security numbers, e-mail addresses, telephone numbers."""

INTERNAL_ADDRESSES: tuple[Detector, ...] = (INTERNAL_IPV4, INTERNAL_IPV6)
"""Addresses of networks that nobody outside can reach."""

TOKENS: tuple[Detector, ...] = (JWT, BEARER_TOKEN, BASIC_CREDENTIALS)
"""Tokens of any service, by their structure."""

PRIVATE_KEYS: tuple[Detector, ...] = (PRIVATE_KEY, PUTTY_PRIVATE_KEY, JWK_PRIVATE_KEY, AGE_SECRET_KEY)
"""Private keys."""

CLOUD_KEYS: tuple[Detector, ...] = (
    AWS_ACCESS_KEY_ID,
    AWS_SECRET_KEY,
    AWS_SESSION_TOKEN,
    GOOGLE_API_KEY,
    GOOGLE_CLIENT_SECRET,
    GOOGLE_OAUTH_TOKEN,
    AZURE_ACCOUNT_KEY,
    AZURE_CLIENT_SECRET,
    AZURE_KEY,
    AZURE_SIGNATURE,
)
"""Keys of AWS, Google Cloud and Azure."""

FORGE_KEYS: tuple[Detector, ...] = (GITHUB_TOKEN, GITHUB_PAT, GITLAB_TOKEN, NPM_TOKEN, PYPI_TOKEN)
"""Tokens of where code and packages are kept."""

SAAS_KEYS: tuple[Detector, ...] = (
    SLACK_TOKEN,
    SLACK_WEBHOOK,
    STRIPE_KEY,
    STRIPE_WEBHOOK_SECRET,
    SENDGRID_KEY,
    TWILIO_KEY,
    MODEL_API_KEY,
    TELEGRAM_BOT_TOKEN,
    DISCORD_WEBHOOK,
    SAAS_KEY,
)
"""Keys of other services."""

NAMED: tuple[Detector, ...] = (NAMED_SECRET, NAMED_PASSWORD)
"""Secrets that only their name tells."""

CONNECTION_STRINGS: tuple[Detector, ...] = (
    URL_PASSWORD,
    DATABASE_URL_PASSWORD,
    CONNECTION_PASSWORD,
    JDBC_PASSWORD,
    DSN_PASSWORD,
)
"""Passwords in connection strings."""

KEYS: tuple[Detector, ...] = (*TOKENS, *PRIVATE_KEYS, *CLOUD_KEYS, *FORGE_KEYS, *SAAS_KEYS, *NAMED, *CONNECTION_STRINGS)
"""What opens something: tokens, keys and passwords."""

ALL: tuple[Detector, ...] = (*PERSONAL, *INTERNAL_ADDRESSES, *KEYS)
"""Every detector, but ``NATIONAL_PHONE``."""
