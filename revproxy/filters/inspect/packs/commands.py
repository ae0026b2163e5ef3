"""Commands for a shell, and code for an interpreter (CWE-77, CWE-78, CWE-94, CWE-434).

A command is told from prose about one by where it stands: behind a separator that follows a short value such as an
address, or with arguments that nobody writes about.
"""

from __future__ import annotations

import re

from multidict import istr

from ....security_log import Severity
from ..forms import Form
from ..pack import Pack
from ..signature import Signature
from ..subject import Check, Subject
from ..value import Part
from .code import CODE, TO_BE_RUN

__all__ = ["COMMAND_INJECTION"]

_TOLD = Part.ARGUMENTS | Part.COOKIE

_SEPARATOR = r"(?:;|\|\|?|&&?)"
_AFTER_A_WORD = r"^ ?+[^ ;|&]{0,48}+ ?+[;|&]{1,3}+ ?+[({!]?+ ?+(?:sudo |exec |eval |busybox )?"
"""A separator behind one word at most: so begins no sentence."""
_AFTER_WORDS = r"^ ?+[^ ;|&]{0,48}+(?: [^ ;|&]{1,24}+){0,2} ?+[;|&]{1,3}+ ?+[({!]?+ ?+"
_AFTER_A_PROBE = (
    r"^ ?(?:[a-z$]?[\d.:/-]{0,20}+|test|foo|bar|abc|xyz|admin|root|user|guest|localhost|null|hello|dummy|index"
    r"|[\w@:/+-]{1,40}+\.[\w./:-]{1,40}+)[)\]}]{0,3}+ ?+[;|&]{1,3}+ ?+"
)

_UNMISTAKABLE = (
    r"(?:whoami|uname|ifconfig|ipconfig|netstat|systeminfo|tasklist|printenv|lsof|lscpu|lsblk|getent|pstree|gpresult"
    r"|hostnamectl|lsb_release|nslookup|qwinsta|driverquery|logname|lastlog|dmesg|vmstat|iptables)"
)
_SHORT = (
    r"(?:id|ls|ll|dir|pwd|ps(?: aux| -ef)?|env|df|du|arp|hostname|uptime|sh|nc|bash|cat|net user|zsh|ksh|cmd|cmd\.exe"
    r"|powershell|ping|ip a|ip addr|tty|vi)"
)
_WORDS = r"(?:set|ver|vol|date|who|w|top|free|mount|reboot|shutdown)"
"""Commands that stand in menus and titles, too."""
_COMMAND = (
    r"(?:arp|aria2c|base64|bash|bzip2|cat|chmod|chown|cmd|copy|cp|crontab|csh|curl|dash|dd|del|df|dig|dir|du|env|expr"
    r"|fdisk|fetch|find|findstr|ftp|gcc|gdb|gzip|host|icacls|id|ifconfig|ipconfig|java|kill|killall|ksh|ln|ls|lua"
    r"|lwp-download|lynx|mail|mkdir|mkfifo|mount|mv|mysql|mysqldump|nano|nc|ncat|net|netcat|netsh|netstat|nice|nl|nmap"
    r"|node|nohup|nslookup|od|openssl|passwd|perl|php|ping|ping6|pkill|powershell|printf|ps|psql|pwsh|python[23]?"
    r"|rcp|reg"
    r"|rename|rev|rm|rmdir|rsync|ruby|sc|schtasks|scp|sftp|sh|shutdown|socat|sqlite3|sqlplus|ssh|strings|su|tac|tar"
    r"|taskkill|tasklist|telnet|tftp|timeout|touch|traceroute|tracert|tree|type|uname|unzip|useradd|vi|vim|waitfor"
    r"|wget|wmic"
    r"|xterm|xxd|zcat|zip|zsh)"
)
"""Without those that people put behind a pipe, as grep, sort and less."""
_WITH = (
    r"(?:\.exe)?(?: |,|<>?+ ?+)(?:--?[a-z](?!o-)|/|~(?!\d)|\.\.?/|[a-z]:|https?:|\*|\$(?!\d)|\d{1,3}\.\d{1,3}\.|>"
    r"|[\w.-]{0,12}/etc/|-\d"
    r"|[\w-]{1,20}+\.(?:php|txt|jsp|py|conf|log|html?|sh|ini|xml|json)\b)"
)
_READS = (
    r"(?:cat|head|tail|more|less|nl|tac|type|strings|od|xxd|base64|grep|egrep|sed|awk|cut|rev|sort|vi|vim|nano|cp|mv|ls"
    r"|dir|dd|paste|find|curl|wget|rm|source|tar|pg|ul|hexdump|view|emacs|fold|uniq|tee)"
)
_SECRETS = (
    r"(?:etc/{1,3}(?:passwd|shadow|group|hosts|issue|sudoers)|proc/{1,3}(?:self|version|cpuinfo)|c:windows|c:boot"
    r"|boot\.ini"
    r"|win\.ini|root/\.|ssh/id_)"
)

