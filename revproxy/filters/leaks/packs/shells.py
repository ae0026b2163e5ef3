"""Web shells: pages by which somebody who has got in commands a server (MITRE ATT&CK T1505.003), and what commands
say."""

from __future__ import annotations

from ....security_log import Severity
from ..form import START
from ..pack import LeakPack
from ..signature import LeakSignature

__all__ = ["WEB_SHELLS"]

_CRITICAL = Severity.CRITICAL

WEB_SHELLS = LeakPack(
    "web-shell",
    (
        LeakSignature(
            "web-shell-01",
            r"<title>[^<]{0,120}?- c99(?:shell|madshell)?+</title>|!c99(?:shell|madshell) v\. ?\d"
            r"|c99shell v\. ?\d[\w. #-]{0,40}+!",
            "the web shell c99",
            severity=_CRITICAL,
        ),
        LeakSignature(
            "web-shell-02",
            r"<title>[^<]{0,80}?r57 ?shell[^<]{0,40}+</title>|!r57shell|r57shell\.php|\[ (?:r57shell|rst/ghc) ",
            "the web shell r57",
            severity=_CRITICAL,
        ),
        LeakSignature(
            "web-shell-03",
            r"<title>[^<]{0,120}?- wso \d\.\d|\[ sec\. info \] ?(?:</th> ?<th>|</td> ?<td>)? ?\[ files \]"
            r"|name=['\"]?+a['\"]?+ value=['\"]?+filesman",
            "the web shell WSO",
            severity=_CRITICAL,
        ),
        LeakSignature(
            "web-shell-04",
            r"<title>[^<]{0,80}?b374k[^<]{0,40}+</title>|b374k (?:shell|m1n1|mini) ?:? ?\d"
            r"|<title>[^<]{0,60}?(?:indoxploit|p0wny@shell|alfa team shell|mini shell by|leaf phpmailer|0byt3m1n1)",
            "a web shell in PHP by its name",
            severity=_CRITICAL,
        ),
        LeakSignature(
            "web-shell-05",
            rf"{START} ?->\|[^|<>]{{0,600}}\|<-",
            "the answer of a one-line web shell",
            severity=_CRITICAL,
            quotable=False,
        ),
        LeakSignature(
            "web-shell-06",
            r"uid=\d{1,10}+\([\w.-]{1,32}+\) gid=\d{1,10}+\([\w.-]{1,32}+\)(?: groups=\d|[ <\"]|\\n)",
            "what the command id says",
            severity=_CRITICAL,
        ),
        LeakSignature(
            "web-shell-07",
            r"safe[ _-]?+mode ?+: ?+(?:on|off)[^:]{0,120}?(?:disabled?+[ _-]functions?+|open[ _-]basedir|uname"
            r"|server ip) ?:"
            r"|disabled?+ (?:php )?+functions?+ ?+: ?+[a-z_, :]{3,200}? (?:uname|curl|server ip|open_basedir) ?:",
            "what a web shell in PHP says of its server",
            severity=_CRITICAL,
        ),
        LeakSignature(
            "web-shell-08",
            r"<title>[^<]{0,60}?(?:aspx ?spy|asp\.net web ?shell</title>|jsp ?spy|jsp (?:shell|cmd|file browser)"
            r"|awen asp\.net webshell|cmd\.(?:asp|jsp)x? shell|web ?shell by)",
            "a web shell in ASP or JSP by its name",
            severity=_CRITICAL,
        ),
        LeakSignature(
            "web-shell-09",
            r"volume in drive [a-z] (?:is|has)[^<>]{1,80}? volume serial number is [0-9a-f]{4}-[0-9a-f]{4}"
            r"|microsoft windows \[version \d{1,2}\.[\d.]{3,14}+\] ?\(c\)"
            r"|nt authority\\(?:system|network service|local service) ?(?:<|[a-z]:\\)",
            "what commands of Windows say",
            severity=_CRITICAL,
        ),
        LeakSignature(
            "web-shell-10",
            r"total \d{1,9}+ d[rwxst-]{9}[.+@]? {0,2}\d{1,5}+ [\w.-]{1,32}+ [\w.-]{1,32}+ {0,2}\d{1,12}+ [a-z]{3} ",
            "what the command ls says",
            severity=Severity.WARNING,
        ),
        LeakSignature(
            "web-shell-11",
            r"<input [^<>]{0,80}?name=['\"]?+(?:cmd|command|exec|shell|c0mmand|cmdline)['\" />]",
            "a form for commands",
            severity=Severity.WARNING,
            paranoia=2,
        ),
    ),
)
