"""Keys of services that are rented."""

from __future__ import annotations

from ..detector import Detector
from .entropy import bits
from .pieces import END
from .placeholder import is_template

__all__ = [
    "DISCORD_WEBHOOK",
    "MODEL_API_KEY",
    "SAAS_KEY",
    "SENDGRID_KEY",
    "SLACK_TOKEN",
    "SLACK_WEBHOOK",
    "STRIPE_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "TELEGRAM_BOT_TOKEN",
    "TWILIO_KEY",
]

_BEFORE = rb"(?<![0-9A-Za-z](?<!%[0-9A-Fa-f]{2})(?<!\\[nrt]))"


def _is_varied(text: bytes) -> bool:
    return bits(text) > 3 and b"xxxx" not in text.lower() and b"****" not in text


def _is_varied_behind_prefix(text: bytes) -> bool:
    return _is_varied(text) and not is_template(text[text.find(b"_", 0, 24) + 1 :])


SLACK_TOKEN = Detector(
    "slack-token",
    rb"(?:xox[abcdeoprs]|xapp|xwfp)(?:\.xox[a-z])?-[0-9A-Za-z%][0-9A-Za-z%-]{9,255}",
    valid=lambda text: _is_varied(text) and any(0x30 <= byte <= 0x39 for byte in text),
    words=(b"xox", b"xapp-", b"xwfp-"),
    swallow=rb"0-9A-Za-z%/+=\-",
)
"""Tokens of Slack, of bots, users, apps and browsers."""

SLACK_WEBHOOK = Detector(
    "slack-webhook",
    rb"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/"
    rb"(?P<secret>[A-Z0-9][0-9A-Za-z]{7,14}/[0-9A-Za-z]{8,20}/[0-9A-Za-z/]{16,80})",
    valid=_is_varied,
)
"""What makes addresses of Slack's incoming webhooks secret."""

STRIPE_KEY = Detector(
    "stripe-key",
    _BEFORE + rb"[sr]k_(?:live|test)_[0-9A-Za-z]{16,247}" + END,
    valid=_is_varied_behind_prefix,
    words=(b"k_live_", b"k_test_"),
)
"""Secret and restricted keys of Stripe, of test mode, too. Not the publishable ones (``pk_``)."""

STRIPE_WEBHOOK_SECRET = Detector(
    "stripe-webhook-secret",
    _BEFORE + rb"whsec_[0-9A-Za-z+/]{24,128}={0,2}(?![0-9A-Za-z_+/])",
    valid=_is_varied_behind_prefix,
)
"""What webhooks of Stripe, and by the Standard Webhooks of others, are signed with."""

SENDGRID_KEY = Detector(
    "sendgrid-key", _BEFORE + rb"SG\.[0-9A-Za-z_-]{16,32}\.[0-9A-Za-z_-]{16,64}(?![0-9A-Za-z_-])", valid=_is_varied
)
"""API keys of SendGrid."""

TWILIO_KEY = Detector(
    "twilio-key", rb"SK(?<![0-9A-Za-z](?<!%[0-9A-Fa-f]{2})(?<!\\[nrt])SK)[0-9a-f]{32}" + END, valid=_is_varied
)
"""API keys of Twilio. The ids of accounts (``AC``) are none."""

MODEL_API_KEY = Detector(
    "model-api-key",
    _BEFORE + rb"(?:sk-(?:ant-|proj-|svcacct-|admin-|or-v1-|None-|lf-)?[0-9A-Za-z_-]{20,300}|gsk_[0-9A-Za-z]{40,60}"
    rb"|xai-[0-9A-Za-z]{60,100}|pplx-[0-9A-Za-z]{40,60}|r8_[0-9A-Za-z]{37}|hf_[0-9A-Za-z]{34,40})(?![0-9A-Za-z_-])",
    valid=lambda text: _is_varied(text) and _has_digits_and_capitals(text),
    words=(b"sk-", b"gsk_", b"xai-", b"pplx-", b"r8_", b"hf_"),
)
"""Keys of OpenAI, Anthropic, OpenRouter, Groq, xAI, Perplexity, Replicate and Hugging Face."""


def _has_digits_and_capitals(text: bytes) -> bool:
    """What classes of style sheets that begin with ``sk-`` have not."""
    body = text[3:]
    return body != body.lower() and (any(0x30 <= byte <= 0x39 for byte in body) or text.startswith(b"hf_"))


