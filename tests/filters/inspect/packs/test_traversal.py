"""Ways out of a directory, and files that nobody should ask for."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.inspect.packs.traversal import TRAVERSAL
from revproxy.filters.inspect.value import Part, Value

from . import Samples, check_pack, is_found


def path(text: str) -> Value:
    return Value(Part.PATH, "", text)


def target(text: str) -> Value:
    return Value(Part.TARGET, "", text)


def field(text: str) -> Value:
    return Value(Part.FIELD, "accept-language", text)


def file(text: str) -> Value:
    return Value(Part.FILE, "upload", text)


SAMPLES: Mapping[str, Samples] = {
    "traversal-01": Samples(
        (
            "../../../etc/passwd",
            "..%2f..%2f..%2f{FILE}",
            "..\\..\\..\\boot.ini",
            "/static/../../app.py",
            "..%252f..%252fconfig",
            "images/../..",
            "..//..//..//etc/issue",
            "..%00/..%00/x",
            "\uff0e\uff0e/\uff0e\uff0e/secret",
            "..%5c..%5c../a",
            "./.././../secret.txt",
            file("../../shell.py"),
        ),
        (
            "../images/logo.png",
            "import thing from '../../lib/thing'",
            "in the folder ../../lib there is one more",
            "and so on.. and on..",
            "v1.0../v2.0",
            "<img src='../../logo.png'>",
            "docs/reference/index.html",
            "1..10 / 2..20",
            "../../ relative imports python",
        ),
    ),
    "traversal-02": Samples(
        (
            "....//../etc/passwd is what I want",
            "x=../../../proc/self/environ",
            "{'a': '..\\/..\\/etc/shadow'}",
            field("../../../../../etc/passwd%00"),
            "http://x.test/?f=..%2f..%2fvar%2flog%2fapache2/access.log",
            path("/a/..;/..;/etc/hosts"),
            "..%5c..%5c/home/$USER/.ssh/id_rsa",
        ),
        (
            "we moved to ../etc for good reasons",
            "in /etc/passwd there are accounts",
            "require('../process/selfie')",
            "../var/logistics/plan.pdf",
            "see ../home/index.html",
            "../../proc.c: warning",
            "cp ../etc/nginx/site.conf . and reload",
        ),
    ),
    "traversal-03": Samples(
        (
            "..\\..\\..\\windows\\win.ini",
            "a|../../boot.ini",
            "..%5c..%5cwinnt%5csystem32%5ccmd.exe?/c+dir",
            "../../../inetpub/wwwroot/global.asa",
            "'..\\WINDOWS\\system32\\drivers\\etc\\hosts'",
            field("..\\..\\windows/system.ini"),
        ),
        (
            "../windows/index.html",
            "the file boot.ini is gone since Vista",
            "..\\src\\windows\\event.c",
            "open C:\\Windows\\win.ini with an editor",
            "../winter/winners.ini",
            "..and win.ini",
        ),
    ),
    "traversal-04": Samples(
        (
            "..%2fetc",
            "%2e%2e%2f%2e%2e%2fx",
            "..%255c..%255cboot.ini",
            "%252e%252e/secret",
            "..%u2215x",
            "%2e%2e\\windows",
            ".%%32%65/x",
            "0x2e0x2e0x2f",
        ),
        (
            "a%2fb",
            "100%2e5",
            "https://example.com/?next=%2Fhome%2F",
            "wait...%20what",
            "file.tar%2egz",
            "%5bnone%5d",
        ),
    ),
    "traversal-05": Samples(
        (
            target("/?f=..%c0%af..%c0%afetc/passwd"),
            target("/scripts/..%c1%1c../winnt"),
            target("/?f=%c0%ae%c0%ae/%c0%ae%c0%ae/etc"),
            target("/x?y=..%e0%80%afboot.ini"),
            "..%25c0%25af..%25c0%25af",
            "%c0%ae%c0%ae%c0%afetc",
            target("/?f=..%c0%9v.."),
        ),
        (
            target("/?q=%C3%A0+la+carte"),
            target("/?q=%c0%ef%f0%e5%eb%fc"),
            target("/%E2%80%A6"),
            target("/?q=caf%e9%20%c0%20la"),
            target("/?q=%E0%A4%95"),
            "%c0 is a byte",
        ),
    ),
    "traversal-06": Samples(
        (
            "..\udcc0\udcaf..\udcc0\udcafetc/passwd",
            "..\ufffd\ufffd..\ufffd\ufffdboot.ini",
            "\udcc0\udcae\udcc0\udcae/\udcc0\udcae\udcc0\udcae/etc/passwd",
            "..%c0%afetc/shadow",
            "..\u2215..\u2215..\u2215etc",
            "..%c0%af..%c0%afx",
        ),
        (
            "好……真的吗",
            "und dann.. „so“",
            "🎉🎉/🎉🎉/party",
            "да… и нет…",
            "..…and then",
            "a—b/c—d/etc.",
        ),
    ),
    "traversal-07": Samples(
        (
            path("/app/..;/manager/html"),
            path("/..;/..;/etc/passwd"),
            path("/x/..;jsessionid=1/admin"),
            "..;/actuator",
            path("/api/.;./admin"),
            path("/a;/../b"),
            path("/a/..%3b/host-manager"),
        ),
        (
            path("/shop;jsessionid=0815/cart"),
            "wait..; then /go",
            path("/a;v=1/b"),
            "x = 1..; y = 2",
            path("/matrix;a=1;b=2/c"),
            "and..;and/or",
        ),
    ),
    "traversal-08": Samples(
        (
            "....//....//etc/passwd",
            "..././..././x",
            "....\\\\....\\\\boot.ini",
            ".../.../.../x",
            "/static/....//....//a",
            "....//boot.ini",
            ".../etc/passwd",
        ),
        (
            ".../img/a.png",
            "and then ... // a comment",
            "go test ./...",
            "wait.../no...",
            "https://example.com/a/b",
            "……/……",
        ),
    ),
    "traversal-09": Samples(
        (
            "/etc/passwd",
            "/etc/passwd%00.jpg",
            "file:///etc/shadow",
            "/proc/self/environ",
            "///etc//hosts",
            "/var/log/apache2/error.log",
            "etc/passwd",
            "page=/etc/passwd",
            "\\etc\\passwd",
            "/home/bob/.ssh/id_rsa",
            "/./etc/./passwd",
        ),
        (
            "on Linux, /etc/passwd lists the accounts",
            "/etcetera/passwd",
            "/process/self-service",
            "/home/news/today",
            "/var/login",
            "cat /etc/hosts shows it",
            "/products/etc",
            "etc/passwd.sample",
            "/var/lib/mysql",
            "/etc/passwd format",
        ),
    ),
    "traversal-10": Samples(
        (
            "C:\\boot.ini",
            "c:/windows/win.ini",
            "file:///c:/windows/system32/drivers/etc/hosts",
            "%SYSTEMROOT%\\win.ini",
            "C:\\\\WINNT\\\\repair\\\\sam",
            "/boot.ini",
            "\\windows\\system32\\cmd.exe",
            "c:\\inetpub\\wwwroot\\web.config",
            "c:\\windows",
        ),
        (
            "C:\\Users\\Bob\\Documents\\plan.docx",
            "C:\\fakepath\\photo.jpg",
            "in C:\\Windows\\win.ini stands",
            "D:\\Music",
            "c:",
            "Windows/Linux",
            "/windows/and-doors",
            "C:\\Windows\\System32 too big",
            "windows\\system32\\drivers\\etc\\hosts edit",
        ),
    ),
    "traversal-11": Samples(
        (
            "php://filter/convert.base64-encode/resource=index.php",
            "PHP://input",
            "expect://id",
            "zip://shell.jpg%23payload.php",
            "phar://./upload/x.jpg/a",
            "compress.zlib:///etc/passwd",
            "x?page=php://filter/read=string.rot13/resource=config",
            "jar:http://evil.test/a.jar!/x",
            "ssh2.exec://u:p@h/id",
            "p%68p://filter/resource=/etc/passwd",
        ),
        (
            "read php://input to have the body",
            "https://php.net/manual/en/wrappers.php",
            "the zip: //a comment",
            "globe://x",
            "what to expect: //nothing",
            "resource=calendar&view=week",
            "a phar file is a jar: more or less",
            "php://input vs $_POST",
        ),
    ),
    "traversal-12": Samples(
        (
            "data://text/plain,hello",
            "data://text/plain;base64,SGk=",
            "data:text/plain,<?php phpinfo();",
            "data:;base64,PD9waHAgcGhwaW5mbygpOw==",
            "DATA:text/plain;base64,PD89YGlkYD8+",
            "data:text/html,%3c?=1?>",
        ),
        (
            "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUA",
            "data:text/plain;base64,SGVsbG8gd29ybGQ=",
            "my data: //todo",
            "data:,hello",
            "the data:text/plain,<?php trick",
            "data:application/pdf;base64,JVBERi0xLjQK",
        ),
    ),
    "traversal-13": Samples(
        (
            path("/.git/config"),
            path("/app/.git/HEAD"),
            ".svn/entries",
            path("/.svn/wc.db"),
            "/root/.ssh/id_rsa",
            path("/.aws/credentials"),
            path("/.bash_history"),
            "C:\\Users\\x\\.ssh\\known_hosts",
        ),
        (
            path("/group/project.git/config"),
            path("/docs/git/config"),
            "put it into .git/config, then",
            path("/.well-known/acme-challenge/x"),
            "https://github.com/a/b.git",
            "my id_rsa is lost",
            Value(Part.FILE, "f", ".bashrc"),
        ),
    ),
    "traversal-14": Samples(
        (
            path("/.env"),
            path("/api/.env.production"),
            path("/WEB-INF/web.xml"),
            path("/web.config"),
            path("/.htpasswd"),
            path("/wp-config.php.bak"),
            path("/META-INF/context.xml"),
            path("/docker-compose.yml"),
        ),
        (
            path("/environment"),
            path("/docs/web.config.html"),
            path("/my.environment"),
            path("/web-information/"),
            path("/htaccess-guide"),
            path("/wp-config-explained"),
            path("/settings"),
        ),
    ),
    "traversal-15": Samples(
        (
            "/WEB-INF/web.xml",
            "../.env",
            "../web.config",
            "WEB-INF/classes/app.properties",
            "..\\wp-config.php",
            "./META-INF/MANIFEST.MF",
            "/.htaccess",
            "../config/database.yml",
        ),
        (
            "web.config",
            "how do I write a .htaccess",
            "put it in /web.config",
            "see web-inf for details",
            ".env",
            "https://example.com/index.php",
            "/index.php?page=2",
        ),
    ),
    "traversal-16": Samples(
        (
            path("/index.php~"),
            path("/config.php.bak"),
            path("/.index.php.swp"),
            path("/app/settings.py.old"),
            path("/login.jsp.orig"),
            path("/db.sql.save"),
        ),
        (
            path("/index.php"),
            path("/~bob/"),
            path("/old/index.html"),
            path("/report.pdf.bak"),
            path("/v1.2.old"),
            path("/backup"),
            path("/trixie/manpages/resolv.conf.5"),
            path("/man/1/which.sh.1"),
        ),
    ),
    "traversal-17": Samples(
        (
            path("/backup.zip"),
            path("/db.sql"),
            path("/www.tar.gz"),
            path("/old/site_2020.rar"),
            path("/dump.sql.gz"),
            path("/database.sqlite3"),
        ),
        (
            path("/release-notes.zip"),
            path("/photos.zip"),
            path("/db/sql"),
            path("/backup/"),
            path("/downloads/tool-1.2.tar.gz"),
            "/backup.zip",
        ),
    ),
    "traversal-18": Samples(
        (
            "http://evil.test/shell.txt?",
            "https://evil.test/a.gif??",
            "http://10.1.2.3/c99.php",
            "https://evil.test/x/shell.jpg",
            "ftp://evil.test/r57.txt",
            "http://evil.test/x??",
            "HTTP://evil.test/cmd.dat?",
        ),
        (
            "https://example.com/robots.txt",
            "https://example.com/?q=what",
            "https://example.com/photo.jpg?width=100",
            "https://docs.example.com/shell/intro",
            "did you see http://example.com/a.txt?",
            "http://example.com/shells-and-pearls",
            "https://example.com/search?q=why??",
            "https://cdn.example.com/a/b.jpg?",
        ),
    ),
    "traversal-19": Samples(
        (
            "\\\\10.0.0.1\\c$\\windows",
            "\\\\host\\ADMIN$",
            "\\\\?\\C:\\boot.ini",
            "\\\\localhost\\share\\x",
            "//server/c$/x",
            "\\\\.\\PhysicalDrive0",
            "\\\\127.0.0.1\\x",
        ),
        (
            "\\\\files\\projects\\plan.docx",
            "//cdn.example.com/lib.js",
            "\\\\begin{document}",
            "it costs 5$ // or 6$",
            "the \\\\host\\c$ share",
            "\\\\d+",
        ),
    ),
    "traversal-20": Samples(
        (
            path("/index.asp::$DATA"),
            path("/a/*~1*/x"),
            path("/docum~1*"),
            "x.php::$index_allocation",
            path("/aux/.aspx"),
            path("/con.asp"),
        ),
        (
            path("/~1/home"),
            path("/std::data"),
            "std::vector<int> $data",
            "about ~10 items",
            path("/con.html"),
            path("/auxiliary.aspx"),
            "is it ~20?",
            "ETA ~10? or ~15?",
            "2*~3 is -8 in C",
        ),
    ),
    "traversal-21": Samples(
        ("../x", "..\\secret.txt", "/a/../b", "images/..%2fconfig", "..;/x", "%2e%2e/a"),
        ("a../b", "wait.. / no", "see ../x", "v1../2", "./x", "/.../x"),
    ),
    "traversal-22": Samples(
        ("/etc/nginx.conf", "/var/www/html/index.php", "/tmp/x", "file:///opt/app/a", "/home/bob/a", "/usr/bin/id"),
        ("/about/us", "the /etc/fstab file", "/variety/show", "/en/home/", "/temporary", "/users/1"),
    ),
    "traversal-23": Samples(
        ("C:\\temp", "d:/data/x.db", "file:///c:/x", "file://host/share", "C:\\fakepath\\a.jpg", "e:\\logs\\a"),
        ("a: b", "time: 10:30", "note c:\\temp", "x:y", "profile:/me", "https://example.com/"),
    ),
    "traversal-24": Samples(
        ("\\\\files\\a", "\\\\10.0.0.1\\share", "\\\\evil.test\\x\\y", "\\\\h\\", " \\\\srv\\docs"),
        ("\\files\\a", "//files/a", "see \\\\files\\a", "\\\\", "\\\\alpha + \\\\beta"),
    ),
    "traversal-25": Samples(
        (
            "look at /etc/passwd",
            "(/proc/self/maps)",
            "edit boot.ini please",
            "in WEB-INF/web.xml",
            "my .htaccess does not work",
            "a web.config file",
        ),
        ("etcetera", "/etc/nginx", "proc self", "booting", "web configuration", "access.ht", "the environment"),
    ),
    "traversal-26": Samples(
        (
            "import a from '../a'",
            "see ../x",
            "..\\..\\a",
            path("/a/../b"),
            field("../x"),
            "%2e%2e%2fx",
        ),
        ("...", "a.. b", "./a", "1..2", "and/or..", "a/..b"),
    ),
    "traversal-27": Samples(
        ("/about", "./a", "~/x", "img/a.png", "a/b/c.html", "\\x\\y.txt"),
        ("and/or", "1/2", "a text with a/b.c", "/", "n/a", "km/h"),
    ),
    "traversal-28": Samples(
        (path("/a.php.1"), path("/config.inc.2"), path("/x/web.config.1"), path("/my.cnf.3"), path("/db.sql.0")),
        (path("/a.php"), path("/v1.2"), path("/lib.so.1"), path("/notes.txt.1"), path("/x.conf.d/1"), "a.php.1"),
    ),
    "traversal-29": Samples(
        (
            "http://192.0.2.7/crash.php",
            "https://198.51.100.2:8080/x/cmd.txt",
            "ftp://203.0.113.9/a.txt?",
            "http://192.0.2.7/~u/r.inc??",
            "HTTP://192.0.2.7/shell.JSP",
        ),
        (
            "http://192.0.2.7/picture.png",
            "http://192.0.2.7/",
            "see http://192.0.2.7/a.php",
            "https://example.com/a.php",
            "http://192.0.2.7:9000/hooks/build",
            "https://1.2.3.4.example.com/a.txt",
        ),
    ),
}


def test_pack() -> None:
    """S-60: each signature is found in attacks, encoded in several ways, and not in what people write."""
    check_pack(TRAVERSAL, SAMPLES)


@given(st.text(st.characters(codec="utf-8")), st.sampled_from([Part.PATH, Part.VALUE, Part.FIELD, Part.TARGET]))
def test_any_text(text: str, part: Part) -> None:
    """S-60: no text is too odd to be looked at."""
    for each in TRAVERSAL:
        is_found(each, Value(part, "q", text))
