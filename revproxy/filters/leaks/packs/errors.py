"""What programs say of themselves when they fail: traces and debug pages of Python, Java, PHP and Ruby (CWE-209).

A frame of a trace is looked for rather than its heading, as that is what tells of the inside. What is a sentence that
people search the web for is only a ``WARNING``: with a frame beside it, it counts.
"""

from __future__ import annotations

from ....security_log import Severity
from ..pack import LeakPack
from ..signature import LeakSignature

__all__ = ["JAVA_ERRORS", "PHP_ERRORS", "PYTHON_ERRORS", "RUBY_ERRORS"]

_GAP = r"[ \\nr]{1,8}+"
"""A new line, or what it looks like in a string within a string."""
_LINE = r"[ \\nr\",]{0,8}+(?:</?(?:p|div|li|ol|ul|td|tr)>){0,3}+ ?+"
"""The same, also where lines are strings in a list, or paragraphs."""
_PACKAGE = r"(?:[\w$@-]{1,60}+[./]){1,10}+"
_PATH = r"(?:/|[a-z]:[\\/])[^<>\"|?*]{1,200}?"
_PHP = r"\.(?>php\d?+|phtml|inc|module|tpl)"

PYTHON_ERRORS = LeakPack(
    "python-error",
    (
        LeakSignature(
            "python-error-01",
            rf"traceback \(most recent call last\):{_LINE}(?:[+|] ?)?+file ['\"][^'\"<]{{1,200}}+['\"], line \d",
            "a Python traceback",
        ),
        LeakSignature(
            "python-error-02",
            r"file \"[^\"<]{1,200}+\", line \d{1,6}+, in [\w<>.]{1,80}+[ \\\"<].{0,160}?file \"[^\"<]{1,200}+\", line"
            r" \d{1,6}+, in ",
            "frames of Python",
        ),
        LeakSignature(
            "python-error-03",
            r"because you have [\x03\x04]?+debug ?= ?true[\x03\x04]?+ in your"
            r"|exception location: ?(?:</th> ?<td>)?+ ?[^ ,]{1,200}+, line \d",
            "Django's debug page",
        ),
        LeakSignature(
            "python-error-04",
            r"// werkzeug debugger</title>|debugger, your friendly werkzeug|evalex(?:_trusted)?+ = (?:true|false),",
            "Werkzeug's debugger",
            severity=Severity.CRITICAL,
        ),
        LeakSignature(
            "python-error-05",
            r"<title>starlette debugger</title>|sanic (?:encountered an error|application error)|<h1>traceback of ",
            "the debug page of a Python framework",
        ),
        LeakSignature(
            "python-error-06",
            r"traceback \(most recent call last\) [\x7f-]{6}",
            "a Python traceback in a box",
        ),
        LeakSignature(
            "python-error-07",
            r"(?:jinja2\.exceptions|sqlalchemy\.exc|django\.(?:core|db|urls|template)(?:\.[\w.]{1,40}+)?"
            r"|psycopg2?\.errors"
            r"|requests\.exceptions|urllib3\.exceptions|botocore\.(?:exceptions|errorfactory)|pymongo\.errors"
            r"|redis\.exceptions|werkzeug\.exceptions|pydantic(?:_core)?\.[\w.]{1,40}+|celery\.exceptions)"
            r"[.a-z]{3,60}+: ",
            "an exception of a Python library",
            severity=Severity.WARNING,
        ),
        LeakSignature(
            "python-error-08",
            r"mod_wsgi \(pid=\d{1,9}+(?:, process='[^']{0,60}+', application='[^']{0,100}+')?+\): exception"
            r"|powered by (?:<a [^<>]{1,60}+>)?+cherrypy \d|sorry, the requested url .{1,200}? caused an error",
            "an error page of a Python server",
        ),
        LeakSignature(
            "python-error-09",
            r"traceback \(most recent call last\)",
            "the heading of a Python traceback",
            severity=Severity.NOTICE,
            paranoia=2,
        ),
        LeakSignature(
            "python-error-10",
            r"[ :>\"](?:attribute|key|type|value|name|index|import|modulenotfound|zerodivision|unboundlocal|recursion"
            r"|unicodedecode|assertion|notimplemented|filenotfound|permission|runtime)error: ",
            "an exception of Python",
            severity=Severity.NOTICE,
            paranoia=2,
        ),
    ),
)

