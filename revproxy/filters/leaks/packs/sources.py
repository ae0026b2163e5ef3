"""Sources that a server sent instead of running them (CWE-540), and files that were never meant to be served
(CWE-538)."""

from __future__ import annotations

from ....security_log import Severity
from ..form import START
from ..pack import LeakPack
from ..signature import LeakSignature

__all__ = ["FILES", "SOURCES"]

_BEGIN = rf"{START}\x7f{{0,3}}+ ?"
"""The beginning of a content, with or without a byte order mark."""

SOURCES = LeakPack(
    "source",
    (
        LeakSignature(
            "source-01",
            r"<\?(?:php|=) ?(?:namespace [a-z]|use [a-z\\]|(?:require|include)(?:_once)?+[ (]|declare ?\(|define ?\("
            r"|session_start"
            r"|(?:abstract |final )?+class [a-z]|function [a-z]|if ?\(|echo[ (]|foreach ?\(|\$[a-z_]\w{0,60}+(?:->"
            r"| ?[=\[;])|/\*|//|# )",
            "a source in PHP",
        ),
        LeakSignature(
            "source-02",
            r"<%@ ?(?:page|include|taglib|language|import|control|master|webservice|webhandler|application|tag)[ =:]"
            r"|<jsp:(?:usebean|include|forward|setproperty|root)[ >]",
            "a source in JSP or ASP.NET",
        ),
        LeakSignature(
            "source-03",
            r"<%=? ?(?:dim |set \w{1,40}+ ?= ?server\.createobject|option explicit|response\.(?:write|redirect|end)"
            r"|request(?:\.\w{3,20}+)?+\("
            r"|server\.(?:createobject|mappath)|string \w{1,40}+ ?=|out\.print|session\.(?:get|set)attribute"
            r"|connection \w{1,40}+ ?=)",
            "code in ASP or JSP",
        ),
        LeakSignature(
            "source-04",
            rf"{_BEGIN}(?:# ?(?:-\*- )?+coding[=:] ?[\w-]{{1,20}}+ (?:-\*- )?+"
            rf"|\"\"\"[^\"]{{1,300}}+\"\"\" )?(?:from __future__ import|from [a-z_][\w.]{{0,60}}+ import [\w(]"
            rf"|import (?:os|sys|re"
            r"|json|time|logging|asyncio|datetime|django|flask|requests|sqlite3|socket|subprocess)[ ,])",
            "a source in Python",
        ),
        LeakSignature(
            "source-05",
            rf"{_BEGIN}#! ?/(?:usr/(?:local/)?+)?+bin/(?:env (?:-s )?+)?+(?:[bzkda]{{0,2}}+sh|python|perl|ruby|node"
            rf"|php|lua)[\d. -]",
            "a script",
            severity=Severity.WARNING,
        ),
        LeakSignature(
            "source-06",
            rf"{_BEGIN}(?:# frozen_string_literal: (?:true|false)|require(?:_relative)?+ ['\"][\w/.-]{{1,60}}+['\"] "
            rf"|class \w{{1,60}}+"
            r" < (?:applicationcontroller|applicationrecord|activerecord::|actioncontroller::|sinatra::))",
            "a source in Ruby",
        ),
        LeakSignature(
            "source-07",
            rf"{_BEGIN}(?:/\*[^*]{{1,300}}+\*/ )?+package (?:[a-z][\w.]{{1,80}}+; ?(?:import |public |@|/\*)"
            rf"|[a-z]{{2,30}}+"
            r" (?:import [(\"]|func |// ))",
            "a source in Java or Go",
        ),
        LeakSignature(
            "source-08",
            rf"{_BEGIN}(?:using system[.;][^<>]{{0,200}}? namespace [a-z]|imports system[. ])",
            "a source in C# or Visual Basic",
        ),
    ),
)

