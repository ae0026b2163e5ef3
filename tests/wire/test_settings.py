"""What can be set of the wire, and what is refused at once."""

from __future__ import annotations

import dataclasses
import math
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from revproxy.wire.settings import Limits, Timeouts, Tls

FIELDS = [(kind, each.name) for kind in (Timeouts, Limits) for each in dataclasses.fields(kind)]


@pytest.mark.parametrize(("kind", "name"), FIELDS)
@pytest.mark.parametrize("value", [0, -1, -0.5, 0.0, math.inf, -math.inf, math.nan, True, False, "5"], ids=repr)
def test_what_is_not_positive_is_refused(kind: type[Any], name: str, value: object) -> None:
    """A time or a bound that is not above 0, endless, or no number is refused; the message names it and its value."""
    with pytest.raises(ValueError, match=rf"{kind.__name__}\.{name} .*got {value!r}"):
        kind(**{name: value})


@pytest.mark.parametrize(("kind", "name"), [field for field in FIELDS if field != (Timeouts, "total")])
def test_none_only_where_it_means_something(kind: type[Any], name: str) -> None:
    """``None`` is no way to have no bound; only ``total`` may be absent."""
    with pytest.raises(ValueError, match=rf"{kind.__name__}\.{name} .*got None"):
        kind(**{name: None})
    assert Timeouts(total=None).total is None


def test_small_is_positive() -> None:
    """There is no least value but 0."""
    assert Timeouts(connect=0.001, head=0.001, idle=0.001, total=0.001).head == 0.001
    limits = Limits(connections=1, waiting=1, wait=0.001, idle=0.001, lifetime=0.001, head_bytes=1, head_fields=1)
    assert (limits.connections, limits.idle, limits.read_buffer) == (1, 0.001, 262144)
    assert Limits(read_buffer=1).read_buffer == 1


def test_defaults() -> None:
    """Every bound has a default, those that the documentation names."""
    assert Timeouts() == Timeouts(connect=5, head=60, idle=60, total=None)
    limits = Limits()
    assert limits.idle < 5, "uvicorn and others close idle connections after 5 s (F-85)"
    assert limits == Limits(
        connections=256,
        waiting=1024,
        wait=5,
        idle=4,
        lifetime=3600,
        head_bytes=65536,
        head_fields=256,
        read_buffer=262144,
    )


@pytest.mark.parametrize("settings", [Timeouts(), Limits(), Tls()], ids=lambda settings: type(settings).__name__)
def test_settings_are_frozen(settings: Any) -> None:
    """What was checked at construction cannot change later."""
    for each in dataclasses.fields(settings):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(settings, each.name, 1)


def test_tls_verifies_by_default() -> None:
    """By default the certificate and the name in it are verified, with TLS 1.2 at least (S-71)."""
    context = Tls().context
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert not context.cert_store_stats()["x509"] or context.cert_store_stats()["x509_ca"], "the system's CAs"


def test_own_ca_replaces_the_system(tmp_path: Path) -> None:
    """With an own CA nothing else is trusted; verification stays on (S-71)."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    for path in (tmp_path / "ca.pem", str(tmp_path / "ca.pem")):
        context = Tls(ca=path).context
        assert context is not None
        assert context.cert_store_stats()["x509_ca"] == 1
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_directory_of_cas(tmp_path: Path) -> None:
    """A directory of CAs is taken as one; what is in it is read when it is needed."""
    context = Tls(ca=tmp_path).context
    assert context is not None
    assert context.cert_store_stats()["x509"] == 0
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_no_verification_is_said_aloud() -> None:
    """``verify=False`` turns off both, and nothing else does (S-71)."""
    context = Tls(verify=False).context
    assert context is not None
    assert context.verify_mode is ssl.CERT_NONE
    assert not context.check_hostname


def test_own_context() -> None:
    """A ready context is used as it is; a name to send may stand beside it."""
    context = ssl.create_default_context()
    assert Tls(context=context).context is context
    assert Tls(context=context, server_hostname="a.test").context is context


def test_contradictions(tmp_path: Path) -> None:
    """Arguments that contradict each other are refused, naming them."""
    context = ssl.create_default_context()
    with pytest.raises(ValueError, match=r"key='/no/key\.pem' needs a certificate"):
        Tls(key="/no/key.pem")
    with pytest.raises(ValueError, match="context stands alone"):
        Tls(context=context, ca=tmp_path)
    with pytest.raises(ValueError, match="context stands alone"):
        Tls(context=context, certificate="/no/certificate.pem")
    with pytest.raises(ValueError, match="context stands alone"):
        Tls(context=context, verify=False)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A file that is missing or no PEM is told at construction, not at the first request."""
    (tmp_path / "bad.pem").write_text("not a certificate")
    with pytest.raises(OSError, match="No such file"):
        Tls(ca=tmp_path / "missing.pem")
    with pytest.raises(OSError, match="No such file"):
        Tls(certificate=tmp_path / "missing.pem")
    with pytest.raises(ssl.SSLError):
        Tls(ca=tmp_path / "bad.pem")
    with pytest.raises(ssl.SSLError):
        Tls(certificate=tmp_path / "bad.pem")


def test_key_beside_or_in_the_certificate(tmp_path: Path) -> None:
    """The key may be in the certificate's file or in its own; one that does not belong to it is refused."""
    ca = trustme.CA()
    mine, other = ca.issue_cert("client.test"), ca.issue_cert("other.test")
    both, chain, key, wrong = (tmp_path / name for name in ("both.pem", "chain.pem", "key.pem", "wrong.pem"))
    mine.private_key_and_cert_chain_pem.write_to_path(both)
    mine.cert_chain_pems[0].write_to_path(chain)
    mine.private_key_pem.write_to_path(key)
    other.private_key_pem.write_to_path(wrong)
    assert Tls(certificate=both).context is not None
    assert Tls(certificate=chain, key=str(key)).context is not None
    with pytest.raises(ssl.SSLError):
        Tls(certificate=chain, key=wrong)


def test_the_context_is_not_printed() -> None:
    """The repr says what was set, and no more."""
    assert repr(Tls(server_hostname="a.test")) == (
        "Tls(ca=None, certificate=None, key=None, server_hostname='a.test', verify=True)"
    )
