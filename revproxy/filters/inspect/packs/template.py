"""Server-side template injection (CWE-1336), server-side includes (CWE-97) and expressions that a template evaluates
(CWE-917): sums that show whether anything is evaluated, and ways from an expression to the objects behind it.

A placeholder such as ``{{ name }}`` is what people write in mail templates; what it may not do is calculate, call, or
ask for what the template engine is made of.
"""

from __future__ import annotations

from ....security_log import Severity
from ..forms import Form
from ..pack import Pack
from ..signature import Signature
from ..value import Part

__all__ = ["TEMPLATE_INJECTION"]

_SENT = Part.ANYWHERE
_OPENED = r"(?:\{[{%]|[$#*@%!]\{|<%)"
_SUM = r"[-(\"' ]{0,3}+\d{1,9}+[)\"' ]{0,3}+[*+/]\*?+[-(\"' ]{0,3}+\d"
_RUNS = (
    r"(?:popen|system|passthru|shell_exec|proc_open|subprocess|check_output|execsync|spawnsync|getruntime|exec|spawn"
    r"|__import__|call_user_func|file_put_contents|file_get_contents|readfile|phpinfo|assert|eval)"
)

TEMPLATE_INJECTION = Pack(
    "ssti",
    (
        Signature(
            "ssti-01",
            rf"(?<![\^_])\{{\{{[=:@#\[{{-]{{0,2}} ?+{_SUM}|\{{% ?+{_SUM}"
            r"|^[^ ]{0,24}\{\{ ?+\d{1,6}+ ?+[%-] ?+\d{1,6}+ ?+\}\}",
            "a sum in double braces: Jinja2, Twig, Vue and others",
            where=_SENT,
        ),
        Signature(
            "ssti-02",
            rf"^(?:[\w.#=-]{{1,8}}+ )?+[^ ]{{0,40}}(?:[$#*@%~!]\{{{{1,2}}[=:]?|@\(|\[\[\$\{{|\[\(\$\{{) ?+{_SUM}",
            "a sum in another engine's delimiters, in a value without spaces",
            where=_SENT,
        ),
        Signature(
            "ssti-03",
            rf"<%[=#-]{{0,2}} ?+{_SUM}[^%]{{0,20}}%>|^ ?+(?:\{{|#\{{|\[\[|\{{@|\{{=){_SUM}[^ ]{{0,12}}(?:\}}|\]\]) ?+$"
            rf"|@\({_SUM}[\d )]{{0,9}}\)",
            "a sum as a whole value, or in the delimiters of ERB, EJS or Razor",
            where=_SENT,
        ),
        Signature(
            "ssti-04",
            rf"{_OPENED}[^{{}}<]{{0,160}}(?:__[a-z]{{2,20}}+__|(?<![a-z])attr ?+\(|mro\(|subclasses\(|_globals\b"
            r"|builtins\b)",
            "an attribute of Python's objects in a template",
            where=_SENT,
        ),
        Signature(
            "ssti-05",
            r"__(?:class|mro|bases?|init|globals|dict|subclasses|getattribute|builtins|self)__[()\[\]{}.'\"\d"
            r"|: ]{0,12}(?:(?:attr|getitem)?[(\[.'\"]{0,3})__(?:mro|bases?|subclasses|globals|builtins|import"
            r"|getitem)__|__(?:globals|builtins)__ ?+(?:\[ ?+[\"']|\.)|\.mro\(\)\[|__(?:subclasses"
            r"|bases)__(?:\(\))?\[",
            "a way from an object of Python to all that is loaded",
            where=_SENT,
        ),
        Signature(
            "ssti-06",
            r"\{\{-?+ ?+(?:config|settings|self|_self|_context|request|lipsum|cycler|joiner|namespace|url_for|app"
            r"|get_flashed_messages|handler|g)(?: ?+\[|\.(?:items\(|__|from_(?:object|pyfile)|environ\b"
            r"|application\b|class\b|secret|env\b|request\.|session\.|settings\b|root_path|_\w)|\|attr)"
            r"|\{\{-?+ ?+(?:_self|_context|lipsum|cycler|joiner|url_for|handler\.settings) ?+-?\}\}"
            r"|^[^ {]{0,24}+\{\{-?+ ?+(?:config|self|settings) ?+-?\}\}[^ ]{0,24}+$|\{\{-?+ ?+(?:dump|phpinfo|lipsum"
            r"|url_for\.|get_flashed_messages\.|range|dict|cycler|joiner|namespace|_self)[(.]|\{\{ ?+(?:lipsum"
            r"|cycler|joiner|url_for|get_flashed_messages)\b|\{% ?+for [a-z_, ]{1,30} in (?:config|self|lipsum"
            r"|cycler|request)\b",
            "an object of Flask, Jinja2, Tornado or Twig in a template",
            where=_SENT,
        ),
        Signature(
            "ssti-07",
            rf"{_OPENED}[^{{}}<]{{0,160}}\b{_RUNS}(?:[\"'] ?+[)\],}}|]| ?+\()"
            rf"|\{{!! ?+(?:{_RUNS}\b|\d)|^ ?+@php[ (]",
            "a template that calls what runs commands",
            where=_SENT,
        ),
        Signature(
            "ssti-08",
            r"\{%-?+ ?+(?:import [a-z_.]{1,40} ?+-?%|debug ?+-?%|(?:include|extends|import|load"
            r"|source) ?+[\"'(]{0,2}(?:/|\.\./|[a-z]:[/\\]|https?:|file:|php:|data:)|autoescape (?:none|false)"
            r"|raw os\.|php\b|print ?+\(|get_admin_log|load log|apply \w{1,20}\.)|\{\{-?+ ?+(?:include|source|import"
            r"|load|file_excerpt)\( ?+[\"'](?:/|\.\./|[a-z]:[/\\]|https?:|file:|php:)|^ ?+\{% ?+csrf_token ?+%\}"
            r"|\|(?:file_excerpt|include_raw)\b|[\"']/etc/[a-z]{3,12}[\"'] ?+\|",
            "a template that imports code or reads a file",
            where=_SENT,
        ),
        Signature(
            "ssti-09",
            r"_self ?+\. ?+(?:env\b|gettemplate|displayblock)|registerundefined(?:filter|function)callback"
            r"|\{\{[^{}]{0,80}\b(?:getfilter|setcache|loadtemplate|enableautoreload)\("
            rf"|\| ?+(?:filter|map|reduce|sort|find|join) ?+[(\[\"'][^)}}|]{{0,40}}\b{_RUNS}\b"
            r"|[\"'\])] ?+\| ?+(?:file_(?:put|get)_contents|passthru|shell_exec|system|exec|eval|phpinfo"
            r"|unserialize)\b|\| ?+(?:filter|map|reduce|sort|find) ?+\( ?+[\"'](?:ini_set|unlink|rename|chmod|mail"
            r"|include|require|putenv)",
            "a way out of Twig's sandbox",
            where=_SENT,
        ),
        Signature(
            "ssti-10",
            r"[\w\"')\]]\?(?:new\( ?+[)\"'a-z]|api\.[a-z]|(?:interpret|eval)\b(?:[)}(\[]|\.[a-z]))"
            r"|(?:[$#]\{|<[#@]|\[#)[^{}<>]{0,120}\? ?+(?:new|api|interpret|eval)\b|freemarker\.(?:template|core|ext)\."
            r"|<#assign \w{1,30} ?+= ?+[\"'\d(\[]|\[#assign \w{1,30} ?+= ?+[\"'\d(\[]|[$#]\{ ?+\.(?:version|data_model"
            r"|globals|main|vars|template_name|locale)\b|<#(?:include|import) ?+[\"'](?:/|\.\./|file:|https?:)"
            r"|\.data_model\b|\?lower_abc",
            "a built-in of FreeMarker that makes objects",
            where=_SENT,
        ),
        Signature(
            "ssti-11",
            r"# ?+\{?+set\}?+ ?+\( ?+\$!?+\{?+[a-z_]{1,30}+\}?+ ?+= ?+[\"'\d(\[]"
            r"|\$!?+\{?+[a-z_]{1,24}+\}?+\.(?:getclass\(\)|class\.(?:inspect|forname|type|getresource|getclassloader"
            r"|protectiondomain)|inspect\(|forname\()|#(?:include|parse|evaluate)\( ?+[\"'$](?!\w{1,40}\.(?:vm"
            r"|html)[\"'])[^ ]|\$class\.|\$[a-z_]{1,24}+\.(?:waitfor|getinputstream|geterrorstream)\(|#end\$|\$!\{\{",
            "a directive or a class of Velocity",
            where=_SENT,
        ),
        Signature(
            "ssti-12",
            r"<%[=!@-]{0,2} ?+(?:import |system|exec|spawn|`|%x|file\.|dir\.|io\.|kernel\.|process\.|global|require"
            r"|env\b|self\b|eval|open\(|response\.write|request\.(?:getparameter|querystring)|runtime|new java"
            r"|page import|(?:application|session)\.(?:contents|config|set|get|abandon)|out\.print|class\b"
            r"|instance_variable|object\.(?:const|send|class|new|instance|method)|this\.(?:constructor|process)|rails"
            r"|settings ?+%|thread\b)|<%[^%]{0,80}(?:getruntime|processbuilder|child_process|mainmodule|wscript\.shell"
            r"|os\.popen|createobject)",
            "code between the delimiters of ERB, EJS, Mako, JSP or ASP",
            where=_SENT,
        ),
        Signature(
            "ssti-13",
            r"\{ ?+/?php ?+\}|\{\$smarty\.(?:version|template|server|env|get|post|cookies|session|request|const|now"
            r"|block)"
            rf"|\{{(?:=|if |php |var_dump |eval |math |fetch |assign )? ?+{_RUNS}\([^{{}};]{{0,120}}\) ?+\}}"
            r"|->_?smarty\b|\bsmarty->|_getsmartyobj|\{function name ?+= ?+[\"'][^\"']{0,20}\(|smarty_internal_"
            r"|\{self::|\{\$smarty ?+\}|getstreamvariable\(|\{(?:fetch|include_php|include|eval|math) (?:file|var"
            r"|equation) ?+= ?+[\"']?(?:/|\.\./|https?:|file:|php:|\d|\(|\{)",
            "code in a template of Smarty or Latte",
            where=_SENT,
        ),
        Signature(
            "ssti-14",
            r"\{\{[#&]?(?:with|each|if|unless)?+ ?+\(?+(?:lookup |this\.|string\.|split\.|@root|@|\"s\" as"
            r"|'s' as)[^{}]{0,80}(?:constructor|\.sub\b|\.pop\b|\.push\b|\.apply\b|__|process|require|conslist"
            r"|codelist)|\{\{#with \(?[\"'(]|\{\{#with split\b|\.sub\.(?:apply|constructor)\b|\bas \|(?:string"
            r"|codelist|conslist)\|",
            "a helper of Handlebars that reaches a constructor",
            where=_SENT,
        ),
        Signature(
            "ssti-15",
            rf"{_OPENED}[^{{}}<]{{0,160}}(?:constructor\b|mainmodule|child_process|global\.process|require ?+\("
            r"|process\.binding|__proto__|root\.process)|#\{ ?+(?:function ?+\(|%x\W|`)"
            r"|^ ?+[-=!]{1,2}+ ?+(?:var \w{1,12}+ ?+= ?+)?+(?:(?:root|global|process)(?:\.(?:process|mainmodule"
            r"|require|env|global|exit|binding|cwd|argv|root|constructor)\b|\[[\"'])|require ?+\( ?+[\"'])",
            "a template of Node.js that reaches the process",
            where=_SENT,
        ),
        Signature(
            "ssti-16",
            r"@\{? ?+\(?(?:system\.(?:diagnostics|io|net|reflection|environment|appdomain|text|convert|datetime)"
            r"|file\.(?:read|write)all|process\.start|assembly\.|directory\.get|response\.write|server\.|httpcontext"
            r"|environment\.)|@\{ ?+(?:var |string |int |system\.|//)[^}]{0,120}[;}]|@\(?datetime\.(?:utc)?now"
            r"|@inject (?:microsoft|system)\.|@functions ?+\{",
            "code in a template of Razor",
            where=_SENT,
        ),
        Signature(
            "ssti-17",
            r"__[$*#~]\{|\[[\[(][$*]\{[^}]{0,60}[(*+]|[$#*@~]\{[^{}]{0,120}(?:\bt ?+\( ?+[a-z.]{3,40}+\)|java\.(?:lang"
            r"|io|util|net)|getruntime|processbuilder|getclass\(|\.class\b|forname|scriptengine|\.execute\(\)"
            r"|new (?:(?:java|javax|org|com|net|groovy|sun)\.[a-z.]{3,40}+|processbuilder|scanner|fileinputstream"
            r"|scriptenginemanager)\(|\.getmethod|\.newinstance|\.loadclass)|\bt\(java\.lang\.|__::|[$#*]\{ ?+class\."
            r"|^[^ ]{0,20}[$#]\{ ?+[\"'][^\"'{}]{0,20}+[\"']\.[a-z]{2,20}+\(",
            "an expression of Spring, Thymeleaf or Groovy that reaches a class",
            where=_SENT,
        ),
        Signature(
            "ssti-18",
            r"[$#*]\{ ?+\(?(?:sessionscope|applicationscope|requestscope|pagescope|pagecontext|paramvalues"
            r"|headervalues|initparam|facescontext|systemproperties|@environment|@[a-z]{3,20}\b|#(?:context|request"
            r"|session|_memberaccess|rt)\b)|%\{ ?+[\(#@]|[$#]\{ ?+(?:param|header|cookie|request|session|application"
            r"|facescontext)\.[a-z]{0,20}[.\[(]{0,2}(?:getclass|class\b|setattribute|getservletcontext"
            r"|externalcontext)|#_memberaccess|@java\.lang\.",
            "an implicit object of an expression language",
            where=_SENT,
        ),
        Signature(
            "ssti-19",
            r"\{[{%][^{}<]{0,160}(?:\.getclass\b|\.class\.|\bforname\b|getruntime|processbuilder|java\.(?:lang|io"
            r"|util)|\.getmethod|\.invoke\(|beans\.|\.getdeclared|classloader|____int3rpr3t3r____|\.newinstance)",
            "a template of Pebble or Jinjava that reaches a class",
            where=_SENT,
        ),
        Signature(
            "ssti-20",
            r"\{\{-?+ ?+(?:(?:html|js|urlquery|call) ?+[\"`.$(]|(?:printf"
            r"|println?)(?: ?+[\"`][^\"`{}]{0,40}+[\"`]){1,3}+ ?+-?\}\})|\{\{-?+ ?+\.(?:system|exec|cmd|command|run"
            r"|shell|readfile|writefile|file|open|secure)\w{0,12}+ ?+[\"`(]|^ ?+\{\{-?+ ?+[.$] ?+-?\}\} ?+$",
            "a function or a template of Go",
            where=_SENT,
        ),
        Signature(
            "ssti-21",
            r"<!--# ?+(?:exec|include|echo|printenv|config|set|if|fsize|flastmod|elif|endif)\b",
            "a directive of server-side includes",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "ssti-22",
            r"</?esi:[a-z]|<!--esi\b|\$\((?:http_(?:cookie|host|user_agent|referer|header)|query_string|geo)\b",
            "an edge-side include",
            form=Form.HTML,
            where=_SENT,
        ),
        Signature(
            "ssti-23",
            r"(?:\$\{|#\{|@\(|\{\{)[^a-z\d ]{0,6}(?:<%|\{%|\[%|#\{(?!\{))|(?:<%|\{%)[^a-z\d ]{0,6}(?:\$\{|\{\{|#\{"
            r"|['\"]{1,2}\}\}%)|\}\}[^a-z\d ]{1,6}%>|\$\{\{[^ a-z}]{1,6}[\"'%\\]|\{\{[\"'`\\@()\[\]|]{1,4}\}\}",
            "delimiters of several engines, one in another",
            where=_SENT,
        ),
        Signature(
            "ssti-24",
            r"\{\{-?+ ?+(?:\(\)|\[\]|\{\}|\"\"|''|``|[\"'][^{}\"']{1,40}+[\"'] ?+(?=\*|~|\[|\.[a-z_]{1,20}\(|%)"
            r"|\(\d{1,4}\)|\d{1,9}+ ?+(?=[*~]|\.[a-z_]|\| ?+(?:add|attr|format|safe|float|int|abs|string|list|filter"
            r"|map|join|center|random|tojson|length|cat|dump|upper|raw|reduce|e\b))) ?+[.\[|*~%]",
            "a literal that a template works on: no placeholder begins with one",
            where=_SENT,
        ),
        Signature(
            "ssti-25",
            r"(?:[$#*@~]\{|\{\{|\{%|<%)[^{}<]{0,120}(?:/etc/passwd|/proc/self|cmd\.exe|/bin/(?:ba)?sh|\bos\.(?:popen"
            r"|system|environ|listdir)|\.os[.\[]|import os\b|codecs\.open|(?:settings|config"
            r"|app)[.\[][\"']?+secret_key|self\.module|\bwhoami\b|\bgetenv\b|storages\.\d|signer\.key)",
            "a template that names what only the system has",
            where=_SENT,
        ),
        Signature(
            "ssti-26",
            r"\{\{-?+ ?+(?:request|session|app|user|self|config|env|global|this|g)\b[^{}]{0,40}\}\}"
            r"|\{%-?+ ?+[a-z]{2,12}\b|\{\{[^{}]{0,80}[()|*+~\[]|\{\{-?+ ?+(?:printf?|println|define|block"
            r"|template) ?+[\"`]|\{\{-?+ ?+\$[a-z]{0,8}+ ?+:?+=|<#(?:assign|list|if|macro|function|include|import"
            r"|setting|global|local)\b|#(?:foreach|if|set|macro|parse) ?+\( ?+\$",
            "a statement or a call in a template",
            where=Part.TOLD | Part.PATH,
            paranoia=2,
        ),
        Signature(
            "ssti-27",
            rf"[$#*@%~]\{{ ?+\(?{_SUM}|<%[=@!-]? ?+[^%]|@\{{|\[\[\$\{{|\bth:[a-z]{{2,12}} ?+="
            r"|\{[a-z]{2,12} [a-z]{2,12} ?+=",
            "the delimiters of a template, with something to work on",
            where=Part.TOLD | Part.PATH,
            paranoia=2,
        ),
        Signature(
            "ssti-28",
            r"\{\{[^{}]{1,120}\}\}|[$#*@%]\{[^{}]{1,120}\}",
            "a placeholder of a template",
            where=Part.TOLD | Part.PATH,
            severity=Severity.ERROR,
            paranoia=3,
        ),
        Signature(
            "ssti-29",
            r"[{}$#%@*<]{2}|\[\[|\]\]",
            "two signs that may begin or end an expression of a template",
            where=Part.TOLD,
            severity=Severity.WARNING,
            paranoia=4,
        ),
    ),
)
