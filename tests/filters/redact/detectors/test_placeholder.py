"""What stands where a secret would stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.redact.detectors.placeholder import is_placeholder, is_template

TEMPLATES = [
    b"${DB_PASSWORD}", b"$DB_PASSWORD", b"$(cat key)", b"{{ secrets.KEY }}", b"<your key>", b"%API_KEY%",
    b"%(password)s", b"#{token}", b"[hidden]", b"********",
    b"xxxxxxxxxxxx", b"sk_live_xxxxxxxxxxxx", b"changeme", b"your-api-key-here", b"YOUR_SECRET_TOKEN", b"null",
    b"REDACTED", b"os.environ[KEY]", b"process.env.API_KEY",
    b"vault:secret/app", b"op://vault/item", b"abcabcabcabc", b"!vault", b"ENC[AES256]", b"",
]  # fmt: skip
PLACEHOLDERS = [b"changeme123", b"test1234", b"abcdefghij1234567890", b"my_secret_key_2024"]
SECRETS = [b"hunter2x9", b"$2b$12$abcdefgh", b"Tr0ub4dor&3", b"9f8e1c0b77d2", b"wJalrXUtnFEMI/K7MDENG/bPxRfiCY"]


@pytest.mark.parametrize("text", TEMPLATES)
def test_templates(text: bytes) -> None:
    """What is filled in later, or was masked already, is known."""
    assert is_template(text)
    assert is_placeholder(text)


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_placeholders(text: bytes) -> None:
    """What only shows that a key belongs there may be a weak password, and is no key."""
    assert is_placeholder(text)
    assert not is_template(text)


@pytest.mark.parametrize("text", SECRETS)
def test_secrets(text: bytes) -> None:
    """What is a secret is neither."""
    assert not is_placeholder(text)


@given(st.binary(max_size=512))
def test_takes_anything(text: bytes) -> None:
    """Whatever the text is, there is an answer."""
    assert is_template(text) in (True, False)
    assert is_placeholder(text) in (True, False)