FILES = LeakPack(
    "file",
    (
        LeakSignature(
            "file-01",
            rf"{_BEGIN}ref: refs/heads/[\w./-]{{1,80}}|\[core\] repositoryformatversion = \d",
            "the inside of a Git repository",
            severity=Severity.CRITICAL,
        ),
        LeakSignature(
            "file-02",
            rf"{_BEGIN}[0-9a-f]{{40}} [0-9a-f]{{40}} [^<>]{{1,80}}+<[^<>]{{1,100}}+> \d{{9,10}} [+-]\d{{4}} "
            rf"|{_BEGIN}# pack-refs with: "
            rf"|{_BEGIN}dirc  ?",
            "the log, references or index of a Git repository",
            severity=Severity.CRITICAL,
        ),
        LeakSignature(
            "file-03",
            rf"[ {START}](?:export )?(?:[a-z]{{1,20}}+_)?(?:db|database|mysql|postgres|pg|redis|mail|smtp|rabbitmq"
            rf"|ftp|admin)_?pass(?:word|wd)?+ ?= ?"
            r"['\"]?+[^ '\"$<>{}();,]{4,80}+['\"]?+ (?:export )?[a-z][a-z0-9_]{2,40}+ ?=",
            "passwords among the settings of an environment",
            severity=Severity.CRITICAL,
        ),
        LeakSignature(
            "file-04",
            r"app_key ?= ?['\"]?+base64:[a-z0-9+/]{43}=|secret_key_base ?[=:] ?['\"]?+[0-9a-f]{64}"
            r"|aws_secret_access_key ?= ?['\"]?+[a-z0-9/+]{40}"
            r"|django_secret_key ?= ?['\"]?+[^ ]{40}",
            "the secret key of an application",
            severity=Severity.CRITICAL,
        ),
        LeakSignature(
            "file-05",
            r"-- (?:mysql|mariadb) dump \d|-- postgresql database dump |-- phpmyadmin sql dump "
            r"|-- adminer \d[\d.]{1,8}+ "
            r"|pragma foreign_keys=off; begin transaction; create table"
            r"|copy (?:public\.)?\w{1,60}+ \([\w, \"]{1,300}+\) from stdin;",
            "a dump of a database",
        ),
        LeakSignature(
            "file-06",
            r"root:[x*!]?+:0:0:[^:<>]{0,60}+:/[^:<>]{0,40}+:|root:\$(?:1|2[aby]|5|6|y|7)\$[^: <>]{8,200}+:\d",
            "the accounts of a system",
            severity=Severity.CRITICAL,
        ),
        LeakSignature(
            "file-07",
            rf"{_BEGIN}[\w.@-]{{1,60}}+:(?:\$(?:apr1|2[aby]|5|6)\$[^ :<>]{{8,120}}|\{{sha\}}[a-z0-9+/]{{27}}=)",
            "passwords of a web server",
            severity=Severity.CRITICAL,
        ),
        LeakSignature(
            "file-08",
            r"define\( ?['\"]db_password['\"], ?['\"][^'\"]{1,100}+['\"]"
            r"|<add name=\"[^\"]{1,60}+\" connectionstring=\"[^\"]{1,200}?(?:password|pwd)="
            r"|['\"]password['\"] ?=> ?['\"][^'\"]{1,60}+['\"], ?['\"](?:charset|port|prefix|dbname|driver)['\"] ?=>",
            "the settings of an application",
            severity=Severity.CRITICAL,
        ),
        LeakSignature(
            "file-09",
            r"client-key-data: ['\"]?+[a-z0-9+/]{40}|\"terraform_version\" ?: ?\"[^\"]{1,12}+\", ?\"serial\" ?: ?\d"
            r"|\"auths\" ?: ?\{ ?\"[^\"]{1,120}+\" ?: ?\{ ?\"auth\" ?:"
            r"|//registry\.npmjs\.org/:_authtoken=",
            "the keys or the state of an infrastructure",
            severity=Severity.CRITICAL,
        ),
        LeakSignature(
            "file-10",
            r"; for 16-bit app support|\[boot loader\] timeout=\d|\[extensions\] wmp="
            r"|path=/[^ ]{1,200}+ .{0,300}?pwd=/[^ ]{1,100}+ ",
            "a file of a system",
        ),
    ),
)
