"""Names and places of the inside: of little use alone, and of much to who has found a way in (CWE-200).

All but the first are ``NOTICE`` signatures from the second level of paranoia on: applications tell such things often,
and mean to.
"""

from __future__ import annotations

from ....security_log import Severity
from ..pack import LeakPack
from ..signature import LeakSignature

__all__ = ["INSIDE"]

_HOST = r"https?://[\w-]{1,60}+(?:\.[\w-]{1,60}+){0,6}?"
_END = r"[:/\"'<> ]"

INSIDE = LeakPack(
    "inside",
    (
        LeakSignature(
            "inside-01",
            r"[a-z]:\\{1,2}inetpub\\{1,2}(?:wwwroot|apps?|sites)\\|/(?:var/www|srv/www|usr/share/nginx"
            r"|usr/local/apache2?)/[\w.-]{1,60}+/[\w./-]{1,120}?\.(?:php|inc|py|rb|pl|conf|ini|cgi)",
            "a path of a web server",
            severity=Severity.NOTICE,
        ),
        LeakSignature(
            "inside-02",
            r"[ \"'>(:=](?:/home/[\w.-]{1,32}+|/users/[\w.-]{1,32}+|/root|/usr/src/app|/opt/[\w.-]{1,32}+"
            r"|/srv/[\w.-]{1,32}+)/[\w.-]{1,60}+/[\w.-]{1,60}",
            "a path of a system",
            severity=Severity.NOTICE,
            paranoia=2,
        ),
        LeakSignature(
            "inside-03",
            r"[ \"'>(=][a-z]:\\{1,2}(?:users|windows|program files(?: \(x86\))?|projects|builds?"
            r"|agent\\{1,2}_work)\\{1,2}[\w. -]{1,60}",
            "a path of Windows",
            severity=Severity.NOTICE,
            paranoia=2,
        ),
        LeakSignature(
            "inside-04",
            rf"{_HOST}\.(?:internal|intranet|corp|lan|local|localdomain|home\.arpa|consul|svc){_END}",
            "a host of a private domain",
            severity=Severity.NOTICE,
            paranoia=2,
        ),
        LeakSignature(
            "inside-05",
            r"https?://(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01])|169\.254|100\.(?:6[4-9]|[789]\d|1[01]\d"
            r"|12[0-7]))\.\d{1,3}+\.\d{1,3}",
            "an address of a private network",
            severity=Severity.NOTICE,
            paranoia=2,
        ),
        LeakSignature(
            "inside-06",
            rf"https?://(?:localhost|127\.\d{{1,3}}+\.\d{{1,3}}+\.\d{{1,3}}+|\[::1\]|0\.0\.0\.0){_END}",
            "an address of the machine itself",
            severity=Severity.NOTICE,
            paranoia=3,
        ),
    ),
)
