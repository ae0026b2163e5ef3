"""Lookups and objects (CWE-917, CWE-502): what a server evaluates that only meant to log, to show or to read it.

Lookups such as ``${jndi:...}`` (CVE-2021-44228), ``${script:...}`` (CVE-2022-42889), expressions of OGNL, SpEL and EL,
serialized objects of Java, PHP, Python, Ruby, Node.js and .NET, and the way from a bean to its class loader
(CVE-2022-22965). A logger sees every field of a request, so these are looked for anywhere.
"""

from __future__ import annotations

from ....security_log import Severity
from ..forms import Form
from ..pack import Pack
from ..signature import Signature
from ..subject import Check, Subject
from ..value import Part

__all__ = ["LOOKUPS"]

_LOG4J = (
    r"(?:lower|upper|env|sys|java|main|ctx|map|sd|event|marker|date|bundle|k8s|kubernetes|docker|spring|web|log4j"
    r"|base64|mdc|jvmrunargs|sm|hostname|rd)"
)
_RUNS = (
    r"(?:java\.lang\.(?:runtime|process|system|class|thread|math|integer|string|reflect|character)|getruntime ?+\("
    r"|processbuilder|class\.forname ?+\(|getclass ?+\( ?+\)|\.getclassloader|scriptenginemanager|java\.(?:io|net"
    r"|util|nio)\."
    r"|javax\.(?:script|naming|el)\.|#_memberaccess|#context\b|#session\b|@ognl|@java\.|@org\.apache|ognlcontext"
    r"|com\.opensymphony|org\.apache\.(?:struts2|commons\.io|catalina)|facescontext|requestscope|sessionscope"
    r"|applicationscope|pagecontext\.|servletcontext|classloader|t ?+\( ?+(?:java|org|javax|com)\.|new (?:java|javax"
    r"|org|com)\.)"
)
_GADGET = (
    r"(?:org\.apache\.(?:commons\.(?:collections4?\.(?:functors|map|keyvalue|bag|comparators)|beanutils\.beancomparator"
    r"|configuration2?\.jndiconfiguration|fileupload\.disk|jelly\.impl|dbcp2?\.(?:datasources|cpdsadapter))"
    r"|xalan\.|xbean\.(?:naming|propertyeditor)|ibatis\.datasource|shiro\.(?:jndi|realm)|wicket\.util"
    r"|xpath\.xpathcontext"
    r"|tomcat\.dbcp|logging\.log4j\.core\.appender)|com\.sun\.(?:org\.apache\.(?:xalan|bcel|xpath)\.|rowset\.jdbcrowset"
    r"|jndi\.|syndication\.feed\.impl)|sun\.(?:reflect\.annotation|rmi\.|print\.)|javax\.(?:script\.scriptenginemanager"
    r"|management\.(?:badattribute|remote\.rmi)|imageio\.(?:imageio|spi)|swing\.(?:uidefaults|jeditorpane))"
    r"|java\.(?:util\.(?:priorityqueue|serviceloader)|beans\.(?:eventhandler|xmlencoder|xmldecoder)|rmi\.server"
    r"|lang\.processbuilder"
    r"|net\.(?:urlclassloader|inet4address|url|inetaddress)(?:$|['\"])|lang\.(?:class|runtime)(?:$|['\"]))"
    r"|ch\.qos\.logback\.core\.(?:db|jndi)"
    r"|com\.mchange\.v2\.c3p0|com\.zaxxer\.hikari|org\.(?:springframework\.(?:context\.support\.(?:classpath"
    r"|filesystem)xml"
    r"|aop\.support|beans\.factory\.(?:config\.property|objectfactory)|jndi\.support|core\.serializabletypewrapper)"
    r"|codehaus\.groovy\.runtime\.(?:convertedclosure|methodclosure)|hibernate\.(?:jmx|engine\.spi|tuple\.component)"
    r"|mozilla\.javascript\.(?:nativejavaobject|idscriptable)|jboss\.(?:interceptor|weld)|python\.core\.py|clojure\.)"
    r"|groovy\.util\.expando|bsh\.(?:interpreter|xthis)|clojure\.(?:inspector|core\$)|net\.sf\.ehcache\.transaction"
    r"|br\.com\.anteros|com\.caucho\.(?:config|naming)|oracle\.jdbc\.(?:connector|rowset)|flex\.messaging\.util)"
)