JAVA_ERRORS = LeakPack(
    "java-error",
    (
        LeakSignature(
            "java-error-01",
            rf"at {_PACKAGE}[\w$<>-]{{1,80}}+\((?:[\w$]{{1,80}}+\.(?:java|kt|scala|groovy|clj)(?::\d{{1,5}}+)?+"
            r"|native method|unknown source|<generated>|[\w$]{1,80}+\.jsp:\d{1,5}+)\)",
            "a frame of Java",
        ),
        LeakSignature(
            "java-error-02",
            r"exception in thread \"[^\"]{1,80}+\" [\w$@-]{1,60}+[./][\w$]",
            "a thread of Java that ended",
        ),
        LeakSignature(
            "java-error-03",
            r"caused by: (?:[\w$]{1,60}+\.){1,10}+[\w$]{0,60}?(?:exception|error)(?:: | at )",
            "a cause in a Java trace",
        ),
        LeakSignature(
            "java-error-04",
            r"<h1>whitelabel error page</h1>|this application has no explicit mapping for /error",
            "Spring's error page",
        ),
        LeakSignature(
            "java-error-05",
            r"type exception report ?(?:</p>)? ?(?:<p>)? ?message|stack trace of the root cause is available in the"
            r"|<h3>apache tomcat/\d",
            "Tomcat's error page",
        ),
        LeakSignature(
            "java-error-06",
            r"\"(?:trace|exception|stacktrace)\" ?: ?\"(?:[\w$]{1,60}+\.){2,10}+[\w$]{0,60}?(?:exception|error)[\": ]",
            "a Java exception in JSON",
        ),
        LeakSignature(
            "java-error-07",
            r"(?:java|javax|jakarta|kotlin|scala|groovy\.lang|org\.(?:springframework|hibernate|apache|postgresql|xml"
            r"|codehaus|json|elasticsearch)|com\.(?:mysql|fasterxml|zaxxer|microsoft|google|sun|ibm))\."
            r"(?:[\w$]{1,60}+\.){1,10}+[\w$]{0,60}?(?:exception|error): ",
            "an exception of a Java library",
            severity=Severity.WARNING,
        ),
        LeakSignature(
            "java-error-08",
            r"unable to compile class for jsp|an (?:error|exception) occurred (?:at|processing) (?:line|\[?jsp page)"
            r"|org\.apache\.jasper\.jasperexception",
            "an error in a JSP",
        ),
        LeakSignature(
            "java-error-09",
            r"powered by jetty:?//|<title>error \d{3}--[a-z ]{4,40}+</title>|<title>struts problem report</title>"
            r"|<title>grails runtime exception</title>|<h2>http error:? 5\d\d[^<]{0,200}+</h2>",
            "an error page of a Java server",
        ),
    ),
)

