"""Keys and tokens of vendors: what each of the detectors finds, and what it leaves."""

from __future__ import annotations

from random import Random

import pytest

from revproxy.filters.redact import detectors
from revproxy.filters.redact.detector import Detector
from tests.filters.redact.corpus.kinds import KINDS

from .found import found, only

VENDORS: tuple[Detector, ...] = (*detectors.CLOUD_KEYS, *detectors.FORGE_KEYS, *detectors.SAAS_KEYS)


@pytest.mark.parametrize("detector", VENDORS, ids=lambda detector: detector.name)
def test_found(detector: Detector) -> None:
    """Keys that are drawn as the vendor says are found whole, between quotes, in a list and at the end."""
    rng = Random(5)
    for turn in range(60):
        planted = KINDS[detector.name](rng)
        name = f"{planted.names[0]}=" if planted.names else ""
        text = ("x {} y", '"{}"', "a,{},b", "{}")[turn % 4].format(
            f"{name}{planted.before}[[{planted.value}]]{planted.after}"
        )
        assert only(detector, text), text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("AWS_ACCESS_KEY_ID", "AIDAIOSFODNN7EXAMPLE"), ("AWS_ACCESS_KEY_ID", "AKIAXXXXXXXXXXXXXXXX"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE1"),
        ("AWS_SECRET_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("AWS_SECRET_KEY", "aws_secret_access_key=da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("AWS_SECRET_KEY", "aws_secret_access_key=${AWS_SECRET_ACCESS_KEY}"),
        ("GOOGLE_API_KEY", "AIzaXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"), ("GOOGLE_API_KEY", "AIzaSyD-short"),
        ("AZURE_ACCOUNT_KEY", "AccountKey=<key>;"), ("AZURE_SIGNATURE", "sig=abc"), ("AZURE_CLIENT_SECRET", "Q~"),
        ("GITHUB_TOKEN", "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), ("GITHUB_TOKEN", "ghp_your_token_here"),
        ("GITHUB_TOKEN", "ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), ("GITLAB_TOKEN", "glpat-xxxxxxxxxxxxxxxxxxxx"),
        ("NPM_TOKEN", "npm_config_registry"), ("NPM_TOKEN", "npm_package_dependencies_webpack_dev_server_x"),
        ("PYPI_TOKEN", "pypi-AgEIcHlwaS5vcmc"), ("SLACK_TOKEN", "xoxb-your-token"),
        ("SLACK_WEBHOOK", "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"),
        ("STRIPE_KEY", "pk_live_4eC39HqLyjWDarjtT1zdp7dc"), ("STRIPE_KEY", "sk_test_xxxxxxxxxxxxxxxxxxxxxxxx"),
        ("STRIPE_KEY", "task_live_4eC39HqLyjWDarjtT1zdp7dc"),
        ("TWILIO_KEY", "AC0123456789abcdef0123456789abcdef"), ("MODEL_API_KEY", "sk-spinner-double-bounce-wrapper"),
        ("MODEL_API_KEY", "task-AbCdEfGhIjKlMnOpQrStUvWx12"), ("TELEGRAM_BOT_TOKEN", "12345678:90"),
        ("DISCORD_WEBHOOK", "discord.com/api/webhooks/123"), ("SENDGRID_KEY", "SG.short.key"),
        ("SAAS_KEY", "secret_name_of_the_application_in_the_vault_1"),
    ],
)  # fmt: skip
def test_not_found(name: str, text: str) -> None:
    """Placeholders, ids, what is published by design and what only begins so are left."""
    assert found(getattr(detectors, name), text) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("AWS_ACCESS_KEY_ID", "[[AKIAIOSFODNN7EXAMPLE]]"),
        ("AWS_SECRET_KEY", "aws_secret_access_key = [[wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY]]"),
        ("AWS_SECRET_KEY", "AKIAIOSFODNN7EXAMPLE,[[wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY]]"),
        ("STRIPE_KEY", "[[sk_test_4eC39HqLyjWDarjtT1zdp7dc]]"),
        ("SENDGRID_KEY", "[[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]]"),
        ("GITHUB_TOKEN", "[[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]]"),
        ("GITHUB_TOKEN", "[[ghp_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ000000]]"),
        ("AZURE_ACCOUNT_KEY", "AccountKey=[[Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/"
        "K1SZFPTOtr/KBHBeksoGMGw==]];"),
    ],
)  # fmt: skip
def test_published(name: str, text: str) -> None:
    """Examples that vendors print have the form of true ones, and are masked like them."""
    assert only(getattr(detectors, name), text)