_LINES = re.compile(
    r"(?:(?P<probe>[a-z$]?[\d.:/-]{0,20}+|test|foo|admin|hello|abc|user|[\w@:/+-]{1,40}+\.[\w./:-]{1,40}+)|[^\s;"
    r"|&`]{0,48}+)[)\]}]{0,3}+[ \t]?+[\r\n]"
    r"[\r\n \t]{0,4}+[;|&]?+[ ]?+(?:/(?:usr/)?(?:local/)?s?bin/)?"
    rf"(?:{_UNMISTAKABLE}\b|{_COMMAND}{_WITH}|{_READS} /?{_SECRETS}|sleep \d|ping -|(?(probe)(?:{_SHORT}|date"
    rf"|ver)\s{{0,2}}(?:\Z"
    r"|[;|&#])|(?!)))"
)
_ENCODED = re.compile(r"%0[AaDd](?:%20|%09)?")
_DROPPED = str.maketrans("", "", "'\"\\^")
_CONTENT_LENGTH = istr("Content-Length")
_TRANSFER_ENCODING = istr("Transfer-Encoding")
_LOOKED_AT = 160
_LINES_AT_MOST = 3
"""Line breaks of a value that is not a text."""


def _second_line(subject: Subject) -> str | None:
    inbound = subject.exchange.inbound
    target, headers = inbound.target, inbound.headers
    if (
        "%0" not in target
        and "%250" not in target
        and _CONTENT_LENGTH not in headers
        and _TRANSFER_ENCODING not in headers
    ):
        return None
    raw = subject.raw
    if "\n" not in raw and "\r" not in raw and "%0" not in raw:
        return None
    for value in subject.values:
        text = value.text[:_LOOKED_AT]
        if "%0" in text:
            text = _ENCODED.sub("\n", text)
        if ("\n" in text or "\r" in text) and value.text.count("\n") <= _LINES_AT_MOST and value.bit & _TOLD.value:
            text = text.translate(_DROPPED).lower().replace("${ifs}", " ").replace("$ifs", " ")
            if _LINES.match(text) is not None:
                return "a command on the second line of a value"
    return None


