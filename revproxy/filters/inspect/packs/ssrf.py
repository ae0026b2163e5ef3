"""Requests that a server is made to send for somebody else (CWE-918), files of other servers that it is made to run
(CWE-98), and external entities of XML, which do both (CWE-611, CWE-776).

An address in a text is an address; one that is the whole value of a parameter is likely to be fetched. So what is only
suspicious as such a value is looked for at its beginning, before the first space. An identity provider that lets native
applications have ``http://localhost/`` as a redirection (RFC 8252, section 7.3) excludes ``redirect_uri``; ports from
1024 on, which those applications use, pass here unless a well-known service listens there.
"""

from __future__ import annotations

from ....security_log import Severity
from ..forms import Form
from ..pack import Pack
from ..signature import Signature
from ..subject import Check, Subject
from ..value import Part

__all__ = ["SSRF"]

_TOLD = Part.TOLD
_URL = (
    r"^(?!(?:jdbc|postgres|m(?:ysql|aria|ongodb|qtt)|r(?:edis|tsp)|amqp|n(?:ats|eo4j)|kafka|sqlserver"
    r"|bolt)[a-z+]{0,9}+:)[^ ]{0,160}(?::/|//|\\\\)[/\\]{0,2}+"
)
"""Up to the host of a URL, which may itself be in the query of another; nothing but URLs before it. What a setting
names a database or a camera by is fetched by nobody."""
_DOT = r"[^ -\-/-~]"
"""A dot, or what a resolver may take for one (UTS 46): no other character of a form is left by this."""
_END = r"\.?+(?![^:/?#\\&])"
_USER = r"(?:[^ /@]{1,60}+@)?+"
_METADATA = (
    rf"1(?:69{_DOT}254{_DOT}1(?:69{_DOT}25[0-4]|70{_DOT}2)|00{_DOT}100{_DOT}100{_DOT}200|92{_DOT}0{_DOT}0{_DOT}192"
    rf"|68{_DOT}63{_DOT}129{_DOT}16)"
)
_LOOPBACK = (
    rf"(?:127{_DOT}\d{{1,3}}+{_DOT}\d{{1,3}}+{_DOT}\d{{1,3}}+|0{_DOT}0{_DOT}0{_DOT}0|localhost(?:\.localdomain)?+"
    r"|ip6-localhost)"
)
_PRIVATE = (
    r"1(?:0\.\d{1,3}+|72\.(?:1[6-9]|2\d|3[01])|92\.168|69\.254|00\.(?:6[4-9]|[789]\d|1[01]\d|12[0-7]))"
    r"\.\d{1,3}+\.\d{1,3}+"
)
_SERVICE = (
    r"(?:\d{1,3}+(?!\d)|1(?:025[05]|1211|433|5(?:21|672)|6379)|2(?:049|181|37[5-9]|380|701[789])|3306|4(?:194|243)"
    r"|5(?:0070|432|672|984)|6(?:066|379|443)|7(?:001|077)|8(?:009|086|161|500|600)|9(?:0(?:00|42|90)|[123]00|999))"
)
"""Ports below 1024, and those of databases, caches, queues, containers and clusters."""
_WITHIN = (
    r"(?:[\w-]{1,60}+(?![.\w])|[^ /:]{1,60}+(?<=[\d\]])|[\w.-]{1,60}+(?:(?<=\.internal)|(?<=\.local)|(?<=\.consul)"
    r"|(?<=\.svc)))(?::\d{1,5}+)?+"
)
"""A host that is no name of the Internet's: one label, an address, or of a domain that is private."""
_SYSTEM_FILE = (
    r"(?:etc|proc|sys|dev|root|var/(?:log|www|run|lib)|run/secrets|c[:|]/{1,2}+(?:windows|winnt|boot|inetpub)|windows/"
    r"|boot\.ini)"
)

_METADATA_FIELDS = (
    "Metadata-Flavor",
    "X-Google-Metadata-Request",
    "X-aws-ec2-metadata-token",
    "X-aws-ec2-metadata-token-ttl-seconds",
    "X-aliyun-ecs-metadata-token",
    "X-aliyun-ecs-metadata-token-ttl-seconds",
    "Metadata-Token",
    "Metadata-Token-Expiry-Seconds",
)


