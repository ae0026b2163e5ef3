"""The pytest plugin, as somebody's own tests meet it."""

from __future__ import annotations

import os

import pytest

pytest_plugins = ["pytester"]

USERS_TESTS = """
    import pytest
    from revproxy import Upstream
    from revproxy.testing import FakeClock, FakeTransport, FakeUpstream, exchange

    {mark}
    async def test_an_upstream(fake_upstream):
        assert isinstance(fake_upstream, FakeUpstream)
        response = await Upstream(fake_upstream.url)(subject := exchange("GET", "/x"))
        assert response.status == 200
        assert [request.target for request in fake_upstream.requests] == ["/x"]
        subject.finish()

    {mark}
    async def test_every_test_has_its_own(fake_upstream, fake_transport, fake_clock):
        assert fake_upstream.requests == []
        upstream = Upstream("http://a.test", transport=fake_transport, clock=fake_clock)
        await upstream(exchange())
        assert len(fake_transport.attempts) == 1
        assert fake_transport.attempts[0].started == 1000.0

    def test_without_a_loop(fake_clock, fake_transport):
        assert isinstance(fake_clock, FakeClock) and isinstance(fake_transport, FakeTransport)
        assert fake_transport.attempts == []
        fake_clock.advance(5)
        assert fake_clock.now() == 1005.0
"""


@pytest.fixture
def user(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> pytest.Pytester:
    """A directory of somebody's own, without what this run was told."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    return pytester


SCOPE = ("-o", "asyncio_default_fixture_loop_scope=function")


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_fixtures(user: pytest.Pytester, mode: str) -> None:
    """Installed, its fixtures are there without a word: a server, a transport and a clock, new ones for every test, in
    whatever mode pytest-asyncio is."""
    user.makepyfile(USERS_TESTS.format(mark="@pytest.mark.asyncio" if mode == "strict" else ""))
    result = user.runpytest_subprocess("-W", "error", "-p", "no:cacheprovider", "-o", f"asyncio_mode={mode}", *SCOPE)
    result.assert_outcomes(passed=3)


def test_a_broken_script_fails_the_test(user: pytest.Pytester) -> None:
    """What goes wrong in the fake server's script is an error of the test that uses it."""
    user.makepyfile(
        """
        from revproxy import Upstream
        from revproxy.testing import exchange

        async def broken(turn):
            raise LookupError("in the script")

        async def test_it(fake_upstream):
            fake_upstream.always(broken)
            try:
                await Upstream(fake_upstream.url)(exchange())
            except Exception:
                pass
        """
    )
    result = user.runpytest_subprocess("-p", "no:cacheprovider", "-o", "asyncio_mode=auto", *SCOPE)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*LookupError: in the script*"])


def test_without_pytest_asyncio(
    user: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """Where pytest-asyncio is not installed the other fixtures are there, and ``fake_upstream`` is not."""
    user.makepyfile(without="import sys\nsys.modules['pytest_asyncio'] = None\n")
    user.makepyfile(
        """
        def test_what_is_there(fake_clock, fake_transport):
            assert fake_clock.now() == 1000.0
            assert fake_transport.attempts == []

        def test_what_is_not(fake_upstream):
            raise AssertionError
        """
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(user.path), str(pytestconfig.rootpath)]))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    options = ["-p", "no:cacheprovider", "-p", "without", "-p", "revproxy.testing.plugin"]
    result = user.runpytest_subprocess("-W", "error", *options)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*fixture 'fake_upstream' not found*"])


def test_fixtures_are_documented(user: pytest.Pytester) -> None:
    """``pytest --fixtures`` says of each what it is for."""
    result = user.runpytest_subprocess("--fixtures", "-p", "no:cacheprovider")
    for name in ("fake_clock", "fake_transport", "fake_upstream"):
        result.stdout.re_match_lines([rf"^{name}( |$).*", r"^    A ``Fake"])
