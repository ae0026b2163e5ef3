"""Ways out of a directory, and files that nobody should ask for by name (CWE-22, CWE-23, CWE-36, CWE-98): dot segments
in any encoding, absolute paths and UNC names as a whole value, wrappers of PHP, files that belong to a deployment and
not to a site."""

from __future__ import annotations

from ....security_log import Severity
from ..forms import Form
from ..pack import Pack
from ..signature import Signature
from ..value import Part

__all__ = ["TRAVERSAL"]

_ASKED = Part.PATH | Part.TOLD

_UP = r"\.\.[; ]?/{1,3}"
_PATH = r"^ ?[\w/.:~=@+-]{0,100}"
"""Where a value is a path, and nothing but one up to here: in prose there are spaces."""

_ETC = (
    r"etc/{1,3}(?:passwd|master\.passwd|shadow|gshadow|group|hosts|issue|motd|fstab|mtab|cron|sudoers|profile"
    r"|environment|hostname"
    r"|resolv|nginx|apache|httpd|php|my\.cnf|mysql|ssh|ssl|vsftpd|proftpd|samba|redhat-release|os-release|init|rc\."
    r"|inetd|xinetd|security|pam|ld\.so|network|kubernetes|exports|aliases|lighttpd|postgresql|default/)"
)
_UNIX = (
    rf"{_ETC}|proc/{{1,3}}(?:self|\d{{1,7}}/|version|cmdline|cpuinfo|net/|mounts|sched_debug|config\.gz)"
    r"|var/{1,3}(?:log/|run/|mail/|spool/|lib/(?:mlocate|mysql|php)/|tmp/sess_)|tmp/sess_"
    r"|usr/local/(?:etc|apache\d?|nginx|app|lib/php|zeus)/|root/\.|home/{1,2}[\w.*$-]{1,20}/\."
    r"|dev/(?:fd|stdin|urandom|zero|random)|sys/(?:class|kernel|devices)/|opt/(?:lampp|xampp)/|private/etc/"
)
_WINDOWS = (
    r"(?:windows|winnt)/{1,2}(?:win\.ini|system\.ini|system32|syswow64|repair/|debug/|panther/|php\.ini|my\.ini|iis"
    r"|temp/|tracing/|windowsupdate\.log)|boot\.ini|win\.ini|autoexec\.bat|inetpub/(?:logs|wwwroot|ftproot)"
    r"|sysprep\.(?:inf|xml)|unattend\.xml|system32/(?:config/|drivers/etc|inetsrv|cmd\.exe)|ntuser\.dat"
    r"|xampp/(?:apache|mysql|php|passwords)|wamp(?:64)?/bin"
)
_SCRIPT = (
    r"\.(?:php\d?|phtml|inc|aspx?|ascx|asmx|cs|vb|jspx?|java|py|rb|cgi|pl|sh|conf|cfg|cnf|config|ini|ya?ml|sql|env)"
)

