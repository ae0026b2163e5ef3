"""Code for an interpreter where a value is expected (CWE-94, CWE-95, CWE-98, CWE-502, CWE-1321): PHP, Python, Node,
Java and its expression languages, Ruby, ASP, directives of templates, serialised objects. It is a part of
``COMMAND_INJECTION``.

Of what occurs in articles on programming, too, only that counts which begins a value, or runs what it is sent.
"""

from __future__ import annotations

import re

from ..forms import Form
from ..signature import Signature
from ..subject import Check, Subject
from ..value import Part

__all__ = ["CODE", "TO_BE_RUN"]

_TOLD = Part.ARGUMENTS | Part.COOKIE

_RUNS = r"(?:system|passthru|shell_exec|exec|popen|proc_open|pcntl_exec|eval|assert|create_function|phpinfo)"
_PHP = (
    r"(?:system|passthru|shell_exec|exec|popen|proc_open|pcntl_exec|eval|assert|phpinfo|phpversion|phpcredits|fsockopen"
    r"|call_user_func|create_function|file_get_contents|file_put_contents|readfile|show_source|highlight_file"
    r"|base64_decode"
    r"|var_dump|print_r|ini_set|getenv|scandir|unserialize|php_uname|md5|sleep|usleep|die|get_current_user|print"
    r"|printf)"
)

_OF_FILES = ("content-disposition", "x-file-name", "x-filename", "x_filename")
_NO_PROSE = r"(?![^()]{0,80}+\)[:,]? (?:[a-z]|\())"
"""In prose a word follows the call."""

_OPERAND = r"(?:\"[^\"]{0,40}+\"|[^ (=]{1,40}+)"
_STATEMENT = r"(?:@?(?:echo |goto \w|call :|set \w{1,40}+=|del |cmd\b)|\( ?(?:@?(?:echo|set|del|cmd)\b|$))"
TO_BE_RUN = (
    r"\.(?:php[2-8st]?|phtml|pht|phar|pgif|shtml?|stm|aspx?|ashx|asmx|ascx|asax|asa|cdx|cshtml|vbhtml|jspx?|jspf|jsw"
    r"|jsv|jhtml|war|cfml?|cfc)(?:[.;:%/\\~]| ?$)|\.inc ?$"
)
"""The ends of names of files that a server would run."""
_NAMES_SCRIPT = re.compile(TO_BE_RUN.replace("| ?$", r"|[\"']|\s*$"), re.IGNORECASE)
_PROTOTYPE = re.compile(r"constructor\W{1,3}prototype\b|__proto__", re.IGNORECASE)


def _prototype(subject: Subject) -> str | None:
    """JSON has objects within objects: of a query each name has all of its path, and a signature sees it."""
    raw = subject.raw
    if "proto" not in raw and "PROTO" not in raw and "Proto" not in raw:  # an object's names have a case
        return None
    for value in subject.values:
        if value.part is Part.NAME and _PROTOTYPE.search(value.name) is not None:
            return "a parameter within a prototype"
    return None


def _file_in_a_field(subject: Subject) -> str | None:
    headers = subject.exchange.inbound.headers
    for name in _OF_FILES:
        if any(_NAMES_SCRIPT.search(value) is not None for value in headers.getall(name, ())):
            return "a script for the name of a file"
    return None


