"""True secrets of all kinds, as those who give them out describe them; written without a look at the detectors."""

from __future__ import annotations

from collections.abc import Mapping

from . import clouds, named, personal, services, tokens
from .personal import BBANS
from .planted import Kind, Planted

__all__ = ["BBANS", "KINDS", "Planted"]

KINDS: Mapping[str, Kind] = {
    "payment-card": personal.card, "payment-card-long": personal.long_card, "iban": personal.iban,
    "us-ssn": personal.ssn, "us-ssn-named": personal.named_ssn,
    "email": personal.email, "phone": personal.phone, "internal-ipv4": personal.ipv4,
    "internal-ipv6": personal.ipv6, "jwt": tokens.jwt, "bearer-token": tokens.bearer,
    "basic-credentials": tokens.basic, "private-key": tokens.pem,
    "putty-private-key": tokens.putty, "jwk-private-key": tokens.jwk,
    "age-secret-key": tokens.age, "aws-access-key-id": clouds.aws_id, "aws-secret-key": clouds.aws_secret,
    "aws-session-token": clouds.aws_session, "google-api-key": clouds.google_key,
    "google-oauth-token": clouds.google_oauth, "google-client-secret": clouds.google_client,
    "azure-account-key": clouds.azure_account,
    "azure-signature": clouds.azure_sas,
    "azure-client-secret": clouds.azure_client, "azure-key": clouds.azure_devops, "github-token": services.github,
    "github-pat": services.github_fine,
    "gitlab-token": services.gitlab, "npm-token": services.npm,
    "pypi-token": services.pypi, "slack-token": services.slack, "slack-webhook": services.slack_hook,
    "stripe-key": services.stripe,
    "stripe-webhook-secret": services.stripe_hook, "sendgrid-key": services.sendgrid,
    "twilio-key": services.twilio, "model-api-key": services.model, "telegram-bot-token": services.telegram,
    "discord-webhook": services.discord,
    "saas-key": services.saas, "named-secret": named.named_secret,
    "named-password": named.named_password, "url-password": named.url_password,
    "database-url-password": named.database_url_password,
    "connection-password": named.connection_password,
    "jdbc-password": named.jdbc_password, "dsn-password": named.dsn_password,
}  # fmt: skip