PHP_ERRORS = LeakPack(
    "php-error",
    (
        LeakSignature(
            "php-error-01",
            rf"(?: in |: ){_PATH}{_PHP}(?:\(\d{{1,6}}+\) : [a-z ]{{3,20}}+\(?+\)?+(?:'d code)?+)?+ on line \d",
            "an error of PHP with its path",
        ),
        LeakSignature(
            "php-error-02",
            r"<table[^<>]{0,60}?class=['\"]xdebug-|<font[^<>]{0,60}?class=['\"]xdebug|xdebug-error xe-",
            "Xdebug's report",
        ),
        LeakSignature(
            "php-error-03",
            rf"{_PHP}(?::\d{{1,6}}+|\(\d{{1,6}}+\)| on line \d{{1,6}}+)[.:]?{_GAP}stack ?trace:{_GAP}#0 ",
            "a trace of PHP",
        ),
        LeakSignature(
            "php-error-04",
            rf"#\d{{1,3}}+ {_PATH}{_PHP}(?:\(\d{{1,6}}+\)|:\d{{1,6}}+):? ",
            "a frame of PHP",
        ),
        LeakSignature(
            "php-error-05",
            r"\"exception\" ?: ?\"[\w\\]{3,120}+\", ?\"file\" ?: ?\"[^\"]{1,200}+\", ?\"line\" ?: ?\d",
            "an exception of PHP in JSON",
        ),
        LeakSignature(
            "php-error-06",
            r"window\.ignite\(|<div id=\"ignition|spatie\\(?:laravel)?ignition|facade\\ignition"
            r"|<div class=\"whoops container|<div class=\"frames-(?:description|container)",
            "Laravel's debug page",
        ),
        LeakSignature(
            "php-error-07",
            r"class=\"exception-(?:summary|http|message-wrapper|metadata|hierarchy)|<div class=\"sf-(?:dump|toolbar"
            r"|reset)"
            r"|symfony\\component\\(?:httpkernel|errorhandler|debug)\\",
            "Symfony's debug page",
        ),
        LeakSignature(
            "php-error-08",
            r"<h4>an? (?:php error|uncaught exception) was encountered</h4>|class=\"cake-(?:error|stack-trace|debug)"
            r"|yii\\(?:base|web|db)\\[a-z]{3,40}?exception|<title>tracy:|<div id=\"tracy-bs",
            "the debug page of a PHP framework",
        ),
        LeakSignature(
            "php-error-09",
            r"<title>(?:php \d[\w.+-]{1,40}+ - )?phpinfo\(\)</title>|<h1 class=\"p\">php version \d",
            "phpinfo()",
            severity=Severity.CRITICAL,
        ),
        LeakSignature(
            "php-error-10",
            r"(?:warning|fatal error|parse error|notice|deprecated|uncaught \w{3,60}+): {1,2}[a-z_:]{3,60}+\(",
            "an error of a PHP function",
            severity=Severity.NOTICE,
            paranoia=2,
        ),
    ),
)

RUBY_ERRORS = LeakPack(
    "ruby-error",
    (
        LeakSignature(
            "ruby-error-01",
            r"<title>action controller: exception caught</title>|<div id=\"(?:application|framework|full)-trace",
            "Rails' debug page",
        ),
        LeakSignature(
            "ruby-error-02",
            r"\.(?:rb|erb|haml|slim|rake|ru):\d{1,6}+:in [`'\"]",
            "a frame of Ruby",
        ),
        LeakSignature(
            "ruby-error-03",
            r"application trace ?\|? ?framework trace ?\|? ?full trace|rails\.root: /",
            "the traces of a Rails page",
        ),
        LeakSignature(
            "ruby-error-04",
            r"because you (?:use|have enabled the) ?.?(?:rack::showexceptions|show_exceptions)"
            r"|sinatra doesn.{1,3}t know this ditty",
            "the debug page of Rack or Sinatra",
        ),
        LeakSignature(
            "ruby-error-05",
            r"(?:active(?:record|model|support)|action(?:controller|view|dispatch)|abstractcontroller)::[\w:]{3,60}?"
            r"(?: in [\w:/]{1,80}+#| \([a-z0-9]{2,20}+::|: (?:pg|mysql2|sqlite3)::)",
            "an exception of Rails",
        ),
        LeakSignature(
            "ruby-error-06",
            r"undefined (?:local variable or )?+method [`'][\w?!=\[\]+*/<>%-]{1,60}+' for (?:nil|an instance of |#<"
            r"|main|class )",
            "an error of Ruby",
        ),
        LeakSignature(
            "ruby-error-07",
            r"web application could not be started(?: by the phusion passenger|</title>)|</title> <!-- better errors"
            r"|<h1>puma caught this error: ",
            "an error page of a Ruby server",
        ),
    ),
)