CODE: tuple[Signature | Check, ...] = (
    Signature(
        "rce-27",
        rf"^[^< ]{{0,24}}+<\?(?:php\b|=)?[^?]{{0,40}}?(?:\b{_PHP}|\$_(?:get|post|request|cookie|server)|`"
        r"|\binclude|\brequire)",
        "code of PHP at the beginning, that does more than to print",
        where=Part.ANYWHERE,
    ),
    Signature(
        "rce-28",
        rf"<\?[^?]{{0,40}}?(?:{_RUNS}|include|require)\((?:[@\w(]{{0,16}}+\$_|[\"\']?(?:id|whoami|uname|cat |ls))"
        r"|<\?(?:php|=)? ?`"
        r"|<script[^>]{1,20}language ?= ?[\"']?php",
        "code of PHP that runs what it is sent",
        where=Part.ANYWHERE,
    ),
    Signature(
        "rce-29",
        rf"^ ?+[^\w ]{{0,12}}+(?:(?:print|echo|die|return)[ (]{{1,3}}+)?@?(?:phpinfo\(\)(?!:? [a-z])"
        rf"|(?!assert\(\$[a-z]){_RUNS}\( ?{_NO_PROSE}"
        r"(?:[\"'$@`]|id\b|ls\b|whoami|uname))"
        rf"|^ ?+[^ ();}}|&]{{0,24}}+\)?[;}}|&] ?@?(?:print|echo|die)?[ (@]{{0,2}}+{_PHP}(?:\({_NO_PROSE}| \( ?[\"\'$@])"
        rf"|^ ?+(?:[^ ();.\"\']{{0,16}}+[\"\']|\d{{1,8}}+)\. ?@?{_PHP}(?:\({_NO_PROSE}| \( ?[\"\'$@])"
        r"|\{?\$\{ ?@?(?:print|phpinfo|system|exec|eval|passthru|md5|die|sleep|var_dump|assert|shell_exec|file"
        r"|readfile) ?\(",
        "a call of PHP where a value is expected",
        where=_TOLD,
    ),
    Signature(
        "rce-30",
        r"\b(?:print|echo|die|exit|var_dump|print_r)[ (@]{1,3}+md5 ?\( ?[\"']?\w|\$_(?:get|post|request"
        r"|cookie)\[[^\]]{1,20}+\] ?\("
        r"|\b(?:call_user_func(?:_array)?|array_(?:map|filter|walk)|usort|ob_start"
        r"|register_shutdown_function) ?\( ?[\"'](?:system"
        r"|exec|passthru|shell_exec|assert|eval|phpinfo)|preg_replace ?\( ?[\"'][^\"']{1,40}[/#~|@]e[\"']"
        r"|^[^ ]{0,40}\b(?:file_get_contents|readfile|show_source|highlight_file|fopen|open|file|read"
        r"|load)\( ?[\"'](?:/etc/|/proc/"
        r"|php:|c:\\|\|)|^[^ ]{0,24}\b(?:include|require)(?:_once)? ?\( ?(?:[\"'](?:https?:|/|php:|data:|\.\./)"
        r"|\$_)"
        r"|^[^ ]{0,20}time\.sleep\( ?\d{1,4}+\)[^ ]{0,8}+$",
        "a call that reads a file of the system, or shows that it was run",
        where=_TOLD,
    ),
    Signature(
        "rce-31",
        r"\b(?:eval|assert|system|passthru|shell_exec|popen|proc_open|create_function)"
        r" ?\( ?[^;)]{0,16}(?:\$_(?:get|post|request|cookie|server)\b|\$\{?[\"']_|base64_decode|gzinflate"
        r"|gzuncompress|str_rot13"
        r"|strrev|hex2bin)|\b(?:system|shell_exec|passthru|proc_open) ?\( ?[\"'](?:/bin/|cat /etc|id[\"' ]"
        r"|whoami|uname|nc -)",
        "a call of PHP that runs what it is sent or what is hidden",
        where=Part.ANYWHERE,
    ),
    Signature(
        "rce-32",
        r"\b[oc]:\+?\d{1,4}+:\\?\"[^\":]{1,80}+\":\+?\d{1,4}+:\{|(?:^|[^a-z0-9+/])(?:ro0ab[a-z0-9+/_-]{8}"
        r"|aaeaaad/{3}|gasv[a-z0-9]{10})"
        r"|^aced0005|\bc(?:os|posix|nt|subprocess|builtins|__builtin__) (?:system|popen|eval|exec|check_output) "
        r"|_\$\$nd_func\$\$_"
        r"|!!(?:python/object|javax\.script|com\.sun\.|java\.net\.|ruby/)|!ruby/(?:object|hash):"
        r"|objectdataprovider\b",
        "a serialised object of PHP, Java, Python, Ruby or .NET",
        where=_TOLD,
    ),
    Signature(
        "rce-33",
        r"__import__ ?\( ?[\"']\w|__subclasses__ ?[(\[]|__(?:globals|builtins)__[\"'\]]{0,2}+[.\[]"
        r"|__class__[\"'\]]{0,2}+[.\[][\"'\[]{0,2}+"
        r"__(?:base|bases|mro|init|dict|subclasses)__|^[^ ]{0,60}\b(?:os\.(?:system|popen|exec[lv]\w{0,2}"
        r"|spawn\w{1,3})"
        r"|subprocess\.(?:popen|call|run|check_output|getoutput)|commands\.getoutput"
        r"|pickle\.loads) ?\( ?(?![^()]{0,80}+\) [a-z])[\[\"'\w]"
        r"|import (?:os|subprocess|pty|socket) ?; ?(?:os|subprocess|pty|s ?=|socket|print)|^ ?(?:exec|eval"
        r"|compile)\( ?[\"'\[(]|getattr\( ?__",
        "code of Python that imports, or climbs to what it is not given",
        where=_TOLD | Part.FIELDS,
    ),
    Signature(
        "rce-34",
        r"child_process[\"'`] ?\) ?\.? ?(?:exec|spawn|fork)\w{0,10}+ ?\(|child_process[\"'`] ?\)\["
        r"|process\.mainmodule[.\[] ?[\"'`]?(?:require|constructor|children|load)|process\.binding ?\("
        r"|global\.process\b|constructor\.constructor ?\(|constructor ?\( ?[\"'`]return"
        r"|\.constructor\( ?[\"'`][^\"'`]{0,40}process"
        r"|^[^ ]{0,40}require ?\( ?[\"'`](?:child_process|fs|os|net|vm)[\"'`] ?\)\.(?:exec|spawn|read|write|run)"
        r"|\bres\.(?:end|send|write) ?\( ?(?:require|process|global)|new function ?\( ?[\"'`]return|eval ?\( ?require"
        r"|function ?\( ?\) ?\{ ?return ?(?:process|global|require)|^process\.(?:exit|kill)\(\);?$"
        r"|^while ?\(1\) ?\{ ?\} ?$"
        r"|[{,] ?[\"']__proto__[\"'] ?:|\[[\"']?__proto__[\"']?\]",
        "code of Node that starts a process or leaves its sandbox",
        where=_TOLD | Part.FIELDS,
    ),
    Signature(
        "rce-35",
        r"__proto__|constructor[\]\[.]{1,2}prototype",
        "a parameter that would change the prototype of all objects",
        where=Part.NAME | Part.COOKIE_NAME,
    ),
    Check(
        "rce-36",
        _prototype,
        "a parameter within an object that would change the prototype of all objects",
        fields=("content-length", "transfer-encoding"),
    ),
    Signature(
        "rce-37",
        r"getruntime ?\( ?\) ?[).]{1,2} ?exec ?\( ?[^) ]|\bt\( ?java\.lang\."
        r"|new (?:java\.lang\.)?processbuilder ?\([^;]{0,80}\)\.start|%\{ ?\(#"
        r"|#_memberaccess|#(?:context|attr|request|application)\[[\"']|@(?:ognl\.|java\.lang\.)"
        r"|\bclass[.\[]{1,2}(?:module[\].\[]{1,3})?"
        r"classloader|java\.lang\.(?:runtime|processbuilder)[\"'@)(]|[\"']\]?\.execute\( ?\)"
        r"|scriptenginemanager ?\( ?\) ?\.|\.forname ?\( ?"
        r"[\"']java(?:x?\.script|\.lang\.(?:runtime|process))|freemarker\.template\.utility\.(?:execute|objectc)",
        "code of Java, Groovy or OGNL that starts a process",
        where=_TOLD | Part.FIELDS | Part.PATH,
    ),
    Signature(
        "rce-38",
        r"\$\{ ?(?:jndi[:}$]|[a-z]{0,5}\$\{ ?(?:lower|upper|env|sys|date|::-|[\w:]{0,12}:-)|(?:lower"
        r"|upper):[^}]{1,20}\}\$\{)"
        r"|\}?ndi:(?:ldaps?|rmi|dns|iiop|corba|nis|http):|jndi:(?:\$\{|ldap|rmi|dns)",
        "a lookup of Log4j (CVE-2021-44228)",
        where=Part.ANYWHERE,
    ),
    Signature(
        "rce-39",
        r"<!--#(?:exec|include|echo|printenv|set|config|fsize|flastmod)\b|<esi:(?:include|inline|vars|eval"
        r"|assign|debug)"
        r"|^[^< ]{0,24}+<(?:%[^%]{0,40}?(?:\beval|\bexecute|request[.(\[\"]|response\.|runtime|system\b|\bexec"
        r"|createobject|\bfile\.|\bio\.|`"
        r"|import|\d{1,6}+ ?\* ?\d)|jsp:|cf(?:execute|file|include|script)\b|c:import)",
        "a directive of a server's templates",
        where=Part.ANYWHERE,
    ),
    Signature(
        "rce-40",
        r"^[^ ]{0,24}(?:response\.write ?\(|server\.(?:createobject|execute) ?\(|wscript\.shell|createobject ?\("
        r"|kernel\.(?:system|exec|open)|io\.popen|open3\.\w|file\.(?:read|open)\()"
        r"|%x[\[({!|] ?[\"\']?(?:cat|head|tail|ls|dir|curl|wget|rm|cp|mv|find|grep|id|whoami|uname|sleep|nc"
        r"|ping)\b|process\.start ?\( ?[\"\'](?:cmd"
        r"|powershell|/bin)"
        r"|@\{\[ ?(?:system|`)|\$\{(?:script|url|dns):",
        "code of ASP, Ruby, Perl or .NET where a value is expected",
        where=_TOLD,
    ),
    Signature(
        "rce-41",
        r"<\?(?:php\b|=)|\b(?:system|shell_exec|passthru|popen|proc_open|phpinfo|eval|assert|exec) ?\(|<%[=@!]"
        r"|\$_(?:get|post|request|cookie|server|session|files) ?\[|\bos\.(?:system|popen) ?\(|subprocess\.\w"
        r"|child_process"
        r"|runtime\.getruntime|processbuilder|__proto__",
        "code that runs other code, anywhere in a text",
        where=_TOLD,
        paranoia=2,
    ),
    Signature(
        "rce-42",
        r"^(?:globals|_(?:get|post|request|cookie|server|session|env|files|conf|config))(?:\[[\w'\"-]{0,60}|$)"
        r"|^\$_(?:get|post|request|cookie|server|session|env|files)",
        "a variable of PHP for the name of a parameter",
        where=Part.NAME | Part.COOKIE_NAME,
    ),
    Check(
        "rce-43",
        _file_in_a_field,
        "a file that a server would run, named by a field",
        fields=_OF_FILES,
    ),
    Signature(
        "rce-44",
        r"^ ?+[^ $@:]{0,16}+(?:@\$\w{1,40}+ ?+\(|::\$\w{1,40}+ ?+\(|\$\$\$?+[a-z_]\w{0,40}+ ?+\(|\$_{1,8}+ ?+\("
        r"|\$\w{1,40}+\([^() ]{0,40}+\)\.\$\w{1,40}+\("
        r"|\$\{?+\$?+\w{1,40}+\}?+ ?+(?:[\[{][\w'\"$@!+-]{1,24}+[\]}] ?+){0,2}[\[{][\w'\"$@!+-]{1,24}+(?:[\]}]\("
        r"|[\]}] \())",
        "a function of PHP that is called by way of a variable",
        form=Form.SQL,
        where=_TOLD,
    ),
    Signature(
        "rce-45",
        rf"(?:^|[;|&]) ?+(?:for %{{1,2}}+[\w@~]{{0,12}}+ in ?+\([^)]{{1,120}}+\) ?+do\b"
        r"|for /[dflr] [^%(]{0,60}+%{1,2}+[\w@~]{0,12}+ ?+in ?+\([^)]{1,120}+\) ?+do\b"
        r"|if ?+/i (?:not )?+[^ =]{1,40}+ ?+== ?+[^ ]"
        rf"|if (?:/i )?+(?:not )?+(?:exist [^ ]{{0,60}}?[.:\\/\"][^ ]{{0,60}}+|errorlevel \d{{1,4}}+"
        rf"|defined \w{{1,40}}+"
        rf"|{_OPERAND} ?+== ?+{_OPERAND}|\(?+{_OPERAND}(?: equ | neq | lss | leq | gtr "
        rf"| geq ){_OPERAND}) {_STATEMENT})",
        "a statement of the command line of Windows",
        where=_TOLD,
    ),
    Signature(
        "rce-46",
        rf"^[^ ]{{0,24}}(?: ?+\[ ?+[\"']?+{_RUNS}[\"']?+ ?+\] ?+\[ ?+\d ?+\][ )]{{0,3}}+(?:\{{ ?+\d ?+\}} ?+)?+\("
        rf"|[\[(][\"']?+{_RUNS}[\"']?+[\])]\([\"'$\w]|[\"']{_RUNS}[\"'] ?+\( ?+[\"'$])",
        "a function of PHP that is called under another name",
        form=Form.SQL,
        where=_TOLD,
    ),
    Signature(
        "rce-47",
        rf"^ ?+@?+(?:{_RUNS}|p?fsockopen) ?+\( ?+[\"'$@][^() ]{{1,40}}+(?: \d{{1,5}}+)? ?+\) ?+;?+ ?+$",
        "a call of PHP that runs or connects, and nothing else",
        where=_TOLD,
    ),
    Signature(
        "rce-48",
        r"; ?+\(\$?+\w{1,20}+(?:\)\[\d)?+(?:\]\[\d)?+(?:[)\]]\([\"']|[)\]] \([\"'])",
        "a name that was put together before, called as a function",
        form=Form.SQL,
        where=_TOLD,
    ),
)
