"""Those who look for holes rather than for pages."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.inspect.finding import SCORES
from revproxy.filters.inspect.packs.scanners import SCANNERS
from revproxy.filters.inspect.signature import Signature
from revproxy.filters.inspect.subject import Subject
from revproxy.filters.inspect.value import Part, Value
from revproxy.testing import exchange

from . import Samples, check_pack, is_found

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.1 Safari/605.1.15"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile"
EDGE = CHROME + " Edg/120.0.0.0"
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def agent(text: str) -> Value:
    return Value(Part.USER_AGENT, "user-agent", text)


def path(text: str) -> Value:
    return Value(Part.PATH, "", text)


def target(text: str) -> Value:
    return Value(Part.TARGET, "", text)


def asked(said: str, *fields: tuple[str, str], scheme: str = "https", version: tuple[int, int] = (1, 1)) -> Subject:
    headers = (("User-Agent", said), ("Accept", "*/*"), *fields)
    return Subject(exchange(headers=headers, scheme="https" if scheme == "https" else "http", version=version))


BROWSERS = (agent(CHROME), agent(FIREFOX), agent(SAFARI), agent(PHONE), agent(ANDROID), agent(EDGE))
PAGES = (path("/"), path("/about"), path("/blog/2024/shells"), path("/static/app.js"), path("/api/v1/users"))
LANGUAGE = ("Accept-Language", "de")

SAMPLES: Mapping[str, Samples] = {
    "scanner-01": Samples(
        (
            agent("sqlmap/1.7#stable (https://sqlmap.org)"),
            agent("Mozilla/5.00 (Nikto/2.1.6)"),
            agent("Mozilla/5.0 Nuclei - Open-source project"),
            agent("WPScan v3.8"),
            agent("Mozilla/5.0 (compatible; Nmap Scripting Engine)"),
            agent("Acunetix Web Vulnerability Scanner"),
        ),
        (*BROWSERS, agent(GOOGLE), "how to install sqlmap"),
    ),
    "scanner-02": Samples(
        (
            agent("gobuster/3.5"),
            agent("DirBuster-1.0-RC1"),
            agent("Fuzz Faster U Fool v2.0"),
            agent("Mozilla/5.0 (Hydra)"),
            agent("masscan/1.3"),
            agent("Mozilla/5.0 zgrab/0.x"),
            agent("feroxbuster/2.7"),
        ),
        (*BROWSERS, agent("Hydrawise/1.0")),
    ),
    "scanner-03": Samples(
        (
            agent("Mozilla/5.0 (compatible; CensysInspect/1.1)"),
            agent("Expanse, a Palo Alto Networks company"),
            agent("Mozilla/5.0 (compatible; InternetMeasurement/1.0)"),
            agent("l9: LeakIX"),
            agent("fofa"),
        ),
        (*BROWSERS, agent("Expander/1.0")),
    ),
    "scanner-04": Samples(
        (
            "http://abc.oast.fun/x",
            Value(Part.REFERER, "referer", "https://xyz.burpcollaborator.net"),
            Value(Part.FIELD, "x-forwarded-host", "a1b2.interact.sh"),
            "nslookup $(id).x.dnslog.cn",
            "a@x.oastify.com",
            "//bxss.me/t",
        ),
        ("interact.sh", "the oast is a dnslog", "https://example.com/ceye.io", "toast.fun", "a xss.html file"),
    ),
    "scanner-05": Samples(
        (
            path("/nmaplowercheck1700000000"),
            target("/nice%20ports%2C/Tri%6Eity.txt%2ebak"),
            path("/acunetix-wvs-test-for-some-inexistent-file"),
            "appscan_fingerprint",
            path("/arachni-1234"),
            Value(Part.FIELD, "origin", "http://burpcollaborator.x"),
        ),
        (path("/nmap"), "the nice ports of Italy", "acu", "a scan by Acunetix", path("/trinity.txt"), "nikto says"),
    ),
    "scanner-06": Samples(
        tuple(
            asked("x", (name, "1"))
            for name in (
                "Acunetix-Product",
                "X-Scanner",
                "X-Scan-Memo",
                "X-WIPP",
                "x-arachni-scan-seed",
                "X-Ratproxy-Loop",
            )
        ),
        (
            asked(CHROME),
            asked(CHROME, ("X-Requested-With", "XMLHttpRequest")),
            asked(CHROME, LANGUAGE),
            asked(FIREFOX, ("X-Request-Id", "1")),
            asked(SAFARI, ("Authorization", "Basic eA==")),
        ),
    ),
    "scanner-07": Samples(
        (
            path("/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php"),
            path("/phpMyAdmin/index.php"),
            path("/pma/"),
            path("/phpinfo.php"),
            path("/_ignition/execute-solution"),
            path("/adminer.php"),
        ),
        (*PAGES, path("/pmac"), path("/vendor/app.js"), "/phpmyadmin/"),
    ),
    "scanner-08": Samples(
        (
            path("/wp-login.php"),
            path("/blog/xmlrpc.php"),
            path("/wp-includes/wlwmanifest.xml"),
            path("/wp-content/plugins/akismet/readme.txt"),
            path("/wp-content/uploads/2024/x.php"),
        ),
        (*PAGES, path("/wp-content/themes/a/style.css"), path("/wp-content/plugins/a/a.js"), path("/login.php")),
    ),
    "scanner-09": Samples(
        (
            path("/actuator/env"),
            path("/manager/html"),
            path("/jmx-console/"),
            path("/solr/admin/cores"),
            path("/api/actuator/heapdump"),
            path("/nacos/v1/auth/users"),
        ),
        (*PAGES, path("/managers"), path("/environment"), path("/description")),
    ),
    "scanner-10": Samples(
        (
            path("/server-status"),
            path("/cgi-bin/luci"),
            path("/nginx_status"),
            path("/owa/auth/logon.aspx"),
            path("/remote/login"),
            path("/dana-na/auth/url_default/welcome.cgi"),
        ),
        (*PAGES, path("/server"), path("/status"), path("/remote/jobs")),
    ),
    "scanner-11": Samples(
        (
            path("/boaform/admin/formLogin"),
            path("/HNAP1/"),
            path("/GponForm/diag_Form"),
            path("/setup.cgi"),
            path("/onvif/device_service"),
        ),
        (*PAGES, path("/setup"), path("/sdk/docs")),
    ),
    "scanner-12": Samples(
        (
            path("/shell.php"),
            path("/c99.php"),
            path("/uploads/wso.php"),
            path("/x.php"),
            path("/cmd.jsp"),
            path("/alfa.php"),
        ),
        (*PAGES, path("/about.php"), path("/shells.php"), path("/shell.html"), path("/index.php")),
    ),
    "scanner-13": Samples(
        (
            path("/.env"),
            path("/.git/config"),
            path("/composer.lock"),
            path("/config.yml"),
            path("/.DS_Store"),
            path("/server.key"),
            path("/docker-compose.yml"),
        ),
        (*PAGES, path("/config.js"), path("/settings"), path("/.well-known/security.txt"), path("/environment")),
    ),
    "scanner-14": Samples(
        (
            path("/containers/json"),
            path("/v2/api-docs"),
            path("/debug/pprof/"),
            path("/latest/meta-data/"),
            path("/_cat/indices"),
            path("/swagger.json"),
        ),
        (*PAGES, path("/containers"), path("/debugging"), path("/metrics/daily")),
    ),
    "scanner-15": Samples(
        (
            agent("Mozilla/5.0"),
            agent("User-Agent: x"),
            agent("User-Agent: Mozilla/5.0 (Windows NT 10.0)"),
            agent("Mozila/5.0"),
            agent("'Mozilla/5.0'"),
            agent("null"),
        ),
        (*BROWSERS, agent("my-app/1.0"), agent(GOOGLE)),
    ),
    "scanner-16": Samples(
        (
            target("/FUZZ"),
            target("/?q=FUZZ&x=1"),
            "{file}",
            "1 AND SLEEP([SLEEPTIME])",
            "[RANDNUM]",
            target("/?f=%7BFILE%7D"),
        ),
        (target("/fuzzy"), target("/?q=fuzzing"), "the fuzz", "{name}", "[payload]", "a {file} of"),
    ),
    "scanner-17": Samples(
        (asked(CHROME), asked(FIREFOX), asked(SAFARI), asked(PHONE), asked(ANDROID)),
        (asked(CHROME, LANGUAGE), asked("curl/8.0"), asked(GOOGLE), asked("my-app/1"), asked(FIREFOX, LANGUAGE)),
    ),
    "scanner-18": Samples(
        tuple(asked(said, version=(1, 0)) for said in (CHROME, FIREFOX, SAFARI, PHONE, ANDROID)),
        (asked(CHROME), asked("ab/2.3", version=(1, 0)), asked(FIREFOX), asked(GOOGLE, version=(1, 0)), asked(SAFARI)),
    ),
    "scanner-19": Samples(
        (
            "https://webhook.site/abc",
            "http://x.ngrok.io",
            "127.0.0.1.nip.io",
            "https://pastebin.com/raw/x",
            "curl https://transfer.sh/x",
        ),
        ("https://example.com/webhook", "https://pastebin.com/x", "ngrok is a tool", "a site.", "the file. io"),
    ),
    "scanner-20": Samples(
        (asked(CHROME), asked(FIREFOX), asked(ANDROID), asked(EDGE), asked(CHROME, LANGUAGE)),
        (
            asked(CHROME, ("Sec-Fetch-Mode", "cors")),
            asked(SAFARI),
            asked(CHROME, scheme="http"),
            asked("curl/8.0"),
            asked(PHONE),
        ),
    ),
    "scanner-21": Samples(
        (
            agent("curl/8.4.0"),
            agent("python-requests/2.31"),
            agent("Go-http-client/1.1"),
            agent("okhttp/4.12"),
            agent(CHROME.replace("Chrome", "HeadlessChrome")),
        ),
        (*BROWSERS, agent("javascript-app/1")),
    ),
    "scanner-22": Samples(
        (agent(GOOGLE), agent("bingbot/2.0"), agent("my-crawler/1.0"), agent("UptimeMonitor/1"), agent("linkcheck ;")),
        BROWSERS,
    ),
}


def test_pack() -> None:
    """S-60, S-63: scanners are known by what they say and ask for, browsers and pages are not taken for them."""
    check_pack(SCANNERS, SAMPLES)


@pytest.mark.parametrize(
    "asked_for",
    [
        "/wp-login.php",
        "/xmlrpc.php",
        "/phpmyadmin/",
        "/actuator/health",
        "/cgi-bin/a",
        "/server-status",
        "/.env",
        "/x.php",
    ],
)
def test_real_applications(asked_for: str) -> None:
    """S-63: a path that scanners guess stops nobody alone, as there are applications that have it."""
    found = [
        each
        for each in SCANNERS
        if isinstance(each, Signature) and each.paranoia == 1 and is_found(each, path(asked_for))
    ]
    assert 0 < sum(SCORES[each.severity] for each in found) < 5


@given(st.text(st.characters(codec="utf-8")), st.sampled_from([Part.USER_AGENT, Part.PATH, Part.VALUE]))
def test_any_text(text: str, part: Part) -> None:
    """S-60: no text is too odd to be looked at."""
    for each in SCANNERS:
        if isinstance(each, Signature):
            is_found(each, Value(part, "", text))
