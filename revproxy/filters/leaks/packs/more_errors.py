"""What programs say of themselves when they fail: traces and debug pages of .NET, Node, Go, Rust and others
(CWE-209)."""

from __future__ import annotations

from ....security_log import Severity
from ..pack import LeakPack
from ..signature import LeakSignature

__all__ = ["DOTNET_ERRORS", "NATIVE_ERRORS", "NODE_ERRORS"]

_PATH = r"(?:/|[a-z]:[\\/])[^<>\"|?*()]{1,200}?"
_PLACE = r"\.[cm]?+[jt]sx?+:\d{1,6}+:\d"

DOTNET_ERRORS = LeakPack(
    "dotnet-error",
    (
        LeakSignature(
            "dotnet-error-01",
            r"<h1>server error in '[^']{1,200}+' application",
            "ASP.NET's error page",
        ),
        LeakSignature(
            "dotnet-error-02",
            r"unhandled exception (?:occurred during the execution of the current web request"
            r"|was generated during the execution of the current web request|occurred while processing the request)",
            "an unhandled exception of ASP.NET",
        ),
        LeakSignature(
            "dotnet-error-03",
            r"\.(?:cs|vb|fs|cshtml|vbhtml|razor|aspx|ascx|master|asmx):line \d",
            "a frame of .NET with its file",
        ),
        LeakSignature(
            "dotnet-error-04",
            r"at (?:system|microsoft|npgsql|mysqlconnector|newtonsoft|dapper|mediatr|lambda_method)\."
            r"(?:[\w`<>+]{1,60}+\.){0,10}+[\w`<>+|]{1,80}+(?:\[[\w, .]{1,60}+\])?+\(",
            "a frame of .NET",
        ),
        LeakSignature(
            "dotnet-error-05",
            r"version information: ?microsoft \.net framework version|asp\.net version:\d",
            "the versions of ASP.NET",
        ),
        LeakSignature(
            "dotnet-error-06",
            r"(?:system|microsoft)\.(?:[\w`]{1,60}+\.){0,8}+[\w`]{0,60}?exception(?: \(0x[0-9a-f]{8}\))?+: ",
            "an exception of .NET",
            severity=Severity.WARNING,
        ),
        LeakSignature(
            "dotnet-error-07",
            r"<h4>detailed error information:?</h4>|<th>physical path ?</th>|<h3>http error \d{3}\.\d{1,2} - ",
            "a detailed error of IIS",
        ),
        LeakSignature(
            "dotnet-error-08",
            r"microsoft (?:vbscript|jscript) (?:runtime|compilation) ?(?:error)?+ ?.?(?:error )?+'?800a[0-9a-f]{4}"
            r"|active server pages error 'asp 0\d{3}'",
            "an error of classic ASP",
        ),
        LeakSignature(
            "dotnet-error-09",
            r"powered by (?:<a [^<>]{1,60}+>)?+elmah|<title>error log for [^<]{1,100}? on [^<]{1,80}+</title>"
            r"|<title>[^<]{0,80}?trace\.axd"
            r"|<h1>application trace</h1>",
            "a log of ASP.NET applications",
        ),
    ),
)

NODE_ERRORS = LeakPack(
    "node-error",
    (
        LeakSignature(
            "node-error-01",
            rf"at (?:async )?+(?:new )?+[\w$.<>#/]{{1,100}}+(?: \[as [\w$.]{{1,60}}+\])?+ \("
            rf"(?:file:/{{0,2}}+)?+{_PATH}{_PLACE}",
            "a frame of Node.js",
        ),
        LeakSignature(
            "node-error-02",
            rf"at (?:async )?+(?:file:/{{0,2}}+)?+{_PATH}{_PLACE}",
            "a frame of JavaScript",
        ),
        LeakSignature(
            "node-error-03",
            r"\((?:node:)?+internal/[\w/]{1,80}+(?:\.js)?+:\d{1,6}+:\d{1,6}+\)",
            "a frame inside Node.js",
        ),
        LeakSignature(
            "node-error-04",
            r"\"stack\" ?: ?\"[\w:.\[\] ]{0,60}?(?:error|exception)(?: \[\w{1,40}+\])?+: ",
            "a trace of JavaScript in JSON",
        ),
        LeakSignature(
            "node-error-05",
            r"code: 'module_not_found', requirestack: \[|\[unhandledpromiserejection|\} node\.js v\d{1,2}+\.\d"
            r"|\"err\" ?: ?\{\"name\" ?: ?\"[^\"]{1,60}+\", ?\"source\" ?: ?\"(?:edge-)?+server\"",
            "Node.js that ended, or a debug page of Next.js",
        ),
    ),
)