COMMAND_INJECTION = Pack(
    "rce",
    (
        Signature(
            "rce-01",
            rf"{_AFTER_A_PROBE}(?:{_SHORT}|(?<=[;|&]){_WORDS})(?: ?(?:$|[;&#<>]|\|\|)|\|$|\|[a-z]{{1,10}}$)"
            rf"|^ ?+[^ ;|&]{{0,48}}+ ?+(?:&&|\|\|) ?(?:{_SHORT}|date|ver|who) ?(?:$|&|;|#|\|\|)"
            r"|^ ?+[\d.:/-]{0,20}+ ?+[;|&]{1,3}+ ?+(?:date|ver|vol|who) ?+(?:$|[;|&#<>])",
            "a command behind a separator, and nothing else",
            form=Form.SHELL,
            where=Part.ARGUMENTS,
        ),
        Signature(
            "rce-02",
            rf"^(?!data:[\w/+.-]{{1,60}}+;base64,){_AFTER_A_WORD[1:]}(?!type /){_COMMAND}{_WITH}",
            "a command with arguments behind a separator",
            form=Form.SHELL,
            where=_TOLD | Part.PATH,
        ),
        Signature(
            "rce-03",
            rf"[;&|] ?whoami\b(?! ?[=(:,|])|\| ?whoami\|?$|{_AFTER_WORDS}{_UNMISTAKABLE}(?: ?$| ?[;&#<>`]| (?:--?"
            r"|/)[a-z]"
            r"|\||/)",
            "a command that is no word behind a separator",
            form=Form.SHELL,
            where=_TOLD | Part.FIELDS,
        ),
        Signature(
            "rce-04",
            rf"{_AFTER_A_WORD}/(?:usr/|usr/local/|[?*]{{1,3}}/)?(?:s?bin|[b?*][i?*][n?*])/[a-z?*\[]"
            r"|[;|&`] ?/(?:usr/)?bin/(?:id|cat|ls|uname|whoami|ping|nc|wget|curl|sleep|tail|head|more|less)\b"
            r"|^ ?/(?:usr/)?s?bin/(?:id|ls|cat|uname|whoami|ping|nc|wget|curl|sleep|tail|head|more|less|ps|netstat"
            r"|ifconfig)(?:$| )",
            "a command by its path",
            form=Form.SHELL,
            where=_TOLD,
        ),
        Signature(
            "rce-05",
            rf"{_SEPARATOR} ?{_READS}(?: |<)(?:-[\w=-]{{1,12}}+ )?(?:[\w.*=-]{{1,20}}+ )?[/~.]{{0,24}}+{_SECRETS}"
            rf"|^ ?{_READS}(?: |<>?+ ?+)(?:-[\w=-]{{1,12}}+ )?(?:/{{1,3}}+{_SECRETS}|c:windows|c:boot)",
            "a command that reads what is the system's",
            form=Form.SHELL,
            where=Part.ANYWHERE,
        ),
        Signature(
            "rce-06",
            rf"^[^ $<>=]{{0,48}}+[$<>]\( ?(?!(?:net|type|host|find|mail|java|php|node)\))(?:{_COMMAND}"
            rf"|{_UNMISTAKABLE}|{_SHORT}|echo|tr|sleep)"
            r"(?: [^)]{0,60}+|[^\w)=:,][^)]{0,60}+)?\)[^(\[ ]{0,12}+$",
            "a command that is put in place of its output",
            form=Form.SHELL,
            where=_TOLD,
        ),
        Signature(
            "rce-07",
            rf"\$\( ?(?:sleep \d|ping -|nslookup |dig |{_READS} [/~.]{{0,12}}+{_SECRETS}|base64 -d)"
            r"|`(?:sleep \d{1,3}|ping -[cn] ?\d[^`]{0,40}|nslookup [^`]{3,60})`",
            "a command in place of its output, that takes time or tells somebody",
            form=Form.SHELL,
            where=Part.ANYWHERE,
        ),
        Signature(
            "rce-08",
            rf"^[^ `=]{{0,40}}+`(?!(?:node|java|python\d?|php|ruby|perl|gcc|find|ssh"
            rf"|mysql) (?!-[ecr]\b))(?: ?/(?:usr/)?bin/)?(?:{_COMMAND}|{_UNMISTAKABLE}|{_SHORT}|sleep"
            rf"|echo)(?: [^`]{{0,60}}+)?`"
            r"[^ `]{0,20}+$",
            "a command between backticks, and nothing else",
            where=_TOLD,
        ),
        Signature(
            "rce-09",
            rf"{_SEPARATOR} ?(?:u?sleep|timeout(?: /t)?|start-sleep(?: -s)?) ?\d{{1,6}}+(?:\.\d)?[smh]? ?(?:;? ?$|["
            r"|&#`)>])"
            rf"|{_AFTER_A_WORD}sleep \d{{1,6}}+ ?;"
            r"|[;|&`(] ?ping6?(?:\.exe)? (?:-[a-z] ?\d{0,3}+ )?-[cnwi] ?\d|[;|&`] ?ping(?: -[nc]| \d{1,3}\.| localhost)"
            rf"|{_AFTER_A_WORD}u?sleep ?\( ?\d{{1,6}}+ ?\) ?[;#)}}|&]{{0,3}}+ ?(?:$|--|//)|{_AFTER_A_WORD}(?:ping"
            rf"|nslookup|host|dig|curl|wget) (?=[\w-]{{0,40}}+\.\w|localhost)[\w.-]{{3,60}}+ ?(?:$|[;|&#])",
            "a command that only takes time",
            form=Form.SHELL,
            where=_TOLD | Part.FIELDS,
        ),
        Signature(
            "rce-10",
            r"/dev/(?:tcp|udp)/|\bn(?:c|cat|etcat|c\.exe|c\.traditional) [\w. -]{0,40}?-(?:[ec] |[lvnp]{2,4}+\b)"
            r"|bash -i ?[><&\d]"
            r"|0<&\d{2}|mkfifo /tmp/|mknod /tmp/|/inet/(?:tcp|udp)/|\bsocat (?:[^ ]{1,40}+ )?(?:exec|tcp"
            r"|openssl)[:-]|pty\.spawn\("
            r"|\b(?:fsockopen|tcpsocket\.(?:new|open)|io::socket::inet)\(?[^)]{0,40}\d\d|\bxterm -display"
            r"|\| ?/bin/(?:ba)?sh\b"
            r"|\| ?telnet [\d$]|-[ecr] ?(?:use socket|import (?:socket|os|pty|subprocess)\b)|[;|&] ?(?:ba|z"
            r"|da)?sh /(?:tmp|dev)/",
            "a shell that connects to somebody",
            form=Form.SHELL,
            where=Part.ANYWHERE,
        ),
        Signature(
            "rce-11",
            rf"{_AFTER_A_WORD}echo (?:\$|\d|(?=[a-z]{{0,40}}+[\d_])\w{{1,40}}+ ?(?:$|[;|&#<>])|\w{{1,40}}+ ?[;|#<>])"
            rf"|{_AFTER_A_PROBE}(?:echo|printf) \w{{1,40}}+ ?$|{_AFTER_A_WORD}(?:expr \d|set /a|printf (?:[%$\d]"
            rf"|\w{{1,40}}+ ?[;|]))"
            r"|[;|&] ?echo [^ ]{0,40}+ ?(?:>>? ?[\w./]{0,40}\.(?:php|jsp|aspx?|sh|txt|html?)|\| ?base64|\|(?:ba)?sh)"
            r"|\$\(\( ?\d{1,10}+ ?[*+-] ?\d",
            "a command whose output shows that it was run",
            form=Form.SHELL,
            where=_TOLD,
        ),
        Signature(
            "rce-12",
            r"[a-z]\$\(\)[a-z]|(?<!<)[a-z]<<<[a-z$(]|[a-z/|;&\])}]\$\{?ifs\b"
            r"|\$\{?ifs\b\}?(?:\$\d)?[a-z/|;&{$*-]"
            r"|\$\{(?:path|home|pwd|oldpwd|shell|user|ls_colors|ifs|hostname|lang|term|shellopts|ps\d"
            r"|bash\w{0,12}):~?\d{1,2}:\d"
            r"|%(?:comspec|path|pathext|programfiles|windir|systemroot|username|userprofile|temp|appdata"
            r"|public):~-?\d|\$env:\w{2,12}\[\d"
            r"|(?:^|[;|&( `])\{(?:cat|ls|id|ping|sleep|wget|curl|uname|echo|nc|sh|bash|head|tail|nslookup),"
            r"|(?:/\?[a-z?]{1,4}/|/[a-z?]{1,3}\?/|/b\?n/|/e\?c/|/u\?r/|/[eb]\*/)(?:[\w*?]{0,12}[?*]|cat|id|ls|sh|nc"
            r"|passwd)",
            "a blank or a letter that a shell puts in",
            where=_TOLD | Part.FIELDS,
        ),
        Signature(
            "rce-13",
            r"(?:base64(?:\.exe)? --?d\w{0,6}|xxd -r(?: -p)?|openssl enc [^|]{0,30}|gunzip|rev) ?(?:<<<"
            r"|\|{1,2} ?(?:ba|da|z|k)?sh\b)"
            r"|\b(?:bash|sh|zsh|rev|base64|tr|xxd|python\d?|perl)(?: -\w)? ?<<<|<<< ?\$\(|\$\(< ?/|%comspec%"
            r"|\bcmd\.exe ?/[ckr]"
            r"|(?:^ ?|[;|&`(] ?)(?:(?:ba|da|z|k)?sh -[ic] [\w{$(/]|cmd ?/[ckr] ?[\w/%])",
            "a shell that is given what it is to do",
            form=Form.SHELL,
            where=_TOLD | Part.FIELDS,
        ),
        Signature(
            "rce-14",
            r"powershell(?:\.exe)?(?: [\w:.-]{1,20}+){0,6}? -(?:e[cnx]?\w{0,12}+ |nop|w\w{0,10} h|com)|\biex ?(?:\$"
            r"|\[|\( ?(?:[$\[(]|new-|irm|iwr|curl|wget|invoke|cat|gc))"
            r"|new-object (?:system\.)?net\.(?:webclient|sockets)|invoke-expression\b[ (]{0,2}[($i]"
            r"|frombase64string\([^)]{0,60}\)\)?\)? ?\|"
            r"|invoke-(?:shellcode|mimikatz)|certutil(?:\.exe)? [\w -]{0,24}?-(?:urlcache|decode)|bitsadmin(?:\.exe)? /"
            r"|mshta(?:\.exe)? (?:http|vbs|java)|regsvr32(?:\.exe)? [^;]{0,20}?/i:|rundll32(?:\.exe)? (?:javascript"
            r"|\w{2,20}\.dll,)"
            r"|process call create",
            "PowerShell or a program of Windows that fetches and runs",
            form=Form.SHELL,
            where=Part.ANYWHERE,
        ),
        Signature(
            "rce-15",
            r"[;|&] ?(?:net(?:\.exe|1)? (?:localgroup\b|(?:user|group|view|share|use|accounts)(?: ?$| ?[/*;|&#>]"
            r"| [a-z]:| (?:admin|guest)|"
            r" \w{1,20}+(?:=| (?:[^ ]{1,40}+ )?/)))|reg (?:add|query|save) "
            r"|schtasks /|wmic [/\w]"
            r"|(?:dir|type|del|attrib) (?:[a-z]:|%)|(?:dir|del) /[a-z]|dir ?&|sc (?:query|create) |vssadmin "
            r"|wevtutil |for /f "
            r"|netsh (?:firewall|adv|int|wlan)|shutdown [/-][a-z])",
            "a command of Windows behind a separator",
            form=Form.SHELL,
            where=_TOLD,
        ),
        Signature(
            "rce-16",
            r"\(\) ?\{ ?[:_] ?;? ?\} ?;|\(\) ?\{ ?_;? ?\} ?>_|\(\) ?\{ ?[\w:]{1,12}+ ?;? ?\} ?; ?(?:/(?:usr/)?bin/"
            r"|echo|bash|wget|curl|ping"
            r"|sleep|nc |id|cat|uname)|^ ?\(\) ?\{(?! ?return)[^}]{0,40}\} ?; ?[a-z/]",
            "a function for bash with more behind it (Shellshock, CVE-2014-6271)",
            form=Form.SHELL,
            where=Part.ANYWHERE,
        ),
        Signature(
            "rce-17",
            r"push graphic-context|fill [\"']?url\( ?[\"']?https?:[^)]{0,80}[|;`]|^ ?(?:msl|ephemeral|vid|epsi?"
            r"|mvg):/|%pipe%"
            r"|\\write18|\\(?:input|include|openin|lstinputlisting|verbatiminput)\d? ?[{=] ?[\"']?[|/]|\\csname input"
            r"|^[=@+-][\w\"&+*/(), -]{0,24}(?:cmd|powershell|mshta|msexcel|rundll32)[\w.]{0,8}+ ?\||^[=@+-]dde ?\(",
            "a command in a picture, a document or a spreadsheet",
            where=_TOLD,
        ),
        Signature(
            "rce-18",
            r"^ ?--?(?:d ?\+?(?:allow_url_include|auto_prepend_file|disable_functions|safe_mode)|o ?proxycommand ?="
            r"|upload-pack[= ]"
            r"|receive-pack[= ]|checkpoint-action[= ]|use-compress-program|to-command[= ]|rsh[= ]|exec[= ]|post-file"
            r"|x ?sh\b|ext-diff"
            r"|open-files-in-pager|config(?:-env)?=core)|(?:auto_prepend_file|allow_url_include) ?= ?(?:on|1|php:"
            r"|data:)|\bext::sh",
            "an option for a command where a value is expected",
            where=_TOLD | Part.TARGET,
        ),
        Signature(
            "rce-19",
            r"%(?:25)?0[ad](?:%(?:25)?20|%(?:25)?09|\+| )?(?:/(?:usr/)?bin/|(?:id|ls|cat|whoami|uname|ping|sleep"
            r"|wget|curl|nc|sh|bash"
            r"|dir|type|ifconfig|ipconfig|nslookup|echo)(?:$|%|\+| ))|[\\][nr] ?/(?:usr/)?s?bin/[a-z]",
            "a command on a line of its own, encoded",
            form=Form.AS_IS,
            where=_TOLD,
        ),
        Check("rce-20", _second_line, "a command on the second line of a value"),
        Signature(
            "rce-21",
            rf"{TO_BE_RUN}|(?:^|[/\\])(?:\.htaccess|\.htpasswd|\.user\.ini|web\.config"
            r"|php\.ini)$"
            r"|application/x-(?:httpd-)?php|text/x-php|(?:^|[/\\])(?:c99|r57|b374k)(?:shell)?\.(?:txt|gif|jpe?g|png)",
            "a file that a server would run",
            where=Part.FILE,
        ),
        Signature(
            "rce-22",
            r"^\||(?:;|\||&&|`)(?: (?!\w{2,6}\.\w{2,5}$))?(?:id|ls|cat|sleep|ping|wget|curl|nc|sh|bash|touch|rm|echo"
            r"|whoami)\b|\$\((?:[^)]{0,60}[ /$<;|]|(?:id|ls|whoami|pwd|uname|env)\))"
            r"|`[^`]{1,60}`"
            r"|[\"'] ?;[^ .]",
            "a file whose name is a command",
            where=Part.FILE,
        ),
        Signature(
            "rce-23",
            r"\.(?:pl|cgi|py|rb|sh|exe|bat|cmd|com|scr|pif|ps1|psm1|vbs|vbe|jse|wsf|hta|dll|msi|jar|class|lnk|reg|so"
            r"|elf|svgz?|html?"
            r"|xml)(?:[.;:%]| ?$)",
            "a file that a client or an interpreter would run",
            where=Part.FILE,
            severity=Severity.ERROR,
            paranoia=2,
        ),
        Signature(
            "rce-24",
            rf"(?:;|\|\|?|&&?|`|\$\() ?(?:{_COMMAND}|{_UNMISTAKABLE}|{_READS})(?: --?[a-z]| [/~.]{{1,3}}|$| ?[;|&)`])"
            rf"|^ ?{_COMMAND} (?:--?[a-z]|/|https?:)|^ ?{_UNMISTAKABLE}(?: ?$| -)",
            "a command, behind a separator anywhere or at the beginning",
            form=Form.SHELL,
            where=_TOLD,
            paranoia=2,
        ),
        Signature(
            "rce-25",
            r"\b[a-z_]{2,30}+ ?\( ?(?:\)|[\"'$\d][^)]{0,60}+\)?) ?;|`[^`]{1,80}`|\$\([^)]{1,80}+\)|\$\{[^}]{1,80}+\}",
            "a call or a substitution of any language",
            where=_TOLD,
            paranoia=3,
        ),
        Signature(
            "rce-26",
            r"[;|`<>]|&&|\$[({]",
            "a character that a shell does not take for itself",
            where=_TOLD,
            severity=Severity.WARNING,
            paranoia=4,
        ),
        *CODE,
    ),
)