def _routing_expression(subject: Subject) -> str | None:
    for name in subject.exchange.inbound.headers:
        name = name.lower()
        if name.startswith("spring.cloud.function.") or "class.module." in name:
            return "a field whose name is evaluated"
    return None


LOOKUPS = Pack(
    "lookup",
    (
        Signature(
            "lookup-01",
            r"[$%#@*]\{? ?+\{ ?+jndi ?+[:$]|jndi:(?:ldaps?|rmi|dns|nis|iiop|corba|nds|https?)(?::|\$|/)"
            r"|\}ndi ?+:|\}(?:ldaps?|rmi|dns|iiop)[:$]|:(?:ldap|rmi|dns|iiop)s?\$\{",
            "a lookup of a name in JNDI",
            where=Part.ANYWHERE | Part.TARGET,
        ),
        Signature(
            "lookup-02",
            r"\$\{ ?+(?:lower|upper|base64|date|k8s|main|map|sd|ctx|marker) ?+: ?+['\"]?[\w${'\"./:=+-]{0,80}+['\"]?\}"
            r"|\$\{[a-z]{0,4}\$\{[^{}:]{0,40}+:|\$\{[^{}]{0,40}+::?-[^{}]{1,4}+\}[^ ${}]{0,6}+\$\{"
            r"|\$\{::-[^{}]{1,20}+\}|\}[a-z:/]{0,4}\$\{[^{}]{0,40}+::?-[^{}]{1,6}+\}",
            "lookups within lookups, as what is to be hidden is written",
            where=Part.ANYWHERE | Part.TARGET,
        ),
        Signature(
            "lookup-03",
            r"\$\{ ?+(?:" + _LOG4J + r" ?+:|hostname\})",
            "a lookup of Log4j in a field or the path",
            where=Part.PATH | Part.FIELDS | Part.COOKIE_NAME | Part.NAME,
        ),
        Signature(
            "lookup-04",
            r"^[^ ]{0,80}\$\{ ?+(?:sys|java|ctx|main|bundle|log4j|spring|web|docker|kubernetes|event|mdc) ?+:"
            r" ?+[\w.()/':-]{1,80}+\}|\$\{java:(?:version|os|hw|vm|runtime|locale)\}",
            "a lookup of Log4j that is what a value begins with",
            where=Part.TOLD,
        ),
        Signature(
            "lookup-05",
            r"\$\{ ?+(?:script ?+: ?+[a-z]{2,20}+ ?+:|dns ?+: ?+(?:address|name|canonicalname)\|"
            r"|url ?+: ?+[\w-]{3,12}+ ?+:|file ?+: ?+"
            r"(?:utf-8|[\w-]{3,12}+) ?+:|const ?+: ?+(?:java|javax|org)\.|xml ?+: ?+[^{}:]{1,60}+:/|resourcebundle ?+:"
            r"|urldecoder ?+:|urlencoder ?+:|base64(?:de|en)coder ?+:|properties ?+: ?+[^{} ]{1,80}+::)",
            "a lookup of Commons Text",
            where=Part.ANYWHERE | Part.TARGET,
        ),
        Signature(
            "lookup-06",
            r"[$%#*@~]\{{1,2}[^{}]{0,200}?" + _RUNS,
            "an expression that reaches the classes of Java",
            where=Part.ANYWHERE | Part.TARGET,
        ),
        Signature(
            "lookup-07",
            r"#_memberaccess|@ognl\.ognlcontext|ognlcontext@default|@java\.lang\.(?:runtime|system|class|string"
            r"|character|thread|math)@"
            r"|@org\.apache\.\w{2,20}\.[\w.]{1,80}+@|com\.opensymphony\.(?:xwork2|webwork)\b|xwork\.methodaccessor"
            r"|\(#[a-z_]\w{0,20}+ ?+=|#(?:context|session|parameters|application|attr|request|root)\[['\"]"
            r"|allowstaticmethodaccess"
            r"|(?:^|[?&])(?:redirect|redirectaction|action|method):[%$#]\{[^{} ]{0,60}?[#@(=*+]"
            r"|#_?\w{0,10}memberaccess|\['#?(?:context|session|this"
            r"|parent)'\]\(",
            "an expression of OGNL",
            where=Part.ANYWHERE | Part.TARGET,
        ),
        Signature(
            "lookup-08",
            r"['\"]['\"]?\.getclass ?+\( ?+\)|\.class\.forname ?+\(|\bt ?+\( ?+java\.(?:lang|io|nio|net|util)\."
            r"|['\"]\.class\.getmethod"
            r"|\(\) ?+\.class(?:loader)?\.(?:forname|getmethod|newinstance)|param\.getclass ?+\("
            r"|\(new javax\.script\.|['\"] ?+\+ ?+\{ ?+class\.forname"
            r"|getclass\(\)\.(?:forname|getclassloader|getmethods?|getprotectiondomain|getsuperclass"
            r"|classloader)\b[^;]{0,120}?(?:getruntime|exec|processbuilder|scriptengine|invoke|newinstance)",
            "a class of Java reached from a text",
            where=Part.ANYWHERE,
        ),
        Signature(
            "lookup-09",
            r"(?:^|[^$\w])[#%*@~]\{ ?+-?\d{1,9}+ ?+[-+*/%] ?+-?\d{1,9}+ ?+\}"
            r"|^[^ ]{0,40}\$\{ ?+-?\d{1,9}+ ?+[-+*/%] ?+-?\d{1,9}+ ?+\}"
            r"|\$\{\{ ?+-?\d{1,9}+ ?+[-+*/] ?+-?\d{1,9}+ ?+\}\}|[$#%*]\{ ?+(?:'[^'{}]{0,20}+'"
            r"|\"[^\"{}]{0,20}+\")\.(?:concat|tostring|"
            r"class|length|replace|touppercase|substring) ?+\(?|[$#%*]\{\{?\d{3,9}+ ?+\* ?+\d{3,9}+\}",
            "an expression that shows whether it is evaluated",
            where=Part.ANYWHERE,
        ),
        Signature(
            "lookup-10",
            r"(?:^|[^\w])class(?:\.module|\[['\"]?module['\"]?\])?(?:\.|\[['\"]?)(?:classloader|protectiondomain)\b"
            r"|(?:^|[^\w])(?:this|session|application|request)?\.?class\.module\.|classloader(?:\.|\[['\"]?)resources\b"
            r"|\bclassloader\.(?:parent|urls|repositories|jarpath|defaultassertionstatus|context|dircontext)\b"
            r"|pipeline\.first\.(?:pattern|suffix|directory|prefix|filedateformat)",
            "the way from a bean to its class loader",
            where=Part.NAME | Part.COOKIE_NAME | Part.TARGET,
        ),
        Signature(
            "lookup-11",
            r"^[^ ]{0,40}class(?:\.module\.|\[['\"]?module['\"]?\])[.\[]?['\"]?classloader\b"
            r"|class\.module\.classloader\.resources"
            r"|^class\.classloader\b|[?&;]class\.(?:module\.)?classloader\b|(?:^|[&?])class\[['\"]?classloader",
            "the way from a bean to its class loader, in a value",
            where=Part.VALUE | Part.COOKIE | Part.PATH,
        ),
        Signature(
            "lookup-12",
            r"(?:^|[^a-z0-9+/_-])ro0ab[a-z0-9+/_-]|(?:^|[^a-z0-9])aced0005(?:7[0-9a-f]|$)|\\xac\\xed\\x00\\x05"
            r"|%ac%ed%00%05|(?:^|[^a-z0-9+/=_-])h4siaaaaaaaa[a-z0-9+/]{2,8}+z8b|application/x-java-serialized-object",
            "a serialized object of Java",
            form=Form.AS_IS,
            where=Part.ANYWHERE,
        ),
        Signature(
            "lookup-13",
            r"^[\[{\"' ]{0,4}+l?" + _GADGET + r"[\w.$]{0,80}+ ?+(?:$|[;,'\"\[{])"
            r"|['\"<@!( ]@?type['\"]? ?+[:=] ?+['\"]l?" + _GADGET + r""
            r"|\[ ?+['\"]" + _GADGET + r"|!!" + _GADGET + r"|<" + _GADGET + r"|class=['\"]" + _GADGET,
            "a class whose objects run code when they are read",
            where=Part.ANYWHERE,
        ),
        Signature(
            "lookup-14",
            r"<(?:java(?: version=| class=|>)[^<>]{0,60}+(?:> ?+<)?object class=|object class=['\"](?:java|javax"
            r"|com\.sun)\.|void (?:method|property)="
            r"['\"](?:exec|start|invoke|newinstance|println|write)|dynamic-proxy>|java\.util\.(?:priorityqueue"
            r"|concurrent)|sorted-set>"
            r" ?+<(?:string|dynamic)|javax\.naming\.|jdk\.nashorn\.|com\.sun\.|sun\.(?:misc|tracing))"
            r"|java\.beans\.xmldecoder|<tree-map> ?+<entry> ?+<(?:jdk|javax|com|sun)"
            r"|class=['\"]java\.beans\.eventhandler",
            "an object of Java written in XML",
            where=Part.ANYWHERE,
        ),
        Signature(
            "lookup-15",
            r"(?:^|[;{}:\"'|=])[oc]:\+?\d{1,4}+:\\?\"[\w\\]{1,120}+\\?\":\d{1,5}+:\{|\bphar://|(?:^"
            r"|[^a-z0-9+/=_-])tzox?[a-z0-9]{0,2}(?:oi|io)[a-z0-9+/]{8}",
            "a serialized object of PHP",
            where=Part.ANYWHERE,
        ),
        Signature(
            "lookup-16",
            r"(?:!!|2002:)python/(?:object(?:/apply|/new)?|name|module):|['\"]?py/(?:object|reduce|repr|type"
            r"|function|newobj|ref)['\"]? ?+:"
            r"|(?:^|[ .])c(?:posix|nt|os|__builtin__|builtins|subprocess|commands|sys|platform|pty|code|socket"
            r"|webbrowser) (?:system|popen\w?|eval|"
            r"exec|execfile|compile|getattr|open|call|check_output|run|spawn\w{0,3}|__import__|globals|modules"
            r"|apply)(?: ?+\(| p\d| ?+$)|\(s'[^']{1,200}+' ?+(?:p\d{1,2} )?tr\."
            r"|(?:^|[^a-z0-9+/=_-])gas[vw][a-z0-9+/]{1,3}aaaaaa|^gan[a-z0-9+/]{6,60}+$(?<=\.)|(?:^"
            r"|[^a-z0-9+/_-])y(?:29zc|3bvc2|19fyn|2xvcw)[a-z0-9+/]{8}",
            "a serialized object of Python",
            where=Part.ANYWHERE,
        ),
        Signature(
            "lookup-17",
            r"^(?:py/(?:object|reduce|repr|type|function|newobj|initargs)|[\w.\[\]]{0,60}\.py/(?:object|reduce|repr"
            r"|type|function))$|(?:^|[.\[])(?:_\$\$nd_func\$\$_|__js_function|json_class|\^o|\$type)\]?$",
            "a field that names the class of an object",
            where=Part.NAME,
            severity=Severity.ERROR,
            paranoia=2,
        ),
        Signature(
            "lookup-18",
            r"!ruby/(?:object|hash|struct|class|module|regexp|sym|exception|range|array|string|marshalable)[: ]"
            r"|(?:^|[:'\"=])gem::(?:requirement|installer|specfetcher|source|stubspecification|dependencylist|safemarshal"
            r"|resolver|package::)[\w:]{0,60}+(?:$|[:'\"{;])|\bgem::(?:\w{3,20}::)?+\w{3,20}\[ "
            r"|activesupport::deprecation::deprecatedinstancevariableproxy|erb ?+\.?:?\"?@src"
            r"|['\"]json_class['\"] ?+: ?+['\"]|['\"]\^o['\"] ?+: ?+['\"]",
            "a serialized object of Ruby",
            where=Part.ANYWHERE,
        ),
        Signature(
            "lookup-19",
            r"_\$\$nd_func\$\$_|['\"]?__js_function['\"]? ?+:|!!js/(?:function|regexp|undefined)"
            r"|tag:yaml\.org,2002:js/|_\$\$nd_cc\$\$_"
            r"|['\"]_ctor['\"] ?+: ?+['\"]|__cryo_(?:function|ref|object|date)__",
            "a serialized function of Node.js",
            where=Part.ANYWHERE,
        ),
        Signature(
            "lookup-20",
            r"(?:^|[^a-z0-9+/=])aaeaaad/{4,6}aqa|ap////8b(?:a{3}|aaa)|(?:^|[^a-z0-9+/=])/w(?:ey"
            r"|sr)[a-z0-9+/]{2,6}+a(?:a|q)a|system\.windows\.data\.objectdataprovider|objectdataprovider"
            r"|typeconfused?delegate|textformattingrunproperties|system\.(?:security\.principal\.windowsidentity"
            r"|security\.claims\.claimsidentity"
            r"|diagnostics\.process|activator|web\.security\.rolesprincipal|management\.automation\.psobject"
            r"|configuration\.install\.assemblyinstaller"
            r"|workflow\.componentmodel|windows\.markup\.xamlreader|io\.fileinfo|drawing\.design|data\.dataset"
            r"|xml\.xmldocument) ?+, ?+[\w.]"
            r"|\$type['\"]? ?+: ?+['\"](?:system|microsoft|presentation)[\w.`+\[\], ]{3,200}+,",
            "a serialized object of .NET",
            where=Part.ANYWHERE,
        ),
        Signature(
            "lookup-21",
            r"^ ?+(?:rmi|iiop(?:name)?|corba(?:name|loc)|jnp|t3s?|nis)://?[\w\[]|^ ?+corba(?:name|loc):"
            r"|^ ?+ldaps?://[\w.:-]{3,100}+/(?:[\w%=,#.$-]{1,100}$|$)",
            "the address of an object that a name stands for",
            where=Part.TOLD,
            severity=Severity.ERROR,
            paranoia=2,
        ),
        Check(
            "lookup-22",
            _routing_expression,
            "the name of a field that is evaluated",
            unusual=True,
        ),
        Signature(
            "lookup-23",
            r"\$\{ ?+(?:" + _LOG4J + r"|script|dns|url|file|const|jndi|xml|sys|properties) ?+:|\$\{[^{}$]{0,60}+\$\{"
            r"|[#%*@]\{[^{}]{1,100}+\}|<%[=@!]",
            "what a template or a logger would replace",
            where=Part.ANYWHERE,
            paranoia=2,
        ),
        Signature(
            "lookup-24",
            r"(?:^|[;{])[as]:\d{1,6}+:(?:\{|\")|(?:^|[^a-z0-9+/=_-])(?:bah[bcfiouv]|h4sia|aaeaad|gas[vw]|yto"
            r"|tzo)[a-z0-9+/]{12}|\b(?:java|javax|com\.sun)\.[a-z]{2,20}\.[a-z.]{2,60}",
            "what begins as serialized objects do, or a name of Java",
            where=Part.TOLD,
            severity=Severity.WARNING,
            paranoia=3,
        ),
        Signature(
            "lookup-25",
            r"[$#%@*]\{|\$\(|\{\{|<%|!!|#\w{1,20} ?+=|@\w{1,40}@|\[['\"]",
            "what expressions begin with",
            where=Part.ANYWHERE,
            severity=Severity.WARNING,
            paranoia=4,
        ),
        Signature(
            "lookup-26",
            r"^[^ ]{0,80}\$\{ ?+env ?+: ?+[\w.()/':-]{1,80}+\}",
            "a lookup of the environment, as loggers do, and editors too",
            where=Part.TOLD,
            severity=Severity.WARNING,
        ),
    ),
)