TELEGRAM_BOT_TOKEN = Detector(
    "telegram-bot-token",
    rb"(?<![0-9A-Za-z_-](?<!bot)(?<!%[0-9A-Fa-f]{2})(?<!\\[nrt]))\d{8,10}:AA[0-9A-Za-z_-]{33}(?![0-9A-Za-z_-])",
    valid=_is_varied,
)
"""Tokens of Telegram's bots."""

DISCORD_WEBHOOK = Detector(
    "discord-webhook",
    rb"discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/(?P<secret>\d{17,20}/[0-9A-Za-z_-]{60,80})",
    valid=_is_varied,
    words=(b"/webhooks/",),
)
"""What makes addresses of Discord's webhooks secret."""

_PREFIXED = (
    rb"dop_v1_[0-9a-f]{64}|do[or]_v1_[0-9a-f]{64}",  # DigitalOcean
    rb"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",  # Shopify
    rb"sq0(?:atp-[0-9A-Za-z_-]{22}|csp-[0-9A-Za-z_-]{43})|EAAA[lE][0-9A-Za-z_-]{59,60}",  # Square
    rb"key-[0-9a-f]{32}|[0-9a-f]{32}-us\d{1,2}",  # Mailgun, Mailchimp
    rb"dapi[0-9a-f]{32}(?:-\d)?",  # Databricks
    rb"dckr_(?:pat|oat)_[0-9A-Za-z_-]{27,32}",  # Docker
    rb"hv[sbr]\.[0-9A-Za-z_-]{24,300}",  # Vault
    rb"gl(?:sa|c)_[0-9A-Za-z]{32}_[0-9a-f]{8}",  # Grafana
    rb"NRAK-[0-9A-Z]{27}",  # New Relic
    rb"ATATT3[0-9A-Za-z_=-]{150,250}|ATCTT3[0-9A-Za-z_=-]{150,250}|ATBB[0-9A-Za-z_=-]{24,40}",  # Atlassian
    rb"lin_(?:api|oauth)_[0-9A-Za-z]{32,64}",  # Linear
    rb"PMAK-[0-9a-f]{24}-[0-9a-f]{34}",  # Postman
    rb"HRKU-[0-9A-Za-z_-]{36,64}",  # Heroku
    rb"sntry[su]_[0-9A-Za-z+/=_-]{40,300}",  # Sentry
    rb"(?:ntn|secret)_[0-9A-Za-z]{43,50}",  # Notion
    rb"pul-[0-9a-f]{40}",  # Pulumi
    rb"dp\.(?:st|ct|pt|sa|scim|audit)\.(?:[0-9a-z_-]{2,35}\.)?[0-9A-Za-z]{40,44}",  # Doppler
    rb"sbp_[0-9a-f]{40}|sb_secret_[0-9A-Za-z_-]{20,50}",  # Supabase
    rb"pscale_(?:tkn|pw|oauth)_[0-9A-Za-z_.-]{32,64}",  # PlanetScale
    rb"rubygems_[0-9a-f]{48}|cio[0-9A-Za-z]{32}",  # RubyGems, crates.io
    rb"[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{60,70}",  # Terraform Cloud
    rb"pat[0-9A-Za-z]{14}\.[0-9a-f]{64}",  # Airtable
    rb"figd_[0-9A-Za-z_-]{40}",  # Figma
    rb"xkeysib-[0-9a-f]{64}-[0-9A-Za-z]{16}",  # Brevo
    rb"re_[0-9A-Za-z]{8}_[0-9A-Za-z]{24}",  # Resend
)

SAAS_KEY = Detector(
    "saas-key",
    _BEFORE + rb"(?:" + b"|".join(_PREFIXED) + rb")(?![0-9A-Za-z_-])",
    valid=_is_varied_behind_prefix,
    words=(
        b"dop_v1_",
        b"doo_v1_",
        b"dor_v1_",
        b"shpat_",
        b"shpca_",
        b"shppa_",
        b"shpss_",
        b"sq0",
        b"EAAA",
        b"key-",
        b"-us",
        b"dapi",
        b"dckr_",
        b"hvs.",
        b"hvb.",
        b"hvr.",
        b"glsa_",
        b"glc_",
        b"NRAK-",
        b"ATATT3",
        b"ATCTT3",
        b"ATBB",
        b"lin_",
        b"PMAK-",
        b"HRKU-",
        b"sntry",
        b"ntn_",
        b"secret_",
        b"pul-",
        b"dp.",
        b"sbp_",
        b"sb_secret_",
        b"pscale_",
        b"rubygems_",
        b"cio",
        b".atlasv1.",
        b"pat",
        b"figd_",
        b"xkeysib-",
        b"re_",
    ),
)
"""Keys of other services that begin with a mark of their own."""