NATIVE_ERRORS = LeakPack(
    "native-error",
    (
        LeakSignature(
            "native-error-01",
            r"goroutine \d{1,9}+ (?:gp=[^ ]{1,20}+ m=[^ ]{1,20}+ (?:mp=[^ ]{1,20}+ )?+)?+\[[a-z][^\]]{2,60}+\]:",
            "a goroutine",
        ),
        LeakSignature(
            "native-error-02",
            r"panic: (?:runtime error: |interface conversion: |assignment to entry in nil map|send on closed channel"
            r"|close of (?:nil|closed) channel|reflect: )|http: panic serving ",
            "a panic of Go",
        ),
        LeakSignature(
            "native-error-03",
            r"/[\w./@!+-]{1,200}?\.go:\d{1,6}+ (?:\+0x[0-9a-f]|\(0x[0-9a-f]{4,16}+\))",
            "a frame of Go",
        ),
        LeakSignature(
            "native-error-04",
            r"thread '[^']{1,80}+' (?:\(\d{1,9}+\) )?+panicked at ",
            "a panic of Rust",
        ),
        LeakSignature(
            "native-error-05",
            r"note: run with .rust_backtrace=(?:1|full). |\d{1,4}+: (?:0x[0-9a-f]{1,16}+ - )?+<?(?:core|std|alloc"
            r"|tokio)::[\w:<>$]{3,120}+ at /",
            "a backtrace of Rust",
        ),
        LeakSignature(
            "native-error-06",
            r"\([a-z_]{2,40}+ \d{1,3}+\.\d{1,3}+[\w.+-]{0,20}+\) [\w/.-]{1,120}?\.exs?+:\d{1,5}+: "
            r"|\*\* \((?:exit|throw|erlangerror|(?:[a-z]\w{1,40}+\.){0,4}+[a-z]\w{0,40}?error)\) ",
            "a trace of Elixir",
        ),
        LeakSignature(
            "native-error-07",
            r"at (?:/|[a-z]:[\\/])[^<>\"|?*()]{1,200}?\.(?:p[lm]|cgi|t) line \d{1,6}+(?:\.|, <)"
            r"|<h1>software error:</h1>",
            "an error of Perl",
        ),
        LeakSignature(
            "native-error-08",
            r"lua entry thread aborted: |\.lua:\d{1,6}+: (?:in (?:main chunk|function|method|upvalue)|attempt to "
            r"|bad argument)",
            "an error of Lua",
        ),
        LeakSignature(
            "native-error-09",
            r"==\d{1,9}+==error: (?:address|leak|memory|thread|undefinedbehavior)sanitizer"
            r"|terminate called after throwing an instance of '|\*\*\* stack smashing detected \*\*\*"
            r"|segmentation fault \(core dumped\)",
            "a native program that ended",
        ),
        LeakSignature(
            "native-error-10",
            r"coldfusion\.(?:runtime|tagext|sql|compiler)\.\w{3,80}|the error occurred in (?:/|[a-z]:[\\/])[^<>\""
            r"|?*]{1,200}?\.cf[mc]: line \d"
            r"|railo\.runtime\.|lucee\.runtime\.",
            "an error of ColdFusion",
        ),
    ),
)