TRAVERSAL = Pack(
    "traversal",
    (
        Signature(
            "traversal-01",
            rf"{_PATH}{_UP}\.\.(?:[; ]?/|$)(?![^ ]{{0,100}}+(?:: | [a-z]))",
            "two levels up, in a value that is a path",
            form=Form.PATH,
            where=_ASKED,
        ),
        Signature(
            "traversal-02",
            rf"(?<! ){_UP}(?:{_UNIX})|{_UP}etc/{{1,3}}(?:passwd|master\.passwd|shadow|gshadow|group|hosts)\b",
            "a level up, and from there to a file of Unix",
            form=Form.PATH,
            where=_ASKED | Part.FIELDS,
        ),
        Signature(
            "traversal-03",
            rf"{_UP}(?:{_WINDOWS})",
            "a level up, and from there to a file of Windows",
            form=Form.PATH,
            where=_ASKED | Part.FIELDS,
        ),
        Signature(
            "traversal-04",
            r"(?:\.|%(?:25){0,3}2e|%u002e|0x2e){2}(?:%(?:25){0,3}(?:2f|5c)|%u(?:221[56]|002f|005c|ff0f|ff3c)|0x2f|0x5c)"
            r"|%(?:25){0,3}2e(?:\.|%(?:25){0,3}2e)[/\\]|%%32%65|%%32%66|%%35%63|%25%32%65|\.%%\d"
            r"|\.\.%(?:bg%qf|25c|c0%|c1%)|(?:%u(?:ff0e|2024)){2}",
            "a way up whose dots or slashes are encoded twice",
            form=Form.AS_IS,
            where=Part.TOLD,
        ),
        Signature(
            "traversal-05",
            r"(?:\.|%(?:25)?2e|^|/)(?:%(?:25)?c0%(?:25)?(?:af|ae|2f|2e|5c|9v|qf)|%(?:25)?c1%(?:25)?(?:1c|9c|8s|pc|af)"
            r"|%(?:25)?e0%(?:25)?80%(?:25)?a[ef]|%(?:25)?f0%(?:25)?80%(?:25)?80%(?:25)?a[ef]"
            r"|%f8%80%80%80%a[ef]|%fc%80%80%80%80%a[ef])"
            r"|%(?:25)?c0%(?:25)?ae(?:%(?:25)?c0%(?:25)?a[ef]|/)|%c0%af(?:etc|win|boot|\.)",
            "dots or slashes in overlong UTF-8",
            form=Form.AS_IS,
            where=Part.TARGET | _ASKED,
        ),
        Signature(
            "traversal-06",
            r"(?:\.\.[^ -~]{1,6}){2,3}\w|\.\.[^ -~]{1,6}(?:etc|windows|winnt|boot\.ini|proc|var)\b"
            r"|[^ -~]{2,6}/[^ -~]{2,6}/(?:etc|boot\.ini|windows|winnt|proc)\b",
            "a way up whose slashes or dots are no UTF-8",
            form=Form.PATH,
            where=_ASKED,
        ),
        Signature(
            "traversal-07",
            r"(?:^|[/=;])(?:\.\.;[\w=]{0,20}/|\.;\./)|;/\.\./",
            "a dot segment with parameters, which some servers take for one without",
            form=Form.PATH,
            where=_ASKED,
        ),
        Signature(
            "traversal-08",
            rf"{_PATH}\.\.\.\.?/{{1,3}}+(?:\.\.\.\.?/|etc/|windows/|winnt/|proc/|var/|boot\.ini)",
            "more dots than a way up has, so that one is left when some are taken off",
            form=Form.PATH,
            where=_ASKED,
        ),
        Signature(
            "traversal-09",
            rf"^ ?(?:file:|[a-z]:|\w{{2,5}}=)?(?:/{{1,5}}+(?:{_UNIX})[^ ]{{0,200}}+(?: ?$| [;|&<>'\"`])"
            r"|/{0,5}+etc/(?:passwd|shadow)(?![\w.]| [a-z])|etc/(?:group|hosts)$)",
            "a file of Unix by its absolute path, as a whole value",
            form=Form.PATH,
            where=Part.TOLD,
        ),
        Signature(
            "traversal-10",
            rf"^ ?(?:file:/{{0,4}})?(?:[a-z][:|]|%(?:systemroot|windir|systemdrive)%)/{{0,3}}(?:{_WINDOWS}"
            rf"|windows/?$)(?![^ ]{{0,100}}+ [a-z])"
            r"|^ ?/{0,3}(?:boot\.ini$|(?:windows|winnt)/(?:win\.ini|system32/)(?![^ ]{0,100}+ [a-z]))"
            r"|^ ?%(?:systemroot|windir)%/",
            "a file of Windows by its absolute path, as a whole value",
            form=Form.PATH,
            where=Part.TOLD,
        ),
        Signature(
            "traversal-11",
            r"^ ?(?:(?:php|expect|zip|phar|glob|rar|ogg|compress\.(?:zlib|bzip2)|zlib|netdoc"
            r"|ssh2(?:\.\w{4,6})?)://?[\w./](?![^ ]{0,100}+ [^ ])"
            r"|jar:(?:https?|file|ftp)[:!])|php://(?:filter/(?:read|write|convert|resource|zlib|string|/)|input$)"
            r"|/resource=(?:php|data|file|expect|https?|\.{0,2}/|[\w.-]{1,20}$)|convert\.(?:base64-(?:en|de)code"
            r"|iconv)\b[/|.]",
            "a wrapper of PHP or Java where the name of a file is expected",
            where=Part.TOLD,
        ),
        Signature(
            "traversal-12",
            r"^ ?data://|^ ?data:[\w/;,=+-]{0,40}(?:,<\?|, ?<%|;base64,(?:pd9|pd8|pd94|pdw_|phnjcmlwdc))",
            "a data URI of code, or in the form that only PHP knows",
            where=Part.TOLD,
        ),
        Signature(
            "traversal-13",
            r"^ ?[\w/.:~%-]{0,40}(?<![\w.-])(?:\.git/(?:config|head|index|logs/|objects/|refs/|packed-refs|info/)"
            r"|\.svn/(?:entries|wc\.db|all-wcprops|props|text-base)|\.hg/(?:hgrc|store|requires|dirstate)|\.bzr/"
            r"|\.ssh/(?:id_|authorized_keys|known_hosts|config|identity)|id_(?:rsa|dsa|ecdsa|ed25519)$"
            r"|\.aws/(?:credentials|config)|\.kube/config|\.docker/config\.json|\.gnupg/|\.config/gcloud|\.netrc$"
            r"|\.pgpass$"
            r"|\.my\.cnf$|\.(?:bash|zsh|sh|mysql|psql|python)_history$|\.git-credentials$|\.(?:bash|zsh)rc$"
            r"|\.bash_profile$|\.dockercfg$|\.vscode/sftp\.json)[^ ]{0,200}+ ?$",
            "a file of a repository or of somebody's home",
            form=Form.PATH,
            where=_ASKED & ~Part.FILE,
        ),
        Signature(
            "traversal-14",
            r"/(?:\.env(?:\.(?:local|dev|development|prod|production|staging|test|bak|old|save|backup|\d))?$"
            r"|\.ht(?:access|passwd|group|digest)|(?:web|app|machine|applicationhost)\.config$|(?:web|meta)-inf(?:/|$)"
            r"|wp-config\.(?:php[._~\w-]|txt|bak|old|inc)|global\.asa(?:x|$)|\.user\.ini$|(?:docker-compose"
            r"|database)\.ya?ml$"
            r"|(?:local_)?settings\.py$|secrets\.(?:ya?ml|json|toml)$|\.travis\.yml$|\.terraform/|terraform\.tfstate)",
            "a file of the deployment, asked for by its path",
            form=Form.PATH,
            where=Part.PATH,
        ),
        Signature(
            "traversal-15",
            r"^ ?[\w/.:~-]{0,80}(?<!\w)(?:(?:web|meta)-inf/|(?:\.\./|^/)(?:\.env$|\.ht(?:access|passwd)|web\.config"
            r"|wp-config\.php|configuration\.php|config\.inc\.php|settings\.php|includes?/config|app/etc/"
            r"|config\.(?:php|ini|inc|ya?ml|json|py)$"
            r"|config/(?:database|config|secrets|app)\b|application/config|localsettings\.php))",
            "a file of the deployment, as a whole value",
            form=Form.PATH,
            where=Part.TOLD,
        ),
        Signature(
            "traversal-16",
            rf"{_SCRIPT}(?:\.(?:bak|old|orig|save|backup|copy|swp|swo|tmp|disabled)\d?|~|_bak|_old)$"
            r"|/\.[\w.-]{1,60}\.sw[nop]$|/%23[\w.-]{1,60}%23$",
            "a copy that an editor or an administrator has left behind",
            form=Form.PATH,
            where=Part.PATH,
        ),
        Signature(
            "traversal-17",
            r"/(?:back-?ups?|bak|dump|db|data|database|mysql|sql|site|website|www|wwwroot|html|htdocs|public_html"
            r"|web|old"
            r"|app|release|latest|users?|accounts|config|root|home|ftp|server)(?:[._-]?\d{1,8})?"
            r"\.(?:sql(?:\.\w{2,3})?|zip|rar|7z|tar|tgz|tar\.\w{2,3}|gz|bz2|bak|mdb|sqlite3?|dump)$",
            "an archive or a dump by the name that it would have",
            form=Form.PATH,
            where=Part.PATH,
            severity=Severity.WARNING,
        ),
        Signature(
            "traversal-18",
            r"^ ?(?:http|ftp)s?://[^ ?#]{1,80}(?:\.(?:txt|dat|inc)\?$|\?\?"
            r"|/(?:c99|r57|b374k|wso|shell|cmd)\d?\.(?:txt|php|gif|jpg))",
            "a script on another server, to be included",
            where=Part.TOLD,
        ),
        Signature(
            "traversal-19",
            r"^ ?\\\\(?:[\w.-]{1,60}\\(?:[a-z]|admin|ipc|print)\$|[?.]\\(?:[a-z]:|unc\\|globalroot|pipe\\|physical)"
            r"|localhost\\|127\.\d)|^ ?//(?:[?.]/[a-z]:|[\w.-]{1,60}/(?:[a-z]|admin|ipc)\$)|\\\\\.\\(?:global|pipe)",
            "an administrative share or a device of Windows",
            form=Form.AS_IS,
            where=Part.TOLD,
        ),
        Signature(
            "traversal-20",
            r"::\$(?:data|index_allocation)|\*~\d{1,2}[*./?]|[a-z]~\d{1,2}(?:\*|\?[*?/.])|/(?:aux|con|nul|prn|com\d"
            r"|lpt\d)(?:\.aspx?|/\.)",
            "a stream, a short name or a device of Windows in a path",
            form=Form.PATH,
            where=_ASKED,
        ),
        Signature(
            "traversal-21",
            rf"{_PATH}(?:(?<=/)|(?<![\w/.:~=@+-])){_UP}",
            "one level up, in a value that is a path",
            form=Form.PATH,
            where=_ASKED,
            paranoia=2,
        ),
        Signature(
            "traversal-22",
            r"^ ?(?:file:/{0,3})?/(?:etc|proc|sys|root|boot|dev|var|usr|opt|tmp|home|mnt|srv|bin|lib)/[\w.-]",
            "an absolute path of Unix, as a whole value",
            form=Form.PATH,
            where=Part.TOLD,
            paranoia=2,
        ),
        Signature(
            "traversal-23",
            r"^ ?(?:file:/{0,3})?[a-z]:/{1,3}+[\w$.-]{1,60}+(?:/|$)|^ ?file:/",
            "an absolute path of Windows, or a file's URL, as a whole value",
            form=Form.PATH,
            where=Part.TOLD,
            paranoia=2,
        ),
        Signature(
            "traversal-24",
            r"^ ?\\\\[\w.-]{1,80}\\",
            "a share of Windows, as a whole value",
            form=Form.AS_IS,
            where=Part.TOLD,
            paranoia=2,
        ),
        Signature(
            "traversal-25",
            r"(?<![\w/])/(?:etc/(?:passwd|shadow|hosts|group|sudoers)\b|proc/self/)|\b(?:boot|win|system)\.ini\b"
            r"|(?:web|meta)-inf/|\.ht(?:access|passwd)\b|\bweb\.config\b|/\.env\b|\.git/config",
            "a file of the system or of a deployment, anywhere in a text",
            form=Form.PATH,
            where=Part.TOLD,
            paranoia=3,
        ),
        Signature(
            "traversal-26",
            r"\.\./|/\.\.$",
            "a way up, anywhere in a text",
            form=Form.PATH,
            where=_ASKED | Part.FIELDS,
            paranoia=3,
        ),
        Signature(
            "traversal-27",
            r"^ ?(?:/|\./|~/)[\w.-]|^ ?[\w-]{1,40}+/[\w./-]{1,80}\.\w{1,5}$",
            "a path",
            form=Form.PATH,
            where=Part.TOLD,
            severity=Severity.WARNING,
            paranoia=4,
        ),
        Signature(
            "traversal-28",
            r"\.(?:php\d?|phtml|inc|aspx?|jspx?|py|rb|cgi|pl|conf|cfg|cnf|config|ini|ya?ml|sql|env)\.\d$",
            "a copy that a rotation has left behind, or a page of a manual",
            form=Form.PATH,
            where=Part.PATH,
            severity=Severity.WARNING,
        ),
        Signature(
            "traversal-29",
            r"^ ?+(?:http|ftp)s?+://\d{1,3}+\.\d{1,3}+\.\d{1,3}+\.\d{1,3}+(?::\d{1,5}+)?+/[\w./~-]{0,100}"
            r"\.(?:php\d?|phtml|inc|txt|pl|py|sh|cgi|aspx?|jspx?)\?{0,2}+$",
            "a script on a server without a name, to be included",
            where=Part.TOLD,
        ),
    ),
)