def _asks_for_metadata(subject: Subject) -> str | None:
    headers = subject.exchange.inbound.headers
    for field in _METADATA_FIELDS:
        if field in headers:
            return f"the field {field}"
    return "the field Metadata" if headers.get("Metadata", "").strip().lower() == "true" else None


def _declares_a_type(subject: Subject) -> str | None:
    return "an XML body with a document type declaration" if "doctype" in subject.troubles else None


SSRF = Pack(
    "ssrf",
    (
        Signature(
            "ssrf-01",
            rf"{_URL}{_METADATA}{_END}|^{_METADATA}(?::\d{{1,5}}+)?+/",
            "the address of a cloud's metadata service",
            where=_TOLD | Part.FIELD,
        ),
        Signature(
            "ssrf-02",
            r"^[^ ]{0,160}(?:[/@.]metadata\.(?:google|goog|azure|tencentyun|packet|platformequinix|nifcloud)\b"
            r"|[/@]instance-data[./:]|[/@]metadata(?:\.internal)?/(?:computemetadata|v1|latest)|/latest/(?:meta-data"
            r"|user-data|dynamic/instance|api/token)|/computemetadata/v1|/metadata/(?:instance\b|identity|v1/"
            r"|v1\.json)|/opc/v[12]/|/openstack/(?:latest|20\d\d)|/hetzner/v1/metadata|/2009-04-04/meta-data)",
            "a cloud's metadata by name or path",
            where=_TOLD | Part.FIELD,
        ),
        Signature(
            "ssrf-03",
            rf":[/\\]{{1,4}}+{_USER}(?:0x[0-9a-f]{{7,16}}+|0[0-7]{{9,19}}+|[1-9]\d{{7,9}}+){_END}",
            "an address as one number",
            where=_TOLD,
        ),
        Signature(
            "ssrf-04",
            rf":[/\\]{{1,4}}+{_USER}(?:\d{{1,4}}+{_DOT}){{0,3}}0(?:x[0-9a-f]{{1,10}}+"
            rf"|\d{{1,11}}+)(?:{_DOT}[\da-fx]{{1,10}}+){{0,3}}+{_END}",
            "an address with an octal or hexadecimal part",
            where=_TOLD,
        ),
        Signature(
            "ssrf-05",
            rf":[/\\]{{1,4}}+{_USER}(?:0{{1,8}}+|\d{{1,3}}+{_DOT}\d{{1,8}}+(?:{_DOT}\d{{1,5}}+)?+){_END}",
            "an address with fewer than four parts",
            where=_TOLD,
        ),
        Signature(
            "ssrf-06",
            rf"{_URL}{_USER}\[(?:[0:]{{1,36}}+(?:1?+\]|(?:ffff:)?+(?:0{{1,4}}:)?+(?:1(?:27|0|69\.254|92\.168|72)"
            rf"|0)\.\d"
            r"|ffff:(?:7f|c0a8|a(?:9fe|c1|[0-9a-f]{2}:)|0a[0-9a-f]{2}:))|64:ff9b:|f(?:[cd][0-9a-f]|e[89ab])[0-9a-f]:)",
            "a loopback or private address of IPv6, or one of IPv4 in it",
            where=_TOLD,
        ),
        Signature(
            "ssrf-07",
            rf"{_URL}{_LOOPBACK}(?:\.?+:{_SERVICE})?+\.?+(?![^/?#\\&])|^https?:(?:{_LOOPBACK}|{_METADATA}){_END}",
            "this host as the server of a URL",
            where=_TOLD,
        ),
        Signature(
            "ssrf-08",
            rf"{_URL}{_PRIVATE}:{_SERVICE}{_END}",
            "a service of a private network in a URL",
            where=_TOLD,
        ),
        Signature(
            "ssrf-09",
            rf"^[a-z]{{2,8}}+:[/\\]{{2,4}}+[^ /\\@]{{1,60}}@{_DOT}?(?:{_LOOPBACK}|{_METADATA}|{_PRIVATE}){_END}"
            r"|^https?:[/\\]{2,3}+[a-z\d-]{1,30}+\.[a-z\d.-]{1,60}+(?::[^ /@\\]{0,30}+"
            r"|[\\#?&;%][^ @]{0,30}+)?+ ?+@[a-z\d\[]|^https?:[/\\]{2,3}+[^ /@\\?#]{1,60}+[\\#?& ]{1,3}+@",
            "a URL whose host is behind what looks like one",
            where=_TOLD,
        ),
        Signature(
            "ssrf-10",
            r"//[^ /]{0,40}\b(?:127|10|192[.-]168|172[.-](?:1[6-9]|2\d|3[01])"
            r"|169[.-]254)[.-]\d{1,3}+[.-]\d{1,3}+(?:[.-]\d{1,3}+)?+\.(?:nip|sslip|xip|traefik|ip\.nip"
            r"|backname)\.(?:io|me)|//[^ /]{0,40}\b(?:7f000001|a9fea9fe|0a[0-9a-f]{6}|c0a8[0-9a-f]{4})\.(?:nip\.io"
            r"|rbndr\.us|[0-9a-f]{8}\.rbndr\.us|sslip\.io)|\.(?:rbndr\.us|1u\.ms)\b|make-[^ /]{3,60}-rr\."
            r"|//(?:[\w.-]{0,40}\.)?(?:localtest\.me|lvh\.me|vcap\.me|fuf\.me|lacolhost\.com|localh\.st|yoogle\.com"
            r"|lvh\.io|ulh\.us|127-0-0-1\.org\.uk|readme\.localtest\.me)(?:[:/?#]|$)",
            "a public name of a private address",
            where=_TOLD,
        ),
        Signature(
            "ssrf-11",
            r"\.(?:burpcollaborator\.net|oastify\.com|oast(?:ify)?\.(?:pro|live|site|online|fun|me|com)|interact\.sh"
            r"|interactsh\.com|dnslog\.(?:cn|org|pw)|ceye\.io|bxss\.(?:me|in)|xss\.(?:ht|report)|dnsbin\.zhack\.ca"
            r"|r87\.(?:me|com)|exfil\.io|eyes\.sh|vcap\.cn|requestrepo\.com|canarytokens\.com|pingb\.in"
            r"|dns\.outbound\.watchtowr\.com)\b",
            "a server that tells its user who has asked it",
            where=Part.ANYWHERE,
        ),
        Signature(
            "ssrf-12",
            r"^ ?+[\"']?+(?:url[:=] ?+)?+(?:(?:gophers?|dict|netdoc|tftp|jar|phar|expect|zip|rar|ogg|glob|zlib"
            r"|ssh2(?:\.\w{4,6})?|compress\.(?:zlib|bzip2)|local[-_]file|iiop|rmi|corba\w{0,4}|nis):"
            r"(?:[/\\]|https?:|file:|ftp:|gopher:)|data://\w|view-source:file:|php:[/\\]{1,2}+[^ ]{0,200}+(?! [a-z]))"
            r"|\b(?:gopher|dict|netdoc|tftp)://[^ /]{1,60}:\d",
            "a URL of a scheme that no browser follows",
            where=_TOLD,
        ),
        Signature(
            "ssrf-13",
            rf"\bfile:/{{1,6}}(?:(?:localhost|127\.0\.0\.1|[\w.-]{{1,40}})/{{1,2}})?{_SYSTEM_FILE}|^ ?(?:url[:=] ?)?"
            r"file:(?:/{1,4}|\.\.)(?:etc|proc|home|usr|opt|srv|app|\w{1,20}\.(?:php|ini|conf|txt|env)|\$|\.\.)"
            r"|^ ?(?:url[:=] ?)?file:/{3,4}$",
            "a file of the server as a URL",
            form=Form.PATH,
            where=_TOLD | Part.FIELD,
        ),
        Signature(
            "ssrf-14",
            r"^ ?+[\"']?+(?:https?|ftps?):[/\\]{2}[^ ?#]{1,120}\.(?:(?:txt|php\d?+|phtml|inc|cgi|pl|sh|dat"
            r"|log)(?:\?(?:\?{0,3}+$|&?+(?:c(?:md|ommand)|exec|[cx](?==(?:id|ls|cat|whoami|uname|dir|pwd|wget|curl"
            r"|phpinfo)\b))=)|%00|;$)|(?:gif|jpe?+g|png|aspx?+|jsp)(?:\?(?:\?{1,3}+$|(?:cmd|exec)=)|%00|;$))",
            "a script of another server, to be included",
            where=_TOLD,
        ),
        Signature(
            "ssrf-15",
            r"^ ?+[\"']?+(?:https?|ftps?):[/\\]{2}[^ ?#]{0,100}[/_-](?:c99|r57|wso|b374k|shell|cmd|backdoor|webshell"
            r"|rfi|evil|payload|phpinfo)\w{0,8}+\.(?:txt|php|phtml|inc|gif|jpe?+g|png|asp|jsp|war|dtd|xml|class|sh)"
            r"|^ ?(?:https?|ftp):[/\\]{2}\d{1,3}+\.\d{1,3}+\.\d{1,3}+\.\d{1,3}+[^ ?#]{0,100}\.(?:txt|php|inc|dtd|jsp"
            r"|sh|class|jar|ser|xsl)\b",
            "a web shell, or a script at an address without a name",
            where=_TOLD,
        ),
        Signature(
            "ssrf-16",
            rf"^[a-z]{{3,6}}+:[/\\]{{2}}(?:{_WITHIN}/(?:(?:v\d\.\d{{1,2}}+/)?+(?:containers|images|exec)/(?:json"
            r"|create|search|[0-9a-f]{8})|(?:run|exec|pods|runningpods|cri|containerlogs|portforward)/|pods$"
            r"|v1/(?:agent/(?:self|service|check)|kv/|catalog/|sys/(?:seal|health|mounts)|secret/)|v[23]/(?:keys"
            r"|kv/range|members|auth)\b|_(?:cat|cluster|nodes|all_dbs|search|shutdown)(?:/|\?|$)|_stats/?$"
            r"|manager/(?:html|text)|phpmyadmin|solr/admin)|[^ /]{1,100}+/(?:containers/json|api/v1/(?:namespaces"
            r"|pods|secrets|nodes)\b|server-(?:status|info)\b|jmx-console|actuator/(?:env|heapdump|gateway|jolokia"
            r"|mappings|beans|configprops)|jolokia/|debug/pprof|stats;csv|nginx_status))",
            "an interface of a container engine, a cluster or a database in a URL",
            where=_TOLD,
        ),
        Signature(
            "ssrf-17",
            rf"{_URL}(?:kubernetes(?:\.default)?(?:\.svc)?(?:\.cluster\.local)?"
            r"|[\w-]{1,60}+\.[\w-]{1,60}+\.svc(?:\.cluster\.local)?|host\.docker\.internal|gateway\.docker\.internal"
            r"|docker(?:\.sock)?|consul|vault|etcd|redis|elasticsearch|memcached|rabbitmq|metadata)(?:[:/?#]|$)"
            r"|^[^ ]{0,80}unix:/{1,3}+(?:var|run|tmp)|^/var/run/docker\.sock",
            "a name that only a cluster knows, or a socket of the system",
            where=_TOLD,
        ),
        Signature(
            "ssrf-18",
            r"<! ?entity (?:% ?)?[^ <>]{1,60} (?:system|public)\b",
            "an external entity of XML",
            where=_TOLD,
        ),
        Signature(
            "ssrf-19",
            r"<! ?+entity ?+%|\[ ?+%[a-z_][\w.-]{0,30}+;|(?:%[a-z_][\w.-]{0,30}+; ?+){1,2}+\]>"
            r"|&#(?:x0{0,4}+25|0{0,4}+37);? ?[\w.-]{1,30}+ (?:system|public)\b",
            "a parameter entity of XML",
            where=_TOLD,
        ),
        Signature(
            "ssrf-20",
            r"<!doctype [^<>\[]{1,200}+\[(?! ?\])",
            "a document type that declares entities",
            where=_TOLD,
        ),
        Signature(
            "ssrf-21",
            r"<!doctype [\w:.-]{1,60}+ ?+(?:system ?+[\"'](?!about:|urn:)[a-z][a-z+.-]{1,12}+:"
            r"|public ?+[\"'][^\"']{0,120}+[\"'] ?+[\"'](?!https?://(?:[\w-]{1,20}+\.){0,3}(?:w3|apple|sun"
            r"|springframework|hibernate|apache|mybatis|oasis-open|docbook|struts|jcp|oracle|opensymphony|puppycrawl"
            r"|eclipse|jboss|wapforum|checkstyle|freedesktop|gnome|kde)\.)[a-z][a-z+.-]{1,12}+:)",
            "a document type at another server",
            where=_TOLD,
        ),
        Signature(
            "ssrf-22",
            r"<!entity [^ <>]{1,60}+ ?[\"'](?:[^\"'<>&]{0,20}+&[\w.-]{1,40}+;){2}",
            "an entity of entities, which grows as it is expanded",
            where=_TOLD,
        ),
        Signature(
            "ssrf-23",
            r"https?://www\.w3\.org/2001/xinclude|<\w{1,12}:include[ /][^<>]{0,100}(?:href|parse) ?=|<xsl:(?:include"
            r"|import)[ /][^<>]{0,80}href ?=|\b(?:document|unparsed-text|doc|collection)\( ?[\"'](?:file|https?|ftp"
            r"|/etc|jar|netdoc):?/",
            "an inclusion of XML or XSLT",
            where=_TOLD,
        ),
        Signature(
            "ssrf-24",
            r"\b(?:src|href|data|url|uri|poster|action|content|location|system|codebase|source|file|path"
            r"|nonamespaceschemalocation)"
            rf" ?+[=(] ?+[\"'(]{{0,2}}+(?:[a-z]{{2,6}}+://(?:{_LOOPBACK}|{_METADATA}"
            rf"|\[[0:]{{2,8}}+1?+\])(?::{_SERVICE})?+(?:[/?#\"' >)]|$)"
            r"|(?:gopher|dict|netdoc|jar|phar|php|expect|ldaps?|tftp)s?:(?://|https?:|file:))",
            "a document that loads from this host, a metadata service or an odd scheme",
            form=Form.HTML,
            where=_TOLD,
        ),
        Check(
            "ssrf-25",
            _asks_for_metadata,
            "a field that only a metadata service reads, for another request to be forged by",
            fields=(*_METADATA_FIELDS, "Metadata"),
        ),
        Signature(
            "ssrf-26",
            rf"^[^ ]{{0,160}}//(?:{_LOOPBACK}|{_PRIVATE}|\[)",
            "an address of this host or of a private network in a URL",
            where=_TOLD,
            paranoia=2,
        ),
        Signature(
            "ssrf-27",
            r"^[^ ]{0,100}//(?:[\w-]{1,40}+(?![^:/?#])|(?:[\w-]{1,20}+\.){1,3}(?:internal|local|lan|corp|intranet|home"
            r"|svc|docker)(?![^:/?#]))|^[a-z]{2,8}:[/\\]{2}[^ /@]{1,60}@",
            "a name without a domain or of a private one, or a user in a URL",
            where=_TOLD,
            severity=Severity.ERROR,
            paranoia=2,
        ),
        Signature(
            "ssrf-28",
            r"^ ?(?:https?|ftps?)://[^ ]{1,200}\?{1,2}$|^(?!https?:)[a-z][a-z\d+.-]{2,11}+:/",
            "a URL of another scheme than HTTP, or with an empty query",
            where=_TOLD,
            paranoia=2,
        ),
        Check(
            "ssrf-29",
            _declares_a_type,
            "a document type in an XML body",
            paranoia=2,
        ),
        Signature(
            "ssrf-30",
            r"//\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b|//\[[0-9a-f:]{2,40}|//localhost\b",
            "an address in a URL",
            where=_TOLD,
            paranoia=3,
        ),
        Signature(
            "ssrf-31",
            r"^ ?[a-z][a-z\d+.-]{1,12}:[/\\]{2}|^ ?[/\\]{2}[\w.-]",
            "a URL as a whole value",
            where=_TOLD,
            severity=Severity.ERROR,
            paranoia=4,
        ),
        Signature(
            "ssrf-32",
            r"^(?:globals|_(?:conf(?:ig)?|server|request|get|post|cookie|session|env|files)) ?\["
            r"|^(?:mosconfig_absolute_path|phpbb_root_path|document_root|_php\w{0,10}_path)$",
            "a variable that PHP sets and scripts include from, as the name of a parameter",
            where=Part.NAME | Part.COOKIE_NAME,
        ),
    ),
)
